from datetime import timedelta

import environ
import pytest
from pytest_django import Settings

from billing import tasks
from billing.models import Document, Invoice, InvoiceEmail
from billing.services.emailing import (
    InvoiceNotMailed,
    NoMailServer,
    queue_unsent,
    request_invoice_email,
    send_invoice_email,
)
from common.tries import MOST_TRIES
from tests.factories import make_customer, make_provider
from tests.factories.billing import (
    IN_NOVEMBER,
    calculate_run,
    invoice_of,
    issue_run,
    make_charge,
)
from tests.factories.tries import fail
from tests.factories.tries import refused as out_of_order
from tests.mail_server import MailServer, mail_server
from tests.refusals import refused

pytestmark = pytest.mark.django_db
LATER = IN_NOVEMBER + timedelta(minutes=6)
TO = "accounts@nordwind.example"


@pytest.fixture
def invoice() -> Invoice:
    customer = make_customer(make_provider(), organisation="Nordwind")
    make_charge(customer, "100")
    issue_run(customer.provider)
    return invoice_of(customer)


def use(settings: Settings, port: int) -> None:
    settings.EMAIL_URL = f"smtp://127.0.0.1:{port}"
    for name, value in environ.Env.email_url_config(settings.EMAIL_URL).items():
        setattr(settings, name, value)


def ask(invoice: Invoice) -> InvoiceEmail:
    return request_invoice_email(invoice=invoice, recipient=TO, at=IN_NOVEMBER, actor_id=None)


class TestSending:
    def test_hands_the_kept_pdf_to_the_mail_server(
        self, invoice: Invoice, settings: Settings
    ) -> None:
        with mail_server() as server:
            use(settings, server.port)
            email = ask(invoice)
            was_sent = send_invoice_email(email_id=email.pk, at=LATER)

        [(recipients, message)] = server.received
        [attachment] = message.iter_attachments()
        body = message.get_body()
        email.refresh_from_db()
        assert was_sent
        assert (email.state, email.sent_at) == (InvoiceEmail.State.SENT, LATER)
        assert recipients == [TO]
        assert message["Subject"] == f"Invoice {invoice} from {invoice.seller['name']}"
        assert message["Reply-To"] == "billing@example.com"
        assert body is not None
        assert "Amount: 100.00 EUR" in body.get_content()
        assert attachment.get_filename() == f"{invoice}.pdf"
        assert attachment.get_content() == Document.objects.get().pdf

    def test_happens_once(self, invoice: Invoice, settings: Settings) -> None:
        with mail_server() as server:
            use(settings, server.port)
            email = ask(invoice)
            answers = [send_invoice_email(email_id=email.pk, at=LATER) for _ in range(2)]

        assert answers == [True, False]
        assert len(server.received) == 1

    def test_to_a_mailbox_that_is_refused_says_why(
        self, invoice: Invoice, settings: Settings
    ) -> None:
        with mail_server(refuses=True) as server:
            use(settings, server.port)
            email = ask(invoice)
            was_sent = send_invoice_email(email_id=email.pk, at=LATER)

        email.refresh_from_db()
        assert not was_sent
        assert email.state == InvoiceEmail.State.FAILED
        assert "no such mailbox" in email.error
        assert server.received == []

    def test_without_a_server_at_the_address_says_so(
        self, invoice: Invoice, settings: Settings
    ) -> None:
        with mail_server() as server:
            gone = MailServer(server.port)
        use(settings, gone.port)
        email = ask(invoice)

        assert not send_invoice_email(email_id=email.pk, at=LATER)

        email.refresh_from_db()
        assert email.error.startswith("ConnectionRefusedError")


class TestAnEmailThatAlwaysFails:
    def test_is_given_up_after_five_tries_and_can_be_asked_for_anew(
        self, invoice: Invoice, settings: Settings
    ) -> None:
        with mail_server() as server:
            use(settings, server.port)
            email = ask(invoice)

            with out_of_order("INSERT", "billing_document"):
                fail(InvoiceEmail, lambda: tasks.send_invoice_email(email_id=email.pk))
            unsent = queue_unsent(at=LATER)
            again = ask(invoice)
            was_sent = tasks.send_invoice_email(email_id=again.pk)

        email.refresh_from_db()
        assert (email.state, email.try_count, email.sent_at) == ("FAILED", MOST_TRIES, None)
        assert email.error == "It was tried five times. InternalError: out of order"
        assert (unsent, was_sent, len(server.received)) == (0, True, 1)


class TestAsking:
    def test_without_any_mail_server_is_refused(self, invoice: Invoice, settings: Settings) -> None:
        settings.EMAIL_URL = ""

        with refused(NoMailServer, "EMAIL_URL"):
            ask(invoice)

    def test_for_an_estimate_is_refused(self) -> None:
        customer = make_customer(make_provider())
        make_charge(customer, "100")
        calculate_run(customer.provider)

        with refused(InvoiceNotMailed, "is not a customer's issued invoice"):
            ask(invoice_of(customer))


class TestTheSweep:
    def test_finds_what_was_queued_some_time_ago(self, invoice: Invoice) -> None:
        ask(invoice)

        assert queue_unsent(at=IN_NOVEMBER) == 0
        assert queue_unsent(at=LATER) == 1
