"""Rating stored xDRs by the terms of today, and what would change: nothing is written."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from cdr.models import Suspense
from cdr.rating.changes import (
    Fate,
    LegChanges,
    UsageDifferences,
    compare_legs,
    payer_deltas,
    standing_legs,
    usage_differences,
)
from cdr.rules.parties import PROVIDER_ID
from cdr.rules.rerating import Selection
from cdr.selectors.selections import legs_selected, selected
from cdr.selectors.stored_xdrs import (
    charged_usage,
    counted_of_totals,
    stored_legs,
    stored_uses,
    stored_xdrs,
    used_of_counters,
)
from cdr.services.allowance_counters import CountedAgain
from cdr.services.allowances import count_again
from cdr.services.copying import days
from cdr.services.rating import USES, Batch, RatedXdrs, identify_xdrs, rate_xdrs
from cdr.services.recording import DETAIL_CHARACTERS
from cdr.services.settling import WAITS
from cdr.services.sources import SourceTerms, source_terms
from cdr.services.stored_parties import FOUND
from cdr.services.subjects import xdr_subjects
from cdr.services.tiers_again import TotalsAgain, TotalsSoFar
from common.scope import Scope

_WAITING_KEY = ["xdr_id", "leg_kind", "payer_kind", "payer_id"]
_WAITING = {
    "suspense_id": pl.Int64,
    "xdr_id": pl.Int64,
    "leg_kind": pl.Int8,
    "payer_kind": pl.Int8,
    "payer_id": pl.Int64,
    "reason": pl.String,
    "detail": pl.String,
}


@dataclass(frozen=True, slots=True)
class SuspenseChanges:
    """Rows that need not wait any more, rows that wait for another reason, and what waits now.

    `explained` has the columns of WAITS, `new` those of the outcome's suspense.
    """

    resolved: list[int]
    explained: pl.DataFrame
    new: pl.DataFrame

    @property
    def count(self) -> int:
        """How many rows of suspense are written."""
        return len(self.resolved) + len(self.explained) + len(self.new)


@dataclass(frozen=True, slots=True)
class UseChanges:
    """Uses of allowances that go, as USE_COLUMNS, and those that come, as a batch has them."""

    gone: pl.DataFrame
    new: pl.DataFrame

    @property
    def count(self) -> int:
        """How many uses are written or taken away."""
        return len(self.gone) + len(self.new)


@dataclass(frozen=True, slots=True)
class RatedAgain:
    """xDRs of one source beside what they would be now.

    `moved` are the xDRs whose parties or result change, by their place in the batch.
    """

    source: SourceTerms
    rated: RatedXdrs
    legs: LegChanges
    uses: UseChanges
    moved: pl.Series
    suspense: SuspenseChanges

    @property
    def has_changes(self) -> bool:
        """Whether anything would be written."""
        counts = self.uses.count, len(self.moved), self.suspense.count
        return not self.legs.is_empty or any(counts)

    def changed_xdr_ids(self) -> pl.Series:
        """The xDRs that anything changes of but the place of a leg."""
        before, after = self.legs.charged()
        of_result = self.rated.xdrs["id"].gather(self.moved)
        ids = pl.concat([before["xdr_id"], after["xdr_id"], of_result])
        return ids.unique()

    def leg_counts(self) -> dict[Fate, int]:
        """How many legs have which fate."""
        return self.legs.counts()

    def deltas(self) -> pl.DataFrame:
        """What each payer's legs came to and would come to."""
        return payer_deltas(*self.legs.charged())

    def usage(self) -> UsageDifferences:
        """The usage to reverse, as it was charged, and to charge, by the terms of today."""
        before, after = self.legs.charged()
        scope = Scope.system(self.source.provider_id)
        xdrs = self.rated.xdrs.select(
            "volume",
            reseller_id=_tag(pl.col("reseller_id")),
            xdr_id="id",
            day=days(self.rated.xdrs["started_at"], self.source.day_zone.key),
        )
        charged = charged_usage(scope, before["usage_charge_id"].unique())
        return usage_differences(
            before.join(xdrs.select("xdr_id", "volume"), on="xdr_id", how="left").join(
                charged, on="usage_charge_id", how="left"
            ),
            after.join(xdrs, on="xdr_id", how="left", maintain_order="left").with_columns(
                product_id=pl.lit(self.source.product_id, pl.Int64),
                destination=self._destinations_now(after),
            ),
        )

    def _destinations_now(self, after: pl.DataFrame) -> pl.Series:
        places = pl.DataFrame(
            {
                "table_id": after["table_id"],
                "code": self.rated.priced.destination[after["leg"].to_numpy()],
            }
        )
        distinct = places.unique()
        tables = self.rated.tables
        names = [tables[table_id].destination(code) for table_id, code in distinct.iter_rows()]
        known = distinct.with_columns(name=pl.Series(names, dtype=pl.String))
        found = places.join(known, on=["table_id", "code"], how="left", maintain_order="left")
        return found["name"]


@dataclass(frozen=True, slots=True)
class Counting:
    """What parts of usage that are rated one after the other make of counters and of totals.

    `returned` is what all of them used before, by counter: product and volume. `counters` are by
    product what is to be stored of each after the parts so far. `totals` are those of tiers.
    """

    returned: Mapping[int, tuple[int, int]]
    counters: Mapping[int, Sequence[CountedAgain]]
    totals: TotalsSoFar

    @classmethod
    def before(cls, scope: Scope, selection: Selection) -> "Counting":
        """Before the first part of a selection."""
        of_selected = legs_selected(scope, selection)
        totals = TotalsSoFar.before(counted_of_totals(scope, of_selected))
        return cls(used_of_counters(scope, of_selected), {}, totals)

    @property
    def all_counters(self) -> list[CountedAgain]:
        """Those of all products."""
        return [each for counted in self.counters.values() for each in counted]

    @property
    def customer_ids(self) -> set[int]:
        """The customers who have allowances for what was rated."""
        counters = (each.known.counter for each in self.all_counters)
        return {each.customer_id for each in counters if each.entitlements}


@dataclass(frozen=True, slots=True)
class Again:
    """xDRs rated again, source by source, with what that makes of counters and of totals."""

    batches: list[RatedAgain]
    counting: Counting
    totals: TotalsAgain


def rate_again(scope: Scope, selection: Selection, counting: Counting, *, holds: bool) -> Again:
    """The xDRs of a selection, a part of what is counted, rated by what holds now.

    Counters of allowances and totals of tiers are locked where somebody `holds` them, to write to
    them.
    """
    xdrs = stored_xdrs(scope, selected(scope, selection))
    if xdrs.is_empty():
        return Again([], counting, TotalsAgain.none())
    of_selected = legs_selected(scope, selection)
    legs, uses = stored_legs(scope, of_selected), stored_uses(scope, of_selected)
    waiting = _waiting(scope, selection)
    parts = xdrs.sort("source_id", "started_at", "id").partition_by(
        "source_id", maintain_order=True
    )
    batches = [_rated(stored) for stored in parts]
    batches, counters, totals, totals_so_far = count_again(
        batches, legs, counting.returned, counting.counters, counting.totals, holds=holds
    )
    return Again(
        [
            _compared(stored, *batch, legs, uses, waiting)
            for stored, batch in zip(parts, batches, strict=True)
        ],
        replace(counting, counters=counters, totals=totals_so_far),
        totals,
    )


def _rated(stored: pl.DataFrame) -> Batch:
    source = source_terms(stored["source_id"][0])
    return rate_xdrs(identify_xdrs(stored.drop(FOUND), source), source), source


def _compared(
    stored: pl.DataFrame,
    rated: RatedXdrs,
    source: SourceTerms,
    legs: pl.DataFrame,
    uses: pl.DataFrame,
    waiting: pl.DataFrame,
) -> RatedAgain:
    ids = stored.select(xdr_id="id")
    legs = legs.join(ids, on="xdr_id", how="semi")
    waited = waiting.join(ids, on="xdr_id", how="semi")
    failing = rated.outcome.suspense
    waits = failing.with_columns(xdr_id=rated.xdrs["id"].gather(failing["row"]))
    told = xdr_subjects(rated.xdrs[waits["row"]], waits, source)
    standing = standing_legs(
        rated.xdrs,
        rated.legs,
        rated.priced,
        rated.outcome.stands,
        _currencies(rated),
        rated.included,
    )
    return RatedAgain(
        source=source,
        rated=rated,
        legs=compare_legs(legs, standing, waited=waited, waits=waits),
        uses=_use_changes(uses.join(ids, on="xdr_id", how="semi"), rated),
        moved=_moved(stored, rated),
        suspense=_suspense_changes(waited, told),
    )


def _use_changes(stored: pl.DataFrame, rated: RatedXdrs) -> UseChanges:
    row = pl.Series(rated.legs.row).gather(rated.uses["leg"])
    new = rated.uses.with_columns(xdr_id=rated.xdrs["id"].gather(row))
    key = ["xdr_id", "counter_id", "volume"]
    return UseChanges(
        stored.join(new, on=key, how="anti"),
        new.join(stored, on=key, how="anti").select(list(USES)),
    )


def _currencies(rated: RatedXdrs) -> pl.Series:
    """The currency of each planned leg's table; nothing where it has none."""
    codes = {table.id: table.currency for table in rated.tables.values()}
    tables = pl.Series(rated.legs.table_id, dtype=pl.Int64)
    return tables.replace_strict(codes, default="", return_dtype=pl.String)


def _moved(stored: pl.DataFrame, rated: RatedXdrs) -> pl.Series:
    now = rated.xdrs.with_columns(result=pl.Series(rated.outcome.result, dtype=pl.Int8))
    differs = pl.DataFrame(
        [stored[name].ne_missing(now[name]).alias(name) for name in [*FOUND, "result"]]
    )
    return differs.select(pl.any_horizontal(pl.all())).to_series().arg_true()


def _suspense_changes(waited: pl.DataFrame, waits: pl.DataFrame) -> SuspenseChanges:
    both = waited.join(
        waits.select(
            *_WAITING_KEY,
            *("named_by", "subject", "rate_table_id"),
            why="reason",
            how=pl.col("detail").str.head(DETAIL_CHARACTERS),
        ),
        on=_WAITING_KEY,
        nulls_equal=True,
    )
    resolved = waited.join(waits, on=_WAITING_KEY, how="anti", nulls_equal=True)
    differing = both.filter(
        (pl.col("reason") != pl.col("why")) | (pl.col("detail") != pl.col("how"))
    )
    return SuspenseChanges(
        resolved["suspense_id"].to_list(),
        differing.with_columns(reason="why", detail="how").select(list(WAITS)),
        waits.drop("named_by", "subject", "rate_table_id").join(
            waited, on=_WAITING_KEY, how="anti", nulls_equal=True
        ),
    )


def _waiting(scope: Scope, selection: Selection) -> pl.DataFrame:
    """What of the selection's time is in suspense, and perhaps a little more: xDRs or legs."""
    rows = Suspense.objects.visible_to(scope).filter(
        state=Suspense.State.OPEN,
        xdr_id__isnull=False,
        started_at__gte=selection.started_from,
        started_at__lte=selection.started_to,
    )
    columns = ("pk", *list(_WAITING)[1:])
    found: Iterable[tuple[object, ...]] = rows.order_by("pk").values_list(*columns)
    return pl.DataFrame(list(found), schema=_WAITING, orient="row")


def _tag(reseller_id: pl.Expr) -> pl.Expr:
    """The tag of a customer: null for no reseller, and where nobody is known."""
    return pl.when(reseller_id > PROVIDER_ID).then(reseller_id)
