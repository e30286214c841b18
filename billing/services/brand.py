"""A provider's looks: on customers' and resellers' pages, and on its documents."""

import hashlib
from datetime import datetime

from django.db import transaction

from audit.services import record_change
from common.colours import TEXT_CONTRAST, accent_on, contrast
from common.errors import DomainError
from tenancy.models import BillerEntity, Logo, Provider
from tenancy.rules.logos import as_logo

PAPER = "#ffffff"


class AccentRefused(DomainError):
    """The accent is no colour, or white text on it cannot be read."""


@transaction.atomic
def change_brand(
    *,
    provider_id: int,
    accent_colour: str,
    picture: bytes | None = None,
    removes_logo: bool = False,
    at: datetime,
    actor_id: int | None,
) -> Provider:
    """Change the accent colour of pages and all sellers' documents, and the logo.

    Without a `picture` the logo stays, unless `removes_logo`. Documents keep what they were
    rendered with.

    :raises AccentRefused: if the colour is none, or too light for white text.
    :raises LogoRefused: if the picture is none.
    """
    _check_accent(accent_colour)
    provider = Provider.objects.select_for_update(no_key=True).get(pk=provider_id)
    entities = BillerEntity.objects.filter(provider=provider)
    before = {
        "accent_colour": entities.get(is_default=True).accent_colour,
        "logo_sha256": provider.logo_sha256,
    }
    if picture is not None:
        provider.logo_sha256 = _keep_logo(provider, as_logo(picture), at)
    elif removes_logo:
        provider.logo_sha256 = ""
    provider.save(update_fields=["logo_sha256"])
    entities.update(accent_colour=accent_colour)
    after = {"accent_colour": accent_colour, "logo_sha256": provider.logo_sha256}
    record_change(
        provider_id=provider_id,
        action="provider.brand_changed",
        changed=provider,
        at=at,
        actor_id=actor_id,
        before=before,
        after=after,
    )
    return provider


def _check_accent(colour: str) -> None:
    try:
        readable = accent_on(PAPER, colour).colour
    except ValueError as error:
        raise AccentRefused(f"{error}.") from error
    if contrast(PAPER, colour) < TEXT_CONTRAST:
        raise AccentRefused(
            f"White text on {colour} has a contrast of {contrast(PAPER, colour):.1f}, and"
            f" {TEXT_CONTRAST} is needed to read it; {readable} would do."
        )


def _keep_logo(provider: Provider, content: bytes, at: datetime) -> str:
    sha256 = hashlib.sha256(content).hexdigest()
    Logo.objects.get_or_create(
        provider=provider, sha256=sha256, defaults={"content": content, "created_at": at}
    )
    return sha256
