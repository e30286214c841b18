import csv
import io
from collections.abc import Iterator
from http import HTTPStatus
from io import BytesIO

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape
from openpyxl import load_workbook
from pytest_django import DjangoDbBlocker

from reports.library import REPORTS, Group, Report
from resellers.models import ResellerModule
from tests.factories import make_code, make_customer, make_provider, make_reseller
from tests.factories.billing import make_usage
from tests.factories.payouts import day, issue
from tests.reports.worlds import World, make_world
from tests.web.console.pages import as_role, page, query_count

pytestmark = pytest.mark.django_db
ROOT = "/console/reports/"
OCTOBER = "since=2026-10-01&until=2026-10-31"
AUTUMN = "since=2026-09-01&until=2026-11-30"


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """Made once for all tests here, in a transaction around theirs."""
    with django_db_blocker.unblock(), transaction.atomic():
        make_world("borealis", 7)
        yield make_world("aurora", 1)
        transaction.set_rollback(True)


@pytest.fixture
def finance(world: World) -> Client:
    return as_role(world.provider, "Finance")


def rows_of(client: Client, path: str) -> list[dict[str, str]]:
    """A report as a CSV file."""
    return list(csv.DictReader(io.StringIO(page(client, path))))


class TestTheIndex:
    def test_leads_to_every_report(self, finance: Client) -> None:
        text = page(finance, ROOT)

        assert all(f'href="{ROOT}{report.name}/"' in text for report in REPORTS)
        assert f'href="{ROOT}resellers/"' in text

    def test_leaves_out_resellers_where_there_are_none(self, world: World) -> None:
        ResellerModule.objects.filter(provider=world.provider).update(is_enabled=False)

        text = page(as_role(world.provider, "Finance"), ROOT)

        assert "Total reseller-driven sales" not in text
        assert "Reseller management" not in text
        assert f'href="{ROOT}tax/"' in text


class TestEveryReport:
    @pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.name)
    def test_shows_what_it_means_and_its_files(self, finance: Client, report: Report) -> None:
        text = page(finance, f"{ROOT}{report.name}/?{AUTUMN}")
        table = page(finance, f"{ROOT}{report.name}/?{AUTUMN}&format=csv")
        book = finance.get(f"{ROOT}{report.name}/?{AUTUMN}&format=xlsx")

        assert escape(report.formula) in text
        assert table.splitlines()[0] == ",".join(report.columns)
        sheet = load_workbook(BytesIO(book.content)).active
        assert sheet is not None
        assert sheet.max_row == len(table.splitlines())

    @pytest.mark.parametrize(
        "name", [report.name for report in REPORTS if report.group is Group.RESELLERS]
    )
    def test_about_resellers_is_gone_without_them(self, world: World, name: str) -> None:
        ResellerModule.objects.filter(provider=world.provider).update(is_enabled=False)

        answer = as_role(world.provider, "Finance").get(f"{ROOT}{name}/")

        assert answer.status_code == HTTPStatus.NOT_FOUND

    def test_is_only_read(self, finance: Client) -> None:
        answer = finance.post(f"{ROOT}tax/")

        assert answer.status_code == HTTPStatus.METHOD_NOT_ALLOWED

    def test_is_not_for_who_may_not_see_payouts(self, world: World) -> None:
        answer = as_role(world.provider, "Service").get(f"{ROOT}tax/")

        assert answer.status_code == HTTPStatus.FORBIDDEN

    def test_that_there_is_not_is_not_found(self, finance: Client) -> None:
        assert finance.get(f"{ROOT}unheard-of/").status_code == HTTPStatus.NOT_FOUND


class TestResellerSales:
    def test_are_the_own_providers_by_currency(self, finance: Client) -> None:
        text = page(finance, f"{ROOT}total-reseller-sales/?{OCTOBER}")

        assert '1,700.00 <span class="currency">EUR' in text
        assert '80.00 <span class="currency">USD' in text
        assert "1,780.00" not in text
        assert "7,000.00" not in text

    def test_lead_to_the_documents_behind_them(self, finance: Client, world: World) -> None:
        text = page(finance, f"{ROOT}total-reseller-sales/?{OCTOBER}")
        asked = f"reseller={world.sub.pk}&currency=EUR&{OCTOBER}"

        invoices = rows_of(finance, f"/console/billing/invoices/?kind=CUSTOMER&{asked}&format=csv")
        notes = rows_of(finance, f"/console/billing/credit-notes/?{asked}&format=csv")

        assert f"/console/billing/invoices/?kind=CUSTOMER&{asked}" in text.replace("&amp;", "&")
        assert [row["Net"] for row in invoices] == ["500.0000"]
        assert [row["Net"] for row in notes] == ["100.0000"]

    def test_are_filtered_by_reseller_branch_and_currency(
        self, finance: Client, world: World
    ) -> None:
        address = f"{ROOT}total-reseller-sales/?{OCTOBER}&format=csv"

        own = rows_of(finance, f"{address}&reseller={world.top.pk}")
        branch = rows_of(finance, f"{address}&reseller={world.top.pk}&below=branch")
        dollars = rows_of(finance, f"{address}&currency=USD")

        assert [row["reseller"] for row in own] == ["Meridian", "Meridian"]
        assert [row["reseller"] for row in branch] == ["Meridian", "Meridian", "Solstice"]
        assert [(row["reseller"], row["net_amount"]) for row in dollars] == [("Meridian", "80.00")]

    def test_count_the_days_asked_for_only(self, finance: Client) -> None:
        assert (
            rows_of(
                finance, f"{ROOT}total-reseller-sales/?since=2026-10-03&until=2026-10-24&format=csv"
            )
            == []
        )

    def test_are_sorted_as_asked(self, finance: Client) -> None:
        address = f"{ROOT}total-reseller-sales/?{OCTOBER}&format=csv&sort="

        rows = rows_of(finance, f"{address}-net_amount")

        assert [row["net_amount"] for row in rows] == ["1000.00", "400.00", "300.00", "80.00"]

    @pytest.mark.parametrize(
        ("days", "message"),
        [
            ("since=2026-10-31&until=2026-10-01", "It ends before it begins."),
            ("since=1999-01-01&until=2026-10-01", "Ask for 10 years at most."),
            ("since=soon&until=2026-10-01", "Enter a valid date."),
            (f"{OCTOBER}&reseller=0", "Select a valid choice."),
        ],
    )
    def test_say_what_is_wrong_with_a_filter(
        self, finance: Client, days: str, message: str
    ) -> None:
        text = page(finance, f"{ROOT}total-reseller-sales/?{days}")

        assert message in text
        assert "Nothing to report" in text

    def test_of_another_providers_reseller_are_not_offered(self, finance: Client) -> None:
        other = make_reseller(make_provider(), organisation="Elsewhere")

        text = page(finance, f"{ROOT}total-reseller-sales/?{OCTOBER}&reseller={other.pk}")

        assert "Select a valid choice." in text
        assert "Elsewhere" not in text

    def test_come_as_a_part_for_htmx(self, finance: Client) -> None:
        answer = finance.get(
            f"{ROOT}total-reseller-sales/?{OCTOBER}",
            headers={"HX-Request": "true", "HX-Target": "list"},
        )

        assert answer.content.lstrip().startswith(b'<section id="list"')

    def test_ask_the_database_as_often_for_many_as_for_few(self, world: World) -> None:
        few = query_count(
            as_role(world.provider, "Finance"), f"{ROOT}total-reseller-sales/?{OCTOBER}"
        )
        for _ in range(5):
            reseller = make_reseller(world.provider)
            make_code(reseller)
            issue(make_customer(world.provider, reseller), at=day(10, 5))

        many = query_count(
            as_role(world.provider, "Finance"), f"{ROOT}total-reseller-sales/?{OCTOBER}"
        )

        assert many == few


class TestALongReport:
    def test_is_shown_in_pages(self, world: World) -> None:
        customer = make_customer(world.provider)
        for number in range(101):
            make_usage(customer, "1", destination=f"Place {number:03}")
        client = as_role(world.provider, "Finance")

        first = page(client, f"{ROOT}margin-by-destination/?{OCTOBER}&sort=destination")
        second = page(client, f"{ROOT}margin-by-destination/?{OCTOBER}&sort=destination&after=100")
        back = page(client, f"{ROOT}margin-by-destination/?{OCTOBER}&sort=destination&before=100")

        assert '<td data-label="Destination">Place 099' in first
        assert "Place 100</td>" not in first
        assert "Place 100</td>" in second
        assert "Place 099</td>" in back


class TestTheDashboard:
    def test_shows_the_four_figures_by_currency(self, finance: Client) -> None:
        text = page(finance, f"{ROOT}resellers/?{AUTUMN}")

        assert '1,800.00 <span class="currency">EUR' in text
        assert '230.00 <span class="currency">EUR' in text
        assert f"{ROOT}reseller-payout/?since=2026-09-01&amp;until=2026-11-30" in text
        for title in ("Sales by reseller (EUR)", "Sales with and without resellers (EUR)"):
            assert title in text

    def test_draws_the_currency_asked_for(self, finance: Client) -> None:
        text = page(finance, f"{ROOT}resellers/?{AUTUMN}&currency=USD")

        assert "Sales by reseller (USD)" in text
        assert "Sales by reseller (EUR)" not in text

    def test_counts_who_came(self) -> None:
        provider = make_provider()
        reseller = make_reseller(provider)
        make_code(reseller, "FAIR")
        for _ in range(3):
            make_customer(provider, reseller, created_at=day(10, 5))

        text = page(as_role(provider, "Finance"), f"{ROOT}resellers/?{OCTOBER}")

        assert "<dd>3</dd>" in text
        assert "FAIR" in text

    def test_says_so_when_there_is_nothing(self, provider_without_anything: Client) -> None:
        text = page(provider_without_anything, f"{ROOT}resellers/")

        assert "Nothing of resellers in this time" in text

    def test_says_what_is_wrong_with_its_dates(self, finance: Client) -> None:
        text = page(finance, f"{ROOT}resellers/?since=2026-10-31&until=2026-10-01")

        assert "It ends before it begins." in text

    def test_is_gone_without_resellers(self, world: World) -> None:
        ResellerModule.objects.filter(provider=world.provider).update(is_enabled=False)

        answer = as_role(world.provider, "Finance").get(f"{ROOT}resellers/")

        assert answer.status_code == HTTPStatus.NOT_FOUND

    def test_never_reads_usage(self, finance: Client) -> None:
        with CaptureQueriesContext(connection) as asked:
            page(finance, f"{ROOT}resellers/?{AUTUMN}")

        assert not [query for query in asked if "cdr_" in query["sql"]]


@pytest.fixture
def provider_without_anything() -> Client:
    return as_role(make_provider(), "Finance")
