"""Which invoices the customers of a reseller have, and whether they are paid; nothing else."""

from datetime import date

from django.db.models import BooleanField, ExpressionWrapper, F, Q, QuerySet

from billing.models import Invoice
from common.scope import Scope
from customers.models import Customer
from resellers.rules.openings import INVOICE_STATUS

_OPEN = (Invoice.State.ISSUED, Invoice.State.PART_PAID)


def invoice_statuses(scope: Scope, today: date) -> QuerySet[Invoice]:
    """The issued invoices of the customers that a reseller sees, the latest first.

    Their numbers, dates and states, and `is_late`, whether something is due after the last day to
    pay (`today` in the provider's zone). Amounts and lines are not read, and none come at all
    before the provider opens it.
    """
    if INVOICE_STATUS not in scope.permissions:
        return Invoice.objects.none()
    is_late = Q(
        state__in=_OPEN,
        due_date__lt=today,
        gross_amount__gt=F("settled_amount") + F("credited_amount"),
    )
    rows = Invoice.objects.filter(
        provider_id=scope.provider_id,
        kind=Invoice.Kind.CUSTOMER,
        customer__in=Customer.objects.visible_to(scope),
    ).exclude(state=Invoice.State.ESTIMATE)
    return (
        rows.annotate(is_late=ExpressionWrapper(is_late, output_field=BooleanField()))
        .select_related("customer")
        .only("number", "state", "issue_date", "due_date", "customer")
        .order_by("-issue_date", "-pk")
    )
