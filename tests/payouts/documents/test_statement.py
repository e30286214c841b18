import csv
import io

import pypdf
import pytest

from payouts.documents.layout import CustomerPart, lay_out
from payouts.documents.statement_csv import write_statement_csv
from payouts.documents.statement_pdf import render_pdf
from payouts.models import PayoutStatement
from payouts.services.accrual import accrue
from payouts.services.approving import approve_statement
from payouts.services.preparing import prepare_statement
from tests.factories import make_customer, make_provider, make_reseller
from tests.factories.payouts import NOVEMBER, credit, day, issue, make_plan, pay

pytestmark = pytest.mark.django_db


@pytest.fixture
def statement() -> PayoutStatement:
    """Two customers: one paid an invoice in two parts and got some back, one paid 0.40."""
    reseller = make_reseller(
        make_provider(), number=9001, organisation="Zenith & Partners", address="Am Markt 1\nBremen"
    )
    make_plan(reseller)
    first = make_customer(reseller.provider, reseller, number=101, organisation="=1+1")
    second = make_customer(reseller.provider, reseller, number=102, organisation="Elbe Logistik")
    invoice = issue(first, at=day(10, 1), number="INV-1")
    issue(second, "0.40", "0.08", at=day(10, 1), number="INV-2")
    pay(first, "590", at=day(11, 3))
    pay(first, "590", at=day(11, 5))
    pay(second, "0.48", at=day(11, 5))
    credit(invoice, "200", "36", at=day(11, 9))
    accrue(provider_id=reseller.provider_id, at=day(11, 10))
    return prepare_statement(
        reseller=reseller, period=NOVEMBER, currency="EUR", at=day(12, 1), actor_id=None
    )


def approve(statement: PayoutStatement) -> PayoutStatement:
    return approve_statement(statement=statement, at=day(12, 2), actor_id=None)


def text_of(pdf: bytes) -> str:
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def in_short(part: CustomerPart) -> list[str]:
    return [f"{line.invoice_number}: {line.base_amount} > {line.amount}" for line in part.lines]


class TestLayOut:
    def test_sums_an_invoice_in_one_line(self, statement: PayoutStatement) -> None:
        layout = lay_out(statement)

        assert [part.number for part in layout.earned] == [101, 102]
        assert in_short(layout.earned[0]) == ["INV-1: 1000.0000 > 100.0000"]
        assert in_short(layout.earned[1]) == ["INV-2: 0.4000 > 0.0400"]

    def test_tells_why_something_was_taken_back(self, statement: PayoutStatement) -> None:
        [part] = lay_out(statement).clawed_back

        assert in_short(part) == ["INV-1: -200.0000 > -20.0000"]
        assert part.lines[0].reason.startswith("Credit note PC-")


class TestRenderPdf:
    def test_shows_who_what_and_how_much(self, statement: PayoutStatement) -> None:
        text = text_of(render_pdf(approve(statement)))

        assert "Payout statement" in text
        assert "PAY-2026-000001" in text
        assert "Zenith & Partners" in text
        assert "1 November 2026 to 30 November 2026" in text
        assert "Commission accrued 100.04 EUR" in text
        assert "Commission clawed back \u221220.00 EUR" in text
        assert "Payable to you 80.04 EUR" in text
        assert "INV-1 Payment received 1,000.00 10 % 100.00" in text

    def test_says_that_a_draft_is_one(self, statement: PayoutStatement) -> None:
        assert "Draft of a payout statement" in text_of(render_pdf(statement))


class TestWriteStatementCsv:
    def test_has_one_row_per_event_and_sums_to_the_statement(
        self, statement: PayoutStatement
    ) -> None:
        stream = io.StringIO()
        write_statement_csv(approve(statement), stream)

        rows = list(csv.DictReader(io.StringIO(stream.getvalue())))
        assert [row["amount"] for row in rows] == ["50.00", "50.00", "-20.00", "0.04"]
        assert [row["event_date"] for row in rows][:2] == ["2026-11-03", "2026-11-05"]
        assert {row["statement"] for row in rows} == {"PAY-2026-000001"}

    def test_never_hands_a_formula_to_a_spreadsheet(self, statement: PayoutStatement) -> None:
        stream = io.StringIO()
        write_statement_csv(statement, stream)

        assert "'=1+1" in stream.getvalue()
