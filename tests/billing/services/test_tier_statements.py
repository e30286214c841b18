"""How tiers make up what an invoice charges: kept with it, and exactly what it charges."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import BytesIO

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Sum
from pypdf import PdfReader

from billing.documents import render_invoice
from billing.models import Invoice, InvoiceLine
from billing.selectors.details import TierStatement, invoice_detail, tier_statements
from cdr.models import UsageCharge
from common.periods import month
from common.scope import Scope
from subscriptions.models import Subscription
from tests.factories.billing import calculate_run, issue_calculated, issue_run
from tests.factories.cdr import CALL_AT, import_lines
from tests.factories.rerating import rerate
from tests.factories.tiers import Metered, make_metered, usage

pytestmark = pytest.mark.django_db

OCTOBER, NOVEMBER = date(2026, 10, 1), month(2026, 11)
IN_DECEMBER = datetime(2026, 12, 3, 10, tzinfo=UTC)
LATER = timedelta(minutes=5)


@pytest.fixture
def metered() -> Metered:
    return make_metered()


def statements(metered: Metered) -> list[TierStatement]:
    """What the latest invoice of Carla says."""
    return list(tier_statements(Invoice.objects.filter(customer=metered.carla).latest("pk")))


class TestTheStatementOfAnInvoice:
    def test_says_what_each_tier_has_of_the_month(self, metered: Metered) -> None:
        import_lines(metered.source, [usage(60_000), usage(60_500, destination_number="archive")])

        issue_run(metered.provider)

        (statement,) = statements(metered)
        assert (statement.product_name, statement.month) == ("Storage", OCTOBER)
        assert (statement.total, statement.quantity_before) == ("120.5 GB", "")
        assert [(row.text, row.quantity, row.price, row.amount) for row in statement.rows] == [
            ("up to 100 GB", "100 GB", "0.1 a GB", Decimal(10)),
            ("beyond 100 GB", "20.5 GB", "0.05 a GB", Decimal("1.025")),
        ]
        assert statement.amount == Decimal("11.025")

    def test_is_of_what_its_usage_charges_come_to_before_lines_are_rounded(
        self, metered: Metered
    ) -> None:
        import_lines(metered.source, [usage(33_333), usage(66_661, destination_number="archive")])

        issue_run(metered.provider)

        (statement,) = statements(metered)
        assert statement.amount == UsageCharge.objects.aggregate(sum=Sum("amount"))["sum"]
        lines = InvoiceLine.objects.aggregate(sum=Sum("net_amount"))["sum"]
        assert (statement.amount, lines) == (Decimal("9.9994"), Decimal("10.00"))

    def test_takes_off_what_an_earlier_invoice_charged(self, metered: Metered) -> None:
        import_lines(metered.source, [usage(60_000)])
        issue_run(metered.provider)
        import_lines(metered.source, [usage(60_000)])

        issue_run(metered.provider, NOVEMBER, IN_DECEMBER)

        (statement,) = statements(metered)
        assert statement.total == "120 GB"
        assert (statement.quantity_before, statement.amount_before) == ("60 GB", Decimal(6))
        assert statement.amount == Decimal(5)

    def test_takes_off_nothing_that_is_only_estimated(self, metered: Metered) -> None:
        import_lines(metered.source, [usage(60_000)])
        calculate_run(metered.provider)
        import_lines(metered.source, [usage(30_000)])

        calculate_run(metered.provider, NOVEMBER, IN_DECEMBER)

        (statement,) = statements(metered)
        assert (statement.total, statement.quantity_before) == ("30 GB", "")
        assert (statement.amount_before, statement.amount) == (Decimal(0), Decimal(3))

    def test_takes_off_what_was_issued_since_it_was_estimated(self, metered: Metered) -> None:
        import_lines(metered.source, [usage(60_000)])
        october = calculate_run(metered.provider)
        import_lines(metered.source, [usage(60_000)])
        november = calculate_run(metered.provider, NOVEMBER, IN_DECEMBER)
        assert statements(metered) == []

        issue_calculated(october)
        issue_calculated(november, IN_DECEMBER)

        (statement,) = statements(metered)
        assert (statement.total, statement.quantity_before) == ("120 GB", "60 GB")
        assert (statement.amount_before, statement.amount) == (Decimal(6), Decimal(5))

    def test_is_left_out_where_a_later_month_was_issued_first(self, metered: Metered) -> None:
        import_lines(metered.source, [usage(60_000)])
        october = calculate_run(metered.provider)
        import_lines(metered.source, [usage(60_000)])
        november = calculate_run(metered.provider, NOVEMBER, IN_DECEMBER)

        issue_calculated(november, IN_DECEMBER)
        issue_calculated(october, IN_DECEMBER)

        kept = list(Invoice.objects.order_by("pk").values_list("tier_statements", flat=True))
        assert kept[1] == []
        assert (kept[0][0]["quantity_before"], kept[0][0]["amount"]) == ("60 GB", "6.00000000")

    def test_parts_months(self, metered: Metered) -> None:
        import_lines(metered.source, [usage(60_000)])
        in_november = CALL_AT + timedelta(days=31)
        import_lines(metered.source, [usage(70_000, at=in_november)], at=IN_DECEMBER)

        issue_run(metered.provider, NOVEMBER, IN_DECEMBER)

        found = [(each.month, each.amount) for each in statements(metered)]
        assert found == [(OCTOBER, Decimal(6)), (NOVEMBER.from_date, Decimal(7))]

    def test_is_left_out_where_the_subscription_was_not_in_force(self, metered: Metered) -> None:
        import_lines(metered.source, [usage(60_000)])
        Subscription.objects.update(end_date=OCTOBER)

        issue_run(metered.provider)

        assert statements(metered) == []

    def test_is_that_of_the_order_restored_by_a_re_rating(self, metered: Metered) -> None:
        import_lines(metered.source, [usage(90_000, at=CALL_AT + LATER)])
        import_lines(metered.source, [usage(20_000)])
        rerate(metered.provider)

        issue_run(metered.provider)

        (statement,) = statements(metered)
        assert (statement.total, statement.amount) == ("110 GB", Decimal("10.5"))

    def test_cannot_be_changed_once_it_is_issued(self, metered: Metered) -> None:
        import_lines(metered.source, [usage(60_000)])
        issue_run(metered.provider)

        with pytest.raises(IntegrityError, match="fixed"), transaction.atomic():
            Invoice.objects.update(tier_statements=[])


class TestThePrintedInvoice:
    def test_shows_the_tiers_below_the_usage(self, metered: Metered) -> None:
        import_lines(metered.source, [usage(60_000)])
        issue_run(metered.provider)
        import_lines(metered.source, [usage(60_500)])
        issue_run(metered.provider, NOVEMBER, IN_DECEMBER)
        invoice = Invoice.objects.latest("pk")

        detail = invoice_detail(Scope.system(metered.provider.pk), invoice.pk)
        text = " ".join(PdfReader(BytesIO(render_invoice(detail))).pages[0].extract_text().split())

        assert "How tiers make up Storage of October 2026: 120.5 GB" in text
        assert "Up to 100 GB 100 GB 0.1 a GB 10.00" in text
        assert "Beyond 100 GB 20.5 GB 0.05 a GB 1.025" in text
        assert "Charged before 60 GB \u22126.00" in text
        assert "Charged above, where each line is rounded 5.025" in text
