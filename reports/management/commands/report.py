"""Print a standard report for one or more months."""

from argparse import ArgumentParser
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from billing.documents.text import amount_text
from common import clock
from common.commands import Refused, TollgateCommand
from common.csv_files import write_csv
from common.periods import Period, parse_month
from common.scope import Scope
from reports.columns import Kind, file_cell, kind_of
from reports.library import REPORTS, Report, report_named
from tenancy.selectors import provider_by_slug


class Command(TollgateCommand):
    help = "Print a standard report, as a table or as CSV."

    def add_arguments(self, parser: ArgumentParser) -> None:
        names = ", ".join(report.name for report in REPORTS)
        parser.add_argument("name", metavar="NAME", help=f"one of {names}")
        parser.add_argument("--provider", required=True, metavar="SLUG")
        parser.add_argument("--period", required=True, metavar="MONTH", help="such as 2026-10")
        parser.add_argument("--to", metavar="MONTH", help="the last month, for more than one")
        parser.add_argument("--format", choices=["table", "csv"], default="table")

    def handle(self, *_: Any, **options: Any) -> None:
        report = report_named(options["name"])
        provider = provider_by_slug(options["provider"])
        period = _period(options["period"], options["to"] or options["period"])
        today = clock.now().astimezone(ZoneInfo(provider.time_zone)).date()
        rows = report.read(Scope.system(provider.pk), report.period_of(period, today))
        if options["format"] == "csv":
            cells = ([file_cell(row, column) for column in report.columns] for row in rows)
            write_csv(self.stdout, report.columns, cells)
        else:
            self._print(report, rows, f"{provider}: {report.title}, {period}")

    def _print(self, report: Report, rows: Any, title: str) -> None:
        headings = [column.replace("_", " ") for column in report.columns]
        numeric = [
            column.replace("_", " ") for column in report.columns if kind_of(column).is_numeric
        ]
        cells = [[_text(row, column) for column in report.columns] for row in rows]
        self.print_table(headings, cells, title=title, numeric=numeric)
        self.stdout.write(report.formula)


def _period(first: str, last: str) -> Period:
    begins, ends = parse_month(first), parse_month(last)
    if ends < begins:
        raise Refused(f"--to {last} is before --period {first}; swap them.")
    return Period(begins.from_date, ends.to_date)


def _text(row: Any, column: str) -> str:
    """A value for people."""
    value = getattr(row, column)
    if kind_of(column) is Kind.AMOUNT:
        return amount_text(value, row.currency)
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return "" if value is None else str(value)
