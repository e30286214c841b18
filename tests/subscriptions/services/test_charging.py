from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from catalogue.models import ProductKind
from common.periods import month
from customers.models import Customer
from subscriptions.models import Charge, Subscription
from subscriptions.services.charging import post_recurring_charges
from subscriptions.services.purchase import subscribe
from tests.factories import make_customer
from tests.factories.subscriptions import make_buyer, make_subscription
from tests.race import race

AT = datetime(2026, 11, 1, 2, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def post(customer: Customer, number: int = 10) -> list[int]:
    return post_recurring_charges(customer_id=customer.pk, period=month(2026, number), at=AT)


def posted(ids: list[int]) -> list[tuple[date, date, Decimal]]:
    rows = Charge.objects.filter(pk__in=ids).order_by("period_from", "pk")
    return list(rows.values_list("period_from", "period_to", "net_amount"))


class TestPostRecurringCharges:
    def test_charges_the_following_month_in_advance(self) -> None:
        customer, item = make_buyer()
        subscribe(
            customer=customer,
            item=item,
            start_date=date(2026, 10, 1),
            at=datetime(2026, 10, 1, 9, tzinfo=UTC),
            actor_id=None,
        )

        assert posted(post(customer)) == [(date(2026, 11, 1), date(2026, 12, 1), Decimal("21.6"))]

    def test_charges_the_month_itself_in_arrears(self) -> None:
        customer, item = make_buyer(in_advance=False)
        make_subscription(customer, item, date(2026, 10, 1), quantity=3)

        ids = post(customer)

        assert posted(ids) == [(date(2026, 10, 1), date(2026, 11, 1), Decimal("64.8"))]
        charge = Charge.objects.get(pk__in=ids)
        assert charge.description == f"{item.product}, 2026-10-01 to 2026-10-31"
        assert (charge.kind, charge.posted_at) == (Charge.Kind.RECURRING, AT)

    def test_posts_nothing_twice(self) -> None:
        customer, item = make_buyer()
        make_subscription(customer, item, date(2026, 10, 1))

        first = post(customer)

        assert len(first) == 2
        assert post(customer) == []
        assert Charge.objects.count() == 2

    def test_catches_up_once_what_a_missed_run_left_out(self) -> None:
        customer, item = make_buyer(in_advance=False)
        make_subscription(customer, item, date(2026, 7, 1))
        post(customer, 7)

        assert [period_from for period_from, _, _ in posted(post(customer))] == [
            date(2026, 8, 1),
            date(2026, 9, 1),
            date(2026, 10, 1),
        ]
        assert post(customer, 8) == []

    def test_charges_quarters_and_years_when_they_are_due(self) -> None:
        customer, quarterly = make_buyer(price_period="QUARTER", in_advance=False)
        make_subscription(customer, quarterly, date(2026, 7, 1))

        assert post(customer, 8) == []
        assert posted(post(customer, 9)) == [(date(2026, 7, 1), date(2026, 10, 1), Decimal("21.6"))]
        assert post(customer, 10) == []

    def test_charges_the_days_used_of_what_ends_within_the_month(self) -> None:
        customer, item = make_buyer(in_advance=False, entry_proration=True, exit_proration=True)
        make_subscription(
            customer,
            item,
            date(2026, 10, 8),
            end_date=date(2026, 10, 23),
            state=Subscription.State.ENDED,
        )

        # 16 of 31 days of 21.6.
        assert posted(post(customer)) == [
            (date(2026, 10, 8), date(2026, 10, 24), Decimal("11.1484"))
        ]
        assert post(customer, 11) == []

    def test_charges_only_the_days_known_to_be_used_in_advance(self) -> None:
        customer, item = make_buyer(exit_proration=True)
        make_subscription(
            customer,
            item,
            date(2026, 11, 1),
            end_date=date(2026, 11, 10),
            state=Subscription.State.ENDING,
        )

        assert posted(post(customer)) == [(date(2026, 11, 1), date(2026, 11, 11), Decimal("7.2"))]

    def test_charges_no_days_after_the_account_was_terminated(self) -> None:
        customer, item = make_buyer(in_advance=False, exit_proration=True)
        make_subscription(customer, item, date(2026, 9, 1))
        customer.state = Customer.State.TERMINATED
        # In Berlin it is the 15th already.
        customer.terminated_at = datetime(2026, 9, 14, 22, 30, tzinfo=UTC)
        customer.save()

        assert posted(post(customer)) == [(date(2026, 9, 1), date(2026, 9, 16), Decimal("10.8"))]

    def test_charges_nothing_of_requests_voice_and_one_time_products(self) -> None:
        customer, item = make_buyer()
        make_subscription(customer, item, date(2026, 10, 1), state=Subscription.State.REQUESTED)
        for kind in (ProductKind.VOICE, ProductKind.ONE_TIME):
            other, single = make_buyer(kind)
            make_subscription(other, single, date(2026, 10, 1))
            assert post(other) == []

        assert post(customer) == []

    def test_charges_one_customer_only(self) -> None:
        customer, item = make_buyer()
        neighbour = make_customer(customer.provider)
        for each in (customer, neighbour):
            make_subscription(each, item, date(2026, 11, 1))

        (charge_id,) = post(customer)

        assert Charge.objects.get().pk == charge_id
        assert Charge.objects.get().customer == customer


class TestACharge:
    def test_is_kept_by_the_database(self) -> None:
        customer, item = make_buyer()
        make_subscription(customer, item, date(2026, 11, 1))
        (charge_id,) = post(customer)
        charge = Charge.objects.get(pk=charge_id)

        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            Charge.objects.update(net_amount=0)
        charge.pk = None
        with pytest.raises(IntegrityError, match="charge_once_per_period"), transaction.atomic():
            charge.save(force_insert=True)

        assert Charge.objects.get().net_amount == Decimal("21.6")


@pytest.mark.django_db(transaction=True)
class TestTwoBillRunsAtOnce:
    def test_charge_once(self) -> None:
        customer, item = make_buyer()
        make_subscription(customer, item, date(2026, 11, 1))

        outcomes = race(*[lambda: post(customer)] * 3)

        assert sorted(map(len, outcomes)) == [0, 0, 1]  # type: ignore[arg-type]
        assert Charge.objects.count() == 1
