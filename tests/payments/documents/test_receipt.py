from datetime import UTC, date, datetime, timedelta
from io import BytesIO

import pytest
from pypdf import PdfReader

from payments.documents import render_receipt
from payments.documents.receipt import receipt_page
from payments.models import Payment
from payments.services.advance import apply_advance
from payments.services.reversal import reverse_payment
from tests.factories import make_biller_entity, make_customer, make_provider
from tests.factories.payments import make_invoice
from tests.payments.books import AT, pay_offline

pytestmark = pytest.mark.django_db

EARLIER = datetime(2026, 11, 1, tzinfo=UTC)
LATER = AT + timedelta(days=20)


class TestReceiptPage:
    def test_says_what_came_how_and_what_it_settled(self) -> None:
        customer = make_customer(make_provider(), organisation="Ada & Söhne", number=4711)
        invoice = make_invoice(customer, "1234.50", issued_at=EARLIER, number="INV-2026-000007")
        payment = pay_offline(
            customer,
            "2000.00",
            mode=Payment.Mode.BANK_TRANSFER,
            reference="TRF-77",
            transaction_date=date(2026, 11, 6),
        )

        page = receipt_page(payment)

        assert page.facts == [
            ("Receipt number", "REC-2026-000001"),
            ("Received on", "10 November 2026"),
            ("Paid on", "6 November 2026"),
            ("Paid by", "Bank transfer"),
            ("Reference", "TRF-77"),
            ("Order number", payment.order_number),
            ("Customer number", "4711"),
        ]
        assert page.settled is not None
        rows = [(row.description, row.amount) for row in page.settled.rows]
        assert rows == [(f"Invoice {invoice}", "1,234.50")]
        assert (page.advance, page.amount, page.currency) == ("765.50", "2,000.00", "EUR")
        assert page.buyer.name == "Ada & Söhne"

    def test_stays_as_the_payment_came_whatever_became_of_it(self) -> None:
        customer = make_customer(make_provider())
        make_invoice(customer, "50.00", issued_at=EARLIER)
        payment = pay_offline(customer, "80.00")
        before = receipt_page(payment)
        make_invoice(customer, "20.00", issued_at=LATER)
        apply_advance(customer=customer, at=LATER, actor_id=None)
        reverse_payment(payment=payment, reason="Bounced", at=LATER, actor_id=None)

        assert receipt_page(payment) == before

    def test_has_no_table_where_all_is_advance(self) -> None:
        page = receipt_page(pay_offline(make_customer(make_provider()), "80.00"))

        assert page.settled is None
        assert page.advance == page.amount == "80.00"

    def test_comes_from_the_customers_own_seller(self) -> None:
        provider = make_provider()
        seller = make_biller_entity(provider, name="Aurora Wien GmbH", is_default=False)
        customer = make_customer(provider, biller_entity=seller)

        page = receipt_page(pay_offline(customer, "80.00"))

        assert page.seller.name == "Aurora Wien GmbH"


class TestRenderReceipt:
    def test_prints_one_sheet(self) -> None:
        customer = make_customer(make_provider(), organisation="<b>Ada</b> & Söhne")
        make_invoice(customer, "50.00", issued_at=EARLIER, number="INV-2026-000007")
        payment = pay_offline(customer, "80.00")

        [sheet] = PdfReader(BytesIO(render_receipt(payment))).pages

        text = sheet.extract_text()
        for printed in (
            "Receipt",
            "REC-2026-000001",
            "<b>Ada</b> & Söhne",
            "Invoice INV-2026-000007",
            "30.00",
            "80.00 EUR",
        ):
            assert printed in text
