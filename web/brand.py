"""The provider's colours: a stylesheet of its own, as the pages may carry no style in them."""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from common.scope import Scope
from payments.selectors.payments import addressed_provider_id
from tenancy.row_security import acting_for
from tenancy.selectors import default_biller_entity
from web.shared.colours import DARK_GROUND, LIGHT_GROUND, Accent, accent_on

SECONDS = 300


@require_safe
def brand(request: HttpRequest, provider_slug: str) -> HttpResponse:
    """Anybody's to read, like the sign-up page that wears it."""
    provider_id = addressed_provider_id(provider_slug)
    if provider_id is None:
        raise Http404
    with acting_for(provider_id=provider_id, user_id=None):
        colour = default_biller_entity(Scope.system(provider_id)).accent_colour
    css = (
        f"@layer brand {{ :root {{ {_values(accent_on(LIGHT_GROUND, colour))} }}"
        f" @media (prefers-color-scheme: dark)"
        f" {{ :root {{ {_values(accent_on(DARK_GROUND, colour))} }} }} }}\n"
    )
    return HttpResponse(
        css, content_type="text/css", headers={"Cache-Control": f"private, max-age={SECONDS}"}
    )


def _values(accent: Accent) -> str:
    return (
        f"--accent: {accent.colour}; --accent-strong: {accent.strong};"
        f" --on-accent: {accent.on_colour};"
    )
