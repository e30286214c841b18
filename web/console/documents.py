"""PDFs that could not be made, on the pages of what they are of: made again when staff say so."""

from collections.abc import Callable, Sequence

from django.contrib import messages
from django.http import HttpResponse

from billing.models import KeptDocument
from web.access import SurfaceRequest
from web.shared.actions import Action
from web.shared.form_pages import Review, confirm_page


def ways_to_pdf(
    document: KeptDocument | None, actions: Sequence[Action], *, again: str, needs: str
) -> Sequence[Action]:
    """The `actions` that show a PDF; of one that was given up, the way to have it made after all.

    `again` is the address of the page that asks, and `needs` who may.
    """
    if document is None or document.state != KeptDocument.State.FAILED:
        return actions
    return [Action("Make the PDF again", again, "arrow-path", needs=needs, is_main=True)]


def make_again_page(
    request: SurfaceRequest,
    document: KeptDocument,
    *,
    name: str,
    start: Callable[[], None],
    cancel_url: str,
) -> HttpResponse:
    """Ask before a document that was given up is made again."""

    def confirm() -> str:
        start()
        messages.success(request, "A worker makes the PDF.")
        return cancel_url

    review = Review(
        title=f"Make the PDF of {name} again?",
        lead="It is tried up to five times more. Nothing else about it changes.",
        facts=[("What went wrong", document.try_error)],
        submit="Make it again",
    )
    return confirm_page(request, review, confirm=confirm, cancel_url=cancel_url)
