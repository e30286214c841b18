"""Usage of a metered product: priced by the tiers of a subscription, whatever comes first."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db.models import F

from cdr.models import (
    AllowanceCounter,
    Leg,
    Mending,
    PartyKind,
    Suspense,
    TierTotal,
    UsageCharge,
    Xdr,
)
from cdr.rules.mending import Change, ChangeKind, Choice
from cdr.selectors.explaining import explained_legs
from cdr.selectors.tier_totals import months_at_tiers
from cdr.services.mending_previews import preview_change
from cdr.services.quoting import CallToQuote, quote
from cdr.services.single_xdrs import receive_xdrs
from common.periods import Period
from common.scope import Scope
from subscriptions.models import Subscription
from tests.factories import (
    make_billing_mode,
    make_customer,
    make_identifier,
    make_rate_table,
    make_reseller,
    make_vendor,
)
from tests.factories.catalogue import make_allowance
from tests.factories.cdr import CALL_AT, IMPORT_AT, import_lines
from tests.factories.mending import mend, try_again
from tests.factories.rerating import rerate, snapshot
from tests.factories.subscriptions import make_subscription
from tests.factories.tiers import Metered, amounts, charged, make_metered, totals, usage

OCTOBER = date(2026, 10, 1)
LATER = timedelta(minutes=5)


@pytest.fixture
def metered(db: None) -> Metered:
    return make_metered()


class TestUsageOfASubscription:
    def test_costs_what_it_adds_to_the_month(self, metered: Metered) -> None:
        import_lines(metered.source, [usage(60_000), usage(60_000, at=CALL_AT + LATER)])

        assert amounts() == [
            (0, 60_000, Decimal(6)),
            (60_000, 60_000, Decimal(5)),
        ]
        assert totals() == [(OCTOBER, 120_000)]
        leg = Leg.objects.order_by("xdr_id")[0]
        assert (leg.subscription, leg.rate_table, leg.rate) == (metered.subscription, None, None)
        assert (leg.payer_kind, leg.payer_id) == (PartyKind.CUSTOMER, metered.carla.pk)
        assert (leg.payee_kind, leg.payee_id) == (PartyKind.PROVIDER, 0)
        assert leg.currency == "EUR"

    def test_is_charged_by_metered_code_and_day(self, metered: Metered) -> None:
        lines = [usage(60_000), usage(60_000), usage(1, destination_number="archive")]

        import_lines(metered.source, lines)

        rows = UsageCharge.objects.order_by("destination")
        assert [
            (row.product, row.destination, row.call_count, row.volume, row.amount) for row in rows
        ] == [
            (metered.product, "archive", 1, 1, Decimal("0.00005")),
            (metered.product, "standard", 2, 120_000, Decimal(11)),
        ]

    def test_goes_on_from_the_total_of_earlier_files(self, metered: Metered) -> None:
        import_lines(metered.source, [usage(90_000)])
        import_lines(metered.source, [usage(20_000)])

        assert amounts() == [(0, 90_000, Decimal(9)), (90_000, 20_000, Decimal("1.5"))]

    def test_sums_to_the_same_in_any_order(self, metered: Metered) -> None:
        volumes = [1, 99_999, 1, 333_333, 7, 100_000]
        for volume in volumes:
            import_lines(metered.source, [usage(volume)])
        one_by_one = charged()
        other = make_metered()
        import_lines(other.source, [usage(volume) for volume in reversed(volumes)])

        assert one_by_one == (Decimal("31.66705"), Decimal("31.66705"))
        assert charged() == (2 * one_by_one[0], 2 * one_by_one[1])

    def test_gives_back_when_all_units_become_cheaper(self, db: None) -> None:
        metered = make_metered("VOLUME")

        import_lines(metered.source, [usage(100_000), usage(1, at=CALL_AT + LATER)])

        assert [amount for *_, amount in amounts()] == [Decimal(10), Decimal("-4.99995")]

    def test_begins_anew_with_the_month_of_the_providers_zone(self, metered: Metered) -> None:
        november_in_berlin = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)
        at = november_in_berlin + timedelta(days=1)
        import_lines(metered.source, [usage(90_000)])

        import_lines(metered.source, [usage(20_000, at=november_in_berlin)], at=at)

        assert amounts()[1] == (0, 20_000, Decimal(2))
        assert totals() == [(OCTOBER, 90_000), (date(2026, 11, 1), 20_000)]

    def test_without_volume_is_unbilled_and_counts_for_nothing(self, metered: Metered) -> None:
        import_lines(metered.source, [usage(0)])

        assert Xdr.objects.get().result == Xdr.Result.ZERO
        assert (amounts(), totals()) == ([], [])

    def test_is_counted_once_if_it_comes_twice(self, metered: Metered) -> None:
        line = usage(60_000)
        import_lines(metered.source, [line])
        import_lines(metered.source, [line, usage(1)])

        assert totals() == [(OCTOBER, 60_001)]

    def test_is_charged_one_by_one_by_the_api_too(self, metered: Metered) -> None:
        for _ in range(2):
            receive_xdrs(source_id=metered.source.pk, lines=[usage(60_000)], at=IMPORT_AT)

        assert amounts() == [(0, 60_000, Decimal(6)), (60_000, 60_000, Decimal(5))]

    def test_leaves_other_customers_and_providers_alone(self, metered: Metered) -> None:
        other = make_metered(tiers="0:1")
        ben = make_customer(metered.provider)
        make_identifier(ben, "ben")
        make_subscription(ben, metered.item, OCTOBER)

        import_lines(metered.source, [usage(60_000), usage(60_000, account="ben")])
        import_lines(other.source, [usage(1_000)])

        assert [(before, amount) for before, _, amount in amounts()] == [
            (0, Decimal(6)),
            (0, Decimal(6)),
            (0, Decimal(1)),
        ]

    def test_waits_where_it_is_too_dear_to_be_true(self, db: None) -> None:
        metered = make_metered(tiers="0:9999999999")

        import_lines(metered.source, [usage(2_000), usage(500, at=CALL_AT + LATER)])

        assert Suspense.objects.get().reason == "overflow"
        assert totals() == [(OCTOBER, 500)]

    def test_uses_no_allowance_where_the_rest_is_too_dear_to_be_true(self, db: None) -> None:
        metered = make_metered("VOLUME", "0:9999999999;3:0")
        make_allowance(metered.item, metered.product, volume=1_500)

        import_lines(metered.source, [usage(4_000), usage(1_000, at=CALL_AT + LATER)])

        assert Suspense.objects.get().reason == "overflow"
        assert AllowanceCounter.objects.get().used_volume == 1_000
        assert amounts() == [(0, 0, Decimal(0))]
        assert totals() == [(OCTOBER, 0)]
        results = Xdr.objects.order_by("started_at").values_list("result", flat=True)
        assert list(results) == [Xdr.Result.SUSPENDED, Xdr.Result.RATED]


class TestAPreviewOfSuspense:
    def test_charges_what_goes_beyond_the_allowance(self, metered: Metered) -> None:
        make_allowance(metered.item, metered.product, volume=50_000)
        import_lines(metered.source, [usage(60_000, account="karla")])
        to_carla = Change(ChangeKind.SET, "account_code", "", "carla")

        preview = preview_change(Scope.system(metered.provider.pk), Choice(), to_carla, IMPORT_AT)
        mend(metered.provider, Mending.Kind.CORRECT, change=to_carla)

        told = [(amount, currency) for row in preview.rows for _, amount, currency in row.charges]
        assert told == [(Decimal(1), "EUR")]
        assert charged() == (Decimal(1), Decimal(1))


class TestWithAnAllowance:
    @pytest.fixture(autouse=True)
    def _included(self, metered: Metered) -> None:
        make_allowance(metered.item, metered.product, volume=50_000)

    def test_counts_only_what_goes_beyond_it(self, metered: Metered) -> None:
        import_lines(metered.source, [usage(40_000), usage(30_000, at=CALL_AT + LATER)])

        assert amounts() == [(0, 0, Decimal(0)), (0, 20_000, Decimal(2))]
        assert totals() == [(OCTOBER, 20_000)]
        charge = UsageCharge.objects.get()
        assert (charge.volume, charge.included_volume, charge.billed_volume) == (
            70_000,
            50_000,
            20_000,
        )
        assert charge.amount == 2

    def test_stays_as_it_is_when_it_is_rated_again(self, metered: Metered) -> None:
        import_lines(metered.source, [usage(40_000), usage(30_000, at=CALL_AT + LATER)])
        before = snapshot()

        rerate(metered.provider)

        assert snapshot() == before


class TestParties:
    def test_are_customer_and_provider_where_no_vendor_is_known(self, metered: Metered) -> None:
        import_lines(metered.source, [usage(1_000)])

        assert Leg.objects.count() == 1
        assert not Suspense.objects.exists()

    def test_are_vendor_and_resellers_too_where_there_are_some(self, metered: Metered) -> None:
        sub = make_reseller(metered.provider)
        make_billing_mode(sub, make_rate_table(metered.product, {"": "0.03"}))
        metered.source.default_vendor = make_vendor(make_rate_table(metered.product, {"": "0.02"}))
        metered.source.save()
        ben = make_customer(metered.provider, sub)
        make_identifier(ben, "ben")
        subscription = make_subscription(ben, metered.item, OCTOBER)

        import_lines(
            metered.source, [usage(1_000, account="ben", destination_number="493012345678")]
        )

        legs = Leg.objects.order_by("number")
        assert [(leg.kind, leg.amount, leg.subscription_id) for leg in legs] == [
            (1, Decimal("0.1"), subscription.pk),
            (2, Decimal("0.03"), None),
            (3, Decimal("0.02"), None),
        ]
        assert (legs[0].payee_kind, legs[0].payee_id) == (PartyKind.RESELLER, sub.pk)


class TestWithoutASubscriptionThatDay:
    @pytest.mark.parametrize(
        "changes",
        [
            {"state": "REQUESTED"},
            {"start_date": date(2026, 10, 6)},
            {"start_date": date(2026, 10, 1), "end_date": date(2026, 10, 4)},
        ],
    )
    def test_waits_and_counts_for_nothing(
        self, metered: Metered, changes: dict[str, object]
    ) -> None:
        Subscription.objects.update(**changes)

        import_lines(metered.source, [usage(60_000)])

        row = Suspense.objects.get()
        assert row.reason == "unrated_customer"
        assert row.detail == "the customer has no subscription to the metered product on that day"
        assert (amounts(), totals()) == ([], [])

    def test_is_priced_on_the_first_and_on_the_last_day(self, metered: Metered) -> None:
        Subscription.objects.update(start_date=date(2026, 10, 5), end_date=date(2026, 10, 5))

        import_lines(metered.source, [usage(60_000)])

        assert amounts() == [(0, 60_000, Decimal(6))]

    def test_is_freed_by_trying_it_again(self, metered: Metered) -> None:
        Subscription.objects.update(start_date=date(2026, 10, 6))
        import_lines(metered.source, [usage(60_000)])
        Subscription.objects.update(start_date=OCTOBER)
        import_lines(metered.source, [usage(60_000)])

        retried = try_again(metered.provider, at=IMPORT_AT)

        assert (retried.freed, retried.waiting) == (1, 0)
        assert sorted(amounts()) == [(0, 60_000, Decimal(6)), (60_000, 60_000, Decimal(5))]
        assert totals() == [(OCTOBER, 120_000)]
        assert charged() == (Decimal(11), Decimal(11))

    def test_a_leg_that_stands_is_not_counted_again_with_one_that_waited(
        self, metered: Metered
    ) -> None:
        table = make_rate_table(metered.product)
        metered.source.default_vendor = make_vendor(table)
        metered.source.save()
        import_lines(metered.source, [usage(60_000, destination_number="493012345678")])
        assert Suspense.objects.get().reason == "unrated_vendor"
        price_vendor = make_rate_table(metered.product, {"": "0.02"})
        metered.source.default_vendor.rate_table = price_vendor
        metered.source.default_vendor.save()

        try_again(metered.provider, at=IMPORT_AT)

        assert amounts() == [(0, 60_000, Decimal(6)), (None, 60_000, Decimal("1.2"))]
        assert totals() == [(OCTOBER, 60_000)]


class TestTierTotal:
    def test_is_never_other_than_the_sum_of_its_legs(self, metered: Metered) -> None:
        Subscription.objects.update(start_date=date(2026, 10, 5))
        early = CALL_AT - timedelta(days=1)
        import_lines(metered.source, [usage(10, at=early), usage(20), usage(0), usage(30)])
        Subscription.objects.update(start_date=OCTOBER)
        try_again(metered.provider, at=IMPORT_AT)

        of_legs = sum(leg.billed_volume for leg in Leg.objects.all())
        assert TierTotal.objects.get().volume == of_legs == 60
        assert not Leg.objects.exclude(subscription_id=F("subscription_id")).exists()


class TestQuote:
    def test_tells_what_it_would_add_to_the_month_and_counts_nothing(
        self, metered: Metered
    ) -> None:
        import_lines(metered.source, [usage(60_000)])

        call = CallToQuote(
            source_id=metered.source.pk,
            destination_number="standard",
            started_at=CALL_AT,
            volume=60_000,
            account_code="carla",
        )
        (leg,) = quote(Scope.system(metered.provider.pk), call).legs

        assert (leg.amount, leg.currency, leg.is_due, leg.trouble) == (
            Decimal(5),
            "EUR",
            True,
            None,
        )
        assert leg.arithmetic == [
            "Graduated tiers: 0.1 a GB; beyond 100 GB 0.05 a GB",
            "the month before it: 60 GB: 60 x 0.1 = 6",
            "the month with it: 120 GB: 100 x 0.1 + 20 x 0.05 = 11",
            "11 - 6 = 5",
        ]
        assert totals() == [(OCTOBER, 60_000)]


class TestExplanation:
    def test_comes_from_what_is_stored(self, metered: Metered) -> None:
        import_lines(metered.source, [usage(60_000), usage(60_000, at=CALL_AT + LATER)])
        scope = Scope.system(metered.provider.pk)

        second = explained_legs(scope, Xdr.objects.order_by("-id")[0])[0]

        assert second.arithmetic[-1] == "11 - 6 = 5"
        assert (second.cost_now, second.change, second.trouble) == (Decimal(5), "", "")
        assert second.tiered is not None
        assert second.tiered.reached_text == "beyond 100 GB: 0.05 a GB"


class TestMonthsAtTiers:
    def test_tell_the_total_and_the_tier(self, metered: Metered) -> None:
        import_lines(metered.source, [usage(60_000), usage(60_000)])
        period = Period(OCTOBER, date(2026, 11, 1))

        (month,) = months_at_tiers(Scope.system(metered.provider.pk), metered.carla, period)

        assert (month.product_name, month.volume, month.amount) == ("Storage", 120_000, Decimal(11))
        assert month.tier == "beyond 100 GB: 0.05 a GB"
