from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from audit.models import Entry
from payouts.models import CommissionPlan
from payouts.services.accrual import accrue
from payouts.services.plans import PercentOutOfRange, PlanPeriodClosed, set_commission_plan
from payouts.services.preparing import prepare_statement
from resellers.models import Reseller
from tests.factories import make_customer, make_provider, make_reseller, make_staff
from tests.factories.payouts import OCTOBER, day, issue, make_plan, pay

pytestmark = pytest.mark.django_db
COLLECTED = CommissionPlan.Base.COLLECTED_NET
INVOICED = CommissionPlan.Base.INVOICED_NET


@pytest.fixture
def reseller() -> Reseller:
    return make_reseller(make_provider())


def agree(
    reseller: Reseller,
    percent: str,
    valid_from: date,
    base: CommissionPlan.Base = COLLECTED,
    actor_id: int | None = None,
) -> CommissionPlan:
    return set_commission_plan(
        reseller=reseller,
        base=base,
        percent=Decimal(percent),
        valid_from=valid_from,
        at=day(10, 1),
        actor_id=actor_id,
    )


def plans(reseller: Reseller) -> list[tuple[str, date, date | None]]:
    rows = CommissionPlan.objects.filter(reseller=reseller).order_by("valid_from")
    return [(f"{row.percent:f}", row.valid_from, row.valid_to) for row in rows]


class TestSetCommissionPlan:
    def test_ends_the_plan_that_held(self, reseller: Reseller) -> None:
        agree(reseller, "10", date(2026, 1, 1))
        agree(reseller, "12.5", date(2026, 10, 1))

        assert plans(reseller) == [
            ("10.0000", date(2026, 1, 1), date(2026, 10, 1)),
            ("12.5000", date(2026, 10, 1), None),
        ]

    def test_holds_to_the_start_of_the_next_one(self, reseller: Reseller) -> None:
        agree(reseller, "10", date(2026, 1, 1))
        agree(reseller, "20", date(2026, 12, 1))
        agree(reseller, "15", date(2026, 10, 1))

        assert plans(reseller) == [
            ("10.0000", date(2026, 1, 1), date(2026, 10, 1)),
            ("15.0000", date(2026, 10, 1), date(2026, 12, 1)),
            ("20.0000", date(2026, 12, 1), None),
        ]

    def test_replaces_the_one_that_starts_on_the_same_day(self, reseller: Reseller) -> None:
        agree(reseller, "10", date(2026, 10, 1))
        agree(reseller, "11", date(2026, 10, 1), base=INVOICED)

        assert plans(reseller) == [("11.0000", date(2026, 10, 1), None)]
        assert CommissionPlan.objects.get().base == INVOICED

    def test_leaves_other_resellers_alone(self, reseller: Reseller) -> None:
        other = make_reseller(reseller.provider)
        agree(other, "10", date(2026, 1, 1))
        agree(reseller, "20", date(2026, 10, 1))

        assert plans(other) == [("10.0000", date(2026, 1, 1), None)]

    def test_is_recorded(self, reseller: Reseller) -> None:
        staff = make_staff(reseller.provider)
        plan = agree(reseller, "10", date(2026, 10, 1), actor_id=staff.pk)

        entry = Entry.objects.get(action="commission_plan.set")
        assert (entry.actor, entry.object_id) == (staff, str(plan.pk))
        assert entry.after is not None
        assert (entry.after["base"], entry.after["percent"]) == ("COLLECTED_NET", "10")

    @pytest.mark.parametrize("percent", ["-1", "100.0001", "NaN", "1.00001"])
    def test_refuses_what_is_no_percent(self, reseller: Reseller, percent: str) -> None:
        with pytest.raises(PercentOutOfRange):
            agree(reseller, percent, date(2026, 10, 1))

        assert plans(reseller) == []

    def test_refuses_to_change_what_has_accrued(self, reseller: Reseller) -> None:
        make_plan(reseller)
        customer = make_customer(reseller.provider, reseller)
        issue(customer, at=day(10, 1))
        pay(customer, "590", at=day(10, 20))
        accrue(provider_id=reseller.provider_id, at=day(10, 21))

        with pytest.raises(PlanPeriodClosed, match="start on 2026-10-21 or later"):
            agree(reseller, "20", date(2026, 10, 20))

        assert plans(reseller) == [("10.0000", date(2026, 1, 1), None)]
        agree(reseller, "20", date(2026, 10, 21))

    def test_refuses_to_change_a_period_that_is_stated(self, reseller: Reseller) -> None:
        make_plan(reseller)
        statement = prepare_statement(
            reseller=reseller, period=OCTOBER, currency="EUR", at=day(11, 1), actor_id=None
        )
        statement.mark_approved(number="PAY-1", at=day(11, 2), actor_id=None)
        statement.save()

        with pytest.raises(PlanPeriodClosed):
            agree(reseller, "20", date(2026, 10, 31))

        agree(reseller, "20", date(2026, 11, 1))


class TestCommissionPlan:
    def test_never_overlaps_another(self, reseller: Reseller) -> None:
        make_plan(reseller)

        with pytest.raises(IntegrityError, match="one_commission_plan_at_a_time"):
            make_plan(reseller, valid_from=date(2026, 6, 1))

    def test_is_fixed_once_it_earned_something(self, reseller: Reseller) -> None:
        plan = make_plan(reseller)
        customer = make_customer(reseller.provider, reseller)
        issue(customer, at=day(10, 1))
        pay(customer, "590", at=day(10, 20))
        accrue(provider_id=reseller.provider_id, at=day(10, 21))

        with pytest.raises(IntegrityError, match="fixed"), transaction.atomic():
            CommissionPlan.objects.update(percent=20)
        CommissionPlan.objects.update(valid_to=date(2026, 12, 1))

        plan.refresh_from_db()
        assert plan.percent == 10
