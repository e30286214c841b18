"""A statement as the document the reseller is sent."""

from dataclasses import dataclass
from decimal import Decimal
from zoneinfo import ZoneInfo

import weasyprint
from django.template.loader import render_to_string

from billing.documents.logos import logo_of
from billing.documents.pdf import FETCHER
from billing.documents.text import amount_text, date_text, percent_text
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
    period: str
    issue_date: str
    balance: tuple[BalanceLine, ...]
    closing_label: str
    closing: str
    note: str
    sections: tuple[Section, ...]


def render_pdf(statement: PayoutStatement) -> bytes:
    """The PDF (A4) of a statement as it is; a draft says that it is one."""
    html = render_html(statement)
    pdf: bytes = weasyprint.HTML(string=html, url_fetcher=FETCHER).write_pdf()
    return pdf


def render_html(statement: PayoutStatement) -> str:
    """The page that becomes the PDF."""
    seller = default_biller_entity(Scope.system(statement.provider_id))
    context = {
        "statement": statement,
        "reseller": statement.reseller,
        "seller": seller,
        "logo": logo_of(statement.provider_id),
        "text": _text(statement, seller),
    }
    return render_to_string(TEMPLATE, context)


def _text(statement: PayoutStatement, seller: BillerEntity) -> StatementText:
    is_draft = statement.state == PayoutStatement.State.DRAFT
    zone = ZoneInfo(statement.provider.time_zone)
    approved_at = statement.approved_at
    period, closing = statement.period, statement.closing_amount
    return StatementText(
        title="Draft of a payout statement" if is_draft else "Payout statement",
        is_draft=is_draft,
        period=f"{date_text(period.from_date)} to {date_text(period.last_date)}",
        issue_date=date_text(approved_at.astimezone(zone).date()) if approved_at else "",
        balance=_balance(statement),
        closing_label="Payable to you" if closing > 0 else "Closing balance, carried forward",
        closing=_money(closing, statement.currency),
        note=_note(closing, seller),
        sections=_sections(statement),
    )


def _note(closing: Decimal, seller: BillerEntity) -> str:
    if closing > 0:
        return f"{seller.name} pays this amount to the account agreed with you."
    return "Nothing is payable for this period; the balance opens your next statement."


def _balance(statement: PayoutStatement) -> tuple[BalanceLine, ...]:
    steps = (
        ("Opening balance", statement.opening_amount),
        ("Paid to you since", -statement.settled_before_amount),
        ("Commission accrued", statement.accrued_amount),
        ("Commission clawed back", statement.clawed_back_amount),
    )
    return tuple(BalanceLine(label, _money(amount, statement.currency)) for label, amount in steps)


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
            total=_money(total, statement.currency),
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
                percent=percent_text(line.percent),
                base=amount_text(line.base_amount, currency),
                amount=amount_text(line.amount, currency),
            )
            for line in part.lines
        ),
        amount=amount_text(part.amount, currency),
    )


def _money(amount: Decimal, currency: str) -> str:
    return f"{amount_text(amount, currency)} {currency}"
