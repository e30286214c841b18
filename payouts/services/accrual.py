"""Accruing commission: every event once, with one transfer each."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from django.db import transaction

from billing.models import CreditNote, Invoice
from common.locks import lock_in_transaction
from common.scope import Scope
from ledger.models import Account, AccountKind, Transfer, TransferKind
from ledger.services import AccountRef, Posting, post, reseller_payable
from payments.models import Allocation
from payouts.models import Accrual, CommissionPlan
from payouts.rules import commission
from payouts.rules.commission import Earning, Terms
from payouts.selectors import invoices_to_accrue
from payouts.services.history import Happened, Plans, history
from tenancy.models import Provider

# Invoices per transaction: nobody who posts to the same accounts waits for longer than this.
BATCH = 500


class _OfInvoice(Protocol):
    @property
    def invoice_id(self) -> int: ...


_RowT = TypeVar("_RowT", bound=_OfInvoice)


def accrue(*, provider_id: int, at: datetime) -> int:
    """Record what events that were not considered before earned the provider's resellers.

    Returns how many were recorded. A reseller that is disabled now earns from new events only if
    the provider says so; otherwise they are recorded with zero, once and for all.
    """
    invoice_ids = invoices_to_accrue(Scope.system(provider_id))
    batches = (invoice_ids[first : first + BATCH] for first in range(0, len(invoice_ids), BATCH))
    return sum(_accrue_batch(provider_id, batch, at) for batch in batches)


@transaction.atomic
def _accrue_batch(provider_id: int, invoice_ids: Sequence[int], at: datetime) -> int:
    lock_in_transaction("accrue", provider_id)
    zone = ZoneInfo(Provider.objects.get(pk=provider_id).time_zone)
    plans = Plans(provider_id)
    collected = Allocation.objects.filter(invoice__in=invoice_ids).select_related("transfer")
    allocations = _by_invoice(collected.order_by("pk"))
    notes = _by_invoice(CreditNote.objects.filter(invoice__in=invoice_ids).order_by("pk"))
    recorded = _by_invoice(
        Accrual.objects.filter(invoice__in=invoice_ids).select_related("plan").order_by("pk")
    )
    invoices = Invoice.objects.filter(provider_id=provider_id, pk__in=invoice_ids)
    accruals: list[Accrual] = []
    for invoice in invoices.select_related("customer", "tagged_reseller").order_by("pk"):
        happened = history(invoice, allocations[invoice.pk], notes[invoice.pk], plans, zone)
        accruals += _accruals(invoice, happened, recorded[invoice.pk], at)
    _post(provider_id, accruals, at)
    Accrual.objects.bulk_create(accruals)
    return len(accruals)


def _by_invoice(rows: Iterable[_RowT]) -> Mapping[int, list[_RowT]]:
    found: dict[int, list[_RowT]] = defaultdict(list)
    for row in rows:
        found[row.invoice_id].append(row)
    return found


def _accruals(
    invoice: Invoice, happened: Sequence[Happened], recorded: Sequence[Accrual], at: datetime
) -> list[Accrual]:
    terms = Terms(invoice.currency, invoice.net_amount, invoice.gross_amount)
    earnings = commission.accrue(
        terms,
        [one.event for one in happened],
        {row.event_key: Earning(row.base_amount, row.percent, row.amount) for row in recorded},
    )
    plans = {row.event_key: row.plan for row in recorded}
    accruals = []
    for one in happened:
        earning = earnings.get(one.event.key)
        if earning is not None:
            plans[one.event.key] = plan = _plan(one, plans)
            accruals.append(_accrual(invoice, one, earning, plan, at))
    return accruals


def _plan(one: Happened, plans: Mapping[str, CommissionPlan]) -> CommissionPlan:
    """What takes back goes by the plan of what earned: the allocation's, or the latest one."""
    if one.plan is not None:
        return one.plan
    if one.allocation is not None:
        return plans[f"allocation:{one.allocation.pk}"]
    return list(plans.values())[-1]


def _accrual(
    invoice: Invoice, one: Happened, earning: Earning, plan: CommissionPlan, at: datetime
) -> Accrual:
    return Accrual(
        provider_id=invoice.provider_id,
        reseller=invoice.tagged_reseller,
        plan=plan,
        customer=invoice.customer,
        invoice=invoice,
        allocation=one.allocation,
        credit_note=one.credit_note,
        event_key=one.event.key,
        base_amount=earning.base_amount,
        percent=earning.percent,
        amount=earning.amount,
        currency=invoice.currency,
        event_date=one.event_date,
        accrued_at=at,
    )


def _post(provider_id: int, accruals: Iterable[Accrual], at: datetime) -> None:
    """One transfer for each accrual that moves money, in the books on the day of its event."""
    moving = sorted((row for row in accruals if row.amount), key=_day)
    _lock_payables(provider_id, {str(row.reseller_id) for row in moving})
    for day, rows in groupby(moving, key=_day):
        same_day = list(rows)
        transfers = post(
            provider_id=provider_id,
            postings=[_posting(row) for row in same_day],
            effective_date=day,
            at=at,
            actor_id=None,
        )
        _link(same_day, transfers)


def _lock_payables(provider_id: int, owners: set[str]) -> None:
    """Hold all payables at once: posted to by day, they would be locked in another order."""
    rows = Account.objects.filter(
        provider_id=provider_id,
        kind__in=[AccountKind.RESELLER_PAYABLE, AccountKind.COMMISSION_EXPENSE],
        owner__in=["", *owners],
    )
    list(rows.order_by("pk").select_for_update(no_key=True))


def _link(accruals: Sequence[Accrual], transfers: Sequence[Transfer]) -> None:
    for accrual, transfer in zip(accruals, transfers, strict=True):
        accrual.transfer = transfer


def _day(accrual: Accrual) -> date:
    return accrual.event_date


def _posting(accrual: Accrual) -> Posting:
    expense = AccountRef(AccountKind.COMMISSION_EXPENSE, accrual.currency)
    payable = reseller_payable(accrual.reseller_id, accrual.currency)
    earned = accrual.amount > 0
    return Posting(
        debit=expense if earned else payable,
        credit=payable if earned else expense,
        amount=abs(accrual.amount),
        kind=TransferKind.COMMISSION if earned else TransferKind.COMMISSION_CLAWBACK,
        document=f"commission:{accrual.event_key}",
        key=f"commission:{accrual.event_key}",
    )
