"""Whether everybody who works here needs a second factor, in the console."""

from django.contrib import messages
from django.http import HttpResponse
from django.urls import path, reverse

from billing.services.providers import require_second_factor
from common import clock
from common.scope import Surface
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.console.provider import PROVIDER
from web.shared.form_pages import Review, confirm_page


@page_of(Surface.CONSOLE, "settings.write", FORM_METHODS)
def second_factor(request: SurfaceRequest, is_required: bool) -> HttpResponse:
    """The address says which way: sent twice, or by two people, it is what they meant."""

    def confirm() -> str:
        require_second_factor(
            provider_id=request.scope.provider_id,
            is_required=is_required,
            at=clock.now(),
            actor_id=request.user.pk,
        )
        said = "A second factor is asked of all staff." if is_required else "It is optional again."
        messages.success(request, said)
        return reverse(PROVIDER)

    review = Review(
        "Ask a second factor of all staff?" if is_required else "Leave second factors to people?",
        lead="Who has none sees nothing of the console until they have added one."
        if is_required
        else "Who has a second factor is still asked for it.",
        submit="Ask it of all" if is_required else "Make it optional",
    )
    return confirm_page(request, review, confirm=confirm, cancel_url=reverse(PROVIDER))


urls = [
    path(
        "settings/second-factor/ask/",
        second_factor,
        {"is_required": True},
        name="console_second_factor_ask",
    ),
    path(
        "settings/second-factor/leave/",
        second_factor,
        {"is_required": False},
        name="console_second_factor_leave",
    ),
]
