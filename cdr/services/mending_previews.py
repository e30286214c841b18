"""What a correction would make of suspense, by the code that rates; nothing is written."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial

import polars as pl

from cdr.models import LegKind, Suspense, SuspenseReason, XdrChunk
from cdr.rating import COST_SCALE_DIGITS
from cdr.rules.instants import from_microseconds
from cdr.rules.mending import KNOWN_BY, START, Change, ChangeKind, Choice
from cdr.rules.suspense import LINE_REASONS, Result
from cdr.rules.xdr_keys import PLACE_BITS
from cdr.selectors.stored_xdrs import of_xdrs, stored_xdrs
from cdr.selectors.suspense import chosen_suspense
from cdr.services.allowances import preview_allowances
from cdr.services.correcting import corrected_xdrs
from cdr.services.mending_lines import known_lines, read_again
from cdr.services.moving import identities_of, repeated_xdrs
from cdr.services.price_tables import fitting_price_tables
from cdr.services.rating import RatedXdrs, identify_xdrs, rate_xdrs
from cdr.services.recording import Origin
from cdr.services.sources import SourceTerms, source_terms
from cdr.services.stored_parties import FOUND
from cdr.services.tier_counting import preview_tiers
from common.copying import timestamps
from common.errors import DomainError
from common.scope import Scope
from customers.models import Customer


class LineStillUnreadable(DomainError):
    """The corrected text of a line cannot be read or accepted either."""


MOST_SHOWN = 20
"""Rows that are tried; all of a choice are counted."""

_LINES = {
    "suspense_id": pl.Int64,
    "line_number": pl.Int64,
    "raw": pl.String,
    "correction": pl.String,
    "zone": pl.String,
    "detail": pl.String,
}


@dataclass(frozen=True)
class Trouble:
    """Why it would wait on."""

    reason: SuspenseReason
    detail: str


@dataclass(frozen=True)
class StoredXdr:
    """An xDR that is stored already, since `stored_at`."""

    started_at: datetime
    id: int
    stored_at: datetime | None


@dataclass(frozen=True)
class PreviewedRow:
    """A row of suspense, what of it is read otherwise, and what it would become.

    `is_left` says that the correction does not concern it. `charges` are the legs that would stand.
    With `duplicate_of` it would be that xDR once more, and end as such.
    """

    row: Suspense
    before: str
    after: str = ""
    is_left: bool = True
    customer: Customer | None = None
    charges: Sequence[tuple[LegKind, Decimal, str]] = ()
    waits: Sequence[Trouble] = ()
    duplicate_of: StoredXdr | None = None

    @property
    def is_freed(self) -> bool:
        """Whether nothing of it would wait any more."""
        return not self.is_left and not self.waits


@dataclass(frozen=True)
class Preview:
    """What the first rows of a choice would become."""

    rows: Sequence[PreviewedRow]

    @property
    def freed_count(self) -> int:
        """Rows shown of which nothing would wait any more."""
        return sum(row.is_freed for row in self.rows)

    @property
    def left_count(self) -> int:
        """Rows shown that the correction does not concern."""
        return sum(row.is_left for row in self.rows)


def preview_change(scope: Scope, choice: Choice, change: Change, at: datetime) -> Preview:
    """What a correction would make of the first rows of a choice.

    :raises LineStillUnreadable: it is the text of a whole line, which is refused as well.
    """
    chosen = chosen_suspense(scope, choice)
    rows = list(chosen.select_related("chunk__file", "source").order_by("pk")[:MOST_SHOWN])
    tell = _of_lines if change.kind.is_of_lines else partial(_of_xdrs, scope)
    told = [tell(lot, change, at) for lot in _lots(rows, change)]
    outcomes = {pk: outcome for lot in told for pk, outcome in lot.items()}
    ids = {outcome.customer_id for outcome in outcomes.values() if outcome.customer_id}
    customers = Customer.objects.visible_to(scope).in_bulk(ids)
    shown = [_row(row, outcomes.get(row.pk), change, customers) for row in rows]
    if change.kind is ChangeKind.LINE:
        _refuse_unreadable(shown)
    return Preview(shown)


def _refuse_unreadable(rows: Sequence[PreviewedRow]) -> None:
    for row in rows:
        for trouble in row.waits:
            if trouble.reason.value in LINE_REASONS:
                why = f"Line {row.row.line_number} as corrected: {trouble.detail}."
                raise LineStillUnreadable(why, by_field={"new_text": why})


def _lots(rows: Sequence[Suspense], change: Change) -> Iterator[list[Suspense]]:
    """The rows that a correction may concern, by source, or by chunk where they are lines."""
    is_line = change.kind.is_of_lines
    found: dict[int, list[Suspense]] = {}
    for row in rows:
        if (row.xdr_id is None) == is_line:
            found.setdefault(row.chunk_id if is_line else row.source_id, []).append(row)
    yield from found.values()


@dataclass(frozen=True)
class _Outcome:
    before: str
    after: str
    is_left: bool = False
    customer_id: int | None = None
    charges: Sequence[tuple[LegKind, Decimal, str]] = ()
    waits: Sequence[Trouble] = ()
    duplicate_of: StoredXdr | None = None


def _of_lines(rows: Sequence[Suspense], change: Change, at: datetime) -> dict[int, _Outcome]:
    source = source_terms(rows[0].source_id)
    values = [
        (row.pk, row.line_number, row.raw, row.correction, row.zone, row.detail) for row in rows
    ]
    lines = pl.DataFrame(values, schema=_LINES, orient="row")
    read = read_again(lines, Origin(source, 0, at), rows[0].chunk, change=change)
    if change.kind is ChangeKind.ZONE:
        raws = {row.pk: row.zone or source.zone.key for row in rows}
        texts = dict.fromkeys(raws, change.new_text or source.zone.key)
    else:
        raws = {row.pk: row.correction or row.raw for row in rows}
        texts = dict(read.lines.select("suspense_id", "raw").iter_rows())
    concerned = set(read.lines["suspense_id"])
    # Those that say again what another of them says end as duplicates of that one.
    told = {pk: _Outcome(raws[pk], text) for pk, text in texts.items() if pk in concerned}
    for pk, reason, detail in read.waits.select("suspense_id", "reason", "detail").iter_rows():
        trouble = Trouble(SuspenseReason(reason), detail)
        told[pk] = _Outcome(raws[pk], texts[pk], waits=(trouble,))
    known = known_lines(read, source)
    for pk, stored in _stored_on(known).items():
        told[pk] = _Outcome(raws[pk], texts[pk], duplicate_of=stored)
    new = read.xdrs.join(known, on="suspense_id", how="anti", maintain_order="left")
    if not new.is_empty():
        said = {pk: (raws[pk], texts[pk]) for pk in new["suspense_id"]}
        told |= _rated(new, source, said)
    return told


def _stored_on(known: pl.DataFrame) -> dict[int, StoredXdr]:
    """The xDRs that lines are known as (suspense_id, known_start, known_id)."""
    rows = known.select("suspense_id", "known_start", "known_id").rows()
    chunks = XdrChunk.objects.in_bulk({xdr_id >> PLACE_BITS for _, _, xdr_id in rows})
    return {
        pk: StoredXdr(from_microseconds(start), xdr_id, chunks[xdr_id >> PLACE_BITS].finished_at)
        for pk, start, xdr_id in rows
    }


def _of_xdrs(
    scope: Scope, rows: Sequence[Suspense], change: Change, at: datetime
) -> dict[int, _Outcome]:
    source = source_terms(rows[0].source_id)
    chosen = of_xdrs([row.started_at for row in rows], [row.xdr_id for row in rows])
    found = stored_xdrs(scope, chosen)
    stored = found.filter(pl.col("result") == Result.SUSPENDED)
    corrected = corrected_xdrs(stored, change, Origin(source, 0, at)).filter("is_concerned")
    if corrected.is_empty():
        return {}
    before, after = _texts(found, change), _texts(corrected, change)
    first = {row.xdr_id: row.pk for row in reversed(rows)}
    named = corrected.with_columns(
        suspense_id=pl.col("id").replace_strict(first, return_dtype=pl.Int64)
    )
    said = {pk: (before[xdr_id], after[xdr_id]) for xdr_id, pk in first.items() if xdr_id in after}
    told = {}
    if change.field in KNOWN_BY:
        repeated = repeated_xdrs(identities_of(corrected, source), source)
        known = named.select("id", "suspense_id").join(repeated, on="id")
        for pk, other in _stored_on(known).items():
            told[pk] = _Outcome(*said[pk], is_left=True, duplicate_of=other)
        named = named.join(repeated, on="id", how="anti", maintain_order="left")
    if not named.is_empty():
        told |= _rated(named.drop(FOUND), source, said)
    # Of an xDR that waits for several legs, each row says the same.
    return {row.pk: told[first[row.xdr_id]] for row in rows if first[row.xdr_id] in told}


def _texts(xdrs: pl.DataFrame, change: Change) -> dict[int, str]:
    """The field of xDRs by their ids, as it is shown."""
    if change.field != START:
        return dict(xdrs.select("id", change.field).iter_rows())
    starts = timestamps(xdrs["started_at"]).str.head(len("2026-10-05 14:30:00"))
    return dict(zip(xdrs["id"], starts + " UTC", strict=True))


def _rated(
    xdrs: pl.DataFrame, source: SourceTerms, said: Mapping[int, tuple[str, str]]
) -> dict[int, _Outcome]:
    identified = identify_xdrs(xdrs, source)
    numbers = identified["normalised_number"].drop_nulls().to_list()
    fitting = partial(fitting_price_tables, numbers=["", *numbers])
    rated, _ = preview_allowances(rate_xdrs(identified, source, compiled=fitting), source)
    rated = preview_tiers(rated, source)
    charges, waits = _charges(rated), _waits(rated)
    rows = rated.xdrs.select("suspense_id", "customer_id").iter_rows()
    return {
        pk: _Outcome(
            *said[pk],
            customer_id=customer_id,
            charges=charges.get(place, ()),
            waits=waits.get(place, ()),
        )
        for place, (pk, customer_id) in enumerate(rows)
    }


def _charges(rated: RatedXdrs) -> dict[int, list[tuple[LegKind, Decimal, str]]]:
    """The legs that stand, by the place of their xDR."""
    found: dict[int, list[tuple[LegKind, Decimal, str]]] = {}
    legs, priced = rated.legs, rated.priced
    for leg in rated.outcome.stands.nonzero()[0].tolist():
        amount = Decimal(int(priced.cost[leg])).scaleb(-COST_SCALE_DIGITS)
        currency = rated.tables[int(legs.table_id[leg])].currency
        kind = LegKind(int(legs.charge[leg]))
        found.setdefault(int(legs.row[leg]), []).append((kind, amount, currency))
    return found


def _waits(rated: RatedXdrs) -> dict[int, list[Trouble]]:
    found: dict[int, list[Trouble]] = {}
    for place, reason, detail in rated.outcome.suspense.select("row", "reason", "detail").rows():
        found.setdefault(place, []).append(Trouble(SuspenseReason(reason), detail))
    return found


def _row(
    row: Suspense,
    outcome: _Outcome | None,
    change: Change,
    customers: Mapping[int, Customer],
) -> PreviewedRow:
    if outcome is None:
        return PreviewedRow(row, (row.correction or row.raw) if change.kind.is_of_lines else "")
    return PreviewedRow(
        row,
        outcome.before,
        outcome.after,
        is_left=outcome.is_left,
        customer=None if outcome.customer_id is None else customers.get(outcome.customer_id),
        charges=outcome.charges,
        waits=outcome.waits,
        duplicate_of=outcome.duplicate_of,
    )
