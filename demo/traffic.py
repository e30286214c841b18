"""A month of a switch's traffic as a FreeSWITCH CSV file, with known numbers of everything odd.

Lines are those of `mod_cdr_csv` with its shipped template `example`, in the order in which calls
ended. The same plan makes the same bytes.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import cycle, islice
from zoneinfo import ZoneInfo

from cdr.importers.freeswitch_csv.adapter import COLUMNS, STAMP_FORMAT
from cdr.rating.dial_plans import DialPlan
from common.periods import Period
from demo.calls import Account, Call, Destinations, Starts, Telephones, draw_number
from demo.rate_deck import RateDeck

CONTEXT = "default"
CODECS = ("PCMA", "PCMU", "G722", "opus")
# Satellite networks, which the deck leaves out.
UNRATED_PREFIXES = ("8816", "8817", "88216")
UNRATED_DIGITS = 12
CLOSED_ACCOUNTS = ("closed-1041", "closed-2207")
# A record is written again within six hours, as after a switch's restart.
WRITTEN_AGAIN_SECONDS = 6 * 3600

Fields = list[str]


@dataclass(frozen=True)
class Oddities:
    """How many lines of each odd kind the traffic holds."""

    duplicates: int = 0
    zero_duration: int = 0
    unknown_account: int = 0
    unrated: int = 0
    broken: int = 0

    @property
    def total(self) -> int:
        """All odd lines."""
        odd = self.duplicates + self.zero_duration + self.unknown_account
        return odd + self.unrated + self.broken


@dataclass(frozen=True)
class TrafficPlan:
    """What traffic to make. `trunks` maps tech prefixes (empty: none) to shares of the calls."""

    seed: int
    period: Period
    zone: ZoneInfo
    lines: int
    accounts: tuple[Account, ...]
    deck: RateDeck
    oddities: Oddities = Oddities()
    dial_plan: DialPlan = field(default_factory=DialPlan)
    trunks: dict[str, int] = field(default_factory=lambda: {"": 1})
    on_net_percent: int = 8
    answered_percent: int = 61


@dataclass(frozen=True)
class Manifest:
    """What the file holds, exactly.

    lines = records + duplicates + broken; records = rated + failed + zero_duration +
    unknown_account + unrated. `billable_seconds`, `on_net` and `rated_by_tech_prefix` (pairs, of
    calls that leave the net) count rated records only.
    """

    lines: int
    records: int
    duplicates: int
    broken: int
    rated: int
    failed: int
    zero_duration: int
    unknown_account: int
    unrated: int
    on_net: int
    billable_seconds: int
    rated_by_tech_prefix: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Traffic:
    """The file, what it holds, and the calls that must be rated."""

    content: bytes
    manifest: Manifest
    rated_calls: tuple[Call, ...]


def generate_traffic(plan: TrafficPlan) -> Traffic:
    """The traffic of a plan.

    :raises ValueError: there are more odd lines than lines.
    """
    odd = plan.oddities
    ordinary_count = plan.lines - odd.total
    if ordinary_count < odd.duplicates:
        raise ValueError(f"{plan.lines} lines are too few for {odd.total} odd ones")
    rng = random.Random(plan.seed)  # noqa: S311  # no secret: the same seed must draw the same
    telephones = _connect_telephones(plan, rng)
    ordinary = [telephones.draw_call() for _ in range(ordinary_count)]
    suspended = [
        *(telephones.draw_answered(caller) for caller in _draw_strangers(plan, rng)),
        *_draw_unrated(plan, rng, telephones),
    ]
    zero = [telephones.draw_answered(talk_seconds=0) for _ in range(odd.zero_duration)]
    damaged = [telephones.draw_call() for _ in range(odd.broken)]

    written = [(call.ended_at, _line(call, plan.zone)) for call in [*ordinary, *suspended, *zero]]
    again = [
        (ended_at + timedelta(seconds=rng.randint(1, WRITTEN_AGAIN_SECONDS)), line)
        for ended_at, line in rng.sample(written, odd.duplicates)
    ]
    broken = [
        (call.ended_at, damage(_fields(call, plan.zone)))
        for call, damage in zip(damaged, islice(cycle(DAMAGES), len(damaged)), strict=True)
    ]
    lines = sorted(written + again + broken)
    rated = tuple(call for call in ordinary if call.billable_seconds)
    return Traffic(b"".join(line for _, line in lines), _count(plan, rated), rated)


def _connect_telephones(plan: TrafficPlan, rng: random.Random) -> Telephones:
    taken = frozenset(number for account in plan.accounts for number in account.numbers)
    return Telephones(
        rng=rng,
        starts=Starts(plan.period, plan.zone),
        destinations=Destinations(plan.deck.rates, taken),
        accounts=plan.accounts,
        dial_plan=plan.dial_plan,
        trunks=plan.trunks,
        on_net_percent=plan.on_net_percent,
        answered_percent=plan.answered_percent,
    )


def _draw_strangers(plan: TrafficPlan, rng: random.Random) -> list[Account]:
    """Accounts that no customer has, calling from numbers of which no customer has any."""
    home = plan.accounts[0].calling_code
    return [
        Account(
            rng.choice(CLOSED_ACCOUNTS),
            (draw_number(rng, UNRATED_PREFIXES[0], UNRATED_DIGITS),),
            home,
        )
        for _ in range(plan.oddities.unknown_account)
    ]


def _draw_unrated(plan: TrafficPlan, rng: random.Random, telephones: Telephones) -> list[Call]:
    return [
        telephones.place(
            rng.choice(plan.accounts),
            draw_number(rng, rng.choice(UNRATED_PREFIXES), UNRATED_DIGITS),
            answered=True,
            tech_prefix="",
        )
        for _ in range(plan.oddities.unrated)
    ]


def _count(plan: TrafficPlan, rated: tuple[Call, ...]) -> Manifest:
    odd = plan.oddities
    ordinary = plan.lines - odd.total
    trunks = Counter(call.tech_prefix for call in rated if not call.on_net)
    return Manifest(
        lines=plan.lines,
        records=plan.lines - odd.duplicates - odd.broken,
        duplicates=odd.duplicates,
        broken=odd.broken,
        rated=len(rated),
        failed=ordinary - len(rated),
        zero_duration=odd.zero_duration,
        unknown_account=odd.unknown_account,
        unrated=odd.unrated,
        on_net=sum(call.on_net for call in rated),
        billable_seconds=sum(call.billable_seconds for call in rated),
        rated_by_tech_prefix=tuple(sorted(trunks.items())),
    )


def _fields(call: Call, zone: ZoneInfo) -> Fields:
    codec = CODECS[len(call.caller_name) % len(CODECS)] if call.leg_id else ""
    return [
        call.caller_name,
        call.caller_number,
        call.dialled,
        CONTEXT,
        _stamp(call.started_at, zone),
        _stamp(call.answered_at, zone) if call.answered_at else "",
        _stamp(call.ended_at, zone),
        str(call.duration_seconds),
        str(call.billable_seconds),
        call.hangup_cause,
        call.call_id,
        call.leg_id,
        call.account_code,
        codec,
        codec,
    ]


def _stamp(instant: datetime, zone: ZoneInfo) -> str:
    return instant.astimezone(zone).strftime(STAMP_FORMAT)


def _line(call: Call, zone: ZoneInfo) -> bytes:
    return _join(_fields(call, zone))


def _join(fields: Fields) -> bytes:
    return (",".join(f'"{value}"' for value in fields) + "\n").encode()


def _replacing(column: str, value: str) -> Callable[[Fields], bytes]:
    position = COLUMNS.index(column)
    return lambda fields: _join([*fields[:position], value, *fields[position + 1 :]])


def _cut_off(fields: Fields) -> bytes:
    return _join(fields)[:90] + b"\n"


def _lose_quote(fields: Fields) -> bytes:
    return _join(fields).replace(b'"', b"", 1)


def _in_latin_1(fields: Fields) -> bytes:
    return ",".join(f'"{value}"' for value in ["Büro", *fields[1:]]).encode("latin-1") + b"\n"


# What goes wrong in real files: a full disk, a clock not set, a changed template, a wrong charset.
DAMAGES: tuple[Callable[[Fields], bytes], ...] = (
    _cut_off,
    _lose_quote,
    _in_latin_1,
    _replacing("start_stamp", "0000-00-00 00:00:00"),
    _replacing("duration", "n/a"),
    _replacing("billsec", "-1"),
    _replacing("caller_id_name", "\0\0"),
)
