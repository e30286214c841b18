from datetime import timedelta

import pytest

from billing.models import BillRun
from common.scope import Scope
from payouts.models import CommissionPlan, PayoutStatement
from payouts.services.accrual import accrue
from payouts.services.approving import approve_statement, settle_statement
from payouts.services.preparing import prepare_statement
from reports.selectors.alerts import Alert, alert_counts
from resellers.models import Reseller
from tests.factories import make_customer, make_provider, make_reseller
from tests.factories.payouts import NOVEMBER, OCTOBER, day, issue, make_plan

pytestmark = pytest.mark.django_db


@pytest.fixture
def reseller() -> Reseller:
    """Has earned 100.00 in October."""
    reseller = make_reseller(make_provider())
    make_plan(reseller, base=CommissionPlan.Base.INVOICED_NET)
    issue(make_customer(reseller.provider, reseller), at=day(10, 5))
    accrue(provider_id=reseller.provider_id, at=day(10, 6))
    return reseller


def count(reseller: Reseller, alert: Alert) -> int:
    scope = Scope.system(reseller.provider_id)
    return alert_counts(scope, list(Alert), day(12, 2))[alert]


def approved(reseller: Reseller) -> PayoutStatement:
    statement = prepare_statement(
        reseller=reseller, period=OCTOBER, currency="EUR", at=day(11, 2), actor_id=None
    )
    return approve_statement(statement=statement, at=day(11, 3), actor_id=None)


class TestStatements:
    def test_wait_for_approval_then_for_payment(self, reseller: Reseller) -> None:
        statement = prepare_statement(
            reseller=reseller, period=OCTOBER, currency="EUR", at=day(11, 2), actor_id=None
        )
        drafted = count(reseller, Alert.STATEMENTS_DRAFTED)
        approve_statement(statement=statement, at=day(11, 3), actor_id=None)

        assert drafted == 1
        assert count(reseller, Alert.STATEMENTS_DRAFTED) == 0
        assert count(reseller, Alert.STATEMENTS_TO_SETTLE) == 1

    def test_wait_no_more_once_they_are_paid(self, reseller: Reseller) -> None:
        statement = approved(reseller)

        settle_statement(
            statement=statement,
            settled_date=day(11, 4).date(),
            mode=PayoutStatement.Mode.CASH,
            reference="Till 3",
            at=day(11, 4),
            actor_id=None,
        )

        assert count(reseller, Alert.STATEMENTS_TO_SETTLE) == 0

    def test_wait_once_when_a_later_one_carries_them_on(self, reseller: Reseller) -> None:
        approved(reseller)
        later = prepare_statement(
            reseller=reseller, period=NOVEMBER, currency="EUR", at=day(12, 1), actor_id=None
        )
        meanwhile = count(reseller, Alert.STATEMENTS_TO_SETTLE)

        approve_statement(statement=later, at=day(12, 2), actor_id=None)

        assert meanwhile == 1
        assert count(reseller, Alert.STATEMENTS_TO_SETTLE) == 1


class TestBillRuns:
    def test_that_missed_somebody_are_counted_until_they_are_issued(
        self, reseller: Reseller
    ) -> None:
        def make_run(state: str, error: str, months_back: int) -> None:
            begins = OCTOBER.from_date - timedelta(days=30 * months_back)
            BillRun.objects.create(
                provider=reseller.provider,
                period_from=begins,
                period_to=begins + timedelta(days=30),
                state=state,
                error=error,
                created_at=day(11, 1),
            )

        make_run("FAILED", "2 payers failed.", 0)
        make_run("REVIEW", "1 payer failed.", 1)
        make_run("REVIEW", "", 2)
        make_run("ISSUED", "", 3)

        assert count(reseller, Alert.RUNS_FAILED) == 2
        assert count(reseller, Alert.RUNS_TO_APPROVE) == 2
