from datetime import date
from http import HTTPStatus

import pytest
from django.test import Client

from cdr.models import CustomerIdentifier
from customers.models import Customer
from subscriptions.models import Subscription
from tests.factories import (
    make_customer,
    make_identifier,
    make_product,
    make_provider,
    make_staff,
)
from tests.factories.catalogue import make_allowance
from tests.factories.subscriptions import make_offer, make_subscription
from tests.web.console.pages import as_role, confirm, page, query_count, refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer() -> Customer:
    return make_customer(make_provider(), organisation="Nordwind")


@pytest.fixture
def staff(client: Client, customer: Customer) -> Client:
    client.force_login(make_staff(customer.provider))
    return client


def tab(customer: Customer) -> str:
    return f"/console/customers/{customer.pk}/identifiers/"


def given() -> list[tuple[Customer, str, str]]:
    rows = CustomerIdentifier.objects.order_by("pk")
    return [(row.customer, row.kind, row.value) for row in rows]


class TestTheTab:
    def test_shows_those_of_the_customer_only(self, staff: Client, customer: Customer) -> None:
        make_identifier(customer, "nordwind")
        make_identifier(make_customer(customer.provider), "hafen")

        text = page(staff, tab(customer))

        assert "nordwind" in text
        assert "hafen" not in text

    def test_says_what_a_missing_one_means(self, staff: Client, customer: Customer) -> None:
        assert "waits in suspense" in page(staff, tab(customer))

    def test_offers_no_change_to_who_only_reads(self, customer: Customer) -> None:
        make_identifier(customer, "nordwind")

        text = page(as_role(customer.provider, "Read-only"), tab(customer))

        assert "nordwind" in text
        assert "Take away" not in text
        assert "Add an account code" not in text

    def test_asks_the_database_as_often_for_many_as_for_one(
        self, staff: Client, customer: Customer
    ) -> None:
        make_identifier(customer, "nordwind")
        few = query_count(staff, tab(customer))
        for number in range(20):
            make_identifier(customer, f"nordwind-{number}")

        assert query_count(staff, tab(customer)) == few


class TestGiving:
    @pytest.mark.parametrize(
        ("kind", "value", "kept"),
        [
            ("ACCOUNT_CODE", " nordwind ", "nordwind"),
            ("NUMBER", "+49 (30) 123-4567", "49301234567"),
            ("IP", "2001:DB8::7", "2001:db8::7"),
            ("IP", " 192.0.2.0/24", "192.0.2.0/24"),
            ("IP", "192.0.2.7/32", "192.0.2.7"),
        ],
    )
    def test_makes_usage_under_it_the_customers(
        self, staff: Client, customer: Customer, kind: str, value: str, kept: str
    ) -> None:
        response = staff.post(f"{tab(customer)}new/", {"kind": kind, "value": value})

        assert response.headers["Location"] == tab(customer)
        assert given() == [(customer, kind, kept)]

    @pytest.mark.parametrize("value", ["", "030 123456", "+49 30", "nordwind", "+49" + "1" * 15])
    def test_takes_no_number_that_is_none(
        self, staff: Client, customer: Customer, value: str
    ) -> None:
        text = refused(staff, f"{tab(customer)}new/", kind="NUMBER", value=value)

        assert 'id="id_value_error"' in text
        assert value in text
        assert given() == []

    @pytest.mark.parametrize(
        ("value", "why"),
        [
            ("192.0.2.7/24", "192.0.2.7 is within the network 192.0.2.0/24; write that"),
            ("192.0.2.0/33", "does not appear to be an IPv4 or IPv6 network"),
            ("gate-1", "Write an address, such as 192.0.2.7, or a network"),
        ],
    )
    def test_says_what_is_wrong_with_a_network(
        self, staff: Client, customer: Customer, value: str, why: str
    ) -> None:
        text = refused(staff, f"{tab(customer)}new/", kind="IP", value=value)

        assert 'id="id_value_error"' in text
        assert why in text
        assert given() == []

    def test_takes_a_network_once_and_one_inside_it(
        self, staff: Client, customer: Customer
    ) -> None:
        other = make_customer(customer.provider, organisation="Hafen Kontor")
        make_identifier(other, "192.0.2.0/24", "IP")

        inside = {"kind": "IP", "value": "192.0.2.128/25"}
        staff.post(f"{tab(customer)}new/", inside)
        text = refused(staff, f"{tab(customer)}new/", kind="IP", value="192.0.2.0/255.255.255.0")

        assert "192.0.2.0/24 is Hafen Kontor&#x27;s already" in text
        assert given() == [(other, "IP", "192.0.2.0/24"), (customer, "IP", "192.0.2.128/25")]

    def test_takes_none_that_is_anothers(self, staff: Client, customer: Customer) -> None:
        other = make_customer(customer.provider, organisation="Hafen Kontor")
        make_identifier(other, "nordwind")

        text = refused(staff, f"{tab(customer)}new/", kind="ACCOUNT_CODE", value="nordwind")

        assert "Hafen Kontor&#x27;s already" in text
        assert given() == [(other, "ACCOUNT_CODE", "nordwind")]

    def test_takes_what_is_another_providers(self, staff: Client, customer: Customer) -> None:
        make_identifier(make_customer(make_provider()), "nordwind")

        staff.post(f"{tab(customer)}new/", {"kind": "ACCOUNT_CODE", "value": "nordwind"})

        assert given()[1] == (customer, "ACCOUNT_CODE", "nordwind")

    def test_is_refused_to_a_role_without_the_permission(self, customer: Customer) -> None:
        response = as_role(customer.provider, "Finance").post(
            f"{tab(customer)}new/", {"kind": "ACCOUNT_CODE", "value": "nordwind"}
        )

        assert response.status_code == HTTPStatus.FORBIDDEN
        assert given() == []


class TestTags:
    def test_are_given_with_the_identifier(self, staff: Client, customer: Customer) -> None:
        sent = {"kind": "ACCOUNT_CODE", "value": "nordwind", "tags": "vip; a"}
        staff.post(f"{tab(customer)}new/", sent)

        assert CustomerIdentifier.objects.get().tags == "a,vip"
        assert "a,vip" in page(staff, tab(customer))

    def test_are_changed(self, staff: Client, customer: Customer) -> None:
        row = make_identifier(customer, "nordwind")

        response = staff.post(f"{tab(customer)}{row.pk}/tags/", {"tags": "fax"})

        assert response.headers["Location"] == tab(customer)
        assert CustomerIdentifier.objects.get().tags == "fax"

    def test_are_words(self, staff: Client, customer: Customer) -> None:
        row = make_identifier(customer, "nordwind")

        text = refused(staff, f"{tab(customer)}{row.pk}/tags/", tags="two words")

        assert 'id="id_tags_error"' in text
        assert CustomerIdentifier.objects.get().tags == ""

    def test_of_another_customers_are_not_found(self, staff: Client, customer: Customer) -> None:
        row = make_identifier(make_customer(customer.provider), "hafen")

        response = staff.post(f"{tab(customer)}{row.pk}/tags/", {"tags": "fax"})

        assert response.status_code == HTTPStatus.NOT_FOUND


class TestTaking:
    def test_happens_when_that_is_confirmed(self, staff: Client, customer: Customer) -> None:
        row = make_identifier(customer, "nordwind")
        take = f"{tab(customer)}{row.pk}/take/"

        asked = page(staff, take)
        confirm(staff, take)

        assert "waits in suspense from now on" in asked
        assert given() == []

    def test_finds_none_under_another_customer(self, staff: Client, customer: Customer) -> None:
        row = make_identifier(make_customer(customer.provider), "hafen")

        response = staff.post(f"{tab(customer)}{row.pk}/take/", {"_confirmed": "1"})

        assert response.status_code == HTTPStatus.NOT_FOUND
        assert len(given()) == 1


class TestTheSubscription:
    @pytest.fixture
    def seat(self, customer: Customer) -> Subscription:
        item = make_offer(customer.provider)
        make_allowance(item, make_product(customer.provider), name="Europe", sharing="OWN")
        return make_subscription(customer, item, date(2026, 10, 1))

    def test_is_given_with_the_identifier(
        self, staff: Client, customer: Customer, seat: Subscription
    ) -> None:
        sent = {"kind": "ACCOUNT_CODE", "value": "nordwind", "subscription": seat.pk}
        staff.post(f"{tab(customer)}new/", sent)

        assert CustomerIdentifier.objects.get().subscription == seat
        assert seat.product.name in page(staff, tab(customer))

    def test_is_chosen_among_those_that_go_on(
        self, staff: Client, customer: Customer, seat: Subscription
    ) -> None:
        row = make_identifier(customer, "nordwind")
        over = make_subscription(
            customer, seat.item, date(2026, 1, 1), state="ENDED", end_date=date(2026, 2, 1)
        )
        url = f"{tab(customer)}{row.pk}/subscription/"

        text = page(staff, url)
        response = staff.post(url, {"subscription": seat.pk})

        assert "since 1 Oct 2026, includes Europe" in text
        assert f'value="{over.pk}"' not in text
        assert response.headers["Location"] == tab(customer)
        assert CustomerIdentifier.objects.get().subscription == seat

    def test_is_taken_off_again(
        self, staff: Client, customer: Customer, seat: Subscription
    ) -> None:
        row = make_identifier(customer, "nordwind")
        CustomerIdentifier.objects.filter(pk=row.pk).update(subscription=seat)

        staff.post(f"{tab(customer)}{row.pk}/subscription/", {"subscription": ""})

        assert CustomerIdentifier.objects.get().subscription is None

    def test_is_never_another_customers(
        self, staff: Client, customer: Customer, seat: Subscription
    ) -> None:
        other = make_customer(customer.provider)
        row = make_identifier(other, "hafen")

        text = refused(staff, f"{tab(other)}{row.pk}/subscription/", subscription=seat.pk)

        assert 'id="id_subscription_error"' in text
        assert CustomerIdentifier.objects.get().subscription is None

    def test_of_another_provider_does_not_exist(self, staff: Client, customer: Customer) -> None:
        row = make_identifier(make_customer(make_provider()), "hafen")

        response = staff.post(f"{tab(customer)}{row.pk}/subscription/", {"subscription": ""})

        assert response.status_code == HTTPStatus.NOT_FOUND

    def test_is_refused_to_a_role_without_the_permission(
        self, customer: Customer, seat: Subscription
    ) -> None:
        row = make_identifier(customer, "nordwind")

        response = as_role(customer.provider, "Finance").post(
            f"{tab(customer)}{row.pk}/subscription/", {"subscription": seat.pk}
        )

        assert response.status_code == HTTPStatus.FORBIDDEN
        assert CustomerIdentifier.objects.get().subscription is None
