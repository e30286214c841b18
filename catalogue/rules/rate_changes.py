"""What somebody who knows some rates has to be told of those that hold now, also of the future."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from heapq import merge
from itertools import groupby, repeat

CallsKey = tuple[str, ...]
"""For which calls a rate is: prefix, tag, time profile, origin, policy, digit bounds, as texts."""


class ChangeKind(StrEnum):
    """What becomes of the price of a destination."""

    NEW = "new"
    INCREASED = "increased"
    DECREASED = "decreased"
    CHANGED = "changed"
    """The same rate, under other terms or another name."""
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class KnownRate:
    """A rate as people are told it, every column as text; `terms` are all but key and dates."""

    key: CallsKey
    starts_at: datetime
    ends_at: datetime | None
    terms: Mapping[str, str]

    @property
    def rate(self) -> Decimal | None:
        """The price per unit, where that alone says which of two is dearer."""
        if self.terms["steps"] or self.terms["status"] != "active":
            return None
        return Decimal(self.terms["rate"])


@dataclass(frozen=True, slots=True)
class RateChange:
    """From `since` on, `after` is in place of `before`; one of them may be None."""

    kind: ChangeKind
    since: datetime
    before: KnownRate | None
    after: KnownRate | None

    @property
    def shown(self) -> KnownRate:
        """The rate that it is about: the new one, or that which is closed."""
        rate = self.after or self.before
        assert rate is not None
        return rate


def rate_changes(
    before: Iterable[KnownRate], after: Iterable[KnownRate], at: datetime
) -> Iterator[RateChange]:
    """What leads from the rates told before to those of now, from `at` on, by key.

    Both come prefix by prefix, in the order of these; those of one are held at a time.

    Told is when the price of some calls becomes another than what was announced for that time:
    what was announced and still holds is not told again, and what ended before `at` never.
    """
    sides = (zip(rates, repeat(side)) for side, rates in enumerate((before, after)))
    for _, of_prefix in groupby(merge(*sides, key=_prefix_of), key=_prefix_of):
        both: tuple[list[KnownRate], list[KnownRate]] = ([], [])
        for rate, side in of_prefix:
            both[side].append(rate)
        known, present = map(_by_key, both)
        for key in sorted(known.keys() | present.keys()):
            if known.get(key) != present.get(key):
                yield from _changes(known.get(key, []), present.get(key, []), at)


def _prefix_of(told: tuple[KnownRate, int]) -> str:
    return told[0].key[0]


def rates_in_chain(tables: Sequence[Iterable[KnownRate]], at: datetime) -> Iterator[KnownRate]:
    """The rates used from `at` on, of tables of which each is the parent of the one before.

    A parent's is not used while a nearer table has one for the same calls, or one for the same
    prefix, tag, origin and policy at all hours and lengths; it begins or goes on when that ends.
    """
    nearer: list[dict[CallsKey, list[KnownRate]]] = []
    for own in map(_by_key, tables):
        for key, rates in own.items():
            hiding = [of[each] for of in nearer for each in {key, _always(key)} if each in of]
            yield from _uncovered(rates, hiding, at) if hiding else rates
        nearer.append(own)


def _always(key: CallsKey) -> CallsKey:
    """The same without hours and bounds of length."""
    prefix, tag, _, origin_prefix, policy, *_ = key
    return (prefix, tag, "", origin_prefix, policy, "", "")


def _uncovered(
    rates: Sequence[KnownRate], hiding: Sequence[Sequence[KnownRate]], at: datetime
) -> Iterator[KnownRate]:
    instants = _instants([*rates, *(each for own in hiding for each in own)], at)
    for instant, until in zip(instants, [*instants[1:], None], strict=True):
        rate = _in_force(rates, instant)
        if rate and not any(_in_force(own, instant) for own in hiding):
            starts_at = rate.starts_at if instant == at else instant
            yield replace(rate, starts_at=starts_at, ends_at=until)


def _by_key(rates: Iterable[KnownRate]) -> dict[CallsKey, list[KnownRate]]:
    found: dict[CallsKey, list[KnownRate]] = {}
    for rate in rates:
        found.setdefault(rate.key, []).append(rate)
    for own in found.values():
        own.sort(key=lambda rate: rate.starts_at)
    return found


def _changes(
    known: Sequence[KnownRate], present: Sequence[KnownRate], at: datetime
) -> Iterator[RateChange]:
    last: tuple[object, object] = (None, None)
    for instant in _instants([*known, *present], at):
        before, after = _in_force(known, instant), _in_force(present, instant)
        pair = (before and before.terms, after and after.terms)
        if pair != last and pair[0] != pair[1]:
            # A rate that began in the past is told with its beginning.
            since = min(instant, after.starts_at) if after and instant == at else instant
            yield RateChange(_kind(before, after), since, before, after)
        last = pair


def _instants(rates: Iterable[KnownRate], at: datetime) -> list[datetime]:
    """`at`, and every later instant at which one of the rates begins or ends."""
    ends = [rate.ends_at for rate in rates if rate.ends_at is not None]
    later = {instant for instant in (*ends, *(rate.starts_at for rate in rates)) if instant > at}
    return [at, *sorted(later)]


def _in_force(rates: Sequence[KnownRate], instant: datetime) -> KnownRate | None:
    """The rate at an instant; one without an end lasts until the next begins."""
    begun = [rate for rate in rates if rate.starts_at <= instant]
    if begun and (begun[-1].ends_at is None or begun[-1].ends_at > instant):
        return begun[-1]
    ending = [rate for rate in begun if rate.ends_at is not None and rate.ends_at > instant]
    return ending[-1] if ending else None


def _kind(before: KnownRate | None, after: KnownRate | None) -> ChangeKind:
    if before is None:
        return ChangeKind.NEW
    if after is None:
        return ChangeKind.CLOSED
    old, new = before.rate, after.rate
    if old is None or new is None or old == new:
        return ChangeKind.CHANGED
    return ChangeKind.INCREASED if new > old else ChangeKind.DECREASED
