from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoDbBlocker

from catalogue.models import Rate, RateTable
from catalogue.rules.rate_comparison import ComparedPair, ComparisonClass
from catalogue.selectors.rate_comparison import Comparison, Narrowing, TableAt, UnitsDiffer
from catalogue.selectors.rates_at import rates_at
from common.scope import Scope, Surface
from tests.catalogue.selectors import reference
from tests.factories import (
    LONG_AGO,
    make_product,
    make_provider,
    make_rate,
    make_rate_table,
    make_time_profile,
)

AT = datetime(2026, 10, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)
ALL = 10_000


class World:
    """A table with two ancestors, and another table, of one provider."""

    def __init__(self) -> None:
        provider = make_provider()
        product = make_product(provider)
        self.scope = Scope(provider_id=provider.pk, surface=Surface.CONSOLE)
        self.profiles = [None, make_time_profile(provider, "Mon-Fri 08:00-20:00").pk]
        oldest = make_rate_table(product)
        middle = make_rate_table(product, parent=oldest)
        self.chain = [make_rate_table(product, parent=middle), middle, oldest]
        self.other = make_rate_table(product)
        self.tables = [*self.chain, self.other]

    def fill(self, drawn: Sequence[dict[str, Any]]) -> list[Rate]:
        Rate.objects.filter(rate_table__in=self.tables).delete()
        rates = [
            Rate(
                provider_id=self.scope.provider_id,
                rate_table=self.tables[each["table"]],
                time_profile_id=self.profiles[each["profile"]],
                **{name: value for name, value in each.items() if name not in ("table", "profile")},
            )
            for each in drawn
        ]
        Rate.objects.bulk_create(rates)
        return list(Rate.objects.filter(rate_table__in=self.tables))


@st.composite
def rates(draw: st.DrawFn) -> dict[str, Any]:
    start = AT + DAY * draw(st.integers(-3, 1))
    lasts = draw(st.sampled_from([None, None, 1, 2, 4]))
    return {
        "table": draw(st.integers(0, 3)),
        "profile": draw(st.sampled_from([0, 0, 1])),
        "prefix": draw(st.sampled_from(["", "4", "44"])),
        "tag": draw(st.sampled_from(["", "", "vip"])),
        "max_digits": draw(st.sampled_from([None, None, 12])),
        "effective_from": start,
        "effective_to": lasts and start + DAY * lasts,
        "rate": Decimal(draw(st.integers(-2, 3))),
        "initial_rate": draw(st.sampled_from([None, Decimal(1), Decimal(2)])),
        "minimum": draw(st.sampled_from([1, 1, 60])),
        "steps": draw(st.sampled_from(["", "", "", "0:1/1"])),
        "destination": draw(st.sampled_from(["Here", "There"])),
        "status": draw(st.sampled_from(["active", "active", "blocked", "stashed"])),
    }


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    with django_db_blocker.unblock(), transaction.atomic():
        yield World()
        transaction.set_rollback(True)


def ids(pair: ComparedPair) -> tuple[int | None, int | None]:
    return (pair.left.id if pair.left else None, pair.right.id if pair.right else None)


@pytest.mark.django_db
class TestRatesAt:
    @given(drawn=st.lists(rates(), max_size=14))
    def test_are_those_of_the_reference(self, world: World, drawn: list[dict[str, Any]]) -> None:
        stored = world.fill(drawn)

        found = list(rates_at(world.scope, world.chain[0], AT))

        wanted = reference.used(world.chain, stored, AT)
        assert {rate.pk for rate in found} == {rate.pk for rate in wanted.values()}
        assert len(found) == len(wanted)
        for rate in found:
            assert vars(rate)["is_inherited"] == (rate.rate_table_id != world.chain[0].pk)

    def test_are_nobody_elses(self, world: World) -> None:
        world.fill([])
        table = world.chain[0]
        make_rate(table, "49")

        neighbour = Scope(provider_id=make_provider().pk, surface=Surface.CONSOLE)

        assert [rate.prefix for rate in rates_at(world.scope, table, AT)] == ["49"]
        assert list(rates_at(neighbour, table, AT)) == []


@pytest.mark.django_db
class TestComparison:
    @given(
        drawn=st.lists(rates(), max_size=16),
        left=st.integers(0, 3),
        right=st.integers(0, 3),
        later=st.integers(0, 2),
    )
    def test_is_that_of_the_reference(
        self, world: World, drawn: list[dict[str, Any]], left: int, right: int, later: int
    ) -> None:
        stored = world.fill(drawn)
        sides = [TableAt(world.tables[left], AT), TableAt(world.tables[right], AT + later * DAY)]

        page = Comparison(world.scope, *sides).page(limit=ALL)

        one, other = (
            reference.used(chain_of(world, side.table), stored, side.at) for side in sides
        )
        wanted = {key: (one.get(key), other.get(key)) for key in sorted(one.keys() | other.keys())}
        assert {pair.key: ids(pair) for pair in page.pairs} == {
            key: tuple(rate and rate.pk for rate in pair) for key, pair in wanted.items()
        }
        classes = {pair.key: pair.comparison_class for pair in page.pairs}
        assert classes == {key: reference.compared(*pair) for key, pair in wanted.items()}
        counts = {name: total.count for name, total in page.totals.items()}
        assert counts == {name: list(classes.values()).count(name) for name in classes.values()}
        for name, total in page.totals.items():
            moves = [
                pair.percent
                for pair in page.pairs
                if pair.comparison_class is name and pair.percent is not None
            ]
            mean = Decimal(sum(moves)) / len(moves) if moves else None
            if mean is None or total.mean_percent is None:
                assert mean is total.mean_percent
            else:
                assert abs(mean - total.mean_percent) <= Decimal("0.01")

    @given(drawn=st.lists(rates(), max_size=16), size=st.integers(1, 4))
    def test_is_the_same_page_by_page_in_both_directions(
        self, world: World, drawn: list[dict[str, Any]], size: int
    ) -> None:
        world.fill(drawn)
        comparison = Comparison(world.scope, TableAt(world.chain[0], AT), TableAt(world.other, AT))
        whole = list(comparison.page(limit=ALL).pairs)

        forward: list[ComparedPair] = []
        while page := comparison.page(limit=size, after=forward[-1].key if forward else None).pairs:
            forward += page
        backward = whole[-1:]
        while backward and (page := comparison.page(limit=size, before=backward[0].key).pairs):
            backward = [*page, *backward]

        assert forward == whole
        assert backward == whole

    def test_is_narrowed_by_prefix_destination_and_class(self, world: World) -> None:
        world.fill([])
        make_rate(world.chain[0], "49", destination="100% Germany")
        make_rate(world.other, "49", destination="100% Germany", rate=Decimal("0.06"))
        make_rate(world.other, "491", destination="Germany, mobile")
        make_rate(world.other, "1", destination="America")
        comparison = Comparison(world.scope, TableAt(world.chain[0], AT), TableAt(world.other, AT))

        def prefixes(narrowing: Narrowing) -> list[str]:
            return [pair.key.prefix for pair in comparison.page(narrowing, limit=ALL).pairs]

        assert prefixes(Narrowing(prefix="49")) == ["49", "491"]
        assert prefixes(Narrowing(destination="0% ger")) == ["49"]
        assert prefixes(Narrowing(destination="_")) == []
        assert prefixes(Narrowing(classes=[ComparisonClass.ONLY_RIGHT])) == ["1", "491"]
        narrowed = comparison.page(
            Narrowing(prefix="49", classes=[ComparisonClass.EQUAL]), limit=ALL
        )
        assert narrowed.pairs == ()
        assert {name: total.count for name, total in narrowed.totals.items()} == {
            ComparisonClass.INCREASED: 1,
            ComparisonClass.ONLY_RIGHT: 1,
        }
        assert narrowed.totals[ComparisonClass.INCREASED].mean_percent == Decimal("20.00")

    def test_tells_no_difference_between_currencies(self, world: World) -> None:
        world.fill([])
        product = world.chain[0].product
        dollars = make_rate_table(product, {"49": "0.05", "1": "0.01"}, currency="USD")
        make_rate(world.chain[0], "49")

        comparison = Comparison(world.scope, TableAt(world.chain[0], AT), TableAt(dollars, AT))
        page = comparison.page(limit=ALL)

        assert not comparison.is_same_currency
        assert [(pair.comparison_class, pair.difference, pair.percent) for pair in page.pairs] == [
            (ComparisonClass.ONLY_RIGHT, None, None),
            (ComparisonClass.BOTH, None, None),
        ]
        assert page.totals[ComparisonClass.BOTH].mean_percent is None

    def test_refuses_tables_of_other_units(self, world: World) -> None:
        provider = world.chain[0].provider
        sms = make_rate_table(make_product(provider, rating_unit="message", volume_unit="message"))

        with pytest.raises(UnitsDiffer, match="by the message and message"):
            Comparison(world.scope, TableAt(world.chain[0], AT), TableAt(sms, AT))

    def test_takes_one_statement_whatever_its_size(self, world: World) -> None:
        world.fill([])
        for number in range(30):
            make_rate(world.chain[number % 3], f"49{number}", effective_from=LONG_AGO)
        comparison = Comparison(world.scope, TableAt(world.chain[0], AT), TableAt(world.other, AT))

        with CaptureQueriesContext(connection) as context:
            page = comparison.page(limit=ALL)

        assert len(page.pairs) == 30
        assert len(context) == 3  # the parents of either side, and the comparison


def chain_of(world: World, table: RateTable) -> list[RateTable]:
    return world.chain[world.chain.index(table) :] if table in world.chain else [table]
