"""Everything an invoice or a credit note says, frozen, for documents and pages."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any

from billing.models import CreditNote, CreditNoteTax, Invoice, InvoiceLine, InvoiceTax
from billing.selectors.invoices import UnknownInvoice, all_estimates, invoice_by_id
from catalogue.rules.tier_statements import TierRow
from common.errors import NotFound
from common.money import ZERO
from common.scope import Scope


class UnknownCreditNote(NotFound):
    """There is no such credit note for whoever asks."""


@dataclass(frozen=True)
class LineDetail:
    """One line; usage has calls and a volume, a charge a quantity and a period."""

    description: str
    net_amount: Decimal
    product_name: str = ""
    is_late: bool = False
    period_from: date | None = None
    period_to: date | None = None
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    call_count: int | None = None
    billed_volume: int | None = None
    included_volume: int | None = None
    volume_unit: str = ""


@dataclass(frozen=True)
class LineGroup:
    """The lines of one group (`InvoiceLine.Group`) and their sum."""

    group: str
    lines: tuple[LineDetail, ...]

    @property
    def net_amount(self) -> Decimal:
        """The group's subtotal before tax."""
        return sum((line.net_amount for line in self.lines), ZERO)


@dataclass(frozen=True)
class TierStatement:
    """How tiers make up what is charged of a product's month: of its whole total, so far.

    Of that, `amount_before` was charged on earlier invoices, for `quantity_before` (empty: none
    was), and `amount` is charged on this one, before any line is rounded. `month` is its first day.
    """

    product_name: str
    month: date
    total: str
    rows: tuple[TierRow, ...]
    quantity_before: str
    amount_before: Decimal
    amount: Decimal

    @property
    def before(self) -> Decimal:
        """What is taken off for what was charged before."""
        return -self.amount_before


@dataclass(frozen=True)
class TaxDetail:
    """One tax; a credit note names no base."""

    name: str
    percent: Decimal
    tax_amount: Decimal
    base_amount: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class EstimateDetail:
    """An invoice before it is issued; `period_to` is exclusive.

    A settlement invoice may be a reseller's own, which the provider issues on its behalf.
    """

    invoice_id: int
    is_by_provider: bool = True
    kind: str
    currency: str
    period_from: date
    period_to: date
    seller: dict[str, str]
    buyer: dict[str, str]
    groups: tuple[LineGroup, ...]
    tier_statements: tuple[TierStatement, ...] = ()
    taxes: tuple[TaxDetail, ...]
    net_amount: Decimal
    tax_amount: Decimal
    gross_amount: Decimal


@dataclass(frozen=True, kw_only=True)
class InvoiceDetail(EstimateDetail):
    """An invoice as issued."""

    number: str
    issue_date: date
    due_date: date


@dataclass(frozen=True)
class CreditNoteDetail:
    """A credit note as issued; without lines it takes an amount off the whole invoice."""

    credit_note_id: int
    number: str
    currency: str
    issue_date: date
    reason: str
    invoice_number: str
    invoice_issue_date: date
    seller: dict[str, str]
    buyer: dict[str, str]
    lines: tuple[LineDetail, ...]
    taxes: tuple[TaxDetail, ...]
    net_amount: Decimal
    tax_amount: Decimal
    gross_amount: Decimal
    excess_amount: Decimal


def invoice_detail(scope: Scope, invoice_id: int) -> InvoiceDetail:
    """An issued invoice that the scope sees, with its lines and taxes.

    :raises UnknownInvoice: for any other.
    """
    invoice = invoice_by_id(scope, invoice_id)
    assert invoice.number is not None
    assert invoice.issue_date is not None
    assert invoice.due_date is not None
    return InvoiceDetail(
        number=invoice.number,
        issue_date=invoice.issue_date,
        due_date=invoice.due_date,
        **_of_invoice(invoice),
    )


def estimate_detail(scope: Scope, invoice_id: int) -> EstimateDetail:
    """An estimate of the provider, with its lines and taxes.

    :raises UnknownInvoice: if it has no such estimate.
    """
    invoice = all_estimates(scope).filter(pk=invoice_id).first()
    if invoice is None:
        raise UnknownInvoice(f"There is no estimate {invoice_id}.")
    return EstimateDetail(**_of_invoice(invoice))


def _of_invoice(invoice: Invoice) -> dict[str, Any]:
    copied = ("kind", "currency", "period_from", "period_to", "seller", "buyer")
    amounts = ("net_amount", "tax_amount", "gross_amount")
    return {
        "invoice_id": invoice.pk,
        "is_by_provider": invoice.issuing_reseller_id is None,
        "groups": line_groups(invoice),
        "tier_statements": tier_statements(invoice),
        "taxes": tax_details(invoice),
        **{name: getattr(invoice, name) for name in (*copied, *amounts)},
    }


def line_groups(invoice: Invoice) -> tuple[LineGroup, ...]:
    """The lines of an invoice or estimate, in order."""
    lines = InvoiceLine.objects.filter(invoice=invoice).order_by("position")
    return tuple(
        LineGroup(group, tuple(map(_line, of_group)))
        for group, of_group in groupby(lines, key=lambda line: line.group)
    )


def tier_statements(invoice: Invoice) -> tuple[TierStatement, ...]:
    """How tiers make up what an invoice or estimate charges, by product and month."""
    return tuple(
        TierStatement(
            product_name=kept["product_name"],
            month=date.fromisoformat(kept["month"]),
            total=kept["total"],
            rows=tuple(
                TierRow(row["text"], row["quantity"], row["price"], Decimal(row["amount"]))
                for row in kept["rows"]
            ),
            quantity_before=kept["quantity_before"],
            amount_before=Decimal(kept["amount_before"]),
            amount=Decimal(kept["amount"]),
        )
        for kept in invoice.tier_statements
    )


def tax_details(invoice: Invoice) -> tuple[TaxDetail, ...]:
    """The taxes of an invoice or estimate, in order."""
    taxes = InvoiceTax.objects.filter(invoice=invoice).order_by("position")
    return tuple(TaxDetail(tax.name, tax.percent, tax.tax_amount, tax.base_amount) for tax in taxes)


def credit_note_detail(scope: Scope, credit_note_id: int) -> CreditNoteDetail:
    """A credit note that the scope sees, with the lines and taxes it takes back.

    :raises UnknownCreditNote: for any other.
    """
    rows = CreditNote.objects.visible_to(scope).select_related("invoice")
    note = rows.filter(pk=credit_note_id).first()
    if note is None:
        raise UnknownCreditNote(f"There is no credit note {credit_note_id}.")
    taxes = CreditNoteTax.objects.filter(credit_note=note).select_related("invoice_tax")
    assert note.invoice.number is not None
    assert note.invoice.issue_date is not None
    return CreditNoteDetail(
        credit_note_id=note.pk,
        number=note.number,
        currency=note.currency,
        issue_date=note.issue_date,
        reason=note.reason,
        invoice_number=note.invoice.number,
        invoice_issue_date=note.invoice.issue_date,
        seller=note.invoice.seller,
        buyer=note.invoice.buyer,
        lines=tuple(
            LineDetail(line.description, line.net_amount)
            for line in note.lines.order_by("position")
        ),
        taxes=tuple(
            TaxDetail(tax.invoice_tax.name, tax.invoice_tax.percent, tax.tax_amount)
            for tax in taxes.order_by("invoice_tax__position")
        ),
        net_amount=note.net_amount,
        tax_amount=note.tax_amount,
        gross_amount=note.gross_amount,
        excess_amount=note.excess_amount,
    )


def _line(line: InvoiceLine) -> LineDetail:
    return LineDetail(
        description=line.description,
        net_amount=line.net_amount,
        product_name=line.product_name,
        is_late=line.is_late,
        period_from=line.period_from,
        period_to=line.period_to,
        quantity=line.quantity,
        unit_price=line.unit_price,
        call_count=line.call_count,
        billed_volume=line.billed_volume,
        included_volume=line.included_volume,
        volume_unit=line.volume_unit,
    )
