"""Choosing the rate of every row: the published order of choice, for columns.

The prefix tree gives the longest prefix that fits a number. What else decides (tags, caller, number
of digits, time) takes few combinations in a batch; for each of them the rate of every prefix is
worked out once: its best usable rate, or that of the prefix around it where that comes first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cdr.rating.intervals import build_prefix_tree
from cdr.rating.numbers import digit_counts, prefix_intervals
from cdr.rating.rate_keys import MOST_DIGITS, RateKeys
from cdr.rating.timeline import Timeline

NO_RATE = -1

BYTES_KEPT = 64 * 1024 * 1024
"""Of worked out choices remembered per table; one takes four bytes per prefix."""

LEAST_CHOICES_KEPT = 16

_CODES_IN_A_ROW = 1_000

Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TagColumn:
    """The tags of each xDR: `codes` (integers, by row) point into `sets`."""

    codes: NDArray[np.int64]
    sets: Sequence[frozenset[str]]

    def __getitem__(self, rows: slice | NDArray[np.int64]) -> "TagColumn":
        return TagColumn(self.codes[rows], self.sets)


class Audience(NamedTuple):
    """What of an xDR decides besides number and time, as places in the table's rate keys.

    `origin` is the longest origin prefix that the caller's number starts with, `digits` the stretch
    of lengths between two bounds.
    """

    tags: frozenset[int]
    origin: int
    digits: int


@dataclass(frozen=True, slots=True)
class Located:
    """By row, the longest prefix of the number and the place of its audience in `audiences`."""

    prefix: NDArray[np.int32]
    audience: Codes
    audiences: tuple[Audience, ...]

    def __getitem__(self, rows: NDArray[np.int64]) -> "Located":
        return Located(self.prefix[rows], self.audience[rows], self.audiences)


class _Situation(NamedTuple):
    """All that decides besides the number."""

    audience: Audience
    epoch: int
    profiles: frozenset[int]
    is_additive: bool


class Choice:
    """The rates of a table and its parents, ready to be chosen from."""

    def __init__(self, keys: RateKeys, timeline: Timeline) -> None:
        self.timeline = timeline
        self.has_additive = bool(keys.is_additive.any())
        self.needs_caller = len(keys.origins) > 1
        self.needs_tags = len(keys.tags) > 1
        self._keys = keys
        self._origins = _Origins(keys.origins)
        bounds = np.concatenate([keys.min_digits, keys.max_digits + 1])
        inside = bounds[(bounds > 0) & (bounds <= MOST_DIGITS)]
        self._digit_cuts = np.unique(inside)
        self._has_levels = self.needs_tags or self.needs_caller
        self._chosen: dict[_Situation, NDArray[np.int32]] = {}
        self._kept = max(BYTES_KEPT // (4 * len(keys.tree) + 4), LEAST_CHOICES_KEPT)

    def locate(
        self,
        destination: NDArray[np.int64],
        caller: NDArray[np.int64] | None,
        tags: TagColumn | None,
    ) -> Located:
        """What of each row decides at any time; keys as `align` makes them."""
        prefix = self._keys.tree.find(destination)
        code = np.zeros(len(destination), dtype=np.int64)
        origin_count = len(self._keys.origins)
        digit_count = len(self._digit_cuts) + 1
        sets: list[frozenset[int]] = [frozenset()]
        if tags is not None and self.needs_tags:
            sets = [self._known_tags(each) for each in tags.sets]
            code = tags.codes.astype(np.int64)
        if self.needs_caller:
            found = 0 if caller is None else self._origins.find(caller)
            code = code * origin_count + found
        if digit_count > 1:
            lengths = np.searchsorted(self._digit_cuts, digit_counts(destination), side="right")
            code = code * digit_count + lengths
        if not (len(sets) > 1 or self.needs_caller or digit_count > 1):
            return Located(prefix, code, (Audience(frozenset(sets[0]), 0, 0),))
        present, place = np.unique(code, return_inverse=True)
        audiences = []
        for each in present.tolist():
            rest, digits = divmod(each, digit_count)
            tag, origin = divmod(rest, origin_count if self.needs_caller else 1)
            audiences.append(Audience(sets[tag], origin, digits))
        return Located(prefix, place, tuple(audiences))

    def choose(
        self, located: Located, instants: NDArray[np.int64], *, is_additive: bool = False
    ) -> NDArray[np.int32]:
        """The rate used for each row at an instant; -1 for none."""
        found = np.empty(len(instants), dtype=np.int32)
        for rows, situation in self._situations(located, instants, is_additive):
            found[rows] = self._rates_by_prefix(situation)[located.prefix[rows]]
        return found

    def _known_tags(self, tags: frozenset[str]) -> frozenset[int]:
        known = enumerate(self._keys.tags)
        return frozenset(place for place, tag in known if tag and tag in tags)

    def _situations(
        self, located: Located, instants: NDArray[np.int64], is_additive: bool
    ) -> Iterator[tuple[NDArray[np.int64] | slice, _Situation]]:
        """The rows of each combination of audience and time."""
        if not len(instants):
            return
        code = self.timeline.epochs(instants)
        profile = self.timeline.profile_codes(instants)
        audience_count = len(located.audiences)
        profile_count = len(self.timeline.profile_sets)
        if audience_count > 1:
            code = code * audience_count + located.audience
        if profile is not None:
            code = code * profile_count + profile
        for rows, each in _groups(code):
            rest, profiles = divmod(each, profile_count) if profile is not None else (each, 0)
            epoch, audience = divmod(rest, audience_count)
            yield (
                rows,
                _Situation(
                    located.audiences[audience],
                    epoch,
                    self.timeline.profile_sets[profiles],
                    is_additive,
                ),
            )

    def _rates_by_prefix(self, situation: _Situation) -> NDArray[np.int32]:
        """The rate of each prefix, and -1 at the end for no prefix."""
        chosen = self._chosen.pop(situation, None)
        if chosen is None:
            chosen = self._work_out(situation)
        self._chosen[situation] = chosen  # the most recently used comes last
        if len(self._chosen) > self._kept:
            del self._chosen[next(iter(self._chosen))]
        return chosen

    def _work_out(self, situation: _Situation) -> NDArray[np.int32]:
        keys, tree = self._keys, self._keys.tree
        rows = np.flatnonzero(self._is_usable(situation))
        prefix = keys.prefix[rows]
        last_of_prefix = np.flatnonzero(np.append(prefix[1:] != prefix[:-1], True)[: len(rows)])
        chosen = np.full(len(tree) + 1, NO_RATE, dtype=np.int32)
        chosen[prefix[last_of_prefix]] = keys.rate[rows[last_of_prefix]]
        for members in tree.by_length:  # ascending: the prefix around each one is settled
            around, own = chosen[tree.parents[members]], chosen[members]
            # Without levels the longer prefix wins, wherever it has a rate.
            by_level = self._has_levels
            inherits = keys.level[around] > keys.level[own] if by_level else own == NO_RATE
            chosen[members] = np.where(inherits, around, own)
        return chosen

    def _is_usable(self, situation: _Situation) -> NDArray[np.bool_]:
        keys, audience = self._keys, situation.audience
        beginning = self.timeline.epoch_start(situation.epoch)
        usable = (keys.effective_from <= beginning) & (beginning < keys.effective_to)
        if self.has_additive:
            usable &= keys.is_additive == situation.is_additive
        if len(keys.tags) > 1:
            usable &= _among({0, *audience.tags}, len(keys.tags))[keys.tag]
        if self.needs_caller:
            caller = keys.origins[audience.origin]
            fitting = np.array([caller.startswith(each) for each in keys.origins])
            usable &= fitting[keys.origin]
        if len(self._digit_cuts):
            least = int(np.append(0, self._digit_cuts)[audience.digits])
            usable &= (keys.min_digits <= least) & (least <= keys.max_digits)
        if keys.profiles:
            # The place -1, of no profile, is the last.
            usable &= _among({*situation.profiles, len(keys.profiles)}, len(keys.profiles) + 1)[
                keys.profile
            ]
        return usable


class _Origins:
    """Finds the longest origin prefix of a caller."""

    def __init__(self, origins: Sequence[str]) -> None:
        prefixes = pl.Series(origins, dtype=pl.String)
        starts, ends = prefix_intervals(prefixes)
        order = np.argsort(starts)
        lengths = prefixes.str.len_bytes().to_numpy().astype(np.int64)
        self._tree = build_prefix_tree(starts[order], ends[order], lengths[order])
        self._places = np.append(order, 0)  # an unknown caller has no origin: place 0

    def find(self, callers: NDArray[np.int64]) -> Codes:
        """The place of each caller's longest origin prefix."""
        return self._places[self._tree.find(callers)]


def _among(places: set[int], count: int) -> NDArray[np.bool_]:
    found = np.zeros(count, dtype=bool)
    found[list(places)] = True
    return found


def _groups(codes: Codes) -> Iterator[tuple[NDArray[np.int64] | slice, int]]:
    """Each code with its rows, in order."""
    least, most = int(codes.min()), int(codes.max())
    if least == most:
        yield slice(None), least
        return
    distinct, place = np.arange(least, most + 1), codes - least
    if most - least >= _CODES_IN_A_ROW:
        distinct, place = np.unique(codes, return_inverse=True)
    # So few numbers fit small integers, which are sorted by counting.
    order = np.argsort(place.astype(np.min_scalar_type(len(distinct))), kind="stable")
    ends = np.cumsum(np.bincount(place, minlength=len(distinct)))
    for number, rows in enumerate(np.split(order, ends[:-1])):
        if len(rows):
            yield rows, int(distinct[number])
