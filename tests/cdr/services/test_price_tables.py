"""Compiled tables are kept while they are true, and forgotten when there are too many."""

from dataclasses import fields
from datetime import timedelta
from decimal import Decimal

import pytest

from cdr.models import LegKind
from cdr.rating import Rate
from cdr.services import price_tables as module
from cdr.services.price_tables import price_tables
from tests.cdr.worlds import World, make_world
from tests.factories import LONG_AGO, make_rate, make_rate_table, make_time_profile
from tests.factories.cdr import Call, import_lines, legs_of


@pytest.fixture
def world(db: None) -> World:
    return make_world()


class TestPriceTables:
    def test_are_compiled_once_per_revision(self, world: World) -> None:
        table = world.sub_table

        first = price_tables(world.provider.pk, [table.pk])[table.pk]
        assert price_tables(world.provider.pk, [table.pk])[table.pk] is first

        make_rate(table, "49")
        changed = price_tables(world.provider.pk, [table.pk])[table.pk]
        assert changed is not first
        assert changed.compiled is not None
        assert changed.compiled.rates.numbers["prefix"].to_list() == ["", "49"]

    def test_price_as_before_whatever_rates_another_provider_adds(self, world: World) -> None:
        before = legs_of(import_lines(world.source, [Call(account="carla")]))
        for prefix in ("", "4930", "493012345678"):
            make_rate(make_world().default_table(), prefix, rate=Decimal(7))

        after = legs_of(import_lines(world.source, [Call(account="carla")]))

        assert after == before

    def test_price_the_next_chunk_by_the_new_rate(self, world: World) -> None:
        before = import_lines(world.source, [Call(account="carla")])
        rate = world.default_table().rates.get()
        rate.rate = Decimal("0.5")
        rate.save()
        after = import_lines(world.source, [Call(account="carla")])

        charged = [
            leg.amount
            for file in (before, after)
            for leg in legs_of(file)
            if leg.kind == LegKind.CUSTOMER
        ]
        assert charged == [Decimal("0.1"), Decimal(1)]

    def test_are_compiled_again_when_a_parent_or_a_time_profile_has_changed(
        self, world: World
    ) -> None:
        parent, table = make_rate_table(world.product, {"": "0.05"}), world.sub_table
        table.parent = parent
        table.save()
        profile = make_time_profile(world.provider, "Mon 08:00-20:00", 5)
        make_rate(parent, "49", time_profile=profile)

        seen = [price_tables(world.provider.pk, [table.pk])[table.pk] for _ in range(2)]
        profile.ranges = "Tue 08:00-20:00"
        profile.save()
        seen.append(price_tables(world.provider.pk, [table.pk])[table.pk])
        make_rate(parent, "33")
        seen.append(price_tables(world.provider.pk, [table.pk])[table.pk])

        assert seen[0] is seen[1]
        assert len({id(each) for each in seen}) == 3
        assert [len(each.compiled.rates) for each in seen if each.compiled] == [3, 3, 3, 4]

    def test_hold_every_column_of_a_rate_to_the_last_digit(self, world: World) -> None:
        table = make_rate_table(world.product)
        profile = make_time_profile(world.provider, "12-25 00:00-24:00", 20)
        stored = make_rate(
            table,
            "4930",
            destination='Berlin, "Mitte"',
            effective_to=LONG_AGO + timedelta(days=9, microseconds=1),
            rate=Decimal("-0.00000001"),
            initial_rate=Decimal("9999999999.99999999"),
            connection_fee=Decimal("0.1"),
            minimum=30,
            increment=6,
            grace=2,
            steps="0:0.60/60;60:0.30/1",
            min_cost=Decimal(0),
            max_cost=Decimal("1.5"),
            attempt_fee=Decimal("0.01"),
            time_profile=profile,
            policy="additive",
            tag="vip",
            origin_prefix="44",
            min_digits=0,
            max_digits=12,
            status="blocked",
        )
        stored.refresh_from_db()
        bare = make_rate(table, "", rate=Decimal("0.05"))
        compiled = price_tables(world.provider.pk, [table.pk])[table.pk].compiled
        assert compiled is not None
        found = compiled.rates.rate(0)
        columns = [f.name for f in fields(found) if f.name != "time_profile"]

        assert {name: getattr(found, name) for name in columns} == {
            name: getattr(stored, name) for name in columns
        }
        assert found.time_profile == "12-25 00:00-24:00 @20"
        assert compiled.rates.rate(1) == Rate(
            id=bare.pk,
            prefix="",
            destination="Destination ",
            rate=Decimal("0.05"),
            effective_from=LONG_AGO,
        )

    def test_of_another_provider_are_not_given(self, world: World) -> None:
        assert price_tables(make_world().provider.pk, [world.sub_table.pk]) == {}

    def test_used_longest_ago_are_forgotten_first(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "RATES_KEPT", 4)
        monkeypatch.setattr(module, "_kept", {})
        old, middle, new = (
            make_rate_table(world.product, {"1": "1", "2": "2"}).pk for _ in range(3)
        )
        provider_id = world.provider.pk
        kept = price_tables(provider_id, [middle])[middle]
        first = price_tables(provider_id, [old])[old]
        price_tables(provider_id, [middle])

        price_tables(provider_id, [new])

        assert price_tables(provider_id, [middle])[middle] is kept
        assert price_tables(provider_id, [old])[old] is not first
