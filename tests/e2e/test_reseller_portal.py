"""The reseller portal in a browser: how its pages look."""

from collections.abc import Callable

import pytest

from customers.models import Customer
from tests.e2e.visits import Visit
from tests.factories import (
    make_billing_mode,
    make_code,
    make_customer,
    make_product,
    make_provider,
    make_rate_table,
    make_reseller,
    make_reseller_user,
)
from tests.factories.billing import issue_run, make_usage

pytestmark = pytest.mark.django_db(transaction=True)


class TestTheResellerPortal:
    def test_looks_as_it_should(self, visit: Callable[..., Visit]) -> None:
        provider = make_provider("aurora", name="Aurora Telecom")
        reseller = make_reseller(provider, organisation="Meridian Partners")
        make_code(reseller, "MERIDIAN", campaign="Autumn fair")
        make_billing_mode(reseller, make_rate_table(make_product(provider)))
        for state in (Customer.State.ACTIVE, Customer.State.ACTIVE, Customer.State.TERMINATED):
            customer = make_customer(provider, reseller, state=state)
        make_usage(reseller, "1234.50", call_count=321)
        issue_run(provider)
        window = visit(make_reseller_user(reseller))

        window.look_at("/reseller/", "reseller-home")
        window.look_at("/reseller/customers/", "reseller-customers")
        window.look_at(f"/reseller/customers/{customer.pk}/", "reseller-customer")
        window.look_at("/reseller/codes/", "reseller-codes")
        window.look_at("/reseller/usage/?month=2026-10", "reseller-usage")
        window.look_at("/reseller/invoices/", "reseller-settlement-invoices")
