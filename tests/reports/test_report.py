import csv
import io

import pytest
from django.core.management import CommandError, call_command

from reports.library import REPORTS
from resellers.models import Reseller
from tests.factories import make_code, make_customer, make_provider, make_reseller
from tests.factories.payouts import day, issue

pytestmark = pytest.mark.django_db


@pytest.fixture
def reseller() -> Reseller:
    """Sold for 1,000.00 in March and 2,500.00 in May 2026."""
    reseller = make_reseller(make_provider("aurora"), number=7, organisation="=Zenith")
    make_code(reseller, "ZENITH")
    customer = make_customer(reseller.provider, reseller, created_at=day(3, 1))
    issue(customer, at=day(3, 1))
    issue(customer, "2500", "450", at=day(5, 1))
    return reseller


def run(name: str, *arguments: str) -> str:
    out = io.StringIO()
    call_command("report", name, "--provider=aurora", *arguments, stdout=out)
    return out.getvalue()


class TestReport:
    def test_prints_a_table_and_what_it_means(self, reseller: Reseller) -> None:
        text = run("total-reseller-sales", "--period=2026-03")

        assert "Total reseller-driven sales, 2026-03-01 to 2026-03-31" in text
        assert "1,000.00" in text
        assert "net = net of tax of the invoices issued in the month" in text

    def test_prints_nothing_but_csv(self, reseller: Reseller) -> None:
        text = run("total-reseller-sales", "--period=2026-03", "--to=2026-05", "--format=csv")

        rows = list(csv.DictReader(io.StringIO(text)))
        assert [(row["month"], row["net_amount"]) for row in rows] == [
            ("2026-03", "1000.00"),
            ("2026-05", "2500.00"),
        ]
        assert rows[0]["reseller"] == "'=Zenith"

    @pytest.mark.parametrize("name", [report.name for report in REPORTS])
    def test_knows_each_report(self, reseller: Reseller, name: str) -> None:
        [report] = [report for report in REPORTS if report.name == name]

        table = run(name, "--period=2026-03")
        text = run(name, "--period=2026-03", "--format=csv")

        assert report.formula in table
        assert text.splitlines()[0] == ",".join(report.columns)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["unheard-of", "--period=2026-03"], "Reports: total-reseller-sales, non-reseller"),
            (["reseller-payout", "--period=2026-13"], "'2026-13' is not a month"),
            (["reseller-payout", "--period=2026-03", "--to=2026-02"], "swap them"),
            (["reseller-payout", "--period=2026-03", "--provider=other"], "Providers: aurora"),
        ],
    )
    def test_refuses_bad_input_with_status_2(
        self, reseller: Reseller, arguments: list[str], message: str
    ) -> None:
        with pytest.raises(CommandError, match=message) as refused:
            run(*arguments)

        assert refused.value.returncode == 2
