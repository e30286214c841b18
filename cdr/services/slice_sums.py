"""What a slice of a re-rating changes in all: the sums that people agree to."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from cdr.rating.changes import Fate
from cdr.services.rating_again import Again
from common.copying import amounts

_LEG_COUNTS = {
    "changed_leg_count": Fate.CHANGED,
    "added_leg_count": Fate.ADDED,
    "released_leg_count": Fate.RELEASED,
    "removed_leg_count": Fate.REMOVED,
    "suspended_leg_count": Fate.SUSPENDED,
}
_COUNTS = ("xdr_count", "changed_xdr_count", "tiered_xdr_count", *_LEG_COUNTS)
_DELTA_KEY = ["charge", "payer_kind", "payer_id", "currency"]
_DELTAS: Mapping[str, Any] = {
    **dict.fromkeys(["charge", "payer_kind"], pl.Int8),
    "payer_id": pl.Int64,
    "currency": pl.String,
    "leg_count": pl.Int64,
    **dict.fromkeys(["before", "after"], pl.Int128),
}
_DELTA_SUMS = ["leg_count", "before", "after"]


@dataclass(frozen=True, slots=True)
class SliceSums:
    """Of all parts of a slice so far, and of all sources: `counts` by the slice's own fields.

    `deltas` are of each payer and currency, in the order of that key, `use_count` is how many uses
    of allowances come or go.
    """

    counts: Mapping[str, int]
    deltas: pl.DataFrame
    use_count: int
    has_changes: bool

    @classmethod
    def none(cls) -> "SliceSums":
        """Of nothing yet."""
        return cls(dict.fromkeys(_COUNTS, 0), pl.DataFrame(schema=dict(_DELTAS)), 0, False)

    def plus(self, again: Again) -> "SliceSums":
        """With another part."""
        counts, batches = _counts(again), again.batches
        added = [each.deltas().select(list(_DELTAS)) for each in batches]
        deltas = pl.concat([self.deltas, *added])
        return SliceSums(
            {name: count + counts[name] for name, count in self.counts.items()},
            deltas.group_by(_DELTA_KEY).agg(pl.col(_DELTA_SUMS).sum()).sort(_DELTA_KEY),
            self.use_count + sum(each.uses.count for each in batches),
            self.has_changes or any(each.has_changes for each in batches),
        )

    @property
    def fingerprint(self) -> str:
        """Of the amounts of every payer and of all counts: what whoever agrees has seen."""
        counts = map(str, self.counts.items())
        said = [self.deltas.write_csv(), *counts, str(self.use_count)]
        return hashlib.sha256("\n".join(said).encode()).hexdigest()

    @property
    def delta_values(self) -> list[list[object]]:
        """The deltas column by column, amounts as exact decimals."""
        exact = self.deltas.with_columns(amounts("before"), amounts("after"))
        return [exact[name].to_list() for name in [*_DELTA_KEY, *_DELTA_SUMS]]


def _counts(again: Again) -> dict[str, int]:
    fates = [each.leg_counts() for each in again.batches]
    counts = {name: sum(each[fate] for each in fates) for name, fate in _LEG_COUNTS.items()}
    return counts | {
        "xdr_count": sum(len(each.rated.xdrs) for each in again.batches),
        "changed_xdr_count": sum(len(each.changed_xdr_ids()) for each in again.batches),
        "tiered_xdr_count": again.totals.torn_xdr_count,
    }
