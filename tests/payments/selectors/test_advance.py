from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from common.scope import Scope
from payments.rules.advance import Money
from payments.selectors.advance import customers_with_advance_due, unspent_money
from payments.services.advance import apply_advance_on_issue
from payments.services.reversal import reverse_payment
from tests.factories import make_customer, make_provider
from tests.factories.payments import make_invoice
from tests.payments.books import AT, pay_offline

pytestmark = pytest.mark.django_db

EARLIER = datetime(2026, 11, 1, tzinfo=UTC)
LATER = AT + timedelta(days=20)


class TestUnspentMoney:
    def test_is_what_payments_that_stand_have_not_settled(self) -> None:
        provider = make_provider()
        customer = make_customer(provider)
        make_invoice(customer, "30.00", issued_at=EARLIER)
        part_spent = pay_offline(customer, "50.00")
        reversed_one = pay_offline(customer, "7.00")
        reverse_payment(payment=reversed_one, reason="Bounced", at=AT, actor_id=None)
        whole = pay_offline(customer, "5.00")

        money = unspent_money(Scope.system(provider.pk), customer_id=customer.pk, currency="EUR")

        assert money == [
            Money(part_spent.pk, AT, Decimal("20.00")),
            Money(whole.pk, AT, Decimal("5.00")),
        ]


class TestCustomersWithAdvanceDue:
    def test_hold_money_older_than_one_of_their_open_invoices(self) -> None:
        provider = make_provider()
        due, paid_late, no_invoice, other_provider = (
            make_customer(provider),
            make_customer(provider),
            make_customer(provider),
            make_customer(make_provider()),
        )
        for customer in (due, no_invoice, other_provider):
            pay_offline(customer, "20.00")
        make_invoice(paid_late, "10.00", issued_at=EARLIER)
        pay_offline(paid_late, "20.00", distribution={})
        make_invoice(due, "10.00", issued_at=LATER)
        make_invoice(other_provider, "10.00", issued_at=LATER)

        assert list(customers_with_advance_due(Scope.system(provider.pk))) == [due]

    def test_are_not_found_again_when_it_was_applied(self) -> None:
        provider = make_provider()
        customer = make_customer(provider)
        pay_offline(customer, "20.00")
        make_invoice(customer, "15.00", issued_at=LATER)

        apply_advance_on_issue(customer=customer, at=LATER)

        assert not customers_with_advance_due(Scope.system(provider.pk)).exists()
