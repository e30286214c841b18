"""The charges that a change of rates in the past concerns."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import product

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoDbBlocker

from catalogue.models import RateTable
from cdr.models import Leg, Xdr
from cdr.selectors.affected_usage import (
    AffectedUsage,
    ChangedPrefix,
    affected_by_rates,
    changed_prefixes,
)
from common.scope import Scope
from tests.factories import (
    make_catalogue,
    make_customer,
    make_identifier,
    make_product,
    make_provider,
    make_rate,
    make_rate_table,
    make_source,
    make_vendor,
)
from tests.factories.cdr import CALL_AT, Call, import_lines

HOUR = timedelta(hours=1)
NUMBERS = ["4930123456", "4915112345", "491512999", "33155551", "4412345"]


class World:
    """A customer of a table that inherits from another; its calls, an hour apart."""

    def __init__(self) -> None:
        provider = make_provider()
        voice = make_product(provider)
        rates = {"49": "0.05", "4915": "0.10", "33": "0.07", "4": "0.20"}
        self.parent = make_rate_table(voice, rates)
        self.table = make_rate_table(voice, {"49": "0.04"}, parent=self.parent)
        self.cost = make_rate_table(voice, {"": "0.01"})
        make_catalogue(provider, [{"product": voice, "rate_table": self.table}], is_default=True)
        make_identifier(make_customer(provider), "anna")
        source = make_source(voice, make_vendor(self.cost))
        calls = [
            Call(account="anna", to=number, started_at=CALL_AT + place * HOUR)
            for place, number in enumerate(NUMBERS)
        ]
        import_lines(source, calls, CALL_AT + timedelta(days=1))
        self.scope = Scope.system(provider.pk)


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    with django_db_blocker.unblock(), transaction.atomic():
        yield World()
        transaction.set_rollback(True)


def reference(
    world: World, tables: list[RateTable], changed: list[ChangedPrefix], since: datetime
) -> list[AffectedUsage]:
    """Leg by leg."""
    found = []
    legs = Leg.objects.filter(provider_id=world.scope.provider_id, rate_table__in=tables)
    for leg in legs.filter(started_at__gte=since).select_related("rate"):
        number = Xdr.objects.get(started_at=leg.started_at, id=leg.xdr_id).normalised_number
        assert leg.rate is not None
        if any(
            number.startswith(each.prefix)
            and (each.outranks or len(each.prefix) >= len(leg.rate.prefix))
            for each in changed
        ):
            found.append(leg)
    if not found:
        return []
    xdrs = {leg.xdr_id for leg in found}
    amount = sum((leg.amount for leg in found), Decimal(0))
    return [AffectedUsage("EUR", len(found), len(xdrs), amount)]


changes = st.lists(
    st.builds(
        ChangedPrefix,
        st.sampled_from(["", "4", "49", "491", "4915", "49151", "491512", "33", "1", "4930123456"]),
        st.sampled_from([False, False, True]),
    ),
    max_size=4,
)


@pytest.mark.django_db
class TestAffectedUsage:
    @given(changed=changes, place=st.integers(0, 2), hours=st.integers(0, 6))
    def test_is_that_of_the_reference(
        self, world: World, changed: list[ChangedPrefix], place: int, hours: int
    ) -> None:
        table = [world.table, world.parent, world.cost][place]
        below = [table, world.table] if table == world.parent else [table]
        since = CALL_AT + hours * HOUR

        found = affected_by_rates(world.scope, table, changed, since=since)

        assert found == reference(world, below, changed, since)

    def test_is_there_to_be_found(self, world: World) -> None:
        found = affected_by_rates(world.scope, world.parent, [ChangedPrefix("4915")], since=CALL_AT)

        assert found == [AffectedUsage("EUR", 2, 2, Decimal("0.40"))]

    def test_is_not_what_a_longer_prefix_priced(self, world: World) -> None:
        found = affected_by_rates(world.scope, world.table, [ChangedPrefix("49")], since=CALL_AT)

        assert found == [AffectedUsage("EUR", 1, 1, Decimal("0.08"))]

    def test_is_nobody_elses(self, world: World) -> None:
        neighbour = Scope.system(make_provider().pk)
        prefixes = [
            ChangedPrefix(prefix, outranks)
            for prefix, outranks in product(("", "49"), (False, True))
        ]

        assert affected_by_rates(neighbour, world.table, prefixes, since=CALL_AT) == []


@pytest.mark.django_db
class TestChangedPrefixes:
    def test_are_those_of_the_rates(self, world: World) -> None:
        rates = [
            make_rate(world.cost, "1"),
            make_rate(world.cost, "1", tag="vip"),
            make_rate(world.cost, "2", policy="additive"),
        ]

        found = changed_prefixes(world.cost, [rate.pk for rate in rates])

        assert sorted(found, key=str) == [
            ChangedPrefix("1"),
            ChangedPrefix("1", outranks=True),
            ChangedPrefix("2", outranks=True),
        ]
