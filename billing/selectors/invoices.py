"""Reading invoices: which there are, what is open, what is overdue."""

from datetime import date

from billing.models import Invoice
from common.errors import NotFound
from common.scope import Scope
from tenancy.owned import ProviderQuerySet


class UnknownInvoice(NotFound):
    """There is no such invoice for whoever asks."""


def invoices(scope: Scope) -> ProviderQuerySet[Invoice]:
    """Issued invoices with their payers, the latest first; estimates are nobody's invoice yet."""
    rows = Invoice.objects.visible_to(scope).exclude(state=Invoice.State.ESTIMATE)
    return rows.select_related("customer", "reseller").order_by("-issue_date", "-pk")


def estimates(scope: Scope, run_id: int) -> ProviderQuerySet[Invoice]:
    """What a bill run would issue, the largest first; for the provider only."""
    if not scope.sees_whole_provider:
        return Invoice.objects.none()
    rows = Invoice.objects.visible_to(scope)
    rows = rows.filter(bill_run_item__run=run_id, state=Invoice.State.ESTIMATE)
    return rows.select_related("customer", "reseller").order_by("-gross_amount", "pk")


def all_estimates(scope: Scope) -> ProviderQuerySet[Invoice]:
    """What the provider's open bill runs would issue, the latest period first."""
    if not scope.sees_whole_provider:
        return Invoice.objects.none()
    rows = Invoice.objects.visible_to(scope).filter(state=Invoice.State.ESTIMATE)
    return rows.select_related("customer", "reseller").order_by("-period_from", "-pk")


def open_invoices(scope: Scope, customer_id: int, currency: str) -> ProviderQuerySet[Invoice]:
    """A customer's invoices with something due, in the order money settles them: oldest due."""
    return _open(scope).filter(customer=customer_id, currency=currency).order_by("due_date", "pk")


def overdue_invoices(scope: Scope, today: date) -> ProviderQuerySet[Invoice]:
    """Invoices whose last day to pay is over; `today` is the date in the provider's zone."""
    return _open(scope).filter(due_date__lt=today).order_by("due_date", "pk")


def invoice_by_id(scope: Scope, invoice_id: int) -> Invoice:
    """An issued invoice that the scope sees.

    :raises UnknownInvoice: for any other.
    """
    row = invoices(scope).filter(pk=invoice_id).first()
    if row is None:
        raise UnknownInvoice(f"There is no invoice {invoice_id}.")
    return row


def _open(scope: Scope) -> ProviderQuerySet[Invoice]:
    rows = Invoice.objects.visible_to(scope)
    return rows.filter(state__in=[Invoice.State.ISSUED, Invoice.State.PART_PAID])
