"""A customer's first weeks: signing up with a code, buying, calling, being billed, paying.

Everything is done by forms and links, by three people: the customer, staff, and the reseller.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from billing.models import Invoice
from customers.models import Customer
from payments.models import Payment, WebhookEvent
from payments.services.sandbox import Card
from tests.e2e.background import Background, Calendar
from tests.e2e.steps import (
    click,
    facts,
    fill,
    follow,
    go_to,
    pay_by_card,
    press,
    sign_in,
    upload_usage,
)
from tests.e2e.visits import Visit
from tests.e2e.world import NOVEMBER_3, Aurora, make_aurora, make_colleague
from tests.factories import make_customer, make_reseller_user, make_team_member
from tests.factories.cdr import Call, file_of
from tests.factories.payments import make_invoice
from tests.mail_server import MailServer
from tests.payments.books import assert_books_agree

pytestmark = pytest.mark.django_db(transaction=True)
Visits = Callable[..., Visit]
SCRIPT = pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
EMAIL, PASSWORD = "nora@nord.example", "a long enough password"
IN_OCTOBER = datetime(2026, 10, 20, 14, tzinfo=UTC)
# A hundred minutes to Germany, 30 of them included, at 0.015; the SIP line for October, and for
# November in advance.
CALLS = [Call(account="nord", seconds=600, started_at=IN_OCTOBER) for _ in range(10)]
NET = Decimal("1.05") + 2 * Decimal("12.50")


@pytest.fixture
def aurora(calendar: Calendar) -> Aurora:
    return make_aurora()


class TestANewCustomer:
    @SCRIPT
    def test_goes_from_sign_up_to_a_receipt(
        self,
        visit: Visits,
        aurora: Aurora,
        calendar: Calendar,
        background: Background,
        mail: MailServer,
        script: bool,
    ) -> None:
        buyer = visit(java_script_enabled=script)
        page = buyer.open("/sign-up/aurora/")
        sign_up(page, buyer)
        confirm_the_address(page, mail)
        sign_in(page, EMAIL, PASSWORD)
        buy(page, "Telephone calls")
        buy(page, "SIP line")
        buyer.illustrate("account-services")

        colleague = make_colleague(aurora.provider)
        give_the_account_code(visit(colleague, java_script_enabled=script).open("/console/"))
        calendar.go_to(NOVEMBER_3)
        staff = visit(colleague, java_script_enabled=script).open("/console/usage/files/")
        upload_usage(staff, "october.csv", file_of(CALLS))
        background.do_all()
        bill_october(staff, background, script=script)

        page.goto("/account/")
        sign_in(page, EMAIL, PASSWORD)
        go_to(page, "Invoices and credit notes")
        click(page.locator("#list tbody").get_by_role("link").first)
        invoice = Invoice.objects.get(reseller=None)
        expect(page.get_by_role("cell", name="Telephone calls").first).to_be_visible()
        buyer.illustrate("account-invoice")
        follow(page, "Pay")
        assert facts(page)["Left to pay"] == f"{invoice.gross_amount:.2f} EUR"
        press(page, "Go on to payment")
        pay_by_card(page, Card.SUCCESS)
        background.do_all()
        if not script:
            page.reload()
        expect(page.get_by_text("Paid", exact=True)).to_be_visible()
        buyer.illustrate("account-paid")

        self._is_settled(page, aurora, invoice)
        assert buyer.complaints == []
        self._shows_in_the_resellers_portal(visit, aurora)

    def _is_settled(self, page: Page, aurora: Aurora, invoice: Invoice) -> None:
        receipt = page.get_by_role("link", name="Receipt").get_attribute("href")
        assert receipt
        assert page.request.get(receipt).body().startswith(b"%PDF")
        follow(page, str(invoice))
        expect(page.locator("#content").get_by_text("Paid", exact=True).first).to_be_visible()
        customer = Customer.objects.get()
        assert (customer.reseller, customer.state) == (aurora.meridian, Customer.State.ACTIVE)
        assert invoice.net_amount == NET
        invoice.refresh_from_db()
        assert (invoice.state, invoice.due_amount) == ("PAID", Decimal(0))
        assert_books_agree(aurora.provider.pk)

    def _shows_in_the_resellers_portal(self, visit: Visits, aurora: Aurora) -> None:
        window = visit(make_reseller_user(aurora.meridian))
        window.open("/reseller/customers/")
        expect(window.page.locator("#list")).to_contain_text("Nord GmbH")


def sign_up(page: Page, window: Visit) -> None:
    page.get_by_label("Organisation", exact=False).last.fill("Nord GmbH")
    fill(
        page,
        {
            "First name": "Nora",
            "Last name": "Nord",
            "Country": "DE",
            "E-mail": EMAIL,
            "Password": PASSWORD,
        },
    )
    page.get_by_text("I have a reseller code").click()
    fill(page, {"Reseller code": "MERIDAIN"})
    press(page, "Sign up")
    expect(page.get_by_text("There is no reseller code")).to_be_visible()
    window.complaints.clear()  # Chromium reports the refusal (422) as an error
    fill(page, {"Reseller code": "MERIDIAN", "Password": PASSWORD})
    window.illustrate("sign-up")
    press(page, "Sign up")
    expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()


def confirm_the_address(page: Page, mail: MailServer) -> None:
    [(recipients, message)] = mail.received
    body = message.get_body()
    assert body is not None
    link = re.search(r"https?://\S+", body.get_content())
    assert recipients == [EMAIL]
    assert link is not None
    page.goto(link[0])
    fill(page, {"The password you chose": PASSWORD})
    press(page, "Yes, confirm it")
    expect(page.get_by_text("Your e-mail is confirmed")).to_be_visible()


def buy(page: Page, product: str) -> None:
    go_to(page, "Services", "Catalogue")
    follow(page, f"Subscribe to {product}")
    press(page, "Continue")
    press(page, "Subscribe")
    expect(page.get_by_role("status")).to_contain_text(f"{product} is yours now")


def give_the_account_code(page: Page) -> None:
    go_to(page, "Customers")
    follow(page, "Nord GmbH")
    follow(page, "Numbers")
    follow(page, "Add an account code or number")
    fill(page, {"Account code, trunk, address or number": "nord"})
    press(page, "Add")
    expect(page.get_by_role("status")).to_contain_text("Usage under nord is charged to Nord GmbH")


def bill_october(page: Page, background: Background, *, script: bool) -> None:
    go_to(page, "Billing")
    follow(page, "New bill run")
    fill(page, {"Month": "2026-10"})
    press(page, "Continue")
    for step, confirmation in (
        ("Calculate", "Calculate"),
        ("Approve", "Approve all estimates"),
        ("Issue", "Issue the approved invoices"),
    ):
        follow(page, step)
        press(page, confirmation)
        background.do_all()
        if not script:  # with it the page loads itself anew, and two at once would be one too many
            page.reload()
    expect(page.get_by_text("Issued", exact=True).first).to_be_visible()


class TestPayingByCard:
    """What the payment company may do, for an invoice of 100 EUR."""

    @pytest.fixture
    def invoice(self, aurora: Aurora, calendar: Calendar) -> Invoice:
        calendar.go_to(NOVEMBER_3)
        return make_invoice(make_customer(aurora.provider), "100.00", issued_at=NOVEMBER_3)

    @pytest.fixture
    def page(self, visit: Visits, invoice: Invoice) -> Page:
        """The payment company's page, as the customer comes to it."""
        assert invoice.customer is not None
        page = visit(make_team_member(invoice.customer)).open(
            f"/account/invoices/{invoice.pk}/pay/"
        )
        press(page, "Go on to payment")
        return page

    @pytest.mark.parametrize(
        ("answer", "words", "due"),
        [("Confirm the payment", "Paid", 0), ("Refuse it", "Not paid", 100)],
    )
    def test_asks_the_payers_bank(
        self,
        page: Page,
        background: Background,
        invoice: Invoice,
        answer: str,
        words: str,
        due: int,
    ) -> None:
        pay_by_card(page, Card.CHALLENGE)
        press(page, answer)
        background.do_all()

        expect(page.get_by_text(words, exact=True)).to_be_visible()
        invoice.refresh_from_db()
        assert invoice.due_amount == due

    def test_says_why_a_card_was_declined_and_lets_pay_with_another(
        self, page: Page, background: Background, invoice: Invoice
    ) -> None:
        pay_by_card(page, Card.DECLINE)
        background.do_all()
        expect(page.get_by_text("The card was declined.")).to_be_visible()
        invoice.refresh_from_db()
        assert invoice.due_amount == 100

        page.goto(f"/account/invoices/{invoice.pk}/pay/")
        press(page, "Go on to payment")
        pay_by_card(page, Card.SUCCESS)
        background.do_all()

        expect(page.get_by_text("Paid", exact=True)).to_be_visible()
        states = Payment.objects.order_by("pk").values_list("state", flat=True)
        assert list(states) == [Payment.State.FAILED, Payment.State.SUCCEEDED]

    def test_waits_for_a_message_that_comes_late(
        self, page: Page, background: Background, calendar: Calendar, invoice: Invoice
    ) -> None:
        pay_by_card(page, Card.DELAYED)
        background.do_all()
        expect(page.get_by_text("We wait for the payment company")).to_be_visible()
        invoice.refresh_from_db()
        assert invoice.due_amount == 100

        calendar.go_on(minutes=11)
        background.do_all()

        expect(page.get_by_text("Paid", exact=True)).to_be_visible()
        invoice.refresh_from_db()
        assert invoice.due_amount == 0

    @pytest.mark.parametrize("card", [Card.DUPLICATE, Card.OUT_OF_ORDER])
    def test_is_paid_once_whatever_messages_come(
        self, page: Page, background: Background, invoice: Invoice, card: Card
    ) -> None:
        pay_by_card(page, card)
        done = background.do_all()

        expect(page.get_by_text("Paid", exact=True)).to_be_visible()
        assert done.count("payments.deliver_sandbox_message") == 2
        assert Payment.objects.filter(state=Payment.State.SUCCEEDED).count() == 1
        assert WebhookEvent.objects.count() == (1 if card is Card.DUPLICATE else 2)
        assert_books_agree(invoice.provider_id)
