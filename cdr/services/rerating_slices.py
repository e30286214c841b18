"""One stretch of a re-rating: measured, and later applied, each in one transaction."""

import hashlib
from collections.abc import Iterable
from datetime import datetime

import polars as pl
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from audit.services import record
from cdr.models import Rerating, ReratingSlice
from cdr.rating.changes import Fate
from cdr.rules.rerating import Place, Selection
from cdr.selectors.reratings import selection_of
from cdr.selectors.selections import selected
from cdr.services.allowance_counters import write_counters
from cdr.services.rating_again import Again, rate_again
from cdr.services.replacing import write_changes
from cdr.services.tier_pricing import add_volumes
from common.copying import amounts
from common.jobs import enqueue
from common.scope import Scope

State = Rerating.State
SliceState = ReratingSlice.State
_LEG_COUNTS = {
    "changed_leg_count": Fate.CHANGED,
    "added_leg_count": Fate.ADDED,
    "released_leg_count": Fate.RELEASED,
    "removed_leg_count": Fate.REMOVED,
    "suspended_leg_count": Fate.SUSPENDED,
}
_DELTA_KEY = ["charge", "payer_kind", "payer_id", "currency"]
_DELTA_SUMS = ["leg_count", "before", "after"]
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


@transaction.atomic
def work_on_slice(*, slice_id: int, at: datetime) -> bool:
    """Measure a WAITING slice, apply an AGREED one; False if there is nothing to do, or not yet.

    The slice is locked the while and marked by the same transaction, so that repeating the call,
    at the same time too, changes nothing. The last slice ends the dry run, or the re-rating.
    """
    rows = ReratingSlice.objects.select_for_update(no_key=True, of=("self",))
    part = rows.select_related("rerating").get(pk=slice_id)
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
    scope, selection = _chosen(part)
    again = rate_again(scope, selection, holds=False)
    deltas = _deltas(again)
    for name, count in _counts(again).items():
        setattr(part, name, count)
    part.has_changes = any(each.has_changes for each in again.batches)
    part.fingerprint = _fingerprint(again, deltas)
    part.state = SliceState.MEASURED
    part.save()
    keys = [part.provider_id, part.rerating_id]
    with connection.cursor() as cursor:
        cursor.execute(_ADD_DELTAS, [*keys, *_values(deltas)])


def _apply(part: ReratingSlice, at: datetime) -> None:
    scope, selection = _chosen(part)
    _lock_chunks(scope, selection)
    again = rate_again(scope, selection, holds=True)
    deltas = _deltas(again)
    is_agreed = _fingerprint(again, deltas) == part.fingerprint
    part.state = SliceState.APPLIED if is_agreed else SliceState.OUTDATED
    part.save(update_fields=["state"])
    if not is_agreed:
        return
    for each in again.batches:
        if each.has_changes:
            write_changes(each, rerating_id=part.rerating_id, at=at)
    write_counters(again.counters)
    add_volumes(scope.provider_id, again.totals.differences)
    with connection.cursor() as cursor:
        cursor.execute(_ADD_APPLIED, [*_values(deltas), part.rerating_id])


def _chosen(part: ReratingSlice) -> tuple[Scope, Selection]:
    scope = Scope.system(part.provider_id)
    if part.customer_ids:
        ids = tuple(part.customer_ids)
        return scope, Selection(part.started_from, part.started_to, customer_ids=ids)
    selection = selection_of(scope, part.rerating).without(part.rerating.ordered_customer_ids)
    first, end = Place(part.started_from, part.from_id), Place(part.started_to, part.to_id)
    return scope, selection.between(first, end)


def _lock_chunks(scope: Scope, selection: Selection) -> None:
    """Keep suspense of the same xDRs from being tried again meanwhile: that locks their chunk."""
    condition = selected(scope, selection)
    with connection.cursor() as cursor:
        cursor.execute(
            _LOCK_CHUNKS.format(condition.sql), [scope.provider_id, *condition.parameters]
        )


def _counts(again: Again) -> dict[str, int]:
    fates = [each.leg_counts() for each in again.batches]
    counts = {name: sum(each[fate] for each in fates) for name, fate in _LEG_COUNTS.items()}
    return counts | {
        "xdr_count": sum(len(each.rated.xdrs) for each in again.batches),
        "changed_xdr_count": sum(len(each.changed_xdr_ids()) for each in again.batches),
        "tiered_xdr_count": again.totals.torn_xdr_count,
    }


def _deltas(again: Again) -> pl.DataFrame:
    """Of all sources of the slice together, in the order of the key."""
    schema = {
        **dict.fromkeys(["charge", "payer_kind"], pl.Int8),
        "payer_id": pl.Int64,
        "currency": pl.String,
        "leg_count": pl.Int64,
        **dict.fromkeys(["before", "after"], pl.Int128),
    }
    parts = [each.deltas().select(list(schema)) for each in again.batches]
    together = pl.concat(parts) if parts else pl.DataFrame(schema=schema)
    return together.group_by(_DELTA_KEY).agg(pl.col(_DELTA_SUMS).sum()).sort(_DELTA_KEY)


def _fingerprint(again: Again, deltas: pl.DataFrame) -> str:
    """Of the amounts of every payer and of all counts: what whoever agrees has seen."""
    uses = sum(each.uses.count for each in again.batches)
    said = [deltas.write_csv(), *map(str, _counts(again).items()), str(uses)]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()


def _values(deltas: pl.DataFrame) -> list[list[object]]:
    exact = deltas.with_columns(amounts("before"), amounts("after"))
    return [exact[name].to_list() for name in [*_DELTA_KEY, *_DELTA_SUMS]]


def _end_dry_run(rerating: Rerating, at: datetime) -> None:
    locked = _locked(rerating)
    if locked.state != State.MEASURING or locked.slices.filter(state=SliceState.WAITING).exists():
        return
    locked.state, locked.measured_at = State.MEASURED, at
    locked.save(update_fields=["state", "measured_at"])


def _end_applying(part: ReratingSlice, at: datetime) -> None:
    """With the last slice; the last one of whole months has the others queued."""
    locked = _locked(part.rerating)
    agreed = locked.slices.filter(state=SliceState.AGREED)
    if agreed.exists():
        if part.customer_ids and not agreed.exclude(customer_ids=[]).exists():
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
    """The slices to apply that need not wait for customers in whole months.

    Those are first: xDRs that other slices bring to these customers come after theirs.
    """
    whole_months = ReratingSlice.objects.filter(
        rerating=OuterRef("rerating"), state=SliceState.AGREED
    ).exclude(customer_ids=[])
    return agreed.filter(~Q(customer_ids=[]) | ~Exists(whole_months))


def queue_slices(slice_ids: Iterable[int]) -> None:
    """Have workers look at slices, in this order."""
    for slice_id in slice_ids:
        enqueue("cdr.rerate_slice", slice_id=slice_id)


def _locked(rerating: Rerating) -> Rerating:
    """Locked before counting: of two last slices that end together, the second sees the first."""
    return Rerating.objects.select_for_update(no_key=True).get(pk=rerating.pk)
