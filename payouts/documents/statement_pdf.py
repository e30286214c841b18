"""A statement as the document the reseller is sent."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import weasyprint
from django.template.loader import render_to_string

from common.money import format_money, round_money
from common.scope import Scope
from payouts.documents.layout import CustomerPart, lay_out
from payouts.models import PayoutStatement
from tenancy.models import BillerEntity
from tenancy.selectors import default_biller_entity

TEMPLATE = "documents/payout_statement.html"


@dataclass(frozen=True)
class LineText:
    """A line as printed."""

    invoice_number: str
    reason: str
    percent: str
    base: str
    amount: str


@dataclass(frozen=True)
class PartText:
    """A customer's lines as printed."""

    number: int
    name: str
    lines: tuple[LineText, ...]
    amount: str


@dataclass(frozen=True)
class Section:
    """One of the two tables of the statement."""

    title: str
    parts: tuple[PartText, ...]
    total_label: str
    total: str


@dataclass(frozen=True)
class BalanceLine:
    """One step from the opening to the closing balance."""

    label: str
    amount: str


@dataclass(frozen=True)
class StatementText:
    """Everything the template prints that is not a row's own column."""

    title: str
    is_draft: bool
    issue_date: date | None
    balance: tuple[BalanceLine, ...]
    closing_label: str
    closing: str
    note: str
    sections: tuple[Section, ...]


def render_pdf(statement: PayoutStatement) -> bytes:
    """The PDF (A4) of a statement as it is; a draft says that it is one."""
    html = render_html(statement)
    pdf: bytes = weasyprint.HTML(string=html).write_pdf()
    return pdf


def render_html(statement: PayoutStatement) -> str:
    """The page that becomes the PDF."""
    seller = default_biller_entity(Scope.system(statement.provider_id))
    context = {
        "statement": statement,
        "reseller": statement.reseller,
        "seller": seller,
        "text": _text(statement, seller),
    }
    return render_to_string(TEMPLATE, context)


def _text(statement: PayoutStatement, seller: BillerEntity) -> StatementText:
    is_draft = statement.state == PayoutStatement.State.DRAFT
    zone = ZoneInfo(statement.provider.time_zone)
    approved_at = statement.approved_at
    closing = statement.closing_amount
    return StatementText(
        title="Draft of a payout statement" if is_draft else "Payout statement",
        is_draft=is_draft,
        issue_date=approved_at.astimezone(zone).date() if approved_at else None,
        balance=_balance(statement),
        closing_label="Payable to you" if closing > 0 else "Closing balance, carried forward",
        closing=format_money(closing, statement.currency),
        note=_note(closing, seller),
        sections=_sections(statement),
    )


def _note(closing: Decimal, seller: BillerEntity) -> str:
    if closing > 0:
        return f"{seller.name} pays this amount to the account agreed with you."
    return "Nothing is payable for this period; the balance opens your next statement."


def _balance(statement: PayoutStatement) -> tuple[BalanceLine, ...]:
    def amount(value: Decimal) -> str:
        return format_money(value, statement.currency)

    steps = [
        BalanceLine("Opening balance", amount(statement.opening_amount)),
        BalanceLine("Paid to you since", amount(-statement.settled_before_amount)),
        BalanceLine("Commission accrued", amount(statement.accrued_amount)),
        BalanceLine("Commission clawed back", amount(statement.clawed_back_amount)),
    ]
    return tuple(steps)


def _sections(statement: PayoutStatement) -> tuple[Section, ...]:
    layout = lay_out(statement)
    accrued, clawed_back = statement.accrued_amount, statement.clawed_back_amount
    tables = (
        ("Commission accrued", layout.earned, "Total accrued", accrued),
        ("Commission clawed back", layout.clawed_back, "Total clawed back", clawed_back),
    )
    return tuple(
        Section(
            title=title,
            parts=tuple(_part(part, statement.currency) for part in parts),
            total_label=total_label,
            total=format_money(total, statement.currency),
        )
        for title, parts, total_label, total in tables
        if parts
    )


def _part(part: CustomerPart, currency: str) -> PartText:
    return PartText(
        number=part.number,
        name=part.name,
        lines=tuple(
            LineText(
                invoice_number=line.invoice_number,
                reason=line.reason,
                percent=f"{line.percent.normalize():f} %",
                base=f"{round_money(line.base_amount, currency):,}",
                amount=f"{round_money(line.amount, currency):,}",
            )
            for line in part.lines
        ),
        amount=f"{round_money(part.amount, currency):,}",
    )
