"""Allowances while files are imported, xDRs come one by one, and suspense is released."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext

from catalogue.models import RateTable
from cdr.models import AllowanceCounter, AllowanceUse, CustomerIdentifier, Suspense, UsageCharge
from cdr.services.allowances import count_usage
from cdr.services.mediation import mediate_lines
from cdr.services.rating import identify_xdrs, rate_xdrs
from cdr.services.sources import source_terms
from subscriptions.models import Subscription
from tests.cdr.worlds import World, make_world
from tests.factories import (
    make_customer,
    make_identifier,
    make_rate,
    make_rate_table,
)
from tests.factories.allowances import (
    DEAR_IN_BETWEEN,
    OCTOBER,
    SINCE,
    charged,
    counted,
    give_minutes,
    make_plan,
)
from tests.factories.cdr import CALL_AT, IMPORT_AT, Call, import_lines
from tests.factories.mending import Result, try_again
from tests.factories.subscriptions import make_subscription

pytestmark = pytest.mark.django_db
NOVEMBER = date(2026, 11, 1)
NOVEMBER_AT = datetime(2026, 11, 3, 9, tzinfo=UTC)


@pytest.fixture
def world() -> World:
    return make_world()


def calls(*seconds: int, account: str = "carla", started_at: datetime = CALL_AT) -> list[Call]:
    """One a minute."""
    return [
        Call(account=account, seconds=each, started_at=started_at + timedelta(minutes=number))
        for number, each in enumerate(seconds)
    ]


def priced_by(world: World, **terms: object) -> RateTable:
    """A table of Carla's own, with one rate for all."""
    table = make_rate_table(world.product)
    make_rate(table, "", **terms)
    world.carla.rate_table = table
    world.carla.save()
    return table


class TestWorkedNumbers:
    def test_charges_what_60_seconds_leave_of_475_in_blocks_of_30(self, world: World) -> None:
        priced_by(world, rate=Decimal(1), minimum=30, increment=30)
        give_minutes(world.carla, world.product, 60)

        import_lines(world.source, calls(475))

        assert charged(world.carla) == [(60, 14 * 30, Decimal(7))]

    def test_charges_three_minutes_where_two_of_a_hundred_are_left(self, world: World) -> None:
        priced_by(world, rate=Decimal("0.10"), minimum=60, increment=60)
        give_minutes(world.carla, world.product, 6_000)

        import_lines(world.source, calls(98 * 60, 300))

        assert charged(world.carla) == [
            (98 * 60, 0, Decimal(0)),
            (120, 180, Decimal("0.30")),
        ]
        assert counted(world.carla) == {OCTOBER: (6_000, 0, 6_000)}


class TestImport:
    def test_uses_what_is_left_across_chunks_and_files(self, world: World) -> None:
        give_minutes(world.carla, world.product, 200)

        import_lines(world.source, calls(120))
        import_lines(world.source, calls(120, 60, started_at=CALL_AT + timedelta(hours=1)))

        assert charged(world.carla) == [
            (120, 0, Decimal(0)),
            (80, 40, Decimal("0.033333")),
            (0, 60, Decimal("0.05")),
        ]
        assert counted(world.carla) == {OCTOBER: (200, 0, 200)}

    def test_sums_what_is_included_in_usage_charges(self, world: World) -> None:
        give_minutes(world.carla, world.product, 200)

        import_lines(world.source, calls(120, 120))

        charge = UsageCharge.objects.get(payer_id=world.carla.pk, kind=1)
        assert (charge.call_count, charge.volume, charge.included_volume) == (2, 240, 200)
        assert (charge.billed_volume, charge.amount) == (40, Decimal("0.033333"))

    def test_charges_vendors_and_resellers_for_all(self, world: World) -> None:
        give_minutes(world.carla, world.product, 200)

        import_lines(world.source, calls(120))

        others = UsageCharge.objects.exclude(kind=1)
        assert [(row.volume, row.included_volume, row.amount) for row in others] == [
            (120, 0, Decimal("0.04"))
        ]

    def test_uses_nothing_for_attempts_grace_and_what_is_not_rated(self, world: World) -> None:
        table = priced_by(world, rate=Decimal(1), grace=10)
        make_rate(table, "44", rate=Decimal(1), status="BLOCKED")
        give_minutes(world.carla, world.product, 200)

        import_lines(world.source, [*calls(0, 10), Call(account="carla", to="442079")])

        assert charged(world.carla) == [(0, 0, Decimal(0))]
        assert not AllowanceUse.objects.exists()
        assert not AllowanceCounter.objects.filter(used_volume__gt=0).exists()

    def test_keeps_own_ones_to_the_identifiers_of_the_subscription(self, world: World) -> None:
        mobile = give_minutes(world.carla, world.product, 1_000, sharing="OWN")
        make_identifier(world.carla, "carla-mobile")
        CustomerIdentifier.objects.filter(value="carla-mobile").update(subscription=mobile)

        import_lines(world.source, [*calls(60), *calls(90, account="carla-mobile")])

        included = [row[0] for row in charged(world.carla)]
        assert sorted(included) == [0, 90]

    def test_pools_what_the_subscriptions_of_a_customer_include(self, world: World) -> None:
        plan = make_plan(world.product, {"volume": 60, "sharing": "POOLED"})
        make_subscription(world.carla, plan, SINCE)
        make_subscription(world.carla, plan, SINCE, quantity=2)
        stranger = make_customer(world.provider, world.sub)
        make_identifier(stranger, "stranger")
        make_subscription(stranger, plan, SINCE)

        import_lines(world.source, [*calls(100, 100), *calls(100, account="stranger")])

        assert [row[0] for row in charged(world.carla)] == [100, 80]
        assert [row[0] for row in charged(stranger)] == [60]
        assert AllowanceCounter.objects.get(customer=world.carla).subscription is None

    def test_goes_by_priority_then_age_and_tells_of_which(self, world: World) -> None:
        give_minutes(world.carla, world.product, 100, priority=2, name="Later")
        give_minutes(world.carla, world.product, 50, priority=1, name="Sooner")

        import_lines(world.source, calls(120))

        uses = AllowanceUse.objects.order_by("counter__name")
        assert list(uses.values_list("counter__name", "volume")) == [("Later", 70), ("Sooner", 50)]

    def test_gives_a_part_of_the_month_up_to_the_next_unit(self, world: World) -> None:
        plan = make_plan(world.product, {"volume": 100}, entry_proration=True, exit_proration=True)
        make_subscription(
            world.carla, plan, start_date=date(2026, 10, 2), end_date=date(2026, 10, 11)
        )

        import_lines(world.source, calls(600))

        # 10 of 31 days: 32.26 seconds.
        assert counted(world.carla) == {OCTOBER: (33, 0, 33)}

    def test_gives_nothing_before_approval_and_after_the_end(self, world: World) -> None:
        plan = make_plan(world.product, {"volume": 100})
        make_subscription(world.carla, plan, SINCE, state=Subscription.State.REQUESTED)
        make_subscription(world.carla, plan, SINCE, end_date=date(2026, 10, 4), state="ENDED")

        import_lines(world.source, calls(60))

        assert charged(world.carla) == [(0, 60, Decimal("0.05"))]

    def test_counts_months_of_the_providers_zone(self, world: World) -> None:
        give_minutes(world.carla, world.product, 100)
        midnight_in_berlin = datetime(2026, 10, 31, 23, tzinfo=UTC)

        import_lines(
            world.source,
            [
                *calls(80, started_at=midnight_in_berlin - timedelta(seconds=1)),
                *calls(80, started_at=midnight_in_berlin),
            ],
            at=NOVEMBER_AT,
        )

        assert counted(world.carla) == {OCTOBER: (100, 0, 80), NOVEMBER: (100, 0, 80)}

    def test_charges_what_is_left_though_a_later_rate_has_it_within_its_grace(
        self, world: World
    ) -> None:
        table = priced_by(world, rate=Decimal("0.60"))
        table.boundary = "split"
        table.save()
        make_rate(
            table,
            "",
            rate=Decimal("0.30"),
            grace=200,
            effective_from=CALL_AT + timedelta(minutes=1),
        )
        give_minutes(world.carla, world.product, 60)

        import_lines(world.source, calls(120))

        assert charged(world.carla) == [(60, 60, Decimal("0.30"))]

    def test_gives_what_cannot_be_charged_for_the_rest_to_the_next(self, world: World) -> None:
        priced_by(world, steps=DEAR_IN_BETWEEN)
        give_minutes(world.carla, world.product, 60)

        import_lines(world.source, calls(180, 30))

        assert charged(world.carla) == [(30, 0, Decimal(0))]
        assert counted(world.carla) == {OCTOBER: (60, 0, 30)}
        assert AllowanceUse.objects.aggregate(sum=Sum("volume")) == {"sum": 30}
        assert Suspense.objects.get().reason == "overflow"

    def test_takes_nothing_of_a_repeated_file(self, world: World) -> None:
        give_minutes(world.carla, world.product, 100)
        once = calls(60)

        import_lines(world.source, once)
        import_lines(world.source, [*once, ""])

        assert counted(world.carla) == {OCTOBER: (100, 0, 60)}

    def test_asks_nothing_where_nobody_has_any(self, world: World) -> None:
        source = source_terms(world.source.pk)
        line = Call(account="carla").line.encode()
        mediated = mediate_lines(line, first_line=1, source=source, at=IMPORT_AT)
        rated = rate_xdrs(identify_xdrs(mediated.xdrs, source), source)

        with CaptureQueriesContext(connection) as asked:
            assert count_usage(rated, source) is rated

        assert len(asked) == 0


class TestRollOver:
    def test_adds_what_october_left_to_november(self, world: World) -> None:
        give_minutes(world.carla, world.product, 100, rolls_over=True)
        Subscription.objects.update(start_date=date(2026, 10, 1))

        import_lines(world.source, calls(30))
        import_lines(world.source, calls(200, started_at=NOVEMBER_AT), at=NOVEMBER_AT)

        assert counted(world.carla) == {OCTOBER: (100, 0, 30), NOVEMBER: (100, 70, 170)}
        assert [row[0] for row in charged(world.carla)] == [30, 170]

    def test_takes_from_november_what_comes_late_and_is_not_used_there(self, world: World) -> None:
        give_minutes(world.carla, world.product, 100, rolls_over=True)
        Subscription.objects.update(start_date=date(2026, 10, 1))
        import_lines(world.source, calls(50, started_at=NOVEMBER_AT), at=NOVEMBER_AT)
        assert counted(world.carla) == {OCTOBER: (100, 0, 0), NOVEMBER: (100, 100, 50)}

        import_lines(world.source, calls(80), at=NOVEMBER_AT)

        assert counted(world.carla) == {OCTOBER: (100, 0, 50), NOVEMBER: (100, 50, 50)}
        assert [row[0] for row in charged(world.carla)] == [50, 50]


class TestSuspense:
    def test_that_is_released_uses_what_is_left(self, world: World) -> None:
        give_minutes(world.carla, world.product, 100)
        import_lines(world.source, [*calls(60), *calls(60, account="carlo")])
        make_identifier(world.carla, "carlo")

        try_again(world.provider, at=IMPORT_AT)

        assert [row[0] for row in charged(world.carla)] == [60, 40]
        assert counted(world.carla) == {OCTOBER: (100, 0, 100)}

    def test_of_another_leg_uses_nothing_again(self, world: World) -> None:
        give_minutes(world.carla, world.product, 100)
        world.vendor.rate_table.rates.all().delete()
        import_lines(world.source, calls(60))
        make_rate(world.vendor.rate_table, "", rate=Decimal("0.02"))

        retried = try_again(world.provider, at=IMPORT_AT)

        assert retried == Result(1, 0)
        assert counted(world.carla) == {OCTOBER: (100, 0, 60)}
        assert AllowanceUse.objects.aggregate(sum=Sum("volume")) == {"sum": 60}
