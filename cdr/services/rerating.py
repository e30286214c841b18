"""Re-ratings from the asking to the agreement; workers do what lies between."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Sum

from audit.services import record_owned
from catalogue.models import RateTable
from cdr.models import Rerating, ReratingSlice, Source
from cdr.rules.rerating import OrderedCustomers, Place, Selection, Stretch, packed
from cdr.selectors.ordered_usage import customers_in_order
from cdr.selectors.reratings import selection_of
from cdr.selectors.stretches import stretches_of
from cdr.services.rerating_slices import SLICE_XDRS, having_their_turn, queue_slices
from cdr.services.splitting import PATIENCE, unlocked_ids
from common.errors import DomainError
from common.jobs import enqueue
from common.locks import lock_in_transaction
from common.scope import Scope
from common.tries import UNTRIED
from customers.models import Customer
from resellers.models import Reseller, Vendor

State = Rerating.State
SliceState = ReratingSlice.State
_SLICES_AT_ONCE = 500
_ENDED = (State.APPLIED, State.PARTLY_APPLIED, State.DISCARDED, State.FAILED)


class NothingToApply(DomainError):
    """The dry run is not over, it was applied or discarded, or nothing would change."""


class AnotherIsApplied(DomainError):
    """Two re-ratings at once could change the same xDRs."""


class TornMonths(DomainError):
    """Usage at tiers is of months of which a part cannot be rated again, as it was archived."""


class NotDiscardable(DomainError):
    """It is being applied, or over."""


class EmptyPeriod(DomainError):
    """It ends before it starts."""


@transaction.atomic
def ask_for_rerating(
    *,
    provider_id: int,
    reason: str,
    started_from: datetime,
    started_to: datetime,
    customer: Customer | None = None,
    reseller: Reseller | None = None,
    vendor: Vendor | None = None,
    source: Source | None = None,
    rate_table: RateTable | None = None,
    prefixes: Sequence[str] = (),
    suspense_reason: str = "",
    at: datetime,
    actor_id: int | None,
) -> Rerating:
    """Measure what rating again would change of the xDRs so chosen; nothing is changed yet.

    :raises EmptyPeriod: it ends before it starts.
    """
    if started_to <= started_from:
        raise EmptyPeriod(
            "The end must be after the start.",
            by_field={"started_to": "It must be after the start."},
        )
    rerating = Rerating.objects.create(
        provider_id=provider_id,
        reason=reason,
        started_from=started_from,
        started_to=started_to,
        customer=customer,
        reseller=reseller,
        vendor=vendor,
        source=source,
        rate_table=rate_table,
        prefixes=",".join(prefixes),
        suspense_reason=suspense_reason,
        queued_at=at,
        created_at=at,
        created_by_id=actor_id,
    )
    record_owned(rerating, "rerating.asked", at=at, actor_id=actor_id, after=_said(rerating))
    enqueue("cdr.plan_rerating", rerating_id=rerating.pk)
    return rerating


@transaction.atomic
def plan_rerating(*, rerating_id: int, at: datetime) -> int:
    """Cut a PLANNING re-rating into slices and queue each; returns how many."""
    rerating = Rerating.objects.select_for_update(no_key=True).get(pk=rerating_id)
    if rerating.state != State.PLANNING:
        return 0
    scope = Scope.system(rerating.provider_id)
    selection = selection_of(scope, rerating)
    ordered = customers_in_order(scope, selection, moved_by=rerating.pk)
    rerating.ordered_customer_ids = sorted(pk for each in ordered for pk in each.customer_ids)
    # Those of a dry run that found xDRs to move to other customers' months.
    rerating.slices.all().delete()
    rerating.deltas.all().delete()
    rerating.moves.update(is_planned=True)
    slices = list(_slices(rerating, selection, scope, ordered, at))
    ReratingSlice.objects.bulk_create(slices, batch_size=_SLICES_AT_ONCE)
    rerating.state, rerating.measuring_since = State.MEASURING, at
    if not slices:
        rerating.state, rerating.measured_at = State.MEASURED, at
    rerating.save(update_fields=["state", "measuring_since", "measured_at", "ordered_customer_ids"])
    queue_slices(part.pk for part in slices)
    return len(slices)


def give_up_rerating(*, rerating_id: int, at: datetime) -> None:
    """End a re-rating that cannot be cut into slices; nothing was changed."""
    Rerating.objects.filter(pk=rerating_id, state=State.PLANNING).update(
        state=State.FAILED, finished_at=at
    )


@transaction.atomic
def apply_rerating(*, rerating_id: int, at: datetime, actor_id: int | None) -> Rerating:
    """Replace the legs that change, and reverse and charge their usage anew, slice by slice.

    What an issued invoice holds stays: the difference is billed with the next run. A slice in
    which anything has changed since the dry run is left as it is.

    :raises NothingToApply: if there is nothing, or not yet, or not any more.
    :raises AnotherIsApplied: if another of the provider is.
    :raises TornMonths: if usage at tiers is of months that cannot be made right.
    """
    rerating = Rerating.objects.select_for_update(no_key=True).get(pk=rerating_id)
    lock_in_transaction("rerating", rerating.provider_id)
    agreed = rerating.slices.filter(state=SliceState.MEASURED, has_changes=True)
    slice_ids = list(agreed.order_by("number").values_list("pk", flat=True))
    if rerating.state != State.MEASURED or not slice_ids:
        raise NothingToApply("There is nothing to apply, or it was applied or discarded already.")
    torn = rerating.slices.aggregate(count=Sum("tiered_xdr_count"))["count"]
    if torn:
        raise TornMonths(
            f"{torn} xDRs are priced by tiers in months of which a part is not in the database any"
            " more, or has just come: choose another time or customer, or measure again."
        )
    others = Rerating.objects.filter(provider_id=rerating.provider_id, state=State.APPLYING)
    if (other := others.first()) is not None:
        raise AnotherIsApplied(f"{other} is being applied: wait until it is over.")
    ReratingSlice.objects.filter(pk__in=slice_ids).update(
        state=SliceState.AGREED, queued_at=at, **UNTRIED
    )
    rerating.state, rerating.applying_since, rerating.applied_by_id = State.APPLYING, at, actor_id
    rerating.save(update_fields=["state", "applying_since", "applied_by"])
    after = {"slices": len(slice_ids)}
    record_owned(rerating, "rerating.agreed", at=at, actor_id=actor_id, after=after)
    turn = having_their_turn(ReratingSlice.objects.filter(pk__in=slice_ids))
    queue_slices(turn.order_by("number").values_list("pk", flat=True))
    return rerating


@transaction.atomic
def discard_rerating(*, rerating_id: int, at: datetime, actor_id: int | None) -> None:
    """Give a dry run up, also while it is measured; nothing was changed and nothing will be.

    :raises NotDiscardable: it is being applied, or over.
    """
    rerating = Rerating.objects.select_for_update(no_key=True).get(pk=rerating_id)
    if rerating.state in (State.APPLYING, *_ENDED):
        raise NotDiscardable(f"{rerating} is {rerating.get_state_display().lower()} already.")
    before, rerating.state, rerating.finished_at = rerating.state, State.DISCARDED, at
    rerating.save(update_fields=["state", "finished_at"])
    after = {"was": before}
    record_owned(rerating, "rerating.discarded", at=at, actor_id=actor_id, after=after)


@transaction.atomic
def requeue_lost_reratings(*, at: datetime) -> int:
    """Queue again what has waited for longer than PATIENCE; returns how many pieces of work.

    A message too many does no harm: whoever gets it finds the work done. Slices that wait for
    others of their re-rating are not lost.
    """
    lost = at - PATIENCE
    rerating_ids = unlocked_ids(Rerating.objects.filter(state=State.PLANNING, queued_at__lte=lost))
    Rerating.objects.filter(pk__in=rerating_ids).update(queued_at=at)
    for rerating_id in rerating_ids:
        enqueue("cdr.plan_rerating", rerating_id=rerating_id)
    measured = ReratingSlice.objects.filter(
        rerating__state=State.MEASURING, state=SliceState.WAITING
    )
    agreed = ReratingSlice.objects.filter(rerating__state=State.APPLYING, state=SliceState.AGREED)
    slice_ids = [
        slice_id
        for rows in (measured, having_their_turn(agreed))
        for slice_id in unlocked_ids(rows.filter(queued_at__lte=lost))
    ]
    ReratingSlice.objects.filter(pk__in=slice_ids).update(queued_at=at)
    queue_slices(slice_ids)
    return len(rerating_ids) + len(slice_ids)


def _slices(
    rerating: Rerating,
    selection: Selection,
    scope: Scope,
    ordered: list[OrderedCustomers],
    at: datetime,
) -> Iterable[ReratingSlice]:
    """Customers in whole months, who are charged by the order of usage, and stretches of time."""
    others = selection.without(rerating.ordered_customer_ids, moved_by=rerating.pk)
    cut: list[tuple[Stretch, list[int]]] = []
    for pack in packed(ordered, SLICE_XDRS):
        whole = Stretch(Place(pack.started_from), Place(pack.started_to), pack.xdr_count)
        cut.append((whole, list(pack.customer_ids)))
    cut += [(each, []) for each in stretches_of(scope, others, SLICE_XDRS)]
    for number, ((first, end, count), customer_ids) in enumerate(cut, start=1):
        yield ReratingSlice(
            provider_id=rerating.provider_id,
            rerating=rerating,
            number=number,
            started_from=first.started_at,
            from_id=first.xdr_id,
            started_to=end.started_at,
            to_id=end.xdr_id,
            customer_ids=customer_ids,
            xdr_count=count,
            queued_at=at,
        )


def _said(rerating: Rerating) -> dict[str, object]:
    """What is chosen, and why, as the audit log keeps it."""
    names = ("customer_id", "reseller_id", "vendor_id", "source_id", "rate_table_id")
    chosen = {name: getattr(rerating, name) for name in (*names, "prefixes", "suspense_reason")}
    return {
        "reason": rerating.reason,
        "started_from": rerating.started_from,
        "started_to": rerating.started_to,
        **{name: value for name, value in chosen.items() if value},
    }
