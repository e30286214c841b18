import csv
import io
from decimal import Decimal
from http import HTTPStatus

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from audit.models import Entry
from common.clock import now
from customers.models import Customer
from ledger.models import AccountKind, TransferKind
from ledger.services import AccountRef, Posting, customer_receivable, post
from tenancy.models import Provider
from tests.factories import (
    make_catalogue,
    make_code,
    make_customer,
    make_provider,
    make_reseller,
    make_staff,
)

pytestmark = pytest.mark.django_db
NEW = {"first_name": "Nora", "last_name": "Nord", "email": "nora@nord.example", "currency": "EUR"}


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora")


@pytest.fixture
def staff(client: Client, provider: Provider) -> Client:
    client.force_login(make_staff(provider))
    return client


def page(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == HTTPStatus.OK
    return response.content.decode()


def as_role(provider: Provider, role: str) -> Client:
    client = Client()
    client.force_login(make_staff(provider, role))
    return client


class TestTheList:
    def test_shows_the_providers_customers_and_no_others(
        self, staff: Client, provider: Provider
    ) -> None:
        customer = make_customer(provider, make_reseller(provider, organisation="Rho"))
        make_customer(make_provider(), organisation="Somebody Else")

        text = page(staff, "/console/customers/")

        assert f'<a href="/console/customers/{customer.pk}/">{customer.name}</a>' in text
        assert "Rho" in text
        assert "Somebody Else" not in text

    def test_finds_by_name_and_state(self, staff: Client, provider: Provider) -> None:
        make_customer(provider, organisation="Nordwind")
        make_customer(provider, organisation="Nordlicht", state=Customer.State.DISABLED)
        make_customer(provider, organisation="Suedsee")

        by_name = page(staff, "/console/customers/?q=nord")
        by_both = page(staff, "/console/customers/?q=nord&state=DISABLED")

        assert "Nordwind" in by_name
        assert "Nordlicht" in by_name
        assert "Suedsee" not in by_name
        assert "Nordwind" not in by_both
        assert "Nordlicht" in by_both

    def test_says_so_when_a_filter_is_not_understood(
        self, staff: Client, provider: Provider
    ) -> None:
        make_customer(provider, organisation="Nordwind")

        text = page(staff, "/console/customers/?since=yesterday")

        assert "Enter a valid date." in text
        assert 'value="yesterday"' in text
        assert "Nordwind" not in text

    def test_offers_the_first_step_where_there_are_none(self, staff: Client) -> None:
        text = page(staff, "/console/customers/")

        assert "No customers yet" in text
        assert text.count('href="/console/customers/new/"') == 2

    def test_offers_no_step_to_who_may_not_take_it(self, provider: Provider) -> None:
        text = page(as_role(provider, "Read-only"), "/console/customers/")

        assert "/console/customers/new/" not in text

    def test_is_exported_as_it_is_filtered(self, staff: Client, provider: Provider) -> None:
        make_customer(provider, organisation="=cmd()", number=7)
        make_customer(provider, organisation="Suedsee", state=Customer.State.DISABLED)

        response = staff.get("/console/customers/?state=ACTIVE&format=csv")

        rows = list(csv.DictReader(io.StringIO(response.content.decode())))
        assert [(row["Number"], row["Name"], row["State"]) for row in rows] == [
            ("7", "'=cmd()", "Active")
        ]
        assert response.headers["Content-Disposition"] == 'attachment; filename="customers.csv"'

    def test_gives_htmx_the_list_alone(self, staff: Client, provider: Provider) -> None:
        make_customer(provider)

        response = staff.get(
            "/console/customers/", headers={"HX-Request": "true", "HX-Target": "list"}
        )

        assert response.content.decode().lstrip().startswith('<section id="list"')

    def test_costs_as_many_statements_for_fifty_rows_as_for_one(
        self,
        staff: Client,
        provider: Provider,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        reseller = make_reseller(provider)
        for _ in range(50):
            make_customer(provider, reseller)

        with django_assert_max_num_queries(45):
            page(staff, "/console/customers/")


class TestACustomer:
    def test_shows_who_it_is_and_whose(self, staff: Client, provider: Provider) -> None:
        reseller = make_reseller(provider, organisation="Rho")
        make_code(reseller, "RHO1")
        customer = make_customer(provider, reseller, credit_limit=Decimal("1500"))

        text = page(staff, f"/console/customers/{customer.pk}/")

        assert customer.name in text
        assert "Rho" in text
        assert "RHO1" in text
        assert '1,500.00 <span class="currency">EUR</span>' in text

    def test_shows_what_it_owes_and_how_that_came(self, staff: Client, provider: Provider) -> None:
        customer = make_customer(provider)
        post(
            provider_id=provider.pk,
            postings=[
                Posting(
                    debit=customer_receivable(customer.pk, "EUR"),
                    credit=AccountRef(AccountKind.REVENUE, "EUR"),
                    amount=Decimal("119.00"),
                    kind=TransferKind.INVOICE_NET,
                    document="invoice:1",
                    key="invoice:1:net",
                )
            ],
            effective_date=now().date(),
            at=now(),
            actor_id=None,
        )

        overview = page(staff, f"/console/customers/{customer.pk}/")
        ledger = page(staff, f"/console/customers/{customer.pk}/ledger/")

        assert "119.00" in overview
        assert "119.00" in ledger
        assert '<a href="/console/billing/invoices/1/">Invoice 1</a>' in ledger

    def test_shows_only_the_tabs_that_the_role_may_read(self, provider: Provider) -> None:
        customer = make_customer(provider)

        text = page(as_role(provider, "Service"), f"/console/customers/{customer.pk}/")

        assert f"/console/customers/{customer.pk}/invoices/" not in text
        assert f"/console/customers/{customer.pk}/edit/" not in text

    @pytest.mark.parametrize("tab", ["", "subscriptions/", "invoices/", "ledger/"])
    def test_of_another_provider_does_not_exist(self, staff: Client, tab: str) -> None:
        customer = make_customer(make_provider())

        response = staff.get(f"/console/customers/{customer.pk}/{tab}")

        assert response.status_code == HTTPStatus.NOT_FOUND

    @pytest.mark.parametrize("path", ["", "{}/", "{}/invoices/"])
    def test_is_not_changed_by_a_post_to_what_only_shows(
        self, staff: Client, provider: Provider, path: str
    ) -> None:
        customer = make_customer(provider)

        response = staff.post(f"/console/customers/{path.format(customer.pk)}")

        assert response.status_code == HTTPStatus.METHOD_NOT_ALLOWED


class TestAddingACustomer:
    PATH = "/console/customers/new/"

    def test_makes_a_draft_tagged_by_the_code(self, staff: Client, provider: Provider) -> None:
        code = make_code(make_reseller(provider), "RHO1")

        response = staff.post(self.PATH, {**NEW, "reseller_code": "rho1"})

        customer = Customer.objects.get()
        assert response.status_code == HTTPStatus.FOUND
        assert response.headers["Location"] == f"/console/customers/{customer.pk}/"
        assert (customer.email, customer.reseller_code) == ("nora@nord.example", code)
        assert customer.state == Customer.State.DRAFT
        assert Entry.objects.filter(action="customer.created").count() == 1

    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ({"email": "nora"}, "Enter a valid email address."),
            ({"last_name": ""}, "This field is required."),
            ({"currency": "EURO"}, "at most 3 characters"),
            ({"country": "D1"}, "two letters"),
            ({"reseller_code": "NOBODY"}, "NOBODY"),
        ],
    )
    def test_with_bad_input_keeps_what_was_typed_and_writes_nothing(
        self, staff: Client, wrong: dict[str, str], message: str
    ) -> None:
        response = staff.post(self.PATH, {**NEW, "first_name": "Ragnhild", **wrong})

        text = response.content.decode()
        [field] = wrong
        assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert message in text
        assert f'id="id_{field}_error"' in text
        assert 'value="Ragnhild"' in text
        assert not Customer.objects.exists()
        assert not Entry.objects.filter(action="customer.created").exists()

    def test_is_refused_to_a_role_without_the_permission(self, provider: Provider) -> None:
        response = as_role(provider, "Service").post(self.PATH, NEW)

        assert response.status_code == HTTPStatus.FORBIDDEN
        assert not Customer.objects.exists()


class TestEditingACustomer:
    def test_replaces_its_details(self, staff: Client, provider: Provider) -> None:
        customer = make_customer(provider)

        response = staff.post(
            f"/console/customers/{customer.pk}/edit/", {**NEW, "organisation": "Nord AG"}
        )

        customer.refresh_from_db()
        assert response.status_code == HTTPStatus.FOUND
        assert (customer.organisation, customer.first_name) == ("Nord AG", "Nora")

    def test_of_another_provider_does_not_exist(self, staff: Client) -> None:
        customer = make_customer(make_provider())

        response = staff.post(f"/console/customers/{customer.pk}/edit/", NEW)

        customer.refresh_from_db()
        assert response.status_code == HTTPStatus.NOT_FOUND
        assert customer.first_name == "Carl"


class TestChangingTheState:
    SENT = {"state": "DISABLED", "reason": "Unpaid since August"}

    def test_states_first_what_is_at_stake(self, staff: Client, provider: Provider) -> None:
        customer = make_customer(provider)

        response = staff.post(f"/console/customers/{customer.pk}/state/", self.SENT)

        text = response.content.decode()
        customer.refresh_from_db()
        assert response.status_code == HTTPStatus.OK
        assert "can only pay what it owes" in text
        assert "Owes on invoices" in text
        assert 'type="hidden" name="reason" value="Unpaid since August"' in text
        assert customer.state == Customer.State.ACTIVE

    def test_happens_when_that_is_confirmed(self, staff: Client, provider: Provider) -> None:
        customer = make_customer(provider)

        response = staff.post(
            f"/console/customers/{customer.pk}/state/", {**self.SENT, "_confirmed": "1"}
        )

        customer.refresh_from_db()
        assert response.status_code == HTTPStatus.FOUND
        assert customer.state == Customer.State.DISABLED
        assert Entry.objects.get(action="customer.state_changed").after == {
            "state": "DISABLED",
            "reason": "Unpaid since August",
        }

    def test_goes_back_to_the_form_with_all_that_was_typed(
        self, staff: Client, provider: Provider
    ) -> None:
        customer = make_customer(provider)

        response = staff.post(
            f"/console/customers/{customer.pk}/state/", {**self.SENT, "_back": "1"}
        )

        text = response.content.decode()
        assert 'value="Unpaid since August"' in text
        assert '<option value="DISABLED" selected>' in text

    def test_offers_only_states_that_may_follow(self, staff: Client, provider: Provider) -> None:
        customer = make_customer(provider, state=Customer.State.DRAFT)

        response = staff.post(
            f"/console/customers/{customer.pk}/state/", {**self.SENT, "_confirmed": "1"}
        )

        customer.refresh_from_db()
        assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert customer.state == Customer.State.DRAFT


class TestAssigningACatalogue:
    def test_gives_the_custom_one_and_takes_it_back(
        self, staff: Client, provider: Provider
    ) -> None:
        customer = make_customer(provider)
        version = make_catalogue(provider, [], name="Wholesale", is_default=False)
        catalogue = version.catalogue
        path = f"/console/customers/{customer.pk}/catalogue/"

        staff.post(path, {"catalogue": catalogue.pk})
        customer.refresh_from_db()
        assert customer.custom_catalogue == catalogue

        staff.post(path, {"catalogue": ""})
        customer.refresh_from_db()
        assert customer.custom_catalogue is None

    def test_refuses_one_of_another_provider(self, staff: Client, provider: Provider) -> None:
        customer = make_customer(provider)
        other = make_catalogue(make_provider(), [], name="Foreign", is_default=False)

        response = staff.post(
            f"/console/customers/{customer.pk}/catalogue/", {"catalogue": other.catalogue.pk}
        )

        customer.refresh_from_db()
        assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert customer.custom_catalogue is None
