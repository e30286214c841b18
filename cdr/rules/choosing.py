"""Which rate of a table applies to a number at an instant, and why the others do not."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cdr.rules.rates import Rate, RateStatus


class Loss(StrEnum):
    """Why a rate whose prefix fits the number was not the one used."""

    STASHED = "stashed: imported and not confirmed"
    NOT_YET_EFFECTIVE = "not yet in force"
    ENDED = "no longer in force"
    SUPERSEDED = "ended where the next rate of the same prefix started"
    SHORTER_PREFIX = "a longer prefix fits"
    EARLIER_START = "a rate of the same prefix came into force later"
    LOWER_ID = "a rate of the same prefix and start was added later"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A rate whose prefix fits; `lost` is None for the winner."""

    rate: Rate
    lost: Loss | None


def effective_ends(rates: Sequence[Rate]) -> list[datetime | None]:
    """Where each rate ends: its own end, else the next start of the same prefix, tag and profile.

    Stashed rates end nothing, for they are never used. None means never.
    """
    starts: dict[tuple[str, str, str], list[datetime]] = defaultdict(list)
    for rate in rates:
        if rate.status is not RateStatus.STASHED:
            starts[rate.prefix, rate.tag, rate.time_profile].append(rate.effective_from)
    for same in starts.values():
        same.sort()
    ends: list[datetime | None] = []
    for rate in rates:
        if rate.effective_to is not None:
            ends.append(rate.effective_to)
            continue
        same = starts.get((rate.prefix, rate.tag, rate.time_profile), [])
        following = bisect_right(same, rate.effective_from)
        ends.append(same[following] if following < len(same) else None)
    return ends


def preference(rate: Rate) -> tuple[int, datetime, int]:
    """The order of choice, the greatest first: longest prefix, latest start, highest id."""
    return len(rate.prefix), rate.effective_from, rate.id


def judge_rates(rates: Sequence[Rate], number: str, started_at: datetime) -> list[Candidate]:
    """Every rate whose prefix fits `number`, the winner first, each loser with its reason.

    `number` is digits only; anything else has no candidates.
    """
    if not (number.isascii() and number.isdigit()):
        return []
    ends = effective_ends(rates)
    fitting = [
        (rate, _unusable(rate, end, started_at))
        for rate, end in zip(rates, ends, strict=True)
        if number.startswith(rate.prefix)
    ]
    fitting.sort(key=lambda pair: preference(pair[0]), reverse=True)
    winner = next((rate for rate, loss in fitting if loss is None), None)
    judged = [
        Candidate(rate, loss or (None if winner is None else _loss_to(winner, rate)))
        for rate, loss in fitting
    ]
    return sorted(judged, key=lambda candidate: candidate.lost is not None)


def _unusable(rate: Rate, end: datetime | None, started_at: datetime) -> Loss | None:
    if rate.status is RateStatus.STASHED:
        return Loss.STASHED
    if started_at < rate.effective_from:
        return Loss.NOT_YET_EFFECTIVE
    if end is not None and started_at >= end:
        return Loss.SUPERSEDED if rate.effective_to is None else Loss.ENDED
    return None


def _loss_to(winner: Rate, rate: Rate) -> Loss | None:
    if rate is winner:
        return None
    if len(rate.prefix) < len(winner.prefix):
        return Loss.SHORTER_PREFIX
    if rate.effective_from < winner.effective_from:
        return Loss.EARLIER_START
    return Loss.LOWER_ID
