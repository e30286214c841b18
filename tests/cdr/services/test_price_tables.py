"""Compiled tables are kept while they are true, and forgotten when there are too many."""

from decimal import Decimal

import pytest

from cdr.models import LegKind
from cdr.services import price_tables as module
from cdr.services.price_tables import price_tables
from tests.cdr.worlds import World, make_world
from tests.factories import make_rate, make_rate_table
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
        assert changed.compiled.prefixes == ("", "49")

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
