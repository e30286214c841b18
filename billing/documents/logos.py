"""The provider's logo on documents: within the page, as documents fetch nothing from anywhere."""

from base64 import b64encode

from billing.selectors.details import EstimateDetail
from common.scope import Scope
from tenancy.selectors import current_logo


def logo_of(provider_id: int) -> str:
    """The logo as the address of an image that holds it; empty where there is none."""
    content = current_logo(Scope.system(provider_id))
    return "" if content is None else f"data:image/png;base64,{b64encode(content).decode()}"


def logo_on(provider_id: int, detail: EstimateDetail) -> str:
    """The logo on an invoice: none on a reseller's own, though the provider issues it."""
    return logo_of(provider_id) if detail.is_by_provider else ""
