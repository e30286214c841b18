import re
from decimal import Decimal
from http import HTTPStatus

import pytest
from django.test import Client

from subscriptions.models import Charge
from tenancy.models import Provider
from tests.factories import make_customer, make_provider
from tests.factories.billing import issue_run, make_charge, make_usage
from tests.web.console.pages import as_role, confirm, page, query_count, refused

pytestmark = pytest.mark.django_db
ROOT = "/console/billing/unbilled/"
TYPED = {"description": "Relocation", "net_amount": "-12.3456", "charge_date": "2026-11-02"}


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora")


@pytest.fixture
def finance(provider: Provider) -> Client:
    return as_role(provider, "Finance")


class TestUnbilledCharges:
    def test_are_those_that_no_issued_invoice_asks_for(
        self, finance: Client, provider: Provider
    ) -> None:
        customer = make_customer(provider)
        make_charge(customer, "10", description="Billed already")
        issue_run(provider)
        make_charge(customer, "20", description="Waiting still")
        make_charge(make_customer(make_provider()), "30", description="Of others")

        text = page(finance, ROOT)

        assert "Waiting still" in text
        assert "Billed already" not in text
        assert "Of others" not in text

    def test_take_as_many_queries_for_many_as_for_one(
        self, finance: Client, provider: Provider
    ) -> None:
        make_charge(make_customer(provider), "10")
        for_one = query_count(finance, ROOT)
        for _ in range(4):
            make_charge(make_customer(provider), "10")

        assert query_count(finance, ROOT) == for_one

    def test_of_a_customer_hold_its_usage_too(self, finance: Client, provider: Provider) -> None:
        customer = make_customer(provider)
        make_charge(customer, "10", description="Installation")
        make_usage(customer, "2.50", destination="Atlantis")

        text = page(finance, f"/console/customers/{customer.pk}/unbilled/")

        assert "Installation" in text
        assert "Atlantis" in text
        assert '12.50 <span class="currency">EUR' in text


class TestAOneTimeCharge:
    def test_is_added_after_a_review(self, finance: Client, provider: Provider) -> None:
        customer = make_customer(provider)
        address = f"/console/customers/{customer.pk}/unbilled/charge/"

        asked = finance.post(address, TYPED).content.decode()
        before = Charge.objects.count()
        to = confirm(finance, address, **TYPED)

        assert f"Give back to {customer} once?" in asked
        assert before == 0
        assert Charge.objects.get().net_amount == Decimal("-12.3456")
        assert "Relocation" in page(finance, to)

    def test_is_added_once_by_a_double_click(self, finance: Client, provider: Provider) -> None:
        customer = make_customer(provider)
        address = f"/console/customers/{customer.pk}/unbilled/charge/"
        asked = finance.post(address, TYPED).content.decode()
        [once] = re.findall(r'name="_once" value="(.+?)"', asked)

        confirm(finance, address, **TYPED, _once=once)
        text = refused(finance, address, **TYPED, _once=once, _confirmed="1")

        assert "You have sent this already" in text
        assert Charge.objects.count() == 1

    @pytest.mark.parametrize("amount", ["0", "1.00001", "much"])
    def test_of_no_amount_is_refused(
        self, finance: Client, provider: Provider, amount: str
    ) -> None:
        customer = make_customer(provider)
        address = f"/console/customers/{customer.pk}/unbilled/charge/"

        text = refused(finance, address, **TYPED | {"net_amount": amount, "_confirmed": "1"})

        assert "Relocation" in text
        assert f'value="{amount}"' in text
        assert not Charge.objects.exists()

    def test_is_closed_to_readers_and_to_other_providers(self, provider: Provider) -> None:
        customer = make_customer(provider)
        address = f"/console/customers/{customer.pk}/unbilled/charge/"
        fields = TYPED | {"_confirmed": "1"}

        by_reader = as_role(provider, "Read-only").post(address, fields)
        by_other = as_role(make_provider(), "Finance").post(address, fields)

        assert by_reader.status_code == HTTPStatus.FORBIDDEN
        assert by_other.status_code == HTTPStatus.NOT_FOUND
        assert not Charge.objects.exists()
