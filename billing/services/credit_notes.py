"""Correcting an issued invoice, which is done by credit note and never otherwise.

A note is posted whole against the receivable. As far as the invoice still has a due, it brings the
due down (`credited_amount`); the excess, which somebody has paid, moves on to the wallet
(`excess_amount`). So settled + credited never exceeds the gross, and what can still be credited is
the gross less all notes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Sum

from audit.services import record
from billing.models import (
    CreditNote,
    CreditNoteLine,
    CreditNoteTax,
    Invoice,
    InvoiceLine,
    InvoiceTax,
    NumberSeries,
)
from billing.rules.crediting import Creditable, credit_gross, credit_net
from billing.rules.settling import state_after
from billing.services.numbering import take_numbers
from billing.services.postings import credit_note_postings
from common.errors import DomainError
from common.jobs import enqueue
from common.money import ZERO, Rounding, round_money
from ledger.services import post


class InvoiceNotIssued(DomainError):
    """An estimate is no invoice yet: calculate it again instead of crediting it."""


class CreditExceedsInvoice(DomainError):
    """More was to be credited than the invoice's earlier credit notes have left."""


class CreditAmountRefused(DomainError):
    """A credit note takes back a positive amount in whole minor units of the currency."""


class LineNotCreditable(DomainError):
    """A line can be credited once, and only on its own invoice."""


@dataclass(frozen=True)
class _Content:
    """What a note takes back: the amounts, and the lines where lines were chosen."""

    amounts: Creditable
    lines: Sequence[InvoiceLine] = ()


@transaction.atomic
def credit_in_full(
    *, invoice_id: int, reason: str, at: datetime, actor_id: int | None
) -> CreditNote:
    """Take back all that earlier notes have left; an unpaid invoice is cancelled by it.

    :raises InvoiceNotIssued: for an estimate.
    :raises CreditExceedsInvoice: if nothing is left to credit.
    """
    invoice = _lock(invoice_id)
    content = _Content(all_to_credit(invoice))
    return _issue(invoice, content, reason=reason, at=at, actor_id=actor_id)


@transaction.atomic
def credit_amount(
    *, invoice_id: int, gross_amount: Decimal, reason: str, at: datetime, actor_id: int | None
) -> CreditNote:
    """Take back `gross_amount`, which includes the taxes in the proportions that are left.

    :raises InvoiceNotIssued: for an estimate.
    :raises CreditAmountRefused: if the amount is not positive or has too many decimals.
    :raises CreditExceedsInvoice: if less is left to credit.
    """
    invoice = _lock(invoice_id)
    content = _Content(amount_to_credit(invoice, gross_amount))
    return _issue(invoice, content, reason=reason, at=at, actor_id=actor_id)


@transaction.atomic
def credit_lines(
    *,
    invoice_id: int,
    line_ids: Sequence[int],
    reason: str,
    at: datetime,
    actor_id: int | None,
) -> CreditNote:
    """Take back chosen lines whole, with their share of the taxes.

    :raises InvoiceNotIssued: for an estimate.
    :raises LineNotCreditable: if a line is another invoice's or was credited before.
    :raises CreditAmountRefused: if the lines sum to nothing or less.
    :raises CreditExceedsInvoice: if less is left to credit.
    """
    invoice = _lock(invoice_id)
    amounts, lines = lines_to_credit(invoice, line_ids)
    return _issue(invoice, _Content(amounts, lines), reason=reason, at=at, actor_id=actor_id)


def all_to_credit(invoice: Invoice) -> Creditable:
    """What `credit_in_full` would take back.

    :raises CreditExceedsInvoice: if nothing is left to credit.
    """
    left = creditable(invoice)
    if left.gross_amount == 0:
        raise CreditExceedsInvoice(f"Nothing is left to credit on {invoice}.")
    return left


def amount_to_credit(invoice: Invoice, gross_amount: Decimal) -> Creditable:
    """What `credit_amount` would take back.

    :raises CreditAmountRefused: if the amount is not positive or has too many decimals.
    :raises CreditExceedsInvoice: if less is left to credit.
    """
    _check_amount(gross_amount, invoice.currency)
    left = creditable(invoice)
    _check_left(gross_amount, left.gross_amount, invoice)
    return credit_gross(left, gross_amount, invoice.currency, Rounding(invoice.rounding))


def lines_to_credit(
    invoice: Invoice, line_ids: Sequence[int]
) -> tuple[Creditable, list[InvoiceLine]]:
    """What `credit_lines` would take back, and the lines in order.

    :raises LineNotCreditable: if a line is another invoice's or was credited before.
    :raises CreditAmountRefused: if the lines sum to nothing or less.
    :raises CreditExceedsInvoice: if less is left to credit.
    """
    lines = list(invoice.lines.filter(pk__in=line_ids, credited_by=None).order_by("position"))
    if not lines or len(lines) < len(set(line_ids)):
        raise LineNotCreditable(f"Choose lines of {invoice} that were not credited before.")
    rounding = Rounding(invoice.rounding)
    net = round_money(sum((line.net_amount for line in lines), ZERO), invoice.currency, rounding)
    _check_amount(net, invoice.currency)
    left = creditable(invoice)
    _check_left(net, left.net_amount, invoice)
    return credit_net(left, net, invoice.currency, rounding), lines


def creditable(invoice: Invoice) -> Creditable:
    """The net and each tax (by position) that no note of the invoice has taken back yet."""
    net = CreditNote.objects.filter(invoice=invoice).aggregate(sum=Sum("net_amount"))["sum"]
    taxes = InvoiceTax.objects.filter(invoice=invoice).order_by("position")
    left = taxes.annotate(taken=Sum("credited_by__tax_amount"))
    return Creditable(
        net_amount=invoice.net_amount - (net or ZERO),
        tax_amounts=tuple(tax.tax_amount - (tax.taken or ZERO) for tax in left),
    )


def _lock(invoice_id: int) -> Invoice:
    rows = Invoice.objects.select_related("provider").order_by("pk")
    invoice = rows.select_for_update(no_key=True, of=("self",)).get(pk=invoice_id)
    if invoice.state == Invoice.State.ESTIMATE:
        raise InvoiceNotIssued("This is an estimate; only an issued invoice is credited.")
    return invoice


def _check_amount(amount: Decimal, currency: str) -> None:
    if not amount.is_finite() or amount <= 0 or amount != round_money(amount, currency):
        raise CreditAmountRefused(f"{amount} {currency} is not an amount that can be credited.")


def _check_left(amount: Decimal, left: Decimal, invoice: Invoice) -> None:
    if amount > left:
        raise CreditExceedsInvoice(
            f"{amount} {invoice.currency} is more than the {left} left to credit on {invoice}."
        )


def _issue(
    invoice: Invoice, content: _Content, *, reason: str, at: datetime, actor_id: int | None
) -> CreditNote:
    note = _save(invoice, content, reason=reason, at=at, actor_id=actor_id)
    post(
        provider_id=note.provider_id,
        postings=credit_note_postings(note, invoice),
        effective_date=note.issue_date,
        at=at,
        actor_id=actor_id,
    )
    _bring_down_due(invoice, note.gross_amount - note.excess_amount)
    record(
        provider_id=note.provider_id,
        action="credit_note.issued",
        changed=note,
        at=at,
        actor_id=actor_id,
        after={
            "number": note.number,
            "invoice": invoice.number,
            "gross_amount": note.gross_amount,
            "excess_amount": note.excess_amount,
            "reason": reason,
        },
    )
    enqueue("billing.render_credit_note", provider_id=note.provider_id, credit_note_id=note.pk)
    return note


def _save(
    invoice: Invoice, content: _Content, *, reason: str, at: datetime, actor_id: int | None
) -> CreditNote:
    amounts = content.amounts
    issue_date = at.astimezone(ZoneInfo(invoice.provider.time_zone)).date()
    (number,) = take_numbers(
        provider_id=invoice.provider_id,
        biller_entity_id=invoice.biller_entity_id,
        issuing_reseller_id=invoice.issuing_reseller_id,
        kind=NumberSeries.Kind.CREDIT_NOTE,
        issue_date=issue_date,
    )
    note = CreditNote.objects.create(
        provider_id=invoice.provider_id,
        invoice=invoice,
        customer_id=invoice.customer_id,
        biller_entity_id=invoice.biller_entity_id,
        issuing_reseller_id=invoice.issuing_reseller_id,
        number=number,
        reason=reason,
        currency=invoice.currency,
        issue_date=issue_date,
        issued_at=at,
        issued_by_id=actor_id,
        net_amount=amounts.net_amount,
        tax_amount=amounts.tax_amount,
        gross_amount=amounts.gross_amount,
        excess_amount=max(ZERO, amounts.gross_amount - invoice.due_amount),
    )
    _save_parts(note, invoice, content)
    return note


def _save_parts(note: CreditNote, invoice: Invoice, content: _Content) -> None:
    CreditNoteLine.objects.bulk_create(
        CreditNoteLine(
            provider_id=note.provider_id,
            credit_note=note,
            position=position,
            invoice_line=line,
            description=line.description,
            net_amount=line.net_amount,
        )
        for position, line in enumerate(content.lines, start=1)
    )
    taxes = InvoiceTax.objects.filter(invoice=invoice).order_by("position")
    CreditNoteTax.objects.bulk_create(
        CreditNoteTax(
            provider_id=note.provider_id, credit_note=note, invoice_tax=tax, tax_amount=amount
        )
        for tax, amount in zip(taxes, content.amounts.tax_amounts, strict=True)
    )


def _bring_down_due(invoice: Invoice, amount: Decimal) -> None:
    invoice.credited_amount += amount
    invoice.state = state_after(
        invoice.gross_amount, invoice.settled_amount, invoice.credited_amount
    )
    invoice.save(update_fields=["credited_amount", "state"])
