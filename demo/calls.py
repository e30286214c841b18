"""Telephone calls as people make them, drawn from a seeded random generator."""

import random
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

from cdr.rating.dial_plans import DialPlan
from common.periods import Period
from demo.rate_deck import DeckRate, zone_of

# Calls started in each hour of a day, relative: two peaks on working days, few calls at weekends.
WEEKDAY_HOURS = [
    *(3, 2, 1, 1, 2, 5, 14, 40, 78, 96, 100, 92),
    *(74, 78, 92, 90, 80, 62, 44, 34, 26, 18, 11, 6),
]
WEEKEND_HOURS = [
    *(5, 3, 2, 1, 1, 2, 4, 8, 14, 20, 25, 27),
    *(25, 23, 22, 22, 23, 24, 24, 22, 18, 14, 10, 7),
]
SATURDAY = 5

# Where calls go: mostly home, then to the neighbourhood, seldom anywhere.
TIER_WEIGHTS = (62, 28, 10)
POPULAR_COUNTRIES = {"1": 30, "49": 20, "44": 20, "33": 15, "91": 12, "86": 10, "48": 8, "90": 8}

# How calls fail, by hangup cause: ringing seconds, at least and at most, and how often.
FAILURES = {
    "NO_ANSWER": (30, 60, 34),
    "ORIGINATOR_CANCEL": (3, 40, 26),
    "USER_BUSY": (1, 6, 22),
    "NORMAL_TEMPORARY_FAILURE": (1, 12, 6),
    "UNALLOCATED_NUMBER": (0, 2, 6),
    "NO_ROUTE_DESTINATION": (0, 1, 3),
    "CALL_REJECTED": (1, 8, 3),
}
ANSWERED = "NORMAL_CLEARING"
# The switch found nobody to ring, so there is no second leg.
ONE_LEGGED = frozenset({"UNALLOCATED_NUMBER", "NO_ROUTE_DESTINATION"})
RINGING_SECONDS = (2, 22)
# Log-normal talking times: half under 95 seconds, three and a half minutes on average.
TALK_MU, TALK_SIGMA, LONGEST_TALK_SECONDS = 4.55, 1.25, 4 * 3600

# How people write a number: +49…, 0049…, 49…, 030….
DIALLED_WEIGHTS = (25, 15, 45, 15)
NAMES = ("Reception", "Front desk", "Sales", "Müller, Jan", "O'Brien", "Łukasz Nowak", "Fax 2", "")
SHORTEST_SUBSCRIBER_DIGITS = 4
LONGEST_NUMBER_DIGITS = 15


@dataclass(frozen=True)
class Account:
    """A customer's account on the switch; `calling_code` and `numbers` as E.164 digits.

    `usual_trunk_only` keeps its calls off the trunks that have a tech prefix.
    """

    account_code: str
    numbers: tuple[str, ...]
    calling_code: str
    weight: int = 1
    usual_trunk_only: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it truly was. `dialled` is how the caller wrote `number` (E.164 digits).

    `tech_prefix` names the trunk (empty: the usual one). Times are UTC, in whole seconds.
    """

    call_id: str
    leg_id: str
    account_code: str
    caller_name: str
    caller_number: str
    number: str
    dialled: str
    tech_prefix: str
    on_net: bool
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime
    hangup_cause: str

    @property
    def duration_seconds(self) -> int:
        """Seconds from start to end, ringing included."""
        return int((self.ended_at - self.started_at).total_seconds())

    @property
    def billable_seconds(self) -> int:
        """Seconds from answer to end; 0 for a call that failed."""
        if self.answered_at is None:
            return 0
        return int((self.ended_at - self.answered_at).total_seconds())


class Starts:
    """Instants at which calls start: busy hours by the wall clocks of a zone."""

    def __init__(self, period: Period, zone: ZoneInfo) -> None:
        first, end = (instant.astimezone(UTC) for instant in period.instants(zone))
        count = int((end - first) / timedelta(hours=1))
        self._hours = [first + timedelta(hours=number) for number in range(count)]
        weights = (_busyness(hour.astimezone(zone)) for hour in self._hours)
        self._cumulated = list(accumulate(weights))

    def draw(self, rng: random.Random) -> datetime:
        (hour,) = rng.choices(self._hours, cum_weights=self._cumulated)
        return hour + timedelta(seconds=rng.randrange(3600))


def _busyness(local: datetime) -> int:
    hours = WEEKEND_HOURS if local.weekday() >= SATURDAY else WEEKDAY_HOURS
    return hours[local.hour]


class Destinations:
    """Numbers under the prefixes of a deck, near countries more often than far ones."""

    def __init__(self, rates: Sequence[DeckRate], taken: frozenset[str]) -> None:
        self._taken = taken
        self._by_country: dict[str, list[DeckRate]] = defaultdict(list)
        for rate in rates:
            self._by_country[rate.calling_code].append(rate)
        self._countries = list(self._by_country)
        self._cumulated = {
            home: list(accumulate(self._weigh_countries(home))) for home in self._countries
        }

    def draw(self, rng: random.Random, home: str) -> str:
        """E.164 digits of a number that nobody of `taken` has, called from country `home`."""
        (code,) = rng.choices(self._countries, cum_weights=self._cumulated[home])
        rate = rng.choice(self._by_country[code])
        number = draw_number(rng, rate.prefix, rate.digits)
        return self.draw(rng, home) if number in self._taken else number

    def _weigh_countries(self, home: str) -> list[float]:
        """Each country's share of the calls: that of its tier, divided by popularity."""
        near = [code for code in self._countries if zone_of(code) == zone_of(home)]
        weights = dict.fromkeys(self._countries, 0.0)
        for share, tier in zip(TIER_WEIGHTS, ([home], near, self._countries), strict=True):
            whole = sum(map(_popularity, tier))
            for code in tier:
                weights[code] += share * _popularity(code) / whole
        return list(weights.values())


def _popularity(code: str) -> int:
    return POPULAR_COUNTRIES.get(code, 1)


def draw_number(rng: random.Random, prefix: str, digits: int) -> str:
    """A number of `digits` digits that starts with `prefix`, longer where it would be too short.

    A 2 to 9 follows the prefix: behind 0 and 1 are trunk and service codes.
    """
    missing = max(digits - len(prefix), SHORTEST_SUBSCRIBER_DIGITS)
    count = min(missing, LONGEST_NUMBER_DIGITS - len(prefix))
    return prefix + str(rng.randrange(2 * 10 ** (count - 1), 10**count))


def draw_dialled(
    rng: random.Random, number: str, plan: DialPlan, tech_prefixes: Sequence[str]
) -> str:
    """`number` as a caller may write it on the usual trunk, and the plan understands it."""
    forms = [f"+{number}", plan.international_prefix + number, number]
    national = number.removeprefix(plan.country_prefix or "")
    if national != number and len(national) == (plan.national_digits or len(national)):
        forms.append((plan.trunk_prefix or "") + national)
    (dialled,) = rng.choices(forms, DIALLED_WEIGHTS[: len(forms)])
    mistaken = len(number) == plan.national_digits or dialled.startswith(tuple(tech_prefixes))
    return f"+{number}" if mistaken else dialled


class Telephones:
    """All telephones of a switch: draws who calls whom, when, over which trunk and for how long.

    `trunks` maps each tech prefix (empty: the usual trunk) to its share of the calls off the net.
    """

    def __init__(
        self,
        *,
        rng: random.Random,
        starts: Starts,
        destinations: Destinations,
        accounts: Sequence[Account],
        dial_plan: DialPlan,
        trunks: dict[str, int],
        on_net_percent: int,
        answered_percent: int,
    ) -> None:
        self._rng = rng
        self._starts = starts
        self._destinations = destinations
        self._accounts = accounts
        self._cumulated = list(accumulate(account.weight for account in accounts))
        self._dial_plan = dial_plan
        self._tech_prefixes = [prefix for prefix in trunks if prefix]
        self._trunks = trunks
        self._on_net_percent = on_net_percent
        self._answered_percent = answered_percent

    def draw_call(self) -> Call:
        """An ordinary call: it may stay on the net, and it may fail."""
        caller = self._draw_account()
        answered = self._rng.randrange(100) < self._answered_percent
        if self._rng.randrange(100) < self._on_net_percent:
            return self._draw_on_net(caller, answered)
        number = self._destinations.draw(self._rng, caller.calling_code)
        return self.place(caller, number, answered=answered)

    def draw_answered(
        self, caller: Account | None = None, *, talk_seconds: int | None = None
    ) -> Call:
        """An answered call off the net, by `caller` and of `talk_seconds` where given."""
        caller = caller or self._draw_account()
        number = self._destinations.draw(self._rng, caller.calling_code)
        return self.place(caller, number, answered=True, talk_seconds=talk_seconds)

    def place(
        self,
        caller: Account,
        number: str,
        *,
        answered: bool,
        on_net: bool = False,
        tech_prefix: str | None = None,
        talk_seconds: int | None = None,
    ) -> Call:
        """A call by `caller` to `number`; what is not given is drawn."""
        rng = self._rng
        if tech_prefix is None:
            tech_prefix = "" if caller.usual_trunk_only else self._draw_trunk()
        if talk_seconds is None:
            talk_seconds = _draw_talk_seconds(rng)
        cause = ANSWERED if answered else _draw_failure(rng)
        ringing = rng.randint(*(RINGING_SECONDS if answered else FAILURES[cause][:2]))
        started_at = self._starts.draw(rng)
        ringing_ends_at = started_at + timedelta(seconds=ringing)
        return Call(
            call_id=_draw_uuid(rng),
            leg_id="" if cause in ONE_LEGGED else _draw_uuid(rng),
            account_code=caller.account_code,
            caller_name=rng.choice(NAMES),
            caller_number=rng.choice(caller.numbers),
            number=number,
            dialled=self._dial(number, tech_prefix),
            tech_prefix=tech_prefix,
            on_net=on_net,
            started_at=started_at,
            answered_at=ringing_ends_at if answered else None,
            ended_at=ringing_ends_at + timedelta(seconds=talk_seconds if answered else 0),
            hangup_cause=cause,
        )

    def _draw_on_net(self, caller: Account, answered: bool) -> Call:
        callee = self._draw_account()
        while callee.account_code == caller.account_code:
            callee = self._draw_account()
        number = self._rng.choice(callee.numbers)
        return self.place(caller, number, answered=answered, on_net=True, tech_prefix="")

    def _draw_trunk(self) -> str:
        (tech_prefix,) = self._rng.choices(list(self._trunks), list(self._trunks.values()))
        return tech_prefix

    def _draw_account(self) -> Account:
        (account,) = self._rng.choices(self._accounts, cum_weights=self._cumulated)
        return account

    def _dial(self, number: str, tech_prefix: str) -> str:
        if not tech_prefix:
            return draw_dialled(self._rng, number, self._dial_plan, self._tech_prefixes)
        sign = "+" if len(number) == self._dial_plan.national_digits else ""
        return tech_prefix + sign + number


def _draw_talk_seconds(rng: random.Random) -> int:
    seconds = round(rng.lognormvariate(TALK_MU, TALK_SIGMA))
    return min(max(seconds, 1), LONGEST_TALK_SECONDS)


def _draw_failure(rng: random.Random) -> str:
    (cause,) = rng.choices(list(FAILURES), [weight for _, _, weight in FAILURES.values()])
    return cause


def _draw_uuid(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))
