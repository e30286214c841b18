from dataclasses import fields
from datetime import date
from pathlib import Path

import pytest
from django.conf import settings

from common.periods import Period, month
from reports.columns import Kind, heading, kind_of
from reports.library import REPORTS, Report, Span
from reports.selectors.receivables import AgedReceivable
from web.console.report_charts import CHARTS


def words(text: str) -> str:
    """A text without its line breaks."""
    return " ".join(text.replace("\n> ", " ").split())


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.name)
class TestAReport:
    def test_is_explained_in_the_documentation(self, report: Report) -> None:
        pages = words(Path(settings.BASE_DIR, "docs/reports.md").read_text())

        assert f"**{report.title}** (`{report.name}`)" in pages
        assert words(report.formula) in pages

    def test_adds_up_only_columns_that_it_has(self, report: Report) -> None:
        assert set(report.totals) <= set(report.columns)
        assert {kind_of(column) for column in report.totals} <= {Kind.AMOUNT, Kind.COUNT}

    def test_gives_every_amount_a_currency(self, report: Report) -> None:
        amounts = [column for column in report.columns if kind_of(column) is Kind.AMOUNT]

        assert not amounts or "currency" in report.columns

    def test_never_asks_for_the_end_of_a_day_to_come(self, report: Report) -> None:
        running, today = month(2026, 11), date(2026, 11, 10)

        read_for = report.period_of(running, today)

        if report.span is Span.LAST_DAY:
            assert read_for == Period(date(2026, 11, 1), date(2026, 11, 11))
        else:
            assert read_for == running
        assert report.period_of(month(2026, 10), today) == month(2026, 10)

    def test_calls_no_two_columns_the_same(self, report: Report) -> None:
        headings = [heading(column) for column in report.columns]

        assert len(set(headings)) == len(headings)


class TestTheReports:
    def test_have_names_of_their_own(self) -> None:
        assert len({report.name for report in REPORTS}) == len(REPORTS)

    def test_have_pictures_of_columns_that_they_have(self) -> None:
        columns = {report.name: set(report.columns) for report in REPORTS}

        for name, (_, draw) in CHARTS.items():
            used = [getattr(draw, field.name) for field in fields(draw)]  # type: ignore[arg-type]
            flat = {
                value
                for entry in used
                for value in (entry if isinstance(entry, tuple) else [entry])
            }
            assert flat <= columns[name], name


class TestHeading:
    def test_says_what_an_amount_is_of(self) -> None:
        assert heading("net_amount") == "Net"
        assert heading("reseller_number") == "Reseller number"
        assert [heading(field.name) for field in fields(AgedReceivable)][6] == "1 to 30 days"
