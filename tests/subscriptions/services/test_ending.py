from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from audit.models import Entry
from catalogue.models import ProductKind
from common.periods import month
from subscriptions.models import Charge, Subscription
from subscriptions.services.charging import post_recurring_charges
from subscriptions.services.ending import (
    EndsBeforeStart,
    SubscriptionNotActive,
    end_due_subscriptions,
    end_subscription,
)
from subscriptions.services.purchase import subscribe
from subscriptions.tasks import end_due
from tests.factories.subscriptions import make_buyer, make_subscription
from tests.race import race
from tests.refusals import refused

FIRST = date(2026, 8, 1)
AT = datetime(2026, 8, 1, 9, tzinfo=UTC)
ON_THE_7TH = datetime(2026, 8, 7, 9, tzinfo=UTC)
State = Subscription.State

pytestmark = pytest.mark.django_db


def bought(start_date: date = FIRST, **terms: Any) -> Subscription:
    customer, item = make_buyer(**terms)
    return subscribe(customer=customer, item=item, start_date=start_date, at=AT, actor_id=None)


def end(subscription: Subscription, end_date: date, at: datetime = ON_THE_7TH) -> Subscription:
    return end_subscription(subscription=subscription, end_date=end_date, at=at, actor_id=None)


def amounts(subscription: Subscription) -> list[Decimal]:
    return list(subscription.charges.order_by("pk").values_list("net_amount", flat=True))


class TestEndSubscription:
    def test_gives_back_the_unused_days(self) -> None:
        subscription = bought(exit_proration=True)

        end(subscription, date(2026, 8, 7))

        charge, credit = subscription.charges.order_by("pk")
        assert (charge.net_amount, credit.net_amount) == (Decimal("21.6"), Decimal("-16.7226"))
        assert (credit.period_from, credit.period_to) == (date(2026, 8, 8), date(2026, 9, 1))
        assert (credit.kind, credit.credited_charge) == (Charge.Kind.RECURRING, charge)
        assert credit.description == f"{subscription.product}, unused 2026-08-08 to 2026-08-31"
        assert (credit.unit_price, credit.quantity) == (Decimal("21.6"), 1)
        assert (credit.customer, credit.posted_at) == (subscription.customer, ON_THE_7TH)

    def test_gives_back_another_price_exactly(self) -> None:
        subscription = bought(price=Decimal("10.368"), exit_proration=True)

        end(subscription, date(2026, 8, 7))

        assert amounts(subscription) == [Decimal("10.368"), Decimal("-8.0268")]

    def test_leaves_sixteen_days_from_the_8th_to_the_23rd(self) -> None:
        subscription = bought(
            date(2026, 8, 8), price=Decimal("10.368"), entry_proration=True, exit_proration=True
        )

        end(subscription, date(2026, 8, 23))

        assert amounts(subscription) == [Decimal("8.0268"), Decimal("-2.6756")]
        assert sum(amounts(subscription)) == Decimal("5.3512")

    def test_gives_nothing_back_without_exit_proration(self) -> None:
        subscription = bought()

        end(subscription, date(2026, 8, 7))

        assert amounts(subscription) == [Decimal("21.6")]

    @pytest.mark.parametrize("exit_proration", [True, False])
    def test_gives_back_the_whole_of_a_month_that_is_not_entered(
        self, exit_proration: bool
    ) -> None:
        subscription = bought(exit_proration=exit_proration)
        run_at = datetime(2026, 8, 20, 9, tzinfo=UTC)
        post_recurring_charges(
            customer_id=subscription.customer_id, period=month(2026, 8), at=run_at
        )

        end(subscription, date(2026, 8, 31), run_at)

        assert amounts(subscription) == [Decimal("21.6"), Decimal("21.6"), Decimal("-21.6")]
        credit = subscription.charges.get(net_amount__lt=0)
        assert (credit.period_from, credit.period_to) == (date(2026, 9, 1), date(2026, 10, 1))

    def test_gives_nothing_back_on_the_last_day(self) -> None:
        subscription = bought(exit_proration=True)

        end(subscription, date(2026, 8, 31))

        assert amounts(subscription) == [Decimal("21.6")]

    def test_leaves_arrears_to_the_bill_run(self) -> None:
        subscription = bought(in_advance=False, exit_proration=True)

        end(subscription, date(2026, 8, 7))
        assert amounts(subscription) == []

        post_recurring_charges(
            customer_id=subscription.customer_id, period=month(2026, 8), at=ON_THE_7TH
        )
        assert amounts(subscription) == [Decimal("4.8774")]

    def test_stops_the_charges_of_later_months(self) -> None:
        subscription = bought(exit_proration=True)
        end(subscription, date(2026, 8, 7))

        later = post_recurring_charges(
            customer_id=subscription.customer_id, period=month(2026, 10), at=ON_THE_7TH
        )

        assert later == []

    def test_ends_voice_without_a_charge(self) -> None:
        customer, item = make_buyer(ProductKind.VOICE)
        voice = make_subscription(customer, item, FIRST)

        ended = end(voice, date(2026, 8, 7))

        assert (ended.state, ended.end_date) == (State.ENDING, date(2026, 8, 7))
        assert not Charge.objects.exists()

    @pytest.mark.parametrize(
        ("end_date", "state"),
        [
            (date(2026, 8, 6), State.ENDED),
            (date(2026, 8, 7), State.ENDING),
            (date(2026, 9, 30), State.ENDING),
        ],
    )
    def test_is_over_after_its_last_day(self, end_date: date, state: State) -> None:
        ended = end(bought(), end_date)

        ended.refresh_from_db()
        assert (ended.state, ended.end_date) == (state, end_date)

    def test_is_audited(self) -> None:
        subscription = bought(exit_proration=True)

        end(subscription, date(2026, 8, 7))

        entry = Entry.objects.get(action="subscription.ended")
        assert entry.object_id == str(subscription.pk)
        assert entry.after == {
            "state": "ENDING",
            "end_date": "2026-08-07",
            "given_back": "-16.7226",
        }

    def test_refuses_to_end_before_the_first_day(self) -> None:
        subscription = bought()

        with refused(EndsBeforeStart):
            end(subscription, date(2026, 7, 31))

    @pytest.mark.parametrize("state", sorted(set(State) - {State.ACTIVE}))
    def test_refuses_what_is_not_active(self, state: State) -> None:
        customer, item = make_buyer()
        subscription = make_subscription(customer, item, FIRST, state=state)

        with refused(SubscriptionNotActive):
            end(subscription, date(2026, 8, 7))


class TestACredit:
    def test_is_given_once_and_negative_by_constraint(self) -> None:
        subscription = bought(exit_proration=True)
        end(subscription, date(2026, 8, 7))
        credit = subscription.charges.get(net_amount__lt=0)

        credit.pk = None
        with pytest.raises(IntegrityError, match="credited_charge_id_key"), transaction.atomic():
            credit.save(force_insert=True)
        credit.net_amount = Decimal(0)
        with pytest.raises(IntegrityError, match="credit_is_negative"), transaction.atomic():
            credit.save(force_insert=True)


class TestEndDueSubscriptions:
    def test_marks_those_whose_last_day_is_over_once(self) -> None:
        due, later = bought(), bought()
        end(due, date(2026, 8, 7))
        end(later, date(2026, 8, 8))
        # In Berlin it is the 8th already.
        at = datetime(2026, 8, 7, 22, 30, tzinfo=UTC)

        assert end_due_subscriptions(at=at) == 1
        assert end_due_subscriptions(at=at) == 0

        due.refresh_from_db()
        later.refresh_from_db()
        assert (due.state, later.state) == (State.ENDED, State.ENDING)
        entry = Entry.objects.get(action="subscription.over")
        assert (entry.object_id, entry.provider) == (str(due.pk), due.provider)

    def test_runs_as_a_task(self) -> None:
        customer, item = make_buyer()
        subscription = make_subscription(
            customer, item, date(2020, 1, 1), state=State.ENDING, end_date=date(2020, 1, 1)
        )

        assert end_due() == 1

        subscription.refresh_from_db()
        assert subscription.state == State.ENDED


@pytest.mark.django_db(transaction=True)
class TestTwoEndingsAtOnce:
    def test_give_back_once(self) -> None:
        subscription = bought(exit_proration=True)

        outcomes = race(*[lambda: end(subscription, date(2026, 8, 7))] * 2)

        assert sorted(type(outcome).__name__ for outcome in outcomes) == [
            "Subscription",
            "SubscriptionNotActive",
        ]
        assert sum(amounts(subscription)) == Decimal("4.8774")
