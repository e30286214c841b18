"""What is done with a rate import once it is compared: written, thrown away, taken back."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.urls import path, reverse

from catalogue.models import RateImport
from catalogue.rules.rate_row_classes import RowClass
from catalogue.selectors.rate_imports import rate_import
from catalogue.services.rate_imports import confirm_import, discard_import
from cdr.services.rate_undoing import ask_to_undo
from common import clock
from common.scope import Surface
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.console.rate_import_pages import State, import_facts, past_of
from web.shared.form_pages import Review, confirm_page

WRITE = "catalogue.write"


@page_of(Surface.CONSOLE, WRITE, FORM_METHODS)
def rate_import_confirm(request: SurfaceRequest, import_id: int) -> HttpResponse:
    imported = rate_import(request.scope, import_id)
    was_stashed = imported.state == State.STASHED
    review = Review(
        title=f"{'Confirm' if was_stashed else 'Import'} {imported}?",
        lead=f"Into {imported.rate_table}, in {imported.rate_table.currency}. All of it or nothing."
        " Calls that were rated before keep their cost.",
        facts=[
            *import_facts(imported)[-5:],
            ("Begin or end in the past", past_of(request, imported).count),
        ],
        headings=("Rows", "Number"),
        rows=_counted(imported),
        submit="Confirm the rates" if was_stashed else "Import the rates",
    )
    return _confirm(request, imported, review, confirm_import, "is being imported")


@page_of(Surface.CONSOLE, WRITE, FORM_METHODS)
def rate_import_discard(request: SurfaceRequest, import_id: int) -> HttpResponse:
    imported = rate_import(request.scope, import_id)
    review = Review(
        title=f"Throw {imported} away?",
        lead="What it would have done is not done; rates that it stashed leave the table.",
        facts=[("Rate table", imported.rate_table)],
        submit="Throw away",
        is_dangerous=True,
    )
    return _confirm(request, imported, review, discard_import, "is thrown away")


@page_of(Surface.CONSOLE, WRITE, FORM_METHODS)
def rate_import_undo(request: SurfaceRequest, import_id: int) -> HttpResponse:
    imported = rate_import(request.scope, import_id)
    review = Review(
        title=f"Take {imported} back?",
        lead="Rates that it added are removed; those it replaced, closed or stashed are again what"
        " they were. Possible until usage was priced by one of its rates.",
        facts=[("Rate table", imported.rate_table)],
        headings=("Rows", "Number"),
        rows=_counted(imported),
        submit="Take back",
        is_dangerous=True,
    )
    return _confirm(request, imported, review, ask_to_undo, "is being taken back")


def _counted(imported: RateImport) -> list[tuple[str, str]]:
    """Rows by class, those without any left out."""
    counts = {each.value: imported.count(each) for each in RowClass}
    return [(row_class, f"{count:,}") for row_class, count in counts.items() if count]


def _confirm(
    request: SurfaceRequest,
    imported: RateImport,
    review: Review,
    service: Callable[..., RateImport],
    done: str,
) -> HttpResponse:
    url = reverse("console_rate_import", kwargs={"import_id": imported.pk})

    def confirm() -> str:
        service(rate_import=imported, at=clock.now(), actor_id=request.scope.user_id)
        messages.success(request, f"{imported} {done}.")
        return url

    return confirm_page(request, review, confirm=confirm, cancel_url=url)


urls = [
    path(
        "rate-imports/<int:import_id>/confirm/",
        rate_import_confirm,
        name="console_rate_import_confirm",
    ),
    path(
        "rate-imports/<int:import_id>/discard/",
        rate_import_discard,
        name="console_rate_import_discard",
    ),
    path("rate-imports/<int:import_id>/undo/", rate_import_undo, name="console_rate_import_undo"),
]
