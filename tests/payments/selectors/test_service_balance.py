from datetime import UTC, datetime
from decimal import Decimal

import pytest

from billing.services.bill_run_work import issue
from billing.services.bill_runs import approve_bill_run, start_issuing
from common.money import ZERO
from common.scope import Scope, Surface
from customers.models import Customer
from payments.selectors.service_balance import ServiceBalance, service_balance
from tests.factories import make_customer, make_provider, make_tax_profile
from tests.factories.billing import (
    IN_NOVEMBER,
    calculate_run,
    item_ids,
    make_charge,
    make_usage,
)
from tests.factories.payments import make_invoice
from tests.payments.books import pay_offline

pytestmark = pytest.mark.django_db

SEPTEMBER = datetime(2026, 9, 3, tzinfo=UTC)


class TestServiceBalance:
    def test_is_the_limit_less_what_was_incurred_plus_what_was_paid_ahead(self) -> None:
        customer = make_customer(make_provider(), credit_limit=Decimal("500.00"))
        make_invoice(customer, "119.00", issued_at=SEPTEMBER)
        pay_offline(customer, "30.00", distribution={})
        make_usage(customer, "12.34")
        make_charge(customer, "20.00")

        balance = service_balance(Scope.system(customer.provider_id), customer_id=customer.pk)

        assert balance == ServiceBalance(
            currency="EUR",
            credit_limit=Decimal("500.00"),
            receivable_amount=Decimal("119.00"),
            unbilled_amount=Decimal("32.34"),
            wallet_amount=Decimal("30.00"),
        )
        assert balance.amount == Decimal("378.66")

    def test_does_not_change_by_settling_an_invoice_from_the_wallet(self) -> None:
        customer = make_customer(make_provider())
        make_invoice(customer, "119.00", issued_at=SEPTEMBER)

        pay_offline(customer, "100.00")

        balance = service_balance(Scope.system(customer.provider_id), customer_id=customer.pk)
        assert (balance.receivable_amount, balance.wallet_amount) == (Decimal("19.00"), ZERO)
        assert balance.amount == Decimal("-19.00")

    def test_counts_an_estimate_as_unbilled_and_an_invoice_once(self) -> None:
        provider = make_provider()
        make_tax_profile(provider, "19")
        customer = make_customer(provider)
        make_usage(customer, "100.00")
        scope = Scope.system(provider.pk)
        run = calculate_run(provider)
        estimated = service_balance(scope, customer_id=customer.pk)

        approve_bill_run(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)
        start_issuing(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)
        issue(run_id=run.pk, item_ids=item_ids(run), at=IN_NOVEMBER)

        issued = service_balance(scope, customer_id=customer.pk)
        assert (estimated.receivable_amount, estimated.unbilled_amount) == (ZERO, Decimal("100"))
        assert (issued.receivable_amount, issued.unbilled_amount) == (Decimal("119"), ZERO)

    def test_is_the_same_for_the_customer_and_for_nobody_else(self) -> None:
        provider = make_provider()
        customer, other = make_customer(provider), make_customer(provider)
        make_invoice(customer, "119.00", issued_at=SEPTEMBER)
        make_usage(customer, "12.34")
        own = Scope(provider.pk, Surface.ACCOUNT_CENTRE, customer_id=customer.pk)
        foreign = Scope(provider.pk, Surface.ACCOUNT_CENTRE, customer_id=other.pk)

        assert service_balance(own, customer_id=customer.pk) == service_balance(
            Scope.system(provider.pk), customer_id=customer.pk
        )
        with pytest.raises(Customer.DoesNotExist):
            service_balance(foreign, customer_id=customer.pk)
        with pytest.raises(Customer.DoesNotExist):
            service_balance(Scope.system(make_provider().pk), customer_id=customer.pk)
