"""A bill run from draft to issued; each step can be repeated and resumed after any fault.

    draft → calculating → review → approved → issuing → issued, or failed, which calculates again

A run of which only some estimates were approved goes back to review once those are issued.
The run's row is locked by every step. The work of a step is its items in their waiting state, so
whatever was lost with a worker or the broker is found again from the database.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import QuerySet

from audit.services import record
from billing.models import BillRun, BillRunItem, Invoice
from billing.services.batches import BATCH_ITEMS
from common.errors import DomainError
from common.jobs import enqueue
from common.periods import Period
from common.scope import Scope
from common.tries import UNTRIED
from customers.models import Customer
from ledger.selectors import ledger_faults
from tenancy.models import Provider

DOCUMENTS_PER_TASK = 20
_BILLED_STATES = (
    Customer.State.ACTIVE,
    Customer.State.RESTRICTED,
    Customer.State.DISABLED,
    Customer.State.TERMINATED,
)
_DECIDED = (BillRunItem.State.ISSUED, BillRunItem.State.DISCARDED)


class PeriodNotOver(DomainError):
    """A period is billed once its last day is over where the provider is."""


class BillRunNotCalculable(DomainError):
    """A run that was approved is not calculated any more."""


class BillRunNotInReview(DomainError):
    """Only a run whose estimates are ready can be approved."""


class CustomersNotBillable(DomainError):
    """A chosen customer is unknown, not to be billed, or was never active."""


class NothingToApprove(DomainError):
    """None of the chosen estimates waits for approval."""


class BillRunNotApproved(DomainError):
    """Only an approved run is issued."""


class LedgerNotSound(DomainError):
    """The books do not add up; nothing more is posted until that is understood."""


# Terminated customers get a last invoice where something is left to bill; drafts never were ours.
_ADD_CUSTOMERS = """
    INSERT INTO billing_billrunitem (provider_id, run_id, customer_id, state, error)
    SELECT c.provider_id, %(run_id)s, c.id, 'WAITING', ''
    FROM customers_customer c
    WHERE c.provider_id = %(provider_id)s AND c.is_billable AND (
        c.state IN ('ACTIVE', 'RESTRICTED', 'DISABLED')
        OR c.state = 'TERMINATED' AND (
            EXISTS (SELECT 1 FROM subscriptions_subscription s WHERE s.customer_id = c.id
                    AND s.price_period <> '' AND (s.end_date IS NULL
                                                  OR s.end_date >= %(period_from)s))
            OR EXISTS (SELECT 1 FROM subscriptions_charge h WHERE h.customer_id = c.id
                       AND NOT EXISTS (SELECT 1 FROM billing_invoiceline l
                                       WHERE l.charge_id = h.id))
            OR EXISTS (SELECT 1 FROM cdr_usagecharge u WHERE u.provider_id = c.provider_id
                       AND u.kind = 1 AND u.payer_kind = 2 AND u.payer_id = c.id
                       AND u.day < %(period_to)s
                       AND NOT EXISTS (SELECT 1 FROM billing_billedusage b
                                       WHERE b.usage_charge_id = u.id))))
    ORDER BY c.id
    ON CONFLICT DO NOTHING
"""
_ADD_RESELLERS = """
    INSERT INTO billing_billrunitem (provider_id, run_id, reseller_id, state, error)
    SELECT r.provider_id, %(run_id)s, r.id, 'WAITING', ''
    FROM resellers_reseller r
    WHERE r.provider_id = %(provider_id)s AND EXISTS (
        SELECT 1 FROM cdr_usagecharge u
        WHERE u.provider_id = r.provider_id AND u.kind = 2 AND u.payer_kind = 1
          AND u.payer_id = r.id AND u.day < %(period_to)s
          AND NOT EXISTS (SELECT 1 FROM billing_billedusage b WHERE b.usage_charge_id = u.id))
    ORDER BY r.id
    ON CONFLICT DO NOTHING
"""


@transaction.atomic
def create_bill_run(
    *, provider: Provider, period: Period, at: datetime, actor_id: int | None
) -> BillRun:
    """The provider's run for `period`: a new draft, or the one there is (also to a race's loser).

    :raises PeriodNotOver: while the period lasts in the provider's zone.
    """
    _check_over(provider, period, at)
    run, created = BillRun.objects.get_or_create(
        provider=provider,
        period_from=period.from_date,
        period_to=period.to_date,
        is_partial=False,
        defaults={"created_at": at, "created_by_id": actor_id},
    )
    if created:
        _record(run, "bill_run.created", at=at, actor_id=actor_id, period=period)
    return run


@transaction.atomic
def create_partial_run(
    *,
    provider: Provider,
    period: Period,
    customer_ids: Collection[int],
    at: datetime,
    actor_id: int | None,
) -> BillRun:
    """A draft for chosen customers only; what it issues, no other run of the period issues again.

    :raises PeriodNotOver: while the period lasts in the provider's zone.
    :raises CustomersNotBillable: if none is chosen, or one cannot be billed.
    """
    _check_over(provider, period, at)
    billable = Customer.objects.filter(
        provider=provider, pk__in=customer_ids, is_billable=True, state__in=_BILLED_STATES
    )
    ids = list(billable.order_by("pk").values_list("pk", flat=True))
    if not ids or len(ids) != len(set(customer_ids)):
        raise CustomersNotBillable(
            "Choose customers that are billed and were active at least once: "
            f"{len(set(customer_ids)) - len(ids)} of {len(set(customer_ids))} are not."
        )
    run = BillRun.objects.create(
        provider=provider,
        period_from=period.from_date,
        period_to=period.to_date,
        is_partial=True,
        created_at=at,
        created_by_id=actor_id,
    )
    BillRunItem.objects.bulk_create(
        BillRunItem(provider=provider, run=run, customer_id=customer_id) for customer_id in ids
    )
    _record(run, "bill_run.created", at=at, actor_id=actor_id, period=period, customers=len(ids))
    return run


@transaction.atomic
def start_calculation(*, run_id: int, at: datetime, actor_id: int | None) -> BillRun:
    """Calculate the run's estimates, again where there are some.

    What is issued or was discarded stays so. A run that is calculating already goes on and is
    queued again.

    :raises BillRunNotCalculable: once the run is approved, and until it failed to issue.
    """
    run = _lock(run_id)
    if run.state in (BillRun.State.DRAFT, BillRun.State.REVIEW, BillRun.State.FAILED):
        if not run.is_partial:
            _add_payers(run)
        _calculate_again(run, run.items.exclude(state__in=_DECIDED), at=at, actor_id=actor_id)
    elif run.state != BillRun.State.CALCULATING:
        raise BillRunNotCalculable(f"The run is {run.state.lower()}; its estimates are settled.")
    _queue(run)
    return run


@transaction.atomic
def retry_failed(*, run_id: int, at: datetime, actor_id: int | None) -> BillRun:
    """Calculate the payers that failed once more; everybody else's estimates stay as they are.

    :raises BillRunNotCalculable: unless the run is in review or failed.
    """
    run = _lock(run_id)
    if run.state not in (BillRun.State.REVIEW, BillRun.State.FAILED):
        raise BillRunNotCalculable(f"The run is {run.state.lower()}; nothing of it is tried again.")
    failed = run.items.filter(state=BillRunItem.State.FAILED)
    _calculate_again(run, failed, at=at, actor_id=actor_id)
    _queue(run)
    return run


@transaction.atomic
def finish_calculation(*, run_id: int, at: datetime) -> bool:
    """Move the run on to review once nothing waits; whether it did. Each batch asks this."""
    run = _lock(run_id)
    if run.state != BillRun.State.CALCULATING or _has(run, BillRunItem.State.WAITING):
        return False
    run.error = _failures(run)
    nothing_to_review = run.error and not _has(run, BillRunItem.State.ESTIMATED)
    state = BillRun.State.FAILED if nothing_to_review else BillRun.State.REVIEW
    _move(run, state, at=at, actor_id=None)
    return True


@transaction.atomic
def approve_bill_run(
    *,
    run_id: int,
    item_ids: Collection[int] | None = None,
    at: datetime,
    actor_id: int | None,
) -> BillRun:
    """Approve the estimates of chosen items, by default of all.

    Payers that failed are left for another calculation, others that are not chosen for later.

    :raises BillRunNotInReview: in any other state, unless some wait in an approved run.
    :raises NothingToApprove: if items are named and none of them waits for approval.
    :raises LedgerNotSound: if the provider's books do not add up.
    """
    run = _lock(run_id)
    waiting = run.items.filter(state=BillRunItem.State.ESTIMATED)
    adds_to_approved = run.state == BillRun.State.APPROVED and waiting.exists()
    if run.state != BillRun.State.REVIEW and not adds_to_approved:
        raise BillRunNotInReview(f"The run is {run.state.lower()}, not in review.")
    faults = ledger_faults(Scope.system(run.provider_id))
    if faults:
        raise LedgerNotSound(
            f"The ledger has {len(faults)} faults, first: {faults[0]}. Run verify_ledger."
        )
    chosen = waiting if item_ids is None else waiting.filter(pk__in=item_ids)
    count = chosen.update(state=BillRunItem.State.APPROVED, **UNTRIED)
    if item_ids is not None and not count:
        raise NothingToApprove("None of these estimates waits for approval any more.")
    run.approved_at, run.approved_by_id = at, actor_id
    _move(run, BillRun.State.APPROVED, at=at, actor_id=actor_id)
    return run


@transaction.atomic
def start_issuing(*, run_id: int, at: datetime, actor_id: int | None) -> BillRun:
    """Issue the approved estimates, dated today in the provider's zone, through the workers.

    A run that is issuing already goes on under its first date and is queued again.

    :raises BillRunNotApproved: before approval, and after the run was issued.
    """
    run = _lock(run_id)
    if run.state == BillRun.State.APPROVED:
        run.issue_date = at.astimezone(ZoneInfo(run.provider.time_zone)).date()
        _move(run, BillRun.State.ISSUING, at=at, actor_id=actor_id)
    elif run.state != BillRun.State.ISSUING:
        raise BillRunNotApproved(f"The run is {run.state.lower()}, not approved.")
    _queue(run)
    return run


@transaction.atomic
def finish_issuing(*, run_id: int, at: datetime) -> bool:
    """Close the run once nothing approved is left, and order its documents; whether it did.

    Estimates that nobody has decided about take it back to review.
    """
    run = _lock(run_id)
    if run.state != BillRun.State.ISSUING or _has(run, BillRunItem.State.APPROVED):
        return False
    run.error, run.finished_at = _failures(run), at
    state = BillRun.State.FAILED if run.error else BillRun.State.ISSUED
    if _has(run, BillRunItem.State.ESTIMATED):
        state = BillRun.State.REVIEW
    _move(run, state, at=at, actor_id=None)
    invoices = Invoice.objects.filter(bill_run_item__run=run, document=None)
    issued = invoices.exclude(state=Invoice.State.ESTIMATE).order_by("pk")
    queue_documents(list(issued.values_list("pk", flat=True)))
    return True


def queue_documents(invoice_ids: Sequence[int]) -> None:
    """Have the workers render the invoices' documents."""
    for first in range(0, len(invoice_ids), DOCUMENTS_PER_TASK):
        part = list(invoice_ids[first : first + DOCUMENTS_PER_TASK])
        enqueue("billing.render_documents", invoice_ids=part)


def queue_open_runs(*, at: datetime) -> int:
    """Finish or queue again every run that is calculating or issuing; how many were open."""
    open_states = [BillRun.State.CALCULATING, BillRun.State.ISSUING]
    runs = BillRun.objects.filter(state__in=open_states).order_by("pk")
    for run in runs:
        _queue(run)
    return len(runs)


def _check_over(provider: Provider, period: Period, at: datetime) -> None:
    _, over_at = period.instants(ZoneInfo(provider.time_zone))
    if at < over_at:
        raise PeriodNotOver(
            f"{period} is not over for {provider.name} before {over_at:%Y-%m-%d %H:%M %Z}."
        )


def _lock(run_id: int) -> BillRun:
    rows = BillRun.objects.select_related("provider").select_for_update(no_key=True, of=("self",))
    return rows.get(pk=run_id)


def _add_payers(run: BillRun) -> None:
    parameters: dict[str, Any] = {
        "run_id": run.pk,
        "provider_id": run.provider_id,
        "period_from": run.period_from,
        "period_to": run.period_to,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ADD_CUSTOMERS, parameters)
        cursor.execute(_ADD_RESELLERS, parameters)


def _queue(run: BillRun) -> None:
    """Order the run's open items in batches; one without items only has its end looked for."""
    calculating = run.state == BillRun.State.CALCULATING
    state = BillRunItem.State.WAITING if calculating else BillRunItem.State.APPROVED
    task = "billing.calculate_items" if calculating else "billing.issue_items"
    ids = list(run.items.filter(state=state).order_by("pk").values_list("pk", flat=True))
    for first in range(0, len(ids) or 1, BATCH_ITEMS):
        enqueue(task, run_id=run.pk, item_ids=ids[first : first + BATCH_ITEMS])


def _has(run: BillRun, state: BillRunItem.State) -> bool:
    return run.items.filter(state=state).exists()


def _failures(run: BillRun) -> str:
    failed = run.items.filter(state=BillRunItem.State.FAILED).count()
    return f"{failed} of {run.items.count()} payers failed; see their items." if failed else ""


def _calculate_again(
    run: BillRun, items: QuerySet[BillRunItem], *, at: datetime, actor_id: int | None
) -> None:
    items.update(state=BillRunItem.State.WAITING, error="", **UNTRIED)
    _move(run, BillRun.State.CALCULATING, at=at, actor_id=actor_id)


def _move(run: BillRun, state: BillRun.State, *, at: datetime, actor_id: int | None) -> None:
    before, run.state = run.state, state
    if state in (BillRun.State.CALCULATING, BillRun.State.ISSUING):
        run.started_at = at
    run.save()
    _record(run, f"bill_run.{state.lower()}", at=at, actor_id=actor_id, state=state, was=before)


def _record(
    run: BillRun, action: str, *, at: datetime, actor_id: int | None, **after: object
) -> None:
    record(
        provider_id=run.provider_id,
        action=action,
        changed=run,
        at=at,
        actor_id=actor_id,
        after=after,
    )
