from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from audit.models import Entry
from customers.models import Customer
from subscriptions.models import Charge
from subscriptions.services.one_time import (
    CustomerNotCharged,
    OneTimeChargeRefused,
    add_one_time_charge,
)
from tests.factories import make_customer, make_provider, make_staff
from tests.refusals import refused

AT = datetime(2026, 10, 5, 9, tzinfo=UTC)
TODAY = date(2026, 10, 5)

pytestmark = pytest.mark.django_db


def add(customer: Customer, amount: str, description: str = "Site visit") -> Charge:
    return add_one_time_charge(
        customer=customer,
        description=description,
        net_amount=Decimal(amount),
        charge_date=TODAY,
        at=AT,
        actor_id=None,
    )


class TestAddOneTimeCharge:
    @pytest.mark.parametrize("amount", ["80.5", "-0.0001"])
    def test_charges_or_gives_back_an_amount(self, amount: str) -> None:
        customer = make_customer(make_provider(currency="USD"))

        charge = add(customer, amount)

        charge.refresh_from_db()
        assert (charge.customer, charge.kind) == (customer, Charge.Kind.ONE_TIME)
        assert (charge.net_amount, charge.unit_price) == (Decimal(amount), Decimal(amount))
        assert (charge.currency, charge.description) == ("USD", "Site visit")
        assert (charge.period_from, charge.period_to) == (TODAY, date(2026, 10, 6))
        assert (charge.subscription, charge.product) == (None, None)

    def test_may_be_repeated(self) -> None:
        customer = make_customer(make_provider())

        add(customer, "1")
        add(customer, "1")

        assert customer.charges.count() == 2

    def test_is_audited(self) -> None:
        provider = make_provider()
        admin, customer = make_staff(provider), make_customer(provider)

        charge = add_one_time_charge(
            customer=customer,
            description="Goodwill",
            net_amount=Decimal(-5),
            charge_date=TODAY,
            at=AT,
            actor_id=admin.pk,
        )

        entry = Entry.objects.get(action="charge.added")
        assert (entry.actor, entry.object_id) == (admin, str(charge.pk))
        assert entry.after == {
            "description": "Goodwill",
            "net_amount": "-5",
            "date": "2026-10-05",
        }

    @pytest.mark.parametrize("amount", ["0", "0.00001", "NaN", "Infinity", "1E16"])
    def test_refuses_what_is_no_amount(self, amount: str) -> None:
        customer = make_customer(make_provider())

        with refused(OneTimeChargeRefused):
            add(customer, amount)

    @pytest.mark.parametrize("description", ["", " ", "x" * 301])
    def test_refuses_to_go_without_a_description(self, description: str) -> None:
        customer = make_customer(make_provider())

        with refused(OneTimeChargeRefused):
            add(customer, "1", description)

    def test_refuses_a_terminated_customer(self) -> None:
        customer = make_customer(make_provider(), state=Customer.State.TERMINATED)

        with refused(CustomerNotCharged):
            add(customer, "1")
