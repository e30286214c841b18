"""Which rate applies to an xDR, and why the others do not: the published order of choice."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from cdr.rules.rates import Policy, Rate, RateStatus, RateTable


class Loss(StrEnum):
    """Why a rate whose prefix fits the number was not the one used."""

    STASHED = "stashed: imported and not confirmed"
    NOT_YET_EFFECTIVE = "not yet in force"
    ENDED = "no longer in force"
    SUPERSEDED = "ended where the next rate of the same prefix started"
    OUTSIDE_TIME_PROFILE = "its time profile does not contain the start"
    WRONG_LENGTH = "the number is shorter or longer than the rate allows"
    OTHER_ORIGIN = "the caller's number starts otherwise"
    TAG_NOT_CARRIED = "the xDR does not carry its tag"
    UNTAGGED = "a rate for a tag of the xDR comes first"
    SHORTER_ORIGIN = "a rate for the caller's number comes first"
    SHORTER_PREFIX = "a longer prefix fits"
    PARENT_TABLE = "a table nearer to the xDR has a rate of the same prefix"
    LIGHTER_PROFILE = "a heavier time profile contains the start"
    EARLIER_START = "a rate of the same prefix came into force later"
    LOWER_ID = "a rate of the same prefix and start was added later"


@dataclass(frozen=True, slots=True)
class Usage:
    """What decides the choice: the number as normalised, the start, who calls and which tags.

    `caller` is digits only, empty where it is unknown.
    """

    number: str
    started_at: datetime
    caller: str = ""
    tags: frozenset[str] = frozenset()


class TableRates(NamedTuple):
    """A rate table with its rates."""

    table: RateTable
    rates: Sequence[Rate]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A rate whose prefix fits; `lost` is None for the winner.

    `table` is the one the rate stands in, `depth` how many parents away that is: 0 for the xDR's
    own table.
    """

    rate: Rate
    lost: Loss | None
    table: RateTable = field(default_factory=RateTable)
    depth: int = 0


class Criterion(NamedTuple):
    """One question of the order of choice: the greater answer wins, the others lose by `loss`."""

    title: str
    rank: Callable[[Candidate], Any]
    loss: Loss


ORDER_OF_CHOICE = (
    Criterion(
        "a rate for a tag that the xDR carries, before one without a tag",
        lambda candidate: bool(candidate.rate.tag),
        Loss.UNTAGGED,
    ),
    Criterion(
        "the longest origin prefix that the caller's number starts with, before none",
        lambda candidate: len(candidate.rate.origin_prefix),
        Loss.SHORTER_ORIGIN,
    ),
    Criterion(
        "the longest prefix of the number called",
        lambda candidate: len(candidate.rate.prefix),
        Loss.SHORTER_PREFIX,
    ),
    Criterion(
        "the table itself before its parent, that before the parent's parent",
        lambda candidate: -candidate.depth,
        Loss.PARENT_TABLE,
    ),
    Criterion(
        "the heaviest time profile; all time weighs 0",
        lambda candidate: candidate.rate.weight,
        Loss.LIGHTER_PROFILE,
    ),
    Criterion(
        "the latest `effective_from`",
        lambda candidate: candidate.rate.effective_from,
        Loss.EARLIER_START,
    ),
    Criterion(
        "the highest id, that is the rate added last",
        lambda candidate: candidate.rate.id,
        Loss.LOWER_ID,
    ),
)
"""Of the rates that may be used at all, the first question with different answers decides."""


def preference(candidate: Candidate) -> tuple[Any, ...]:
    """The published order of choice as one key: the greatest wins."""
    return tuple(criterion.rank(candidate) for criterion in ORDER_OF_CHOICE)


def judge_rates(
    chain: Sequence[TableRates], usage: Usage, policy: Policy = Policy.REGULAR
) -> list[Candidate]:
    """Every rate of the policy whose prefix fits, the winner first, each loser with its reason.

    `chain` is the xDR's table, its parent, the parent's parent and so on; time profiles are in the
    zone of the first. A number that is not all digits has no candidates.
    """
    if not (usage.number.isascii() and usage.number.isdigit()):
        return []
    zone = ZoneInfo(chain[0].table.timezone)
    fitting: list[Candidate] = []
    for depth, (table, rates) in enumerate(chain):
        for rate, end in zip(rates, effective_ends(rates), strict=True):
            if rate.policy is policy and usage.number.startswith(rate.prefix):
                fitting.append(Candidate(rate, _unusable(rate, end, usage, zone), table, depth))
    fitting.sort(key=preference, reverse=True)
    winner = next((candidate for candidate in fitting if candidate.lost is None), None)
    judged = [
        candidate if winner is None or candidate.lost else _against(winner, candidate)
        for candidate in fitting
    ]
    return sorted(judged, key=lambda candidate: candidate.lost is not None)


def effective_ends(rates: Sequence[Rate]) -> list[datetime | None]:
    """Where each rate of a table ends: its own end, else the next start of one for the same calls.

    Stashed rates end nothing, for they are never used. None means never.
    """
    starts: dict[Hashable, list[datetime]] = defaultdict(list)
    for rate in rates:
        if rate.status is not RateStatus.STASHED:
            starts[_succession(rate)].append(rate.effective_from)
    for same in starts.values():
        same.sort()
    ends: list[datetime | None] = []
    for rate in rates:
        if rate.effective_to is not None:
            ends.append(rate.effective_to)
            continue
        same = starts.get(_succession(rate), [])
        following = bisect_right(same, rate.effective_from)
        ends.append(same[following] if following < len(same) else None)
    return ends


def _succession(rate: Rate) -> Hashable:
    """What two rates have in common that follow each other."""
    bounds = rate.min_digits or 0, rate.max_digits
    return rate.prefix, rate.tag, rate.profile, rate.policy, rate.origin_prefix, bounds


def _unusable(rate: Rate, end: datetime | None, usage: Usage, zone: ZoneInfo) -> Loss | None:
    """Why a rate whose prefix fits may not be used at all; None where it may."""
    at, profile = usage.started_at, rate.profile
    over = Loss.SUPERSEDED if rate.effective_to is None else Loss.ENDED
    checks = (
        (rate.status is RateStatus.STASHED, Loss.STASHED),
        (at < rate.effective_from, Loss.NOT_YET_EFFECTIVE),
        (end is not None and at >= end, over),
        (profile and not profile.contains(at.astimezone(zone)), Loss.OUTSIDE_TIME_PROFILE),
        (not _is_of_length(rate, len(usage.number)), Loss.WRONG_LENGTH),
        (not usage.caller.startswith(rate.origin_prefix), Loss.OTHER_ORIGIN),
        (rate.tag and rate.tag not in usage.tags, Loss.TAG_NOT_CARRIED),
    )
    return next((loss for fails, loss in checks if fails), None)


def _is_of_length(rate: Rate, digits: int) -> bool:
    return (rate.min_digits is None or digits >= rate.min_digits) and (
        rate.max_digits is None or digits <= rate.max_digits
    )


def _against(winner: Candidate, candidate: Candidate) -> Candidate:
    """The candidate with the first question in which it is behind the winner."""
    if candidate is winner:
        return candidate
    for criterion in ORDER_OF_CHOICE:
        if criterion.rank(candidate) != criterion.rank(winner):
            return Candidate(candidate.rate, criterion.loss, candidate.table, candidate.depth)
    return Candidate(candidate.rate, Loss.LOWER_ID, candidate.table, candidate.depth)
