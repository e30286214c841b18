from datetime import timedelta
from decimal import Decimal
from http import HTTPStatus

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from billing.models import Invoice
from customers.models import Customer
from payments.models import Payment, PlannedAllocation
from tests.factories import make_customer
from tests.factories.payments import make_invoice
from tests.payments.books import pay_offline
from tests.web.account_centre.pages import IN_OCTOBER, page, words, words_of

pytestmark = pytest.mark.django_db
DUES = ("449949.28", "65177718.90", "6523665.40")
ADDRESS = "/account/wallet/pay/invoices/?amount=679000.00"


@pytest.fixture
def invoices(customer: Customer) -> list[Invoice]:
    return [
        make_invoice(customer, due, issued_at=IN_OCTOBER + timedelta(days=day))
        for day, due in enumerate(DUES)
    ]


def form_of(invoices: list[Invoice], amount: str, *shares: str) -> dict[str, str]:
    names = [f"invoice_{invoice.pk}" for invoice in invoices]
    return {"amount": amount, **dict(zip(names, shares, strict=True))}


class TestTheWallet:
    def test_shows_its_money_the_dues_and_ones_own_payments(
        self, admin: Client, customer: Customer
    ) -> None:
        make_invoice(customer, "50.00", issued_at=IN_OCTOBER)
        mine = pay_offline(customer, "80.00")
        make_invoice(customer, "45.00", issued_at=IN_OCTOBER)
        other = pay_offline(make_customer(customer.provider), "80.00")

        text = words_of(admin, "/account/wallet/")

        assert "In your wallet 30.00 EUR" in text
        assert "Due on invoices 45.00 EUR" in text
        assert mine.order_number in text
        assert other.order_number not in text

    def test_finds_payments_by_receipt(self, admin: Client, customer: Customer) -> None:
        first, second = pay_offline(customer, "1.00"), pay_offline(customer, "2.00")

        text = page(admin, f"/account/wallet/?q={first.receipt_number}")

        assert first.order_number in text
        assert second.order_number not in text

    def test_asks_no_more_queries_for_many(
        self,
        admin: Client,
        customer: Customer,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for _ in range(15):
            pay_offline(customer, "1.00")

        with django_assert_max_num_queries(50):
            page(admin, "/account/wallet/")


class TestPayingSeveralInvoices:
    def test_begins_with_all_that_is_due(self, admin: Client, invoices: list[Invoice]) -> None:
        assert 'value="72151333.58"' in page(admin, "/account/wallet/pay/")

    def test_goes_on_with_the_amount(self, admin: Client) -> None:
        response = admin.post("/account/wallet/pay/", {"amount": "679000.00"})

        assert response.headers["Location"] == ADDRESS

    def test_asks_again_for_an_amount_that_is_none(self, admin: Client) -> None:
        response = admin.post("/account/wallet/pay/", {"amount": "a lot"})

        assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert 'value="a lot"' in response.content.decode()

    def test_is_filled_in_oldest_first(self, admin: Client, invoices: list[Invoice]) -> None:
        text = page(admin, ADDRESS)

        shares = ("449949.28", "229050.72", "0.00")
        for invoice, share in zip(invoices, shares, strict=True):
            assert f'name="invoice_{invoice.pk}" value="{share}"' in text

    def test_states_what_each_invoice_gets_and_moves_nothing_yet(
        self, admin: Client, invoices: list[Invoice]
    ) -> None:
        response = admin.post(ADDRESS, form_of(invoices, "679000.00", "0", "0", "600000"))

        text = words(response.content.decode())
        assert "To invoices 600,000.00 EUR" in text
        assert "To your wallet 79,000.00 EUR" in text
        assert "5,923,665.40 EUR" in text
        assert not Payment.objects.exists()

    def test_starts_as_the_payer_distributed_it(
        self, billing: Client, invoices: list[Invoice]
    ) -> None:
        sent = form_of(invoices, "679000.00", "0", "", "600000") | {"_confirmed": "1"}

        response = billing.post(ADDRESS, sent)

        payment = Payment.objects.get()
        planned = PlannedAllocation.objects.values_list("invoice_id", "amount")
        assert "/sandbox/aurora/" in response.headers["Location"]
        assert payment.state == Payment.State.PENDING
        assert payment.amount == Decimal("679000.00")
        assert list(planned) == [(invoices[2].pk, Decimal(600000))]

    @pytest.mark.parametrize(
        ("shares", "message"),
        [
            (("450000", "0", "0"), "No more than what is left of the invoice."),
            (("449949.28", "300000", "0"), "The invoices get more than this amount"),
            (("-1", "0", "0"), "greater than or equal to 0"),
        ],
    )
    def test_refuses_shares_that_do_not_fit_and_keeps_them(
        self, admin: Client, invoices: list[Invoice], shares: tuple[str, ...], message: str
    ) -> None:
        for confirmed in ({}, {"_confirmed": "1"}):
            sent = form_of(invoices, "679000.00", *shares) | confirmed
            response = admin.post(ADDRESS, sent)

            assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
            assert f'value="{shares[0]}"' in response.content.decode()
        assert (
            message in admin.post(ADDRESS, form_of(invoices, "679000.00", *shares)).content.decode()
        )
        assert not Payment.objects.exists()

    def test_is_not_for_technical_people(self, technical: Client, invoices: list[Invoice]) -> None:
        sent = form_of(invoices, "10.00", "10.00", "0", "0") | {"_confirmed": "1"}

        for address in ("/account/wallet/", "/account/wallet/pay/"):
            assert technical.get(address).status_code == HTTPStatus.FORBIDDEN
        assert technical.post(ADDRESS, sent).status_code == HTTPStatus.FORBIDDEN
        assert not Payment.objects.exists()

    def test_of_a_neighbours_invoice_is_ignored(
        self, admin: Client, customer: Customer, invoices: list[Invoice]
    ) -> None:
        foreign = make_invoice(make_customer(customer.provider), "10.00", issued_at=IN_OCTOBER)
        sent = form_of([*invoices, foreign], "10.00", "10.00", "0", "0", "10.00")

        admin.post(ADDRESS, sent | {"_confirmed": "1"})

        planned = PlannedAllocation.objects.values_list("invoice_id", flat=True)
        assert list(planned) == [invoices[0].pk]
