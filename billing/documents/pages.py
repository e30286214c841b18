"""What a document's template prints: every amount, date and volume as finished text."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

from django.utils.text import capfirst

from billing.documents.sheet import PartyBlock, Row, Sheet, Table, accent_of, text_lines
from billing.documents.text import (
    amount_text,
    count_heading,
    count_text,
    date_text,
    included_text,
    month_text,
    percent_text,
    volume_heading,
    volume_text,
)
from billing.models import Invoice, InvoiceLine
from billing.selectors.details import (
    CreditNoteDetail,
    EstimateDetail,
    InvoiceDetail,
    LineDetail,
    LineGroup,
    TaxDetail,
    TierStatement,
)
from customers.models import Customer

_ONE_DAY = timedelta(days=1)
_HEADINGS = {
    InvoiceLine.Group.RECURRING: "Recurring charges",
    InvoiceLine.Group.USAGE: "Usage",
    InvoiceLine.Group.ONE_TIME: "One-time charges",
}


@dataclass(frozen=True)
class TaxRow:
    """One row of the tax table."""

    name: str
    percent: str
    base: str
    amount: str


@dataclass(frozen=True, kw_only=True)
class Page(Sheet):
    """An invoice, an estimate or a credit note."""

    intro: str = ""
    tables: Sequence[Table]
    taxes: Sequence[TaxRow]
    net: str
    tax: str
    gross: str
    total_label: str
    closing: Sequence[str]
    bank_details: Sequence[str] = ()


def invoice_page(detail: InvoiceDetail) -> Page:
    """An invoice, or a settlement invoice to a reseller."""
    due = date_text(detail.due_date)
    gross = amount_text(detail.gross_amount, detail.currency)
    return _demand(
        detail,
        title="Settlement invoice" if _is_settlement(detail) else "Invoice",
        number=detail.number,
        facts=[
            ("Invoice number", detail.number),
            ("Invoice date", date_text(detail.issue_date)),
            *_about(detail),
            ("Payment due", due),
        ],
        total_label="Amount due",
        closing=[
            f"Please pay {gross} {detail.currency} by {due}, quoting {detail.number}.",
            *_exemption(detail.buyer),
        ],
        bank_details=text_lines(detail.seller.get("bank_details", "")),
    )


def estimate_page(detail: EstimateDetail) -> Page:
    """What an invoice will say once it is approved, marked as being none."""
    return _demand(
        detail,
        title="Estimate",
        number=str(detail.invoice_id),
        facts=[("Estimate", str(detail.invoice_id)), *_about(detail)],
        intro="This is an estimate. It is no invoice, asks for no payment and can still change.",
        total_label="Estimated total",
        closing=["An estimate, no invoice: please do not pay it.", *_exemption(detail.buyer)],
    )


def _demand(detail: EstimateDetail, **parts: Any) -> Page:
    return Page(
        accent=accent_of(detail.seller.get("accent_colour", "")),
        currency=detail.currency,
        seller=_party(detail.seller),
        buyer=_party(detail.buyer),
        tables=[
            *(table for group in detail.groups for table in _tables(group, detail.currency)),
            *(_tier_table(statement, detail.currency) for statement in detail.tier_statements),
        ],
        taxes=_taxes(detail.taxes, detail.currency),
        net=amount_text(detail.net_amount, detail.currency),
        tax=amount_text(detail.tax_amount, detail.currency),
        gross=amount_text(detail.gross_amount, detail.currency),
        **parts,
    )


def _is_settlement(detail: EstimateDetail) -> bool:
    return detail.kind == Invoice.Kind.SETTLEMENT


def _about(detail: EstimateDetail) -> list[tuple[str, str]]:
    label = "Reseller number" if _is_settlement(detail) else "Customer number"
    return [
        ("Billing period", _period(detail.period_from, detail.period_to)),
        (label, detail.buyer["number"]),
        *_buyer_tax_number(detail.buyer),
    ]


def credit_note_page(detail: CreditNoteDetail) -> Page:
    """A credit note; one for an amount has a single row with its reason."""
    lines = detail.lines or (LineDetail(detail.reason, detail.net_amount),)
    gross = amount_text(detail.gross_amount, detail.currency)
    return Page(
        title="Credit note",
        number=detail.number,
        accent=accent_of(detail.seller.get("accent_colour", "")),
        currency=detail.currency,
        seller=_party(detail.seller),
        buyer=_party(detail.buyer),
        facts=[
            ("Credit note number", detail.number),
            ("Date", date_text(detail.issue_date)),
            ("Corrects invoice", detail.invoice_number),
            ("Invoice date", date_text(detail.invoice_issue_date)),
            ("Customer number", detail.buyer["number"]),
            *_buyer_tax_number(detail.buyer),
        ],
        intro=f"Reason: {detail.reason}" if detail.lines else "",
        tables=[_charge_table("Credited", lines, detail.currency)],
        taxes=_taxes(detail.taxes, detail.currency),
        net=amount_text(detail.net_amount, detail.currency),
        tax=amount_text(detail.tax_amount, detail.currency),
        gross=gross,
        total_label="Credited to you",
        closing=[*_credit_terms(detail), *_exemption(detail.buyer)],
    )


def _tables(group: LineGroup, currency: str) -> list[Table]:
    heading = _HEADINGS[InvoiceLine.Group(group.group)]
    if group.group != InvoiceLine.Group.USAGE:
        return [_charge_table(heading, group.lines, currency)]
    by_product = groupby(
        group.lines, key=lambda line: (line.is_late, line.product_name, line.volume_unit)
    )
    return [
        _usage_table(
            f"{heading}: {product}{' (late, from earlier periods)' if is_late else ''}",
            unit,
            list(lines),
            currency,
        )
        for (is_late, product, unit), lines in by_product
    ]


def _charge_table(heading: str, lines: Sequence[LineDetail], currency: str) -> Table:
    rows = [
        Row(
            description=line.description,
            quantity="" if line.quantity is None else count_text(line.quantity),
            unit_price="" if line.unit_price is None else amount_text(line.unit_price, currency),
            amount=amount_text(line.net_amount, currency),
        )
        for line in lines
    ]
    return Table(heading, rows, _sum_text(lines, currency))


def _usage_table(heading: str, unit: str, lines: Sequence[LineDetail], currency: str) -> Table:
    rows = [
        Row(
            description=_used(line, unit),
            calls=count_text(line.call_count or 0),
            volume=volume_text(line.billed_volume or 0, unit),
            amount=amount_text(line.net_amount, currency),
        )
        for line in lines
    ]
    return Table(
        heading, rows, _sum_text(lines, currency), count_heading(unit), volume_heading(unit)
    )


def _tier_table(statement: TierStatement, currency: str) -> Table:
    """How tiers make up what the lines charge: it asks for nothing beside them."""
    rows = [
        Row(
            description=capfirst(row.text),
            quantity=row.quantity,
            unit_price=row.price,
            amount=amount_text(row.amount, currency),
        )
        for row in statement.rows
    ]
    if statement.quantity_before:
        before = amount_text(statement.before, currency)
        rows.append(Row("Charged before", before, quantity=statement.quantity_before))
    month = month_text(statement.month)
    return Table(
        f"How tiers make up {statement.product_name} of {month}: {statement.total}",
        rows,
        amount_text(statement.amount, currency),
        subtotal_label="Charged above, where each line is rounded",
        is_of_tiers=True,
    )


def _used(line: LineDetail, unit: str) -> str:
    """Where it went, and how much of it allowances covered: that is in no billed volume."""
    if not line.included_volume:
        return line.description
    return f"{line.description} ({included_text(line.included_volume, unit)})"


def _sum_text(lines: Iterable[LineDetail], currency: str) -> str:
    return amount_text(sum((line.net_amount for line in lines), Decimal(0)), currency)


def _taxes(taxes: Sequence[TaxDetail], currency: str) -> list[TaxRow]:
    return [
        TaxRow(
            name=tax.name,
            percent=percent_text(tax.percent),
            base="" if tax.base_amount is None else amount_text(tax.base_amount, currency),
            amount=amount_text(tax.tax_amount, currency),
        )
        for tax in taxes
    ]


def _party(party: dict[str, str]) -> PartyBlock:
    return PartyBlock(
        name=party["name"],
        lines=[
            *filter(None, [party.get("contact", "")]),
            *text_lines(party["address"]),
            *filter(None, [party["country"]]),
        ],
        tax_number=party["tax_number"],
        email=party["email"],
        phone=party["phone"],
        registration=party.get("registration", ""),
    )


def _period(period_from: date, period_to: date) -> str:
    return f"{date_text(period_from)} – {date_text(period_to - _ONE_DAY)}"  # noqa: RUF001


def _buyer_tax_number(buyer: dict[str, str]) -> list[tuple[str, str]]:
    return [("Your tax number", buyer["tax_number"])] if buyer["tax_number"] else []


def _exemption(buyer: dict[str, str]) -> list[str]:
    exempt = buyer.get("tax_category") == Customer.TaxCategory.EXEMPT
    return ["No tax is charged: the customer is exempt."] if exempt else []


def _credit_terms(detail: CreditNoteDetail) -> list[str]:
    reduces = detail.gross_amount - detail.excess_amount
    terms = []
    if reduces:
        amount = amount_text(reduces, detail.currency)
        terms.append(
            f"{amount} {detail.currency} lowers what is due on invoice {detail.invoice_number}."
        )
    if detail.excess_amount:
        amount = amount_text(detail.excess_amount, detail.currency)
        terms.append(f"{amount} {detail.currency} was paid before and is kept as your advance.")
    return terms
