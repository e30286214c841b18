"""Reading which payment settled which invoice."""

from common.scope import Scope
from payments.models import Allocation
from tenancy.owned import ProviderQuerySet


def allocations(scope: Scope) -> ProviderQuerySet[Allocation]:
    """Allocations with their payments and invoices, the first come first, undone ones too."""
    rows = Allocation.objects.visible_to(scope).select_related("payment", "invoice")
    return rows.order_by("allocated_at", "pk")
