"""A report's rows as a table: its columns written by what they hold, linked to what is behind."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from common.money import ZERO
from reports.columns import Kind, heading, kind_of
from reports.library import Report
from web.access import SurfaceRequest
from web.shared.tables import NUMBER, Column, Table
from web.shared.writing import NONE, money_html, plain_number

PAGE_SIZE = 100
UrlOf = Callable[[Any, str], str]
"""The address of what is behind a row's column; empty where there is nothing to see."""


class ReportColumn(Column):
    """One column of a report."""

    def __init__(self, name: str, url_of: UrlOf) -> None:
        attrs = NUMBER if kind_of(name).is_numeric else {}
        super().__init__(heading(name), orderable=True, attrs=attrs)
        self.field = name
        self.url_of = url_of

    def render(self, record: Any, value: Any) -> SafeString:
        text, url = cell_html(record, self.field), self.url_of(record, self.field)
        return format_html('<a href="{}">{}</a>', url, text) if url else format_html("{}", text)


def cell_html(row: Any, column: str) -> SafeString | str:
    """A value as people read it."""
    value, kind = getattr(row, column), kind_of(column)
    if value is None or value == "":
        return NONE
    if kind is Kind.AMOUNT:
        return money_html(value, row.currency) if row.currency else NONE
    if kind in (Kind.COUNT, Kind.PERCENT):
        return plain_number(value)
    return date_format(value, "DATE_FORMAT") if kind is Kind.DAY else str(value)


def report_table(
    report: Report, rows: Sequence[Any], *, request: SurfaceRequest, sort: str, url_of: UrlOf
) -> Table:
    """The rows that a page shows.

    Amounts carry their currency, which needs no column then, and names lead to customers and
    resellers, whose numbers are in the files.
    """
    kinds = {name: kind_of(name) for name in report.columns}
    hidden = {name for name, kind in kinds.items() if kind is Kind.NUMBER}
    if Kind.AMOUNT in kinds.values():
        hidden.add("currency")
    shown = [name for name in report.columns if name not in hidden]
    columns = {name: ReportColumn(name, url_of) for name in shown}
    made: type[Table] = type("ReportTable", (Table,), columns)
    return made(rows, request=request, sort=sort)


def sorted_rows(report: Report, rows: list[Any], sort: str) -> list[Any]:
    """The rows in the order that the address asks for, empty values last; else as they came."""
    name = sort.removeprefix("-")
    if name not in report.columns:
        return rows
    there = [row for row in rows if getattr(row, name) not in (None, "")]
    empty = [row for row in rows if getattr(row, name) in (None, "")]
    ordered = sorted(there, key=lambda row: getattr(row, name), reverse=sort.startswith("-"))
    return [*ordered, *empty]


def amounts_html(amounts: Mapping[str, Decimal]) -> SafeString | str:
    """An amount a line, each of its own currency."""
    lines = [(money_html(amount, currency),) for currency, amount in amounts.items()]
    return format_html_join(" ", '<span class="amount-line">{}</span>', lines) if lines else NONE


@dataclass(frozen=True)
class RowsPage:
    """Some consecutive rows, and the places before and after which others are, if any."""

    rows: Sequence[Any]
    before: str
    after: str


def rows_page(rows: Sequence[Any], *, before: str, after: str) -> RowsPage:
    """The page that ends before a place or begins after one; else the first."""
    if before.isdecimal():
        end = min(int(before), len(rows))
        start = max(end - PAGE_SIZE, 0)
    else:
        start = min(int(after), len(rows)) if after.isdecimal() else 0
        end = min(start + PAGE_SIZE, len(rows))
    return RowsPage(
        rows[start:end],
        before=str(start) if start else "",
        after=str(end) if end < len(rows) else "",
    )


@dataclass(frozen=True)
class Total:
    """What rows of one currency add up to: headings and sums; `name` is the currency, if any."""

    name: str
    sums: list[tuple[str, SafeString | str]]


def totals(report: Report, rows: Sequence[Any]) -> list[Total]:
    """What may be added up, by currency; nothing where nothing may."""
    if not report.totals:
        return []
    by_currency: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        by_currency[getattr(row, "currency", "")].append(row)
    nameless = "Of unknown value" if "currency" in report.columns else "All"
    return [
        Total(
            currency or nameless,
            [(heading(name), _total(lot, name, currency)) for name in report.totals],
        )
        for currency, lot in sorted(by_currency.items())
    ]


def _total(rows: Sequence[Any], column: str, currency: str) -> SafeString | str:
    total = sum((getattr(row, column) for row in rows), ZERO)
    if kind_of(column) is not Kind.AMOUNT:
        return plain_number(total)
    return money_html(total, currency) if currency else NONE
