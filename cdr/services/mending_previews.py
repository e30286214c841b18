"""What a correction would make of suspense, by the code that rates; nothing is written."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial

import polars as pl

from cdr.models import LegKind, Suspense, SuspenseReason
from cdr.rating import COST_SCALE_DIGITS
from cdr.rules.mending import Change, ChangeKind, Choice
from cdr.rules.suspense import LINE_REASONS, Result
from cdr.selectors.stored_xdrs import Condition, stored_xdrs
from cdr.selectors.suspense import chosen_suspense
from cdr.services.allowances import preview_allowances
from cdr.services.correcting import corrected_xdrs
from cdr.services.mending_lines import read_again
from cdr.services.price_tables import fitting_price_tables
from cdr.services.rating import RatedXdrs, identify_xdrs, rate_xdrs
from cdr.services.recording import Origin
from cdr.services.releasing import OF_WAITING
from cdr.services.sources import SourceTerms, source_terms
from cdr.services.stored_parties import FOUND
from cdr.services.tier_counting import preview_tiers
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
    "detail": pl.String,
}


@dataclass(frozen=True)
class Trouble:
    """Why it would wait on."""

    reason: SuspenseReason
    detail: str


@dataclass(frozen=True)
class PreviewedRow:
    """A row of suspense, what of it is read otherwise, and what it would become.

    `is_left` says that the correction does not concern it. `charges` are the legs that would stand.
    """

    row: Suspense
    before: str
    after: str = ""
    is_left: bool = True
    customer: Customer | None = None
    charges: Sequence[tuple[LegKind, Decimal, str]] = ()
    waits: Sequence[Trouble] = ()

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
    told = [
        _of_lines(lot, change, at) if change.kind.is_of_lines else _of_xdrs(scope, lot, change)
        for lot in _lots(rows, change)
    ]
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
    customer_id: int | None = None
    charges: Sequence[tuple[LegKind, Decimal, str]] = ()
    waits: Sequence[Trouble] = ()


def _of_lines(rows: Sequence[Suspense], change: Change, at: datetime) -> dict[int, _Outcome]:
    source = source_terms(rows[0].source_id)
    values = [(row.pk, row.line_number, row.raw, row.correction, row.detail) for row in rows]
    lines = pl.DataFrame(values, schema=_LINES, orient="row")
    read = read_again(lines, Origin(source, 0, at), rows[0].chunk, change=change)
    raws = {row.pk: row.correction or row.raw for row in rows}
    texts = dict(read.lines.select("suspense_id", "raw").iter_rows())
    told = {
        pk: _Outcome(raws[pk], text, waits=(Trouble(SuspenseReason.UNPARSABLE, "it holds no xDR"),))
        for pk, text in texts.items()
    }
    for pk, reason, detail in read.waits.select("suspense_id", "reason", "detail").iter_rows():
        trouble = Trouble(SuspenseReason(reason), detail)
        told[pk] = _Outcome(raws[pk], texts[pk], waits=(trouble,))
    if not read.xdrs.is_empty():
        said = {pk: (raws[pk], texts[pk]) for pk in read.xdrs["suspense_id"]}
        told |= _rated(read.xdrs, source, said)
    return told


def _of_xdrs(scope: Scope, rows: Sequence[Suspense], change: Change) -> dict[int, _Outcome]:
    source = source_terms(rows[0].source_id)
    keys = [[row.started_at for row in rows], [row.xdr_id for row in rows]]
    found = stored_xdrs(scope, Condition(OF_WAITING.format("x", "id"), keys))
    stored = found.filter(pl.col("result") == Result.SUSPENDED)
    corrected = corrected_xdrs(stored, change).filter("is_concerned")
    if corrected.is_empty():
        return {}
    before = dict(found.select("id", change.field).iter_rows())
    after = dict(corrected.select("id", change.field).iter_rows())
    first = {row.xdr_id: row.pk for row in reversed(rows)}
    named = corrected.with_columns(
        suspense_id=pl.col("id").replace_strict(first, return_dtype=pl.Int64)
    )
    said = {pk: (before[xdr_id], after[xdr_id]) for xdr_id, pk in first.items() if xdr_id in after}
    told = _rated(named.drop(FOUND), source, said)
    # Of an xDR that waits for several legs, each row says the same.
    return {row.pk: told[first[row.xdr_id]] for row in rows if first[row.xdr_id] in told}


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
        is_left=False,
        customer=None if outcome.customer_id is None else customers.get(outcome.customer_id),
        charges=outcome.charges,
        waits=outcome.waits,
    )
