import pytest

from audit.models import Entry
from common.scope import Scope
from common.tries import MOST_TRIES
from customers.models import Customer
from payouts import selectors, tasks
from payouts.models import Accrual, StatementDocument
from payouts.services.accrual import accrue
from payouts.services.approving import approve_statement
from payouts.services.documents import start_statement_document_again
from payouts.services.preparing import prepare_statement
from tests.factories import make_customer, make_provider, make_reseller
from tests.factories.payouts import OCTOBER, day, issue, make_plan, pay
from tests.factories.tries import fail, refused

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

    def test_gives_up_after_five_tries_until_it_is_started_again(self, customer: Customer) -> None:
        assert customer.reseller is not None
        accrue(provider_id=customer.provider_id, at=day(10, 21))
        draft = prepare_statement(
            reseller=customer.reseller, period=OCTOBER, currency="EUR", at=day(11, 1), actor_id=None
        )
        statement = approve_statement(statement=draft, at=day(11, 1), actor_id=None)
        scope = Scope.system(customer.provider_id)

        with refused("UPDATE", "payouts_statementdocument", when="NEW.state = 'DONE'"):
            fail(StatementDocument, lambda: tasks.render_statement(statement_id=statement.pk))
        given_up = StatementDocument.objects.get()
        waiting = list(selectors.statements_to_render(scope))
        start_statement_document_again(statement=statement, at=day(11, 2), actor_id=None)

        assert (given_up.state, given_up.try_count, waiting) == ("FAILED", MOST_TRIES, [])
        assert list(selectors.statements_to_render(scope)) == [statement]
        tasks.render_statement(statement_id=statement.pk)
        assert StatementDocument.objects.get().state == "DONE"
        actions = Entry.objects.order_by("pk").values_list("action", flat=True)
        assert [action for action in actions if "document" in action] == [
            "payout_statement.document_given_up",
            "payout_statement.document_started_again",
        ]
