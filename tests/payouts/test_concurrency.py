"""Commission accrued, approved and settled at the same moment on connections of their own."""

from datetime import date
from functools import partial

import pytest

from customers.models import Customer
from ledger.models import Account, AccountKind, Transfer, TransferKind
from payouts.models import Accrual, PayoutStatement
from payouts.services.accrual import accrue
from payouts.services.approving import StatementSettled, approve_statement, settle_statement
from payouts.services.preparing import StatementFixed, prepare_statement
from resellers.models import Reseller
from tests.factories import make_customer, make_provider, make_reseller
from tests.factories.payouts import OCTOBER, day, issue, make_plan, pay
from tests.race import race

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def reseller() -> Reseller:
    """Earns 2.00 of each of twenty invoices that were paid in parts."""
    reseller = make_reseller(make_provider())
    make_plan(reseller)
    customer: Customer = make_customer(reseller.provider, reseller)
    for number in range(1, 21):
        issue(customer, "20", "3.80", at=day(10, number))
        pay(customer, "11.90", at=day(10, number, hour=14))
        pay(customer, "11.90", at=day(10, number, hour=16))
    return reseller


def draft(reseller: Reseller) -> PayoutStatement:
    accrue(provider_id=reseller.provider_id, at=day(11, 1))
    return prepare_statement(
        reseller=reseller, period=OCTOBER, currency="EUR", at=day(11, 1), actor_id=None
    )


class TestTwoSweeps:
    def test_accrue_each_event_once(self, reseller: Reseller) -> None:
        sweep = partial(accrue, provider_id=reseller.provider_id, at=day(11, 1))

        outcomes = race(sweep, sweep, sweep)

        assert sorted(outcomes, key=str) == [0, 0, 40]
        assert Accrual.objects.count() == 40
        payable = Account.objects.get(kind=AccountKind.RESELLER_PAYABLE)
        assert payable.balance == -40


class TestTwoApprovals:
    def test_number_a_statement_once(self, reseller: Reseller) -> None:
        statement = draft(reseller)
        approve = partial(approve_statement, statement=statement, at=day(11, 2), actor_id=None)

        outcomes = race(approve, approve)

        assert sum(isinstance(outcome, StatementFixed) for outcome in outcomes) == 1
        statement.refresh_from_db()
        assert statement.number == "PAY-2026-000001"


class TestTwoSettlements:
    def test_pay_a_statement_once(self, reseller: Reseller) -> None:
        statement = approve_statement(statement=draft(reseller), at=day(11, 2), actor_id=None)
        settle = partial(
            settle_statement,
            statement=statement,
            settled_date=date(2026, 11, 3),
            mode=PayoutStatement.Mode.BANK_TRANSFER,
            reference="SEPA",
            at=day(11, 3),
            actor_id=None,
        )

        outcomes = race(settle, settle)

        assert sum(isinstance(outcome, StatementSettled) for outcome in outcomes) == 1
        assert Transfer.objects.get(kind=TransferKind.PAYOUT).amount == 40
