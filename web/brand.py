"""The provider's looks: a stylesheet, as the pages may carry no style in them, and its logo."""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from common.colours import DARK_GROUND, LIGHT_GROUND, Accent, accent_on
from common.scope import Scope
from payments.selectors.payments import addressed_provider_id
from tenancy.row_security import acting_for
from tenancy.selectors import current_logo, default_biller_entity, own_provider

SECONDS = 300
LOGO_SECONDS = 365 * 24 * 3600  # its address names its content


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


@require_safe
def brand_logo(request: HttpRequest, provider_slug: str, sha256: str) -> HttpResponse:
    """The logo that the provider wears now; another one has another address."""
    provider_id = addressed_provider_id(provider_slug)
    if provider_id is None:
        raise Http404
    with acting_for(provider_id=provider_id, user_id=None):
        scope = Scope.system(provider_id)
        content = current_logo(scope) if own_provider(scope).logo_sha256 == sha256 else None
    if content is None:
        raise Http404
    headers = {"Cache-Control": f"public, max-age={LOGO_SECONDS}, immutable"}
    return HttpResponse(content, content_type="image/png", headers=headers)


def _values(accent: Accent) -> str:
    return (
        f"--accent: {accent.colour}; --accent-strong: {accent.strong};"
        f" --on-accent: {accent.on_colour};"
    )
