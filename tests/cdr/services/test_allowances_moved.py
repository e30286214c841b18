"""Re-rating that moves xDRs to customers with allowances: the strict order of their months, too."""

from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cdr.models import CustomerIdentifier, LegKind, Suspense
from cdr.services import rerating_slices
from customers.models import Customer
from tests.cdr.worlds import World, make_world
from tests.factories import make_customer, make_identifier
from tests.factories.allowances import (
    OCTOBER,
    call,
    charged,
    counted,
    give_minutes,
    included,
)
from tests.factories.cdr import CALL_AT, import_lines
from tests.factories.rerating import apply, leg_sum, measure, owed, rerate

pytestmark = pytest.mark.django_db
LATER = CALL_AT + timedelta(days=90)


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def ben(world: World) -> Customer:
    """Another customer with allowances, account `ben`."""
    ben = make_customer(world.provider, world.sub)
    make_identifier(ben, "ben")
    give_minutes(ben, world.product, 90)
    return ben


def give_account(name: str, customer: Customer) -> None:
    CustomerIdentifier.objects.filter(value=name).update(customer=customer)


class TestXdrsThatGoToAnotherCustomer:
    def test_take_their_place_in_the_order_of_its_month(self, world: World, ben: Customer) -> None:
        import_lines(world.source, [call(0), call(10, account="ben"), call(20, account="ben")])
        assert included(ben) == [60, 30]
        give_account("carla", ben)

        rerating = rerate(world.provider)

        assert included(ben) == [60, 30, 0]
        assert counted(ben) == {OCTOBER: (90, 0, 90)}
        assert rerating.ordered_customer_ids == [ben.pk]
        assert leg_sum(LegKind.CUSTOMER) == owed(LegKind.CUSTOMER) == Decimal("0.075")

    def test_bring_in_the_months_of_who_was_not_chosen(self, world: World, ben: Customer) -> None:
        import_lines(world.source, [call(0), call(10, account="ben"), call(20, account="ben")])
        give_account("carla", ben)

        measured = measure(world.provider, customer=world.carla)
        changes = {
            (row.payer_id, row.leg_count, row.delta_amount)
            for row in measured.deltas.filter(kind=LegKind.CUSTOMER)
        }
        apply(measured)

        assert included(ben) == [60, 30, 0]
        # Carla's call goes; of Ben's one is added, and two change.
        assert changes == {
            (world.carla.pk, 1, Decimal("-0.05")),
            (ben.pk, 3, Decimal("0.05")),
        }
        assert not measure(world.provider).slices.filter(has_changes=True).exists()

    def test_come_from_nobody_too(self, world: World, ben: Customer) -> None:
        import_lines(world.source, [call(10, account="ben"), call(0, account="benn")])
        make_identifier(ben, "benn")

        rerate(world.provider, suspense_reason="unknown_customer")

        assert included(ben) == [60, 30]
        assert not Suspense.objects.filter(state="OPEN").exists()

    def test_give_back_what_they_used_of_the_other(self, world: World, ben: Customer) -> None:
        give_minutes(world.carla, world.product, 100)
        import_lines(world.source, [call(0), call(5), call(10, account="ben")])
        assert included(world.carla) == [60, 40]
        carlas = make_identifier(world.carla, "carla-2")
        import_lines(world.source, [call(2, account="carla-2"), call(20, account="ben")])
        CustomerIdentifier.objects.filter(pk=carlas.pk).update(customer=ben)
        give_account("carla", ben)
        import_lines(world.source, [call(30, account="ben")])
        give_account("ben", world.carla)

        rerate(world.provider)

        assert included(ben) == [60, 30, 0]
        assert included(world.carla) == [60, 40, 0]
        assert counted(ben) | counted(world.carla) == {OCTOBER: (100, 0, 100)}
        assert counted(ben) == {OCTOBER: (90, 0, 90)}

    def test_go_on_from_customer_to_customer(self, world: World, ben: Customer) -> None:
        """Ben's month is only looked at because of Carla's call, and so is found to go to Dora."""
        dora = make_customer(world.provider, world.sub)
        make_identifier(dora, "dora")
        give_minutes(dora, world.product, 90)
        calls = [call(5, account="dora"), call(20, account="ben-2"), call(2, account="ben")]
        bens = make_identifier(ben, "ben-2")
        import_lines(world.source, [call(0), *calls, call(30, account="dora")])
        give_account("carla", ben)
        CustomerIdentifier.objects.filter(pk=bens.pk).update(customer=dora)

        rerating = rerate(world.provider, customer=world.carla)

        assert rerating.ordered_customer_ids == [ben.pk, dora.pk]
        assert (included(ben), included(dora)) == ([60, 30], [60, 30, 0])


class Arrived(NamedTuple):
    """A call: its minute, seconds and file, whether it goes to London, and under which account."""

    minute: int
    seconds: int
    file: int
    to_london: bool
    account: str


ACCOUNTS = ("carla", "ben", "nobody")
arrivals = st.lists(
    st.builds(
        Arrived,
        st.integers(0, 100_000),
        st.integers(1, 300),
        st.integers(0, 2),
        st.booleans(),
        st.sampled_from(ACCOUNTS),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda each: each.minute,
)


class TestAnyArrival:
    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        calls=arrivals,
        volume=st.integers(1, 900),
        rolls_over=st.booleans(),
        owners=st.tuples(*[st.booleans()] * len(ACCOUNTS)),
        at_once=st.integers(1, 12),
    )
    def test_comes_to_what_an_import_in_order_comes_to(
        self,
        calls: list[Arrived],
        volume: int,
        rolls_over: bool,
        owners: tuple[bool, ...],
        at_once: int,
    ) -> None:
        """Accounts that are another's by then, or anybody's at all, included."""
        worlds = make_world(), make_world()
        both = [(world.carla, make_customer(world.provider, world.sub)) for world in worlds]
        (arrived, ordered), (before, after) = worlds, both
        for world, customers in zip(worlds, both, strict=True):
            make_identifier(customers[1], "ben")
            for customer in customers:
                give_minutes(customer, world.product, volume, rolls_over=rolls_over)
                give_minutes(customer, world.product, 50, destinations=["44"], priority=0)
        made = {
            each: call(
                each.minute,
                each.seconds,
                to="442079460000" if each.to_london else "493012345678",
                account=each.account,
            )
            for each in calls
        }

        for file in sorted({each.file for each in calls}):
            lines = [made[each] for each in calls if each.file == file]
            import_lines(arrived.source, lines, at=LATER)
        for world, customers in zip(worlds, both, strict=True):
            make_identifier(customers[0], "nobody")
            for name, of_ben in zip(ACCOUNTS, owners, strict=True):
                own = CustomerIdentifier.objects.filter(provider=world.provider, value=name)
                own.update(customer=customers[of_ben])
        import_lines(ordered.source, [made[each] for each in sorted(calls)], at=LATER)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(rerating_slices, "SLICE_XDRS", at_once)
            rerate(arrived.provider, started_to=LATER)

        assert [charged(each) for each in before] == [charged(each) for each in after]
        assert [counted_used(each) for each in before] == [counted_used(each) for each in after]


def counted_used(customer: Customer) -> dict[date, tuple[int, int, int]]:
    """Counters of which something was used, or is left to roll over; others may be there or not."""
    return {month: each for month, each in counted(customer).items() if each[2]}
