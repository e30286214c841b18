"""Reading which invoices were e-mailed to whom."""

from billing.models import InvoiceEmail
from common.scope import Scope
from tenancy.owned import ProviderQuerySet


def invoice_emails(scope: Scope) -> ProviderQuerySet[InvoiceEmail]:
    """E-mails of invoices, the latest first."""
    return InvoiceEmail.objects.visible_to(scope).order_by("-pk")
