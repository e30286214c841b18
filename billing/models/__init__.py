"""What customers are asked to pay: taxes, bill runs, invoices, credit notes and their documents."""

from billing.models.credit_notes import CreditNote, CreditNoteLine, CreditNoteTax
from billing.models.documents import Document, KeptDocument
from billing.models.emails import InvoiceEmail
from billing.models.invoices import BilledUsage, Invoice, InvoiceLine, InvoiceTax
from billing.models.runs import BillRun, BillRunItem
from billing.models.taxes import NumberSeries, Tax, TaxProfile

__all__ = [
    "BillRun",
    "BillRunItem",
    "BilledUsage",
    "CreditNote",
    "CreditNoteLine",
    "CreditNoteTax",
    "Document",
    "Invoice",
    "InvoiceEmail",
    "InvoiceLine",
    "InvoiceTax",
    "KeptDocument",
    "NumberSeries",
    "Tax",
    "TaxProfile",
]
