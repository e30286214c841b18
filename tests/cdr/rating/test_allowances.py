"""Sharing out allowances by columns, against a loop over calls and allowances."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from cdr.rating.allowances import Counter, counters_of, linked, period_of, share_out
from cdr.rules.allowances import Counted, Entitlement, Sharing

OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)
NUMBERS = ("493012", "4477", "331", "")
Use = tuple[int, str, date, int]


def entitlement(**terms: Any) -> Entitlement:
    """A hundred for all usage of customer 1, from its subscription 1, since January."""
    values: dict[str, Any] = {
        "subscription_id": 1,
        "customer_id": 1,
        "allowance_id": 1,
        "product_id": 1,
        "name": "Hundred",
        "sharing": Sharing.SHARED,
        "priority": 1,
        "destinations": (),
        "rolls_over": False,
        "volume": 100,
        "quantity": 1,
        "start_date": date(2026, 1, 1),
        "last_date": None,
        "entry_proration": False,
        "exit_proration": False,
    }
    return Entitlement(**values | terms)


def call(**values: Any) -> dict[str, Any]:
    usual = {
        "customer_id": 1,
        "subscription_id": None,
        "number": "493012",
        "day": date(2026, 10, 5),
        "volume": 60,
    }
    return usual | values


def usage_of(calls: list[dict[str, Any]]) -> pl.DataFrame:
    schema = {
        "customer_id": pl.Int64,
        "subscription_id": pl.Int64,
        "number": pl.String,
        "day": pl.Date,
        "volume": pl.Int64,
    }
    frame = pl.DataFrame(calls, schema=schema)
    return frame.with_columns(month=pl.col("day").dt.month_start())


def months_of(calls: list[dict[str, Any]]) -> set[tuple[int, date]]:
    return {(each["customer_id"], each["day"].replace(day=1)) for each in calls}


def shared(
    calls: list[dict[str, Any]], entitlements: list[Entitlement]
) -> tuple[list[Use], dict[tuple[str, date], Counted]]:
    """What calls use, by their number, and the counters afterwards."""
    counters = linked(counters_of(entitlements, months_of(calls)))
    uses, counted = share_out(usage_of(calls), counters)
    found = [
        (row, counters[place].key, counters[place].month, volume)
        for row, place, volume in uses.iter_rows()
    ]
    states = {(each.key, each.month): state for each, state in zip(counters, counted, strict=True)}
    return found, states


def volumes(calls: list[dict[str, Any]], entitlements: list[Entitlement]) -> list[int]:
    """What of each call is included."""
    sums = [0] * len(calls)
    for row, _, _, volume in shared(calls, entitlements)[0]:
        sums[row] += volume
    return sums


class TestShareOut:
    def test_gives_in_order_until_nothing_is_left(self) -> None:
        calls = [call(), call(), call()]

        assert volumes(calls, [entitlement()]) == [60, 40, 0]

    def test_goes_on_with_the_next_by_priority(self) -> None:
        first = entitlement(allowance_id=7, priority=1, volume=70)
        second = entitlement(allowance_id=5, priority=2, volume=20)

        uses, _ = shared([call(), call()], [second, first])

        assert uses == [
            (0, "1:7", OCTOBER, 60),
            (1, "1:7", OCTOBER, 10),
            (1, "1:5", OCTOBER, 20),
        ]

    def test_begins_with_the_oldest_subscription(self) -> None:
        young = entitlement(subscription_id=1, start_date=date(2026, 3, 1), volume=10)
        old = entitlement(subscription_id=2, start_date=date(2026, 2, 1), volume=10)

        uses, _ = shared([call(volume=15)], [young, old])

        assert [(key, volume) for _, key, _, volume in uses] == [("2:1", 10), ("1:1", 5)]

    def test_keeps_own_ones_to_calls_of_the_subscription(self) -> None:
        own = entitlement(sharing=Sharing.OWN)
        calls = [call(), call(subscription_id=2), call(subscription_id=1)]

        assert volumes(calls, [own]) == [0, 0, 60]

    def test_makes_one_of_those_with_the_same_name_and_terms(self) -> None:
        pooled = entitlement(sharing=Sharing.POOLED, volume=50)
        other = replace(pooled, subscription_id=2, allowance_id=2, volume=25, name="HUNDRED")

        uses, states = shared([call(), call()], [pooled, other])

        assert [(row, volume) for row, _, _, volume in uses] == [(0, 60), (1, 15)]
        assert list(states.values()) == [Counted(granted=75, used=75)]

    def test_keeps_to_destinations(self) -> None:
        abroad = entitlement(destinations=("44", "33"))
        calls = [call(), call(number="331"), call(number="4477"), call(number="")]

        assert volumes(calls, [abroad]) == [0, 60, 40, 0]

    def test_keeps_to_the_days_of_the_subscription(self) -> None:
        short = entitlement(start_date=date(2026, 10, 5), last_date=date(2026, 10, 6))
        calls = [call(day=date(2026, 10, day), volume=10) for day in (4, 5, 6, 7)]

        assert volumes(calls, [short]) == [0, 10, 10, 0]

    def test_gives_customers_their_own(self) -> None:
        both = [entitlement(), entitlement(customer_id=2, subscription_id=2)]
        calls = [call(volume=80), call(customer_id=2, volume=80), call(customer_id=3)]

        assert volumes(calls, both) == [80, 80, 0]

    def test_begins_anew_every_month(self) -> None:
        calls = [call(volume=90), call(volume=90), call(day=date(2026, 11, 1), volume=90)]

        assert volumes(calls, [entitlement()]) == [90, 10, 90]

    def test_adds_what_is_left_of_the_month_before_once(self) -> None:
        rolling = entitlement(rolls_over=True)
        calls = [
            call(volume=30),
            call(day=date(2026, 11, 2), volume=50),
            call(day=date(2026, 12, 2), volume=300),
        ]

        found = volumes(calls, [rolling])

        # September gives its whole 100 to October, which leaves its own 100 to November. There 50
        # of them are used, and November's own 100 are left to December.
        assert found == [30, 50, 200]

    def test_counts_volumes_beyond_64_bits_in_sum(self) -> None:
        most = 2**62
        calls = [call(volume=most), call(volume=most), call(volume=most)]

        assert volumes(calls, [entitlement(volume=most + 1)]) == [most, 1, 0]


@st.composite
def entitlement_lists(draw: st.DrawFn) -> list[Entitlement]:
    found = []
    for number in range(draw(st.integers(1, 5))):
        starts = draw(st.sampled_from([date(2026, 1, 1), date(2026, 10, 10), date(2026, 11, 5)]))
        ends = draw(st.sampled_from([None, date(2026, 11, 20), date(2026, 12, 31)]))
        found.append(
            entitlement(
                subscription_id=draw(st.integers(1, 3)),
                customer_id=draw(st.integers(1, 2)),
                allowance_id=number,
                name=draw(st.sampled_from(["Small", "Large"])),
                sharing=draw(st.sampled_from(list(Sharing))),
                priority=draw(st.integers(1, 2)),
                destinations=draw(st.sampled_from([(), ("44",), ("44", "49")])),
                rolls_over=draw(st.booleans()),
                volume=draw(st.integers(1, 200)),
                quantity=draw(st.integers(1, 2)),
                start_date=starts,
                last_date=ends,
                entry_proration=draw(st.booleans()),
                exit_proration=draw(st.booleans()),
            )
        )
    return found


@st.composite
def call_lists(draw: st.DrawFn) -> list[dict[str, Any]]:
    """In the order of their days."""
    count = draw(st.integers(1, 12))
    days = sorted(draw(st.lists(st.integers(0, 80), min_size=count, max_size=count)))
    return [
        call(
            customer_id=draw(st.integers(1, 3)),
            subscription_id=draw(st.sampled_from([None, 1, 2, 3])),
            number=draw(st.sampled_from(NUMBERS)),
            day=OCTOBER + timedelta(days=day),
            volume=draw(st.integers(1, 120)),
        )
        for day in days
    ]


class Plainly:
    """The published rules as a loop: a dictionary of counters, one call after the other."""

    def __init__(self, entitlements: list[Entitlement]) -> None:
        self.entitlements = entitlements
        self.used: dict[tuple[int, str, date], int] = {}

    def use(self, number: int, each: dict[str, Any]) -> list[Use]:
        month, rest, found = each["day"].replace(day=1), each["volume"], []
        for key in self._keys(each):
            taken = min(rest, self._left(each["customer_id"], key, month))
            if taken:
                place = each["customer_id"], key, month
                self.used[place] = self.used.get(place, 0) + taken
                found.append((number, key, month, taken))
                rest -= taken
        return found

    def _keys(self, each: dict[str, Any]) -> list[str]:
        """The allowances that fit, a pool where its oldest subscription stands."""
        oldest = {}
        mine = [one for one in self.entitlements if one.customer_id == each["customer_id"]]
        for one in sorted(mine, key=lambda one: one.order, reverse=True):
            oldest[one.key] = one.order
        fitting = {
            one.key
            for one in mine
            if one.start_date <= each["day"] <= (one.last_date or date.max)
            and (one.sharing is not Sharing.OWN or one.subscription_id == each["subscription_id"])
            and (
                not one.destinations
                or any(each["number"].startswith(prefix) for prefix in one.destinations)
            )
        }
        return sorted(fitting, key=lambda key: oldest[key])

    def _left(self, customer_id: int, key: str, month: date) -> int:
        members = [
            one for one in self.entitlements if (one.customer_id, one.key) == (customer_id, key)
        ]
        rolled = 0
        if members[0].rolls_over:
            before = (month - timedelta(days=1)).replace(day=1)
            rolled = self._unused(customer_id, key, before, members)
        granted = sum(one.granted(period_of(month)) for one in members)
        return granted + rolled - self.used.get((customer_id, key, month), 0)

    def _unused(self, customer_id: int, key: str, month: date, members: list[Entitlement]) -> int:
        """What is left of the new volume of a month, of which what rolled in is used first."""
        granted = sum(one.granted(period_of(month)) for one in members)
        if not granted:
            return 0
        whole = self._left(customer_id, key, month) if month >= date(2026, 9, 1) else granted
        return min(granted, whole)


class TestAgainstALoop:
    @given(entitlements=entitlement_lists(), calls=call_lists())
    def test_comes_to_the_same(
        self, entitlements: list[Entitlement], calls: list[dict[str, Any]]
    ) -> None:
        plain = Plainly(entitlements)
        expected = [use for number, each in enumerate(calls) for use in plain.use(number, each)]

        found, states = shared(calls, entitlements)

        assert found == expected
        for state in states.values():
            assert 0 <= state.used <= state.granted + state.rolled_in


class TestLateUsage:
    def counters(self, states: dict[date, Counted]) -> list[Counter]:
        rolling = (entitlement(rolls_over=True),)
        return linked(
            [Counter("1:1", 1, month, True, rolling, state) for month, state in states.items()]
        )

    def test_takes_what_the_next_month_has_not_used(self) -> None:
        counters = self.counters({OCTOBER: Counted(100, 0, 20), NOVEMBER: Counted(100, 80, 50)})

        uses, counted = share_out(usage_of([call(volume=60)]), counters)

        assert uses["volume"].to_list() == [30]
        assert counted == [Counted(100, 0, 50), Counted(100, 50, 50)]

    def test_takes_nothing_where_the_next_month_used_it_all(self) -> None:
        counters = self.counters({OCTOBER: Counted(100, 0, 20), NOVEMBER: Counted(100, 80, 120)})

        uses, counted = share_out(usage_of([call()]), counters)

        assert uses.is_empty()
        assert counted == [counter.counted for counter in counters]

    def test_takes_what_rolled_in_and_would_be_lost(self) -> None:
        counters = self.counters({OCTOBER: Counted(100, 40, 10), NOVEMBER: Counted(100, 100, 100)})

        uses, counted = share_out(usage_of([call()]), counters)

        assert uses["volume"].to_list() == [30]
        assert counted == [Counted(100, 40, 40), Counted(100, 100, 100)]

    @given(
        october=st.integers(0, 150),
        november=st.integers(0, 250),
        late=st.lists(st.integers(1, 60), min_size=1, max_size=5),
    )
    def test_never_lets_a_volume_be_used_twice(
        self, october: int, november: int, late: list[int]
    ) -> None:
        rolled = max(0, 100 - october)
        counters = self.counters(
            {
                OCTOBER: Counted(100, 0, min(october, 100)),
                NOVEMBER: Counted(100, rolled, min(november, 100 + rolled)),
                DECEMBER: Counted(100, min(100, max(0, 100 + rolled - november)), 0),
            }
        )

        _, counted = share_out(usage_of([call(volume=volume) for volume in late]), counters)

        first, second, third = counted
        assert first.used + second.borrowed <= 100
        assert first.used + max(0, second.used - 100) <= 100
        assert second.used == counters[1].counted.used
        assert third == counters[2].counted
