import pytest

from common.scope import Scope
from customers.models import Customer
from payouts import selectors, tasks
from payouts.models import Accrual, StatementDocument
from payouts.services.accrual import accrue
from payouts.services.approving import approve_statement
from payouts.services.preparing import prepare_statement
from tests.factories import make_customer, make_provider, make_reseller
from tests.factories.payouts import OCTOBER, day, issue, make_plan, pay

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer() -> Customer:
    """Has paid half of an invoice in October."""
    reseller = make_reseller(make_provider())
    make_plan(reseller)
    customer = make_customer(reseller.provider, reseller)
    issue(customer, at=day(10, 1))
    pay(customer, "590", at=day(10, 20))
    return customer


class TestAccrue:
    def test_accrues_each_event_once(self, customer: Customer) -> None:
        tasks.accrue(provider_id=customer.provider_id)
        tasks.accrue(provider_id=customer.provider_id)

        assert Accrual.objects.get().amount == 50


class TestRenderStatement:
    def test_keeps_the_pdf_once(self, customer: Customer) -> None:
        assert customer.reseller is not None
        accrue(provider_id=customer.provider_id, at=day(10, 21))
        draft = prepare_statement(
            reseller=customer.reseller, period=OCTOBER, currency="EUR", at=day(11, 1), actor_id=None
        )
        scope = Scope.system(customer.provider_id)
        assert not selectors.statements_to_render(scope).exists()
        statement = approve_statement(statement=draft, at=day(11, 1), actor_id=None)
        assert list(selectors.statements_to_render(scope)) == [statement]

        tasks.render_statement(statement_id=statement.pk)
        tasks.render_statement(statement_id=statement.pk)

        assert StatementDocument.objects.get().statement == statement
        assert not selectors.statements_to_render(scope).exists()
