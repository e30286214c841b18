"""What is read off the printed page."""

import re
from io import BytesIO

from pypdf import PdfReader

from billing.documents import render_credit_note, render_estimate, render_invoice
from billing.selectors.details import LineGroup
from tests.billing.documents.details import (
    BUYER,
    SELLER,
    charge_line,
    credit_note_detail,
    estimate_detail,
    invoice_detail,
    usage_line,
)

A4_POINTS = (595, 842)


def pages(pdf: bytes) -> list[str]:
    """The text of each page, blanks and line breaks made one."""
    reader = PdfReader(BytesIO(pdf))
    return [re.sub(r"\s+", " ", page.extract_text()) for page in reader.pages]


class TestAnInvoice:
    def test_says_who_asks_whom_for_what_and_until_when(self) -> None:
        (text,) = pages(render_invoice(invoice_detail()))

        for expected in (
            "Aurora Telecom GmbH",
            "Invalidenstraße 35",
            "Tax number DE123456789",
            "Hansen & Söhne KG",
            "Carla Hansen",
            "INV-2026-000042",
            "3 November 2026",
            "1 October 2026 \u2013 31 October 2026",
            "Business Line 2 49.90 99.80",
            "Usage: Voice",
            "Germany mobile 17 205:45 12.34",
            "Subtotal 12.34",
            "VAT 19 % 112.14 21.31",
            "Net amount 112.14",
            "Amount due 133.45 EUR",
            "Please pay 133.45 EUR by 17 November 2026",
            "IBAN DE02 1203 0000 0000 2020 51",
            "Page 1 of 1",
        ):
            assert expected in text

    def test_is_a4_and_titled(self) -> None:
        reader = PdfReader(BytesIO(render_invoice(invoice_detail())))

        box = reader.pages[0].mediabox
        assert (round(box.width), round(box.height)) == A4_POINTS
        assert reader.metadata is not None
        assert reader.metadata.title == "Invoice INV-2026-000042"
        assert reader.metadata.author == "Aurora Telecom GmbH"

    def test_numbers_its_pages_and_repeats_the_table_s_head(self) -> None:
        lines = tuple(usage_line(f"Destination {number:03}") for number in range(100))

        first, second, third, *_ = texts = pages(
            render_invoice(invoice_detail(LineGroup("USAGE", lines)))
        )

        for number, text in enumerate(texts, start=1):
            assert f"Page {number} of {len(texts)}" in text
        for text in (first, second, third):
            assert "Destination Calls Minutes Amount (EUR)" in text
        assert "Invoice INV-2026-000042" in second
        whole = " ".join(texts)
        assert all(f"Destination {number:03} 17" in whole for number in range(100))

    def test_keeps_every_word_of_a_long_text(self) -> None:
        words = [f"word{number:03}" for number in range(30)]
        unbroken = "W" * 120
        line = charge_line(" ".join([*words, unbroken]))
        buyer = BUYER | {"name": "X" * 180}

        text = " ".join(
            pages(render_invoice(invoice_detail(LineGroup("ONE_TIME", (line,)), buyer=buyer)))
        )

        assert all(word in text for word in words)
        assert text.count("W") == 120
        assert text.replace(" ", "").count("X" * 180) == 1

    def test_labels_late_usage(self) -> None:
        group = LineGroup("USAGE", (usage_line(), usage_line("Austria", is_late=True)))

        (text,) = pages(render_invoice(invoice_detail(group)))

        assert "Usage: Voice (late, from earlier periods)" in text

    def test_tells_what_allowances_covered(self) -> None:
        group = LineGroup("USAGE", (usage_line("Austria", included_volume=250), usage_line()))

        (text,) = pages(render_invoice(invoice_detail(group)))

        assert "Austria (4:10 minutes included)" in text
        assert text.count("included") == 1

    def test_prints_names_as_they_are_and_fetches_nothing(self) -> None:
        buyer = BUYER | {"name": '<img src="file:///x"/> & <b>Co</b>\x0b'}

        (text,) = pages(render_invoice(invoice_detail(buyer=buyer)))

        assert '<img src="file:///x"/> & <b>Co</b>' in text

    def test_says_why_an_exempt_customer_pays_no_tax(self) -> None:
        detail = invoice_detail(buyer=BUYER | {"tax_category": "EXEMPT"}, taxes=())

        (text,) = pages(render_invoice(detail))

        assert "No tax is charged: the customer is exempt." in text

    def test_takes_no_colour_that_is_none(self) -> None:
        seller = SELLER | {"accent_colour": "red} body { display: none"}

        (text,) = pages(render_invoice(invoice_detail(seller=seller)))

        assert "Amount due 133.45 EUR" in text


class TestASettlementInvoice:
    def test_is_called_so_and_names_the_reseller(self) -> None:
        detail = invoice_detail(
            LineGroup("USAGE", (usage_line(),)), kind="SETTLEMENT", number="SET-2026-000003"
        )

        (text,) = pages(render_invoice(detail))

        assert "Invoice number SET-2026-000003" in text
        assert "Settlement invoice Usage" in text
        assert "Reseller number 10042" in text


class TestACreditNote:
    def test_says_what_it_takes_back_and_where_it_goes(self) -> None:
        (text,) = pages(render_credit_note(credit_note_detail()))

        for expected in (
            "Credit note number CN-2026-000007",
            "Corrects invoice INV-2026-000042",
            "Billed twice 100.00",
            "Credited to you 119.00 EUR",
            "99.00 EUR lowers what is due on invoice INV-2026-000042.",
            "20.00 EUR was paid before and is kept as your advance.",
        ):
            assert expected in text
        assert "Please pay" not in text

    def test_lists_the_lines_it_takes_back(self) -> None:
        lines = (usage_line("Austria", call_count=None, billed_volume=None, volume_unit=""),)

        (text,) = pages(render_credit_note(credit_note_detail(lines=lines)))

        assert "Reason: Billed twice" in text
        assert "Austria 12.34" in text


class TestAnEstimate:
    def test_says_that_it_is_no_invoice(self) -> None:
        (text,) = pages(render_estimate(estimate_detail()))

        for expected in (
            "Estimate 1 ",
            "It is no invoice, asks for no payment and can still change.",
            "Usage: Voice",
            "Estimated total 133.45 EUR",
            "please do not pay it",
        ):
            assert expected in text
        for missing in ("Invoice", "IBAN", "Payment due"):
            assert missing not in text
