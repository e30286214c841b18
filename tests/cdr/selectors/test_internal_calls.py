"""What calls inside a branch would cost its reseller."""

from datetime import timedelta
from decimal import Decimal

import pytest

from catalogue.models import RateTable
from cdr.models import CustomerIdentifier
from cdr.selectors.internal_calls import InternalCalls, TableNotRated, internal_calls
from common.scope import Scope
from resellers.models import Reseller
from tests.cdr.worlds import World, make_world
from tests.factories import make_customer, make_identifier, make_rate_table, make_reseller
from tests.factories.cdr import CALL_AT, Call, import_lines

DAY = timedelta(days=1)
OWN, ROOTS, ABROAD = "493055550001", "493055550002", "33155550003"


@pytest.fixture
def world(db: None) -> World:
    """Sub's Carla called another customer of Sub, one of Root, and one of another branch."""
    world = make_world()
    elsewhere = make_reseller(world.provider)
    for number, reseller in ((OWN, world.sub), (ROOTS, world.root), (ABROAD, elsewhere)):
        customer = make_customer(world.provider, reseller)
        make_identifier(customer, number, CustomerIdentifier.Kind.NUMBER)
    calls = [Call(account="carla", to=number) for number in (OWN, ROOTS, ABROAD, "498912345")]
    import_lines(world.source, calls)
    return world


def asked(world: World, reseller: Reseller, table: RateTable, days: int = 1) -> InternalCalls:
    return internal_calls(
        Scope.system(world.provider.pk),
        reseller,
        table,
        started_from=CALL_AT + (days - 1) * DAY,
        started_to=CALL_AT + days * DAY,
    )


class TestInternalCalls:
    def test_are_those_with_both_ends_in_the_branch(self, world: World) -> None:
        of_sub = asked(world, world.sub, world.sub_table)
        of_root = asked(world, world.root, world.sub_table)

        assert of_sub == InternalCalls(1, 0, Decimal("0.06"), "EUR")
        assert of_root == InternalCalls(2, 0, Decimal("0.12"), "EUR")

    def test_are_those_of_the_time_asked_for(self, world: World) -> None:
        assert asked(world, world.sub, world.sub_table, days=2).call_count == 0

    def test_without_a_rate_are_counted_apart(self, world: World) -> None:
        table = make_rate_table(world.product, {"33": "0.03"})

        assert asked(world, world.sub, table) == InternalCalls(1, 1, Decimal(0), "EUR")

    def test_cannot_be_priced_at_a_table_that_is_not_rated(self, world: World) -> None:
        table = make_rate_table(world.product, {"49": {"rate": "0.03", "steps": "by and by"}})

        with pytest.raises(TableNotRated, match="steps 'by and by'"):
            asked(world, world.sub, table)
