"""What decides the choice among a table's rates, as columns sorted for choosing.

The rates of one prefix stand together, in the order of preference: the last usable one is chosen.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from catalogue.rules.time_profiles import TimeProfile
from cdr.rating.columns import RateColumns
from cdr.rating.intervals import PrefixTree, build_prefix_tree
from cdr.rating.numbers import COUNT_PLACES, prefix_intervals
from cdr.rating.timeline import FOREVER
from cdr.rules.rates import PREFIX_DIGITS, Policy, RateStatus, profile_of

MOST_DIGITS = COUNT_PLACES - 1
_NO_PROFILE = -1

Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class RateKeys:
    """Parallel arrays, one row per rate that may be used, in the order of choice within a prefix.

    `rate` points into the table's rates, `prefix` into `tree`, `tag` into `tags` (0 for none),
    `origin` into `origins` (0 for none), `profile` into `profiles` (-1 for none).
    `[effective_from, effective_to)` is int64 microseconds UTC. `level` is what of the order of
    choice stands before the prefix; by rate, not by row, with one more at the end for no rate.
    """

    tree: PrefixTree
    rate: NDArray[np.int32]
    prefix: NDArray[np.int32]
    effective_from: NDArray[np.int64]
    effective_to: NDArray[np.int64]
    is_additive: NDArray[np.bool_]
    tag: NDArray[np.int32]
    origin: NDArray[np.int32]
    profile: NDArray[np.int32]
    min_digits: NDArray[np.int64]
    max_digits: NDArray[np.int64]
    level: NDArray[np.int16]
    tags: tuple[str, ...]
    origins: tuple[str, ...]
    profiles: tuple[TimeProfile, ...]


def sort_rates(rates: RateColumns, depth: NDArray[np.int8]) -> RateKeys:
    """The keys of the rates of a table and its parents, `depth` parents away."""
    tree, prefix = _prefix_tree(rates)
    tags, tag = _recoded(rates, "tag")
    origins, origin = _recoded(rates, "origin_prefix")
    profiles, profile = _profiles(rates)
    weights = np.array([*(each.weight for each in profiles), 0], dtype=np.int64)
    origin_lengths = np.array([len(each) for each in origins], dtype=np.int16)
    level = (tag > 0) * np.int16(PREFIX_DIGITS + 1) + origin_lengths[origin]
    effective_from = rates.integers("effective_from", 0)
    usable = ~rates.has_text("status", RateStatus.STASHED)
    is_additive = rates.has_text("policy", Policy.ADDITIVE)
    min_digits = rates.integers("min_digits", 0)
    max_digits = rates.integers("max_digits", MOST_DIGITS)
    same_calls = (prefix, tag, origin, profile, is_additive, min_digits, max_digits, depth)
    ends = _effective_ends(rates, usable, effective_from, same_calls)
    by = (rates.integers("id", 0), effective_from, weights[profile], -depth, level, prefix)
    order = np.lexsort(by)
    order = order[usable[order]]
    return RateKeys(
        tree=tree,
        rate=order.astype(np.int32),
        prefix=prefix[order],
        effective_from=effective_from[order],
        effective_to=ends[order],
        is_additive=is_additive[order],
        tag=tag[order],
        origin=origin[order],
        profile=profile[order],
        min_digits=min_digits[order],
        max_digits=max_digits[order],
        level=np.append(level, np.int16(-1)),
        tags=tags,
        origins=origins,
        profiles=profiles,
    )


def _prefix_tree(rates: RateColumns) -> tuple[PrefixTree, NDArray[np.int32]]:
    """The distinct prefixes of the rates, and which of them each rate has."""
    prefixes = rates.numbers["prefix"]
    starts, ends = prefix_intervals(prefixes)
    distinct, first, place = np.unique(starts, return_index=True, return_inverse=True)
    lengths = prefixes.str.len_bytes().to_numpy().astype(np.int64)
    tree = build_prefix_tree(distinct, ends[first], lengths[first])
    return tree, place.astype(np.int32)


def _recoded(rates: RateColumns, column: str) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """The texts of a column, the empty one first, and the place of each rate's."""
    coded = rates.coded[column]
    texts = ("", *(text for text in coded.texts if text))
    places = np.array([texts.index(text) for text in coded.texts] or [0], dtype=np.int32)
    return texts, places[coded.codes]


def _profiles(rates: RateColumns) -> tuple[tuple[TimeProfile, ...], NDArray[np.int32]]:
    coded = rates.coded["time_profile"]
    parsed = [profile_of(text) for text in coded.texts]
    profiles = tuple(dict.fromkeys(profile for profile in parsed if profile))
    places = [profiles.index(profile) if profile else _NO_PROFILE for profile in parsed]
    return profiles, np.array(places or [_NO_PROFILE], dtype=np.int32)[coded.codes]


def _effective_ends(
    rates: RateColumns,
    usable: NDArray[np.bool_],
    effective_from: NDArray[np.int64],
    same_calls: Sequence[NDArray[np.generic]],
) -> NDArray[np.int64]:
    """Where each rate ends: its own end, else the next start of a usable one for the same calls."""
    ends = rates.integers("effective_to", FOREVER).copy()
    members = np.flatnonzero(usable)
    if not len(members):
        return ends
    keys = pl.DataFrame([pl.Series(str(i), key[members]) for i, key in enumerate(same_calls)])
    group = keys.select(pl.struct(pl.all()).rank("dense")).to_series().to_numpy()
    order = np.lexsort((effective_from[members], group))
    group, start, members = group[order], effective_from[members][order], members[order]
    begins_run = np.append(True, (group[1:] != group[:-1]) | (start[1:] != start[:-1]))
    run = np.cumsum(begins_run) - 1
    run_group, run_start = group[begins_run], start[begins_run]
    following = np.append(
        np.where(run_group[1:] == run_group[:-1], run_start[1:], FOREVER), FOREVER
    )
    open_ended = rates.numbers["effective_to"].is_null().to_numpy()[members]
    ends[members[open_ended]] = following[run][open_ended]
    return ends
