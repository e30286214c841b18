"""Reading the taxes of a provider."""

from datetime import date

from billing.models import Tax
from billing.rules.taxes import PercentTax, taxes_in_force
from common.scope import Scope
from tenancy.owned import ProviderQuerySet


def taxes(scope: Scope) -> ProviderQuerySet[Tax]:
    """All taxes of the provider's default profile, past and to come, in the order they apply."""
    rows = Tax.objects.visible_to(scope).filter(profile__is_default=True)
    return rows.order_by("priority", "pk")


def default_taxes(scope: Scope, day: date) -> list[PercentTax]:
    """The taxes of the provider's default profile in force on `day`, in the order they apply."""
    listed = [
        PercentTax(row.name, row.percent, row.priority, row.valid_from, row.valid_to)
        for row in taxes(scope)
    ]
    return taxes_in_force(listed, day)
