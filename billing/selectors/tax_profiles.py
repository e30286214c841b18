"""Reading the taxes of a provider."""

from datetime import date

from billing.models import Tax
from billing.rules.taxes import PercentTax, taxes_in_force
from common.scope import Scope


def default_taxes(scope: Scope, day: date) -> list[PercentTax]:
    """The taxes of the provider's default profile in force on `day`, in the order they apply."""
    rows = Tax.objects.visible_to(scope).filter(profile__is_default=True)
    taxes = [
        PercentTax(row.name, row.percent, row.priority, row.valid_from, row.valid_to)
        for row in rows.order_by("priority", "pk")
    ]
    return taxes_in_force(taxes, day)
