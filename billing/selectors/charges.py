"""Reading charges of all customers that no issued invoice has asked for yet."""

from django.db.models import Q

from billing.models import Invoice
from common.scope import Scope
from subscriptions.models import Charge
from tenancy.owned import ProviderQuerySet


def unbilled_charges(scope: Scope) -> ProviderQuerySet[Charge]:
    """Recurring and one-time charges with their customers, the latest first.

    A charge on an estimate is unbilled still.
    """
    waiting = Q(invoice_line=None) | Q(invoice_line__invoice__state=Invoice.State.ESTIMATE)
    rows = Charge.objects.visible_to(scope).filter(waiting)
    return rows.select_related("customer", "product").order_by("-pk")
