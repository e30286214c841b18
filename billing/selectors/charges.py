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
    estimates = Invoice.objects.filter(state=Invoice.State.ESTIMATE).values("pk")
    waiting = Q(invoice_line=None) | Q(invoice_line__invoice__in=estimates)
    # Joined, the invoice of every charge there ever was is read, and its customer: 130 ms of 50,000
    # where few are left over from before a day, against 55 ms so (2026-11-22).
    rows = Charge.objects.visible_to(scope).filter(waiting)
    return rows.prefetch_related("customer", "product").order_by("-pk")
