"""One stretch of a re-rating: measured, and later applied, each in one transaction."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from audit.services import record
from cdr.models import Rerating, ReratingSlice
from cdr.rules.rerating import Place, Selection
from cdr.selectors.reratings import selection_of
from cdr.selectors.selections import selected
from cdr.selectors.stretches import stretches_of
from cdr.services.allowance_counters import write_counters
from cdr.services.rating_again import Again, Counting, rate_again
from cdr.services.replacing import write_changes
from cdr.services.rerating_moves import note_moves
from cdr.services.slice_sums import SliceSums
from cdr.services.tier_pricing import add_volumes
from common.jobs import enqueue
from common.scope import Scope
from common.statements import execute
from tenancy.selectors import provider_zone

State = Rerating.State
SliceState = ReratingSlice.State
SLICE_XDRS = 50_000
"""xDRs rated at once: bounds a worker's memory, and how much a killed one has done in vain."""

# In the order of the key: two slices that end together must not wait for each other.
_ADD_DELTAS = """
    INSERT INTO cdr_reratingdelta AS d (provider_id, rerating_id, kind, payer_kind, payer_id,
        currency, leg_count, before_amount, after_amount, delta_amount, applied_amount)
    SELECT %s, %s, kind, payer_kind, payer_id, currency, legs, before, after, after - before, 0
    FROM unnest(%s::smallint[], %s::smallint[], %s::bigint[], %s::text[], %s::bigint[],
                %s::numeric[], %s::numeric[])
        AS n(kind, payer_kind, payer_id, currency, legs, before, after)
    ORDER BY kind, payer_kind, payer_id, currency
    ON CONFLICT (rerating_id, kind, payer_kind, payer_id, currency) DO UPDATE SET
        leg_count = d.leg_count + excluded.leg_count,
        before_amount = d.before_amount + excluded.before_amount,
        after_amount = d.after_amount + excluded.after_amount,
        delta_amount = d.delta_amount + excluded.delta_amount
"""
_ADD_APPLIED = """
    UPDATE cdr_reratingdelta d SET applied_amount = d.applied_amount + n.after - n.before
    FROM (SELECT d.id, n.before, n.after
          FROM unnest(%s::smallint[], %s::smallint[], %s::bigint[], %s::text[], %s::bigint[],
                      %s::numeric[], %s::numeric[])
              AS n(kind, payer_kind, payer_id, currency, legs, before, after)
          JOIN cdr_reratingdelta d ON d.rerating_id = %s AND d.kind = n.kind
              AND d.payer_kind = n.payer_kind AND d.payer_id = n.payer_id
              AND d.currency = n.currency
          ORDER BY n.kind, n.payer_kind, n.payer_id, n.currency
          FOR UPDATE OF d) n
    WHERE d.id = n.id
"""
_LOCK_CHUNKS = """
    SELECT c.id FROM cdr_xdrchunk c
    WHERE c.id IN (SELECT x.chunk_id FROM cdr_xdr x WHERE x.provider_id = %s AND {})
    ORDER BY c.id FOR SHARE OF c
"""
_LOCK_COUNTS = (
    """
    SELECT c.id FROM cdr_allowancecounter c
    WHERE c.provider_id = %s AND c.customer_id = ANY(%s) AND c.month BETWEEN %s AND %s
    ORDER BY c.month, c.customer_id, c.key FOR NO KEY UPDATE OF c
    """,
    """
    SELECT t.id FROM cdr_tiertotal t
    WHERE t.provider_id = %s AND t.customer_id = ANY(%s) AND t.month BETWEEN %s AND %s
    ORDER BY t.subscription_id, t.month FOR NO KEY UPDATE OF t
    """,
)


@transaction.atomic
def work_on_slice(*, slice_id: int, at: datetime) -> bool:
    """Measure a WAITING slice, apply an AGREED one; False if there is nothing to do, or not yet.

    The slice is locked the while and marked by the same transaction, so that repeating the call,
    at the same time too, changes nothing. The last slice ends the dry run, or the re-rating.
    """
    rows = ReratingSlice.objects.select_for_update(no_key=True, of=("self",))
    part = rows.select_related("rerating").filter(pk=slice_id).first()
    if part is None:  # of a re-rating that was cut into slices once more
        return False
    rerating = part.rerating
    if (rerating.state, part.state) == (State.MEASURING, SliceState.WAITING):
        _measure(part)
        _end_dry_run(rerating, at)
    elif (rerating.state, part.state) == (State.APPLYING, SliceState.AGREED):
        if not having_their_turn(rerating.slices.filter(pk=part.pk)).exists():
            return False
        _apply(part, at)
        _end_applying(part, at)
    else:
        return False
    return True


@transaction.atomic
def give_up_slice(*, slice_id: int, at: datetime) -> None:
    """Leave a slice as it is that cannot be worked on: its dry run fails as a whole, while of what
    is applied the other slices stand.
    """
    rows = ReratingSlice.objects.select_for_update(no_key=True, of=("self",))
    part = rows.select_related("rerating").get(pk=slice_id)
    locked = _locked(part.rerating)
    if (locked.state, part.state) == (State.MEASURING, SliceState.WAITING):
        locked.state, locked.finished_at = State.FAILED, at
        locked.save(update_fields=["state", "finished_at"])
    elif (locked.state, part.state) == (State.APPLYING, SliceState.AGREED):
        part.state = SliceState.OUTDATED
        part.save(update_fields=["state"])
        _end_applying(part, at)


def _measure(part: ReratingSlice) -> None:
    sums = SliceSums.none()
    for again in _parts(part, holds=False):
        sums = sums.plus(again)
        note_moves(part, again)
    for name, count in sums.counts.items():
        setattr(part, name, count)
    part.has_changes = sums.has_changes
    part.fingerprint = sums.fingerprint
    part.state = SliceState.MEASURED
    part.save()
    keys = [part.provider_id, part.rerating_id]
    with connection.cursor() as cursor:
        cursor.execute(_ADD_DELTAS, [*keys, *sums.delta_values])


def _apply(part: ReratingSlice, at: datetime) -> None:
    try:
        with transaction.atomic():
            sums = _write(part, at)
            if sums.fingerprint != part.fingerprint:
                raise _Changed
    except _Changed:
        part.state = SliceState.OUTDATED
    else:
        part.state = SliceState.APPLIED
        with connection.cursor() as cursor:
            cursor.execute(_ADD_APPLIED, [*sums.delta_values, part.rerating_id])
    part.save(update_fields=["state"])


class _Changed(Exception):
    """What was agreed to is not what would be written by now."""


def _write(part: ReratingSlice, at: datetime) -> SliceSums:
    _lock_chunks(*_chosen(part))
    _lock_counts(part)
    sums, counters = SliceSums.none(), []
    for again in _parts(part, holds=True):
        sums, counters = sums.plus(again), again.counting.all_counters
        for each in again.batches:
            if each.has_changes:
                write_changes(each, rerating_id=part.rerating_id, at=at)
        add_volumes(part.provider_id, again.totals.differences)
    write_counters(counters)
    return sums


def _parts(part: ReratingSlice, *, holds: bool) -> Iterator[Again]:
    """What a slice would change: few xDRs at once, in their order.

    Only customers in order can have made more than a few in the months of a slice.
    """
    scope, selection = _chosen(part)
    counting = Counting.before(scope, selection)
    pieces = [selection]
    if part.customer_ids:
        stretches = stretches_of(scope, selection, SLICE_XDRS)
        pieces = [selection.between(first, end) for first, end, _ in stretches]
    for piece in pieces:
        again = rate_again(scope, piece, counting, holds=holds)
        counting = again.counting
        yield again


def _chosen(part: ReratingSlice) -> tuple[Scope, Selection]:
    scope, moved_by = Scope.system(part.provider_id), part.rerating_id
    if part.customer_ids:
        ids, months = tuple(part.customer_ids), (part.started_from, part.started_to)
        return scope, Selection(*months, customer_ids=ids, moved_by=moved_by)
    ordered_ids = part.rerating.ordered_customer_ids
    selection = selection_of(scope, part.rerating).without(ordered_ids, moved_by=moved_by)
    first, end = Place(part.started_from, part.from_id), Place(part.started_to, part.to_id)
    return scope, selection.between(first, end)


def _lock_chunks(scope: Scope, selection: Selection) -> None:
    """Keep suspense of the same xDRs from being tried again meanwhile: that locks their chunk."""
    condition = selected(scope, selection)
    with connection.cursor() as cursor:
        cursor.execute(
            _LOCK_CHUNKS.format(condition.sql), [scope.provider_id, *condition.parameters]
        )


def _lock_counts(part: ReratingSlice) -> None:
    """Hold what counts the usage of customers in order, all counters before all totals.

    Part by part, a later one's counters could be held by somebody who waits for the totals.
    """
    if not part.customer_ids:
        return
    zone = provider_zone(Scope.system(part.provider_id))
    ends = part.started_from, part.started_to - timedelta(microseconds=1)
    first, last = (at.astimezone(zone).date().replace(day=1) for at in ends)
    for statement in _LOCK_COUNTS:
        execute(statement, [part.provider_id, part.customer_ids, first, last])


def _end_dry_run(rerating: Rerating, at: datetime) -> None:
    locked = _locked(rerating)
    if locked.state != State.MEASURING or locked.slices.filter(state=SliceState.WAITING).exists():
        return
    if locked.moves.filter(is_planned=False).exists():
        locked.state, locked.queued_at, locked.try_count = State.PLANNING, at, 0
        locked.save(update_fields=["state", "queued_at", "try_count"])
        enqueue("cdr.plan_rerating", rerating_id=locked.pk)
        return
    locked.state, locked.measured_at = State.MEASURED, at
    locked.save(update_fields=["state", "measured_at"])


def _end_applying(part: ReratingSlice, at: datetime) -> None:
    """With the last slice; the last stretch of time has whole months queued."""
    locked = _locked(part.rerating)
    agreed = locked.slices.filter(state=SliceState.AGREED)
    if agreed.exists():
        if not part.customer_ids and not agreed.filter(customer_ids=[]).exists():
            queue_slices(agreed.order_by("number").values_list("pk", flat=True))
        return
    outdated = locked.slices.filter(state=SliceState.OUTDATED).count()
    locked.state = State.PARTLY_APPLIED if outdated else State.APPLIED
    locked.finished_at = at
    locked.save(update_fields=["state", "finished_at"])
    record(
        provider_id=locked.provider_id,
        action="rerating.applied",
        changed=locked,
        at=at,
        actor_id=locked.applied_by_id,
        after={
            "slices": locked.slices.filter(state=SliceState.APPLIED).count(),
            "outdated": outdated,
        },
    )


def having_their_turn(agreed: QuerySet[ReratingSlice]) -> QuerySet[ReratingSlice]:
    """The slices to apply that need not wait for stretches of time.

    Customers in whole months come last: what they lose to others would be found in a stretch that
    was measured without it. They gain nothing by a stretch, for what they would is theirs already.
    """
    stretches = ReratingSlice.objects.filter(
        rerating=OuterRef("rerating"), state=SliceState.AGREED, customer_ids=[]
    )
    return agreed.filter(Q(customer_ids=[]) | ~Exists(stretches))


def queue_slices(slice_ids: Iterable[int]) -> None:
    """Have workers look at slices, in this order."""
    for slice_id in slice_ids:
        enqueue("cdr.rerate_slice", slice_id=slice_id)


def _locked(rerating: Rerating) -> Rerating:
    """Locked before counting: of two last slices that end together, the second sees the first."""
    return Rerating.objects.select_for_update(no_key=True).get(pk=rerating.pk)
