from http import HTTPStatus

import pytest
from django.core.mail import EmailMessage
from django.test import Client

from catalogue.models import RateNotice, RateTable
from common import clock
from common.table_files import file_pieces
from customers.models import Customer, RateNotification
from customers.services.rate_emails import send_rate_notification
from customers.services.rate_notices import prepare_rate_notice
from tenancy.models import Provider
from tests.factories import (
    make_customer,
    make_product,
    make_provider,
    make_rate_table,
    make_staff,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider() -> Provider:
    return make_provider()


@pytest.fixture
def staff(client: Client, provider: Provider) -> Client:
    client.force_login(make_staff(provider))
    return client


@pytest.fixture
def table(provider: Provider) -> RateTable:
    return make_rate_table(make_product(provider), {"49": "0.05", "44": "0.01"}, name="Retail")


@pytest.fixture
def customer(provider: Provider, table: RateTable) -> Customer:
    return make_customer(provider, organisation="Nordwind", rate_table=table)


def ask(staff: Client, table: RateTable) -> str:
    """The address of a notice that waits for its worker."""
    response = staff.post(f"/console/rate-tables/{table.pk}/notices/new/", {"format": "csv"})
    return str(response.headers["Location"])


def prepared(staff: Client, table: RateTable) -> str:
    address = ask(staff, table)
    prepare_rate_notice(notice_id=RateNotice.objects.latest("pk").pk, at=clock.now())
    return address


def text(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == HTTPStatus.OK
    return response.content.decode()


class TestANotice:
    def test_is_prepared_in_the_background(
        self, staff: Client, table: RateTable, customer: Customer
    ) -> None:
        address = ask(staff, table)
        assert "Comparing the rates" in text(staff, address)
        prepare_rate_notice(notice_id=RateNotice.objects.get().pk, at=clock.now())

        asked = staff.get(address, headers={"HX-Request": "true"})

        assert asked.headers["HX-Refresh"] == "true"
        assert "Nordwind" in text(staff, address)

    def test_shows_what_each_is_told_before_it_is_sent(
        self, staff: Client, table: RateTable, customer: Customer
    ) -> None:
        address = prepared(staff, table)
        file = RateNotice.objects.get().files.get()

        assert "Never told before" in text(staff, address)
        assert f"/console/rate-tables/notices/files/{file.pk}/" in text(staff, address)
        shown = text(staff, f"/console/rate-tables/notices/files/{file.pk}/")
        downloaded = staff.get(f"/console/rate-tables/notices/files/{file.pk}/?download")

        assert "Destination 49" in shown
        assert downloaded.content == b"".join(file_pieces("csv", bytes(file.content)))
        assert downloaded.content.startswith(b"change,prefix,")
        assert file.name in downloaded.headers["Content-Disposition"]

    def test_is_sent_once_agreed_to_and_is_in_the_customers_history(
        self,
        staff: Client,
        table: RateTable,
        customer: Customer,
        mailoutbox: list[EmailMessage],
    ) -> None:
        address = prepared(staff, table)
        history = f"/console/customers/{customer.pk}/rate-notices/"
        assert "Tell 1 recipients" in text(staff, f"{address}send/")
        assert "Told of no rates yet" in text(staff, history)

        staff.post(f"{address}send/", {"_confirmed": "1"})
        send_rate_notification(notification_id=RateNotification.objects.get().pk, at=clock.now())

        assert len(mailoutbox) == 1
        assert f"{address}send/" not in text(staff, address)
        assert "2 new" in text(staff, history)
        exported = staff.get(f"{history}?format=csv").content.decode()
        assert exported.splitlines()[1].endswith(f"Sent,Retail,2 new,{customer.email},")

    def test_is_discarded_after_asking(
        self, staff: Client, table: RateTable, customer: Customer
    ) -> None:
        address = prepared(staff, table)

        staff.post(f"{address}discard/", {"_confirmed": "1"})

        assert RateNotice.objects.get().state == "DISCARDED"
        assert not RateNotification.objects.exists()

    def test_is_one_at_a_time(self, staff: Client, table: RateTable, customer: Customer) -> None:
        prepared(staff, table)

        response = staff.post(f"/console/rate-tables/{table.pk}/notices/new/", {"format": "csv"})

        assert "is open" in response.context["form"].errors["format"][0]
        assert RateNotice.objects.count() == 1

    def test_says_so_where_nobody_has_to_be_told(self, staff: Client, table: RateTable) -> None:
        address = prepared(staff, table)

        assert "Nobody has to be told anything" in text(staff, address)
        assert f"{address}send/" not in text(staff, address)

    def test_is_nobody_elses(self, staff: Client, table: RateTable, customer: Customer) -> None:
        address = prepared(staff, table)
        file = RateNotice.objects.get().files.get()
        other = Client()
        other.force_login(make_staff(make_provider()))

        for path in (address, f"{address}send/", f"/console/rate-tables/notices/files/{file.pk}/"):
            assert other.get(path).status_code == HTTPStatus.NOT_FOUND
        other.post(f"{address}send/", {"_confirmed": "1"})
        assert RateNotification.objects.get().state == "DRAFT"
