"""Unbilled charges: always visible, and what the invoice then asks for."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from billing.selectors.unbilled import unbilled_lines, unbilled_net
from common.scope import Scope, Surface
from customers.models import Customer
from tenancy.models import BillerEntity
from tests.factories import make_customer, make_provider
from tests.factories.billing import (
    calculate_run,
    invoice_of,
    issue_run,
    make_charge,
    make_chunk,
    make_usage,
)

OCTOBER_1 = date(2026, 10, 1)


def net(customer: Customer, currency: str = "EUR") -> Decimal:
    scope = Scope.system(customer.provider_id)
    return unbilled_net(scope, customer, currency, OCTOBER_1)


@pytest.mark.django_db
class TestUnbilledCharges:
    @pytest.fixture
    def customer(self) -> Customer:
        customer = make_customer(make_provider())
        make_charge(customer, "50.005", description="Installation")
        chunk = make_chunk(customer.provider)
        make_usage(customer, "0.0049", chunk=chunk, destination="Austria")
        make_usage(customer, "0.0049", chunk=chunk, destination="Austria")
        make_usage(customer, "1.005", chunk=chunk, destination="Belgium", day=date(2026, 9, 1))
        return customer

    def test_are_lines_as_the_invoice_will_have_them(self, customer: Customer) -> None:
        lines = unbilled_lines(Scope.system(customer.provider_id), customer, OCTOBER_1)

        assert [(line.description, line.net_amount, line.is_late) for line in lines] == [
            ("Installation", Decimal("50.01"), False),
            ("Austria", Decimal("0.01"), False),
            ("Belgium", Decimal("1.01"), True),
        ]

    def test_stay_unbilled_while_there_is_only_an_estimate(self, customer: Customer) -> None:
        calculate_run(customer.provider)

        assert net(customer) == Decimal("51.03")

    def test_equal_the_invoice_before_tax_and_then_are_gone(self, customer: Customer) -> None:
        before = net(customer)

        issue_run(customer.provider)

        assert invoice_of(customer).net_amount == before
        assert net(customer) == 0

    def test_are_apart_by_currency(self, customer: Customer) -> None:
        make_usage(customer, "7", currency="USD")

        assert (net(customer), net(customer, "USD")) == (Decimal("51.03"), Decimal(7))

    def test_of_another_customer_are_nobody_s_to_see(self, customer: Customer) -> None:
        other = make_customer(customer.provider)
        scope = Scope(
            provider_id=customer.provider_id, surface=Surface.ACCOUNT_CENTRE, customer_id=other.pk
        )

        assert unbilled_lines(scope, customer, OCTOBER_1) == []


class TestAnyUnbilledUsage(TestCase):
    @settings(max_examples=25)
    @given(
        st.lists(
            st.tuples(st.sampled_from("ABC"), st.decimals("0", "5", places=8)),
            min_size=1,
            max_size=12,
        ),
        st.sampled_from(["HALF_UP", "HALF_EVEN"]),
        st.sampled_from(["LINE", "INVOICE"]),
    )
    def test_equals_the_invoice_before_tax(
        self, usage: list[tuple[str, Decimal]], rounding: str, scope: str
    ) -> None:
        provider = make_provider()
        billers = BillerEntity.objects.filter(provider=provider)
        billers.update(rounding=rounding, rounding_scope=scope)
        customer = make_customer(provider)
        chunk = make_chunk(provider)
        for destination, amount in usage:
            make_usage(customer, str(amount), chunk=chunk, destination=destination)
        before = net(customer)

        issue_run(provider)

        invoices = customer.invoices.all()
        assert sum(invoice.net_amount for invoice in invoices) == before
