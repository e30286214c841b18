"""Rating usage at tiers again: a month costs what its total costs, whatever moved."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.db.models import Case, When

from cdr.models import (
    CustomerIdentifier,
    Leg,
    ReplacedLeg,
    Rerating,
    Suspense,
    TierTotal,
    UsageCharge,
)
from cdr.services import rerating, rerating_slices
from cdr.services.rerating import TornMonths, apply_rerating, requeue_lost_reratings
from cdr.services.rerating_slices import work_on_slice
from cdr.services.retiring import retire_month
from cdr.services.splitting import PATIENCE
from customers.models import Customer
from subscriptions.models import Subscription
from tests.factories import (
    make_customer,
    make_identifier,
    make_rate_table,
    make_source,
    make_vendor,
)
from tests.factories.catalogue import make_allowance
from tests.factories.cdr import CALL_AT, import_lines
from tests.factories.rerating import (
    RERATED_AT,
    apply,
    measure,
    price,
    rerate,
    snapshot,
    work_off,
)
from tests.factories.subscriptions import make_subscription
from tests.factories.tiers import Metered, amounts, charged, make_ben, make_metered, totals, usage

pytestmark = pytest.mark.django_db
OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
LATER = timedelta(minutes=5)


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rerating_slices, "SLICE_XDRS", 2)


@pytest.fixture
def metered() -> Metered:
    return make_metered()


def moved_to(customer: Customer, metered: Metered) -> None:
    """Give Carla's account to somebody else."""
    metered.carla.identifiers.update(customer=customer)


def in_order() -> list[tuple[int | None, int, Decimal]]:
    """As `amounts`, by the start of the xDRs."""
    rows = Leg.objects.order_by("started_at", "xdr_id")
    return list(rows.values_list("total_before", "billed_volume", "amount"))


class TestTheOrderOfAMonth:
    def test_is_restored_over_all_sources(self, metered: Metered) -> None:
        other = make_source(metered.product, format=metered.source.format)
        import_lines(metered.source, [usage(90_000, at=CALL_AT + 2 * LATER)])
        import_lines(other, [usage(20_000, at=CALL_AT)])
        import_lines(metered.source, [usage(10_000, at=CALL_AT + LATER)])

        rerate(metered.provider)

        assert in_order() == [
            (0, 20_000, Decimal(2)),
            (20_000, 10_000, Decimal(1)),
            (30_000, 90_000, Decimal(8)),
        ]
        assert totals() == [(OCTOBER, 120_000)]
        assert charged() == (Decimal(11), Decimal(11))

    def test_is_restored_whatever_part_of_it_was_chosen(self, metered: Metered) -> None:
        import_lines(metered.source, [usage(90_000, at=CALL_AT + LATER)])
        import_lines(metered.source, [usage(20_000, at=CALL_AT)])

        measured = measure(metered.provider, started_from=CALL_AT + LATER)
        apply(measured)

        assert in_order() == [(0, 20_000, Decimal(2)), (20_000, 90_000, Decimal("8.5"))]
        assert measured.ordered_customer_ids == [metered.carla.pk]

    def test_stays_as_it_is_the_second_time(self, metered: Metered) -> None:
        import_lines(metered.source, [usage(60_000, at=CALL_AT + LATER), usage(50_000)])
        import_lines(metered.source, [usage(60_000)])
        rerate(metered.provider)
        before = snapshot(), totals()

        again = measure(metered.provider)

        assert not again.slices.filter(has_changes=True).exists()
        assert (snapshot(), totals()) == before

    def test_is_only_measured_by_a_dry_run(self, metered: Metered) -> None:
        import_lines(metered.source, [usage(90_000, at=CALL_AT + LATER)])
        import_lines(metered.source, [usage(20_000)])
        before = snapshot(), totals()

        measured = measure(metered.provider)

        part = measured.slices.get()
        assert (part.changed_leg_count, part.tiered_xdr_count) == (2, 0)
        assert measured.deltas.get().delta_amount == 0
        assert (snapshot(), totals()) == before

    def test_gives_allowances_to_what_comes_first(self, metered: Metered) -> None:
        make_allowance(metered.item, metered.product, volume=50_000)
        import_lines(metered.source, [usage(60_000, at=CALL_AT + LATER)])
        import_lines(metered.source, [usage(120_000)])

        rerate(metered.provider)

        legs = Leg.objects.order_by("started_at")
        assert list(legs.values_list("included_volume", "total_before", "amount")) == [
            (50_000, 0, Decimal(7)),
            (0, 70_000, Decimal("4.5")),
        ]
        assert totals() == [(OCTOBER, 130_000)]

    def test_gives_nothing_to_what_is_too_dear_to_be_true(self) -> None:
        metered = make_metered(tiers="0:9999999999")
        make_allowance(metered.item, metered.product, volume=300)
        import_lines(metered.source, [usage(2_000), usage(500, at=CALL_AT + LATER)])
        assert totals() == [(OCTOBER, 200)]

        again = measure(metered.provider)

        assert not again.slices.filter(has_changes=True).exists()


class TestUsageThatMoves:
    def test_off_tiers_leaves_the_total(self, metered: Metered) -> None:
        lines = [usage(60_000, at=CALL_AT + number * LATER) for number in range(3)]
        import_lines(metered.source, lines)
        end = CALL_AT.date() - timedelta(days=1)
        Subscription.objects.update(end_date=end)

        rerate(metered.provider)

        assert (amounts(), totals()) == ([], [(OCTOBER, 0)])
        assert charged() == (Decimal(0), Decimal(0))
        assert set(Suspense.objects.values_list("reason", "state")) == {
            ("unrated_customer", "OPEN")
        }

    def test_from_the_middle_of_a_month_makes_later_usage_dearer(self, metered: Metered) -> None:
        ben, his = make_ben(metered)
        make_identifier(metered.carla, "karla")
        import_lines(
            metered.source,
            [
                usage(60_000, account="karla"),
                usage(60_000, at=CALL_AT + LATER),
                usage(60_000, at=CALL_AT + 2 * LATER, account="karla"),
            ],
        )
        metered.carla.identifiers.filter(value="carla").update(customer=ben)

        rerate(metered.provider)

        legs = Leg.objects.order_by("started_at")
        assert list(legs.values_list("subscription_id", "total_before", "amount")) == [
            (metered.subscription.pk, 0, Decimal(6)),
            (his.pk, 0, Decimal(12)),
            (metered.subscription.pk, 60_000, Decimal(5)),
        ]
        assert dict(TierTotal.objects.values_list("subscription_id", "volume")) == {
            metered.subscription.pk: 120_000,
            his.pk: 60_000,
        }
        assert charged() == (Decimal(23), Decimal(23))

    def test_is_reversed_by_the_keys_it_was_charged_under(self, metered: Metered) -> None:
        ben, _ = make_ben(metered)
        import_lines(metered.source, [usage(60_000)])
        moved_to(ben, metered)

        rerate(metered.provider)

        rows = UsageCharge.objects.order_by("pk")
        assert [(row.payer_id, row.destination, row.volume, row.amount) for row in rows] == [
            (metered.carla.pk, "standard", 60_000, Decimal(6)),
            (metered.carla.pk, "standard", -60_000, Decimal(-6)),
            (ben.pk, "standard", 60_000, Decimal(12)),
        ]

    def test_is_kept_as_it_was(self, metered: Metered) -> None:
        ben, _ = make_ben(metered)
        import_lines(metered.source, [usage(60_000)])
        moved_to(ben, metered)

        rerate(metered.provider)

        former = ReplacedLeg.objects.get()
        assert (former.subscription, former.total_before) == (metered.subscription, 0)
        assert (former.rate_table_id, former.rate_id, former.amount) == (None, None, Decimal(6))

    def test_to_another_subscription_is_priced_by_its_tiers(self, metered: Metered) -> None:
        import_lines(metered.source, [usage(60_000)])
        Subscription.objects.update(end_date=OCTOBER)
        make_subscription(metered.carla, metered.item, OCTOBER + timedelta(days=1))

        rerate(metered.provider)

        assert amounts() == [(0, 60_000, Decimal(6))]
        assert totals() == [(OCTOBER, 0), (OCTOBER, 60_000)]

    def test_comes_onto_tiers_from_suspense(self, metered: Metered) -> None:
        Subscription.objects.update(start_date=CALL_AT.date() + timedelta(days=1))
        import_lines(metered.source, [usage(60_000)])
        Subscription.objects.update(start_date=OCTOBER)

        rerate(metered.provider)

        assert Suspense.objects.get().state == Suspense.State.RESOLVED
        assert (amounts(), totals()) == ([(0, 60_000, Decimal(6))], [(OCTOBER, 60_000)])

    def test_of_an_unknown_customer_takes_its_place_in_that_ones_month(
        self, metered: Metered
    ) -> None:
        import_lines(metered.source, [usage(90_000, at=CALL_AT + LATER)])
        import_lines(metered.source, [usage(20_000, at=CALL_AT + 2 * LATER)])
        import_lines(metered.source, [usage(10_000, at=CALL_AT)])
        import_lines(metered.source, [usage(50_000, account="karla")])
        make_identifier(metered.carla, "karla")

        applied = rerate(metered.provider)

        assert applied.state == Rerating.State.APPLIED
        assert in_order() == [
            (0, 10_000, Decimal(1)),
            (10_000, 50_000, Decimal(5)),
            (60_000, 90_000, Decimal("6.5")),
            (150_000, 20_000, Decimal(1)),
        ]
        assert totals() == [(OCTOBER, 170_000)]
        assert charged() == (Decimal("13.5"), Decimal("13.5"))

    @pytest.mark.parametrize("most", [1, 50_000])
    def test_between_customers_in_slices_of_their_own_is_applied_at_once(
        self, metered: Metered, most: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rerating, "SLICE_XDRS", most)
        ben, his = make_ben(metered)
        for at in (CALL_AT + LATER, CALL_AT):
            import_lines(metered.source, [usage(60_000, at=at)])
        import_lines(metered.source, [usage(70_000, account="ben")])
        CustomerIdentifier.objects.update(
            customer=Case(When(value="carla", then=ben.pk), default=metered.carla.pk)
        )

        applied = rerate(metered.provider)

        assert applied.state == Rerating.State.APPLIED
        assert dict(TierTotal.objects.values_list("subscription_id", "volume")) == {
            metered.subscription.pk: 70_000,
            his.pk: 120_000,
        }
        assert charged() == (Decimal(7 + 24), Decimal(7 + 24))
        assert not measure(metered.provider).slices.filter(has_changes=True).exists()

    def test_to_customers_without_tiers_is_applied_at_once(self, metered: Metered) -> None:
        """What Carla loses is found in a stretch of time, of which other xDRs change."""
        import_lines(metered.source, [usage(60_000), usage(1_000, account="dave")])
        dave = make_customer(metered.provider)
        moved_to(dave, metered)
        make_identifier(dave, "dave")

        applied = rerate(metered.provider)

        assert applied.state == Rerating.State.APPLIED
        assert totals() == [(OCTOBER, 0)]
        assert charged() == (Decimal(0), Decimal(0))
        assert not measure(metered.provider).slices.filter(has_changes=True).exists()

    def test_leaves_other_legs_of_the_same_xdrs_to_their_tables(self, metered: Metered) -> None:
        table = make_rate_table(metered.product, {"": "0.02"})
        metered.source.default_vendor = make_vendor(table)
        metered.source.save()
        import_lines(metered.source, [usage(60_000, destination_number="493012345678")])
        price(table, "0.01")

        rerate(metered.provider)

        assert amounts() == [(0, 60_000, Decimal(6)), (None, 60_000, Decimal("0.6"))]
        assert totals() == [(OCTOBER, 60_000)]


class TestAMonthThatIsNotAllThere:
    SEPTEMBER = datetime(2026, 9, 30, 22, 30, tzinfo=UTC)
    """In Berlin this is October already."""

    def test_is_made_right_where_what_is_left_came_first(
        self, metered: Metered, tmp_path: Path
    ) -> None:
        import_lines(metered.source, [usage(90_000, at=self.SEPTEMBER)])
        import_lines(metered.source, [usage(20_000)])
        retire_month(first_day=date(2026, 9, 1), folder=tmp_path, at=RERATED_AT)
        Subscription.objects.update(end_date=OCTOBER)

        rerate(metered.provider)

        assert totals() == [(OCTOBER, 90_000)]
        assert charged() == (Decimal(0), Decimal(9))

    def test_is_left_as_it_is_where_that_was_priced_in_between(
        self, metered: Metered, tmp_path: Path
    ) -> None:
        import_lines(metered.source, [usage(90_000)])
        import_lines(metered.source, [usage(20_000, at=self.SEPTEMBER)])
        retire_month(first_day=date(2026, 9, 1), folder=tmp_path, at=RERATED_AT)
        Subscription.objects.update(end_date=OCTOBER)
        measured = measure(metered.provider)
        before = snapshot(), totals()

        with pytest.raises(TornMonths, match="1 xDRs are priced by tiers in months of which"):
            apply_rerating(rerating_id=measured.pk, at=RERATED_AT, actor_id=None)

        assert (snapshot(), totals()) == before

    def test_is_not_applied_where_usage_came_since_the_dry_run(self, metered: Metered) -> None:
        import_lines(metered.source, [usage(90_000, at=CALL_AT + LATER)])
        import_lines(metered.source, [usage(20_000)])
        measured = measure(metered.provider)
        import_lines(metered.source, [usage(1)])
        before = in_order()

        applied = apply(measured)

        assert applied.state == Rerating.State.PARTLY_APPLIED
        assert (in_order(), totals()) == (before, [(OCTOBER, 110_001)])


class TestSlices:
    def test_of_whole_months_are_applied_after_stretches_of_time(self, metered: Metered) -> None:
        import_lines(metered.source, [usage(90_000, at=CALL_AT + LATER)])
        import_lines(metered.source, [usage(20_000), usage(50_000, account="dave")])
        make_identifier(make_customer(metered.provider), "dave")
        measured = measure(metered.provider)
        apply_rerating(rerating_id=measured.pk, at=RERATED_AT, actor_id=None)
        whole, stretch = measured.slices.order_by("number")

        lost_at = RERATED_AT + PATIENCE
        assert requeue_lost_reratings(at=lost_at) == 1
        assert not work_on_slice(slice_id=whole.pk, at=RERATED_AT)
        assert work_on_slice(slice_id=stretch.pk, at=RERATED_AT)
        assert requeue_lost_reratings(at=lost_at) == 1
        assert work_off(measured).state == Rerating.State.APPLIED
