"""Reading credit notes, and what an invoice still has to credit."""

from billing.models import CreditNote, InvoiceLine
from common.scope import Scope
from tenancy.owned import ProviderQuerySet


def credit_notes(scope: Scope) -> ProviderQuerySet[CreditNote]:
    """Credit notes with their invoices and payers, the latest first."""
    rows = CreditNote.objects.visible_to(scope)
    rows = rows.select_related("invoice__customer", "invoice__reseller", "customer")
    return rows.order_by("-issue_date", "-pk")


def creditable_lines(scope: Scope, invoice_id: int) -> ProviderQuerySet[InvoiceLine]:
    """Lines of an invoice that no credit note has taken back; only those above zero can be."""
    rows = InvoiceLine.objects.visible_to(scope).filter(invoice=invoice_id, credited_by=None)
    return rows.filter(net_amount__gt=0).order_by("position")
