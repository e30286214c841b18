"""The tabs of a customer's page in the console."""

import csv
import io
from datetime import date
from decimal import Decimal
from http import HTTPStatus

import pytest
from django.test import Client

from audit.models import Entry
from billing.services.credit_notes import credit_amount
from common.clock import now
from customers.models import Customer
from customers.services.accounts import change_state
from tenancy.models import Provider
from tests.factories import (
    make_biller_entity,
    make_customer,
    make_product,
    make_provider,
    make_rate_table,
    make_staff,
)
from tests.factories.billing import invoice_of, issue_run, make_charge, make_usage
from tests.factories.payments import make_invoice
from tests.payments.books import pay_offline
from tests.web.account_centre.pages import IN_OCTOBER, words
from tests.web.console.pages import as_role, page, query_count, refused

pytestmark = pytest.mark.django_db
TERMS = {"credit_limit": "250.00", "tax_category": "EXEMPT", "is_billable": "on"}
TABS = ("usage", "credit-notes", "payments", "activity", "billing-terms")


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora")


@pytest.fixture
def customer(provider: Provider) -> Customer:
    return make_customer(provider, organisation="Nordwind")


@pytest.fixture
def staff(client: Client, provider: Provider) -> Client:
    client.force_login(make_staff(provider))
    return client


def path(customer: Customer, tail: str) -> str:
    return f"/console/customers/{customer.pk}/{tail}/"


class TestEveryTab:
    @pytest.mark.parametrize("tail", TABS)
    def test_of_another_providers_customer_is_not_found(self, staff: Client, tail: str) -> None:
        foreign = make_customer(make_provider())

        assert staff.get(path(foreign, tail)).status_code == HTTPStatus.NOT_FOUND

    @pytest.mark.parametrize("tail", TABS[:-1])
    def test_cannot_be_posted_to(self, staff: Client, customer: Customer, tail: str) -> None:
        response = staff.post(path(customer, tail))

        assert response.status_code == HTTPStatus.METHOD_NOT_ALLOWED

    def test_is_offered_to_who_may_read_it(self, provider: Provider, customer: Customer) -> None:
        text = page(as_role(provider, "Service"), f"/console/customers/{customer.pk}/")

        assert path(customer, "usage") in text
        assert path(customer, "activity") in text
        assert path(customer, "payments") not in text
        assert path(customer, "billing-terms") not in text


class TestUsage:
    def test_shows_days_and_destinations_of_its_month(
        self, staff: Client, customer: Customer
    ) -> None:
        make_usage(customer, "30.00", destination="Atlantis", call_count=7, day=date(2026, 10, 5))
        make_usage(customer, "12.00", destination="Utopia", call_count=2, day=date(2026, 10, 6))
        make_usage(customer, "99.00", destination="Erewhon", day=date(2026, 9, 30))
        other = make_customer(customer.provider)
        make_usage(other, "77.00", destination="Elsewhere", day=date(2026, 10, 5))

        text = words(page(staff, path(customer, "usage") + "?month=2026-10"))

        assert "Calls 9" in text
        assert "Usage before tax 42.00 EUR" in text
        assert "Atlantis 7 30.00 EUR" in text
        assert "Erewhon" not in text
        assert "Elsewhere" not in text

    def test_leads_to_the_xdrs_of_the_customer_and_month(
        self, staff: Client, customer: Customer
    ) -> None:
        text = page(staff, path(customer, "usage") + "?month=2026-10")

        found = "/console/usage/xdrs/?customer={}&amp;since=2026-10-01&amp;until=2026-10-31"
        assert found.format(customer.number) in text
        assert "No usage in this month" in text

    def test_can_be_saved(self, staff: Client, customer: Customer) -> None:
        make_usage(customer, "30.00", destination="Atlantis", call_count=7, day=date(2026, 10, 5))

        response = staff.get(path(customer, "usage") + "?month=2026-10&format=csv")

        rows = list(csv.DictReader(io.StringIO(response.content.decode())))
        assert rows == [
            {"Destination": "Atlantis", "Calls": "7", "Amount": "30.00000000", "Currency": "EUR"}
        ]


class TestPayments:
    def test_shows_what_was_paid_and_what_it_settles(
        self, staff: Client, customer: Customer
    ) -> None:
        make_invoice(customer, "50.00", issued_at=IN_OCTOBER)
        pay_offline(customer, "80.00")
        pay_offline(make_customer(customer.provider), "77.00")

        text = words(page(staff, path(customer, "payments")))

        assert "50.00 EUR 80.00 EUR" in text
        assert "Wallet 30.00 EUR" in text
        assert "77.00" not in text

    def test_leads_to_recording_one(self, staff: Client, customer: Customer) -> None:
        text = page(staff, path(customer, "payments"))

        assert "Nothing paid yet" in text
        assert path(customer, "payments/new") in text

    def test_costs_as_many_statements_for_ten_rows_as_for_one(
        self, staff: Client, customer: Customer
    ) -> None:
        pay_offline(customer, "1.00")
        few = query_count(staff, path(customer, "payments"))
        for _ in range(9):
            pay_offline(customer, "1.00")

        assert query_count(staff, path(customer, "payments")) == few


class TestCreditNotes:
    def test_shows_the_customers_own(self, staff: Client, customer: Customer) -> None:
        neighbour = make_customer(customer.provider)
        for payer in (customer, neighbour):
            make_charge(payer, "40.00")
        issue_run(customer.provider)
        notes = [
            credit_amount(
                invoice_id=invoice_of(payer).pk,
                gross_amount=Decimal(amount),
                reason="Goodwill",
                at=now(),
                actor_id=None,
            )
            for payer, amount in ((customer, "10.00"), (neighbour, "7.00"))
        ]

        text = words(page(staff, path(customer, "credit-notes")))

        assert f"{notes[0].number} {notes[0].invoice} Goodwill" in text
        assert notes[1].number not in text

    def test_says_where_they_come_from(self, staff: Client, customer: Customer) -> None:
        assert "No credit notes" in page(staff, path(customer, "credit-notes"))


class TestActivity:
    def test_shows_who_did_what(
        self, staff: Client, provider: Provider, customer: Customer
    ) -> None:
        boss = make_staff(provider, email="boss@aurora.example")
        change_state(
            customer=customer,
            state=Customer.State.RESTRICTED,
            reason="Owes much",
            at=now(),
            actor_id=boss.pk,
        )
        pay_offline(customer, "80.00")

        text = words(page(staff, path(customer, "activity")))

        assert "boss@aurora.example customer: state changed" in text
        assert "reason: Owes much" in text
        assert "payment: recorded" in text

    def test_hides_what_the_reader_may_not_see(
        self, provider: Provider, customer: Customer
    ) -> None:
        pay_offline(customer, "80.00")

        text = words(page(as_role(provider, "Service"), path(customer, "activity")))

        assert "payment: recorded" not in text

    def test_is_filtered(self, staff: Client, customer: Customer) -> None:
        pay_offline(customer, "80.00")

        text = words(page(staff, path(customer, "activity") + "?action=state"))

        assert "payment: recorded" not in text


class TestBillingTerms:
    def test_are_saved(self, staff: Client, provider: Provider, customer: Customer) -> None:
        seller = make_biller_entity(provider, name="Aurora Wien", is_default=False)
        table = make_rate_table(make_product(provider), currency=customer.currency)

        response = staff.post(
            path(customer, "billing-terms"),
            {**TERMS, "biller_entity": seller.pk, "rate_table": table.pk},
        )

        customer.refresh_from_db()
        assert response.status_code == HTTPStatus.FOUND
        assert customer.credit_limit == Decimal(250)
        assert customer.tax_category == Customer.TaxCategory.EXEMPT
        assert (customer.biller_entity, customer.rate_table) == (seller, table)
        assert Entry.objects.filter(action="customer.billing_terms_edited").exists()

    def test_can_be_sent_as_they_were_shown(self, staff: Client, customer: Customer) -> None:
        Customer.objects.update(credit_limit=Decimal("1500.5"))
        shown = staff.get(path(customer, "billing-terms")).context["form"].initial

        response = staff.post(
            path(customer, "billing-terms"),
            {**TERMS, "credit_limit": str(shown["credit_limit"]), "tax_category": "STANDARD"},
        )

        assert response.status_code == HTTPStatus.FOUND
        assert str(shown["credit_limit"]) == "1500.50"
        assert not Entry.objects.filter(action="customer.billing_terms_edited").exists()

    @pytest.mark.parametrize(
        ("field", "value", "message"),
        [
            ("credit_limit", "-1", "greater than or equal to 0"),
            ("credit_limit", "much", "Enter a number"),
            ("tax_category", "HIGH", "Select a valid choice"),
        ],
    )
    def test_refuses_what_is_wrong_at_its_field(
        self, staff: Client, customer: Customer, field: str, value: str, message: str
    ) -> None:
        text = refused(staff, path(customer, "billing-terms"), **(TERMS | {field: value}))

        customer.refresh_from_db()
        assert message in text
        assert value in text
        assert customer.credit_limit == 0

    @pytest.mark.parametrize("limit", ["-0.01", "9" * 17 + ".00", "much"])
    def test_refuses_a_limit_that_is_none(
        self, staff: Client, customer: Customer, limit: str
    ) -> None:
        response = staff.post(path(customer, "billing-terms"), TERMS | {"credit_limit": limit})

        assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert list(response.context["form"].errors) == ["credit_limit"]
        customer.refresh_from_db()
        assert customer.credit_limit == 0

    def test_refuses_a_table_in_another_currency(
        self, staff: Client, provider: Provider, customer: Customer
    ) -> None:
        table = make_rate_table(make_product(provider), currency="USD")

        refused(staff, path(customer, "billing-terms"), **TERMS, rate_table=table.pk)

        customer.refresh_from_db()
        assert customer.rate_table is None

    def test_of_a_terminated_customer_stay(self, staff: Client, provider: Provider) -> None:
        gone = make_customer(provider, state=Customer.State.TERMINATED)

        text = refused(staff, path(gone, "billing-terms"), **TERMS)

        assert "is terminated" in text

    def test_are_refused_to_who_may_only_read(self, provider: Provider, customer: Customer) -> None:
        response = as_role(provider, "Finance").get(path(customer, "billing-terms"))

        assert response.status_code == HTTPStatus.FORBIDDEN
