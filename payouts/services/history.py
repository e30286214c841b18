"""What happened to an invoice, as the rules of commission see it, read from its rows."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from billing.models import CreditNote, Invoice
from common.money import ZERO
from payments.models import Allocation
from payouts.models import CommissionPlan
from payouts.rules.commission import Allocated, AllocationUndone, Credited, Event, InvoiceIssued
from resellers.models import Reseller, ResellerModule

# At one instant, what earns comes before what takes back.
ORDER = (InvoiceIssued, Allocated, AllocationUndone, Credited)


@dataclass(frozen=True)
class Happened:
    """An event with what its accrual is recorded under; `plan` None where it has none of its own.

    `event_date` is the day of the provider's books to which the event belongs.
    """

    event: Event
    at: datetime
    event_date: date
    plan: CommissionPlan | None = None
    allocation: Allocation | None = None
    credit_note: CreditNote | None = None


class Plans:
    """A provider's commission plans, and whether a disabled reseller goes on earning by them."""

    def __init__(self, provider_id: int) -> None:
        self._of_reseller: dict[int, list[CommissionPlan]] = defaultdict(list)
        for plan in CommissionPlan.objects.filter(provider_id=provider_id):
            self._of_reseller[plan.reseller_id].append(plan)
        self._after_disabling = ResellerModule.objects.filter(
            provider_id=provider_id, commission_after_disabling=True
        ).exists()

    def on(self, reseller: Reseller, day: date) -> CommissionPlan | None:
        """The plan that holds on `day`."""
        for plan in self._of_reseller[reseller.pk]:
            if plan.valid_from <= day and (plan.valid_to is None or day < plan.valid_to):
                return plan
        return None

    def percent(self, plan: CommissionPlan, reseller: Reseller, at: datetime) -> Decimal:
        """What the reseller earns by the plan from an event; zero once it was shut out."""
        is_shut_out = reseller.disabled_at is not None and reseller.disabled_at <= at
        return ZERO if is_shut_out and not self._after_disabling else plan.percent


def history(
    invoice: Invoice,
    allocations: Iterable[Allocation],
    credit_notes: Iterable[CreditNote],
    plans: Plans,
    zone: ZoneInfo,
) -> list[Happened]:
    """Everything that happened to an issued invoice of a tagged customer, oldest first.

    The plan of the issue date decides whether the invoice earns on issue or on collection; without
    one, the plan of the day the money came. Either way the percent is that of the event's own day.
    """
    assert invoice.tagged_reseller is not None
    assert invoice.issue_date is not None
    plan = plans.on(invoice.tagged_reseller, invoice.issue_date)
    happened = [
        *_issue(invoice, plan, plans),
        *_collection(invoice, allocations, plan, plans, zone),
        *map(_credit, credit_notes),
    ]
    return sorted(happened, key=lambda one: (one.at, ORDER.index(type(one.event))))


def _issue(invoice: Invoice, plan: CommissionPlan | None, plans: Plans) -> Iterator[Happened]:
    if plan is None or plan.base != CommissionPlan.Base.INVOICED_NET:
        return
    assert invoice.issued_at is not None
    assert invoice.issue_date is not None
    event = InvoiceIssued(invoice.pk, _percent(invoice, plan, plans, invoice.issued_at))
    yield Happened(event, invoice.issued_at, invoice.issue_date, plan)


def _collection(
    invoice: Invoice,
    allocations: Iterable[Allocation],
    plan_on_issue: CommissionPlan | None,
    plans: Plans,
    zone: ZoneInfo,
) -> Iterator[Happened]:
    assert invoice.tagged_reseller is not None
    for allocation in allocations:
        day = allocation.transfer.effective_date
        plan = plans.on(invoice.tagged_reseller, day)
        base = (plan_on_issue or plan).base if plan else None
        paying = plan if base == CommissionPlan.Base.COLLECTED_NET else None
        percent = _percent(invoice, paying, plans, allocation.allocated_at) if paying else None
        collected = Allocated(allocation.pk, allocation.amount, percent)
        yield Happened(collected, allocation.allocated_at, day, paying, allocation)
        if allocation.undone_at is not None:
            undone = AllocationUndone(allocation.pk)
            undone_date = allocation.undone_at.astimezone(zone).date()
            yield Happened(undone, allocation.undone_at, undone_date, None, allocation)


def _credit(note: CreditNote) -> Happened:
    event = Credited(note.pk, note.net_amount, note.gross_amount, note.excess_amount)
    return Happened(event, note.issued_at, note.issue_date, credit_note=note)


def _percent(invoice: Invoice, plan: CommissionPlan, plans: Plans, at: datetime) -> Decimal | None:
    assert invoice.customer is not None
    assert invoice.tagged_reseller is not None
    if not invoice.customer.is_billable:
        return None
    return plans.percent(plan, invoice.tagged_reseller, at)
