"""Tables of the surfaces: columns that know how their kind of value is written."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import django_tables2
from django.db.models import Model
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django_tables2 import A
from django_tables2.data import TableData

from common.csv_files import Cell
from web.access import SurfaceRequest
from web.shared.badges import badge
from web.shared.links import url_of
from web.shared.table_rows import rows_html
from web.shared.writing import NONE, money_html, plain_number, price_html

NUMBER = {"th": {"class": "number"}, "td": {"class": "number"}}


class OrderedRows(TableData):  # type: ignore[misc]  # django-tables2 is untyped
    """Rows that the database has put in order; the table only shows by which column."""

    def __len__(self) -> int:
        return len(self.data)

    def order_by(self, aliases: object) -> None:
        """They are."""


class Column(django_tables2.Column):  # type: ignore[misc]
    """Text. Lists can be sorted by columns that say `orderable=True`: those with an index."""

    def __init__(self, verbose_name: str | None = None, **options: Any) -> None:
        super().__init__(verbose_name, **{"orderable": False, **options})

    def export_headings(self, heading: str) -> list[str]:
        """The column's headings in CSV and spreadsheets."""
        return [heading]

    def export_cells(self, record: Any, value: Any) -> list[Cell]:
        """The cells under them, exact and without formatting."""
        return [value if isinstance(value, Cell) else str(value)]


class LinkColumn(Column):
    """Text that leads to the row's own page, or to that of the row which `to` leads to."""

    def __init__(self, verbose_name: str | None = None, *, to: str = "", **options: Any) -> None:
        super().__init__(verbose_name, **options)
        self.to = to

    def render(self, record: Any, value: Any, table: Any) -> SafeString:
        target = A(self.to).resolve(record, quiet=True) if self.to else record
        url = url_of(table.scope, target) if isinstance(target, Model) else ""
        if not url:
            return format_html("{}", value)
        return format_html('<a href="{}">{}</a>', url, value)


class NumberColumn(Column):
    """A count or quantity, with thousands apart; `digits` decimals, or those it has."""

    def __init__(self, verbose_name: str | None = None, **options: Any) -> None:
        super().__init__(verbose_name, **{"attrs": NUMBER, **options})

    def render(self, value: int | Decimal) -> str:
        return plain_number(value)


class MoneyColumn(Column):
    """An amount with its currency, which `currency` leads to; two columns where it is exported.

    Rounded to the currency, unless it is a price or rate and `is_exact`.
    """

    def __init__(
        self,
        verbose_name: str | None = None,
        *,
        currency: str = "currency",
        is_exact: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(verbose_name, **{"attrs": NUMBER, **options})
        self.currency = currency
        self.write = price_html if is_exact else money_html

    def render(self, record: Any, value: Decimal) -> SafeString:
        return self.write(value, A(self.currency).resolve(record))

    def export_headings(self, heading: str) -> list[str]:
        return [heading, f"{heading} currency"]

    def export_cells(self, record: Any, value: Any) -> list[Cell]:
        return [value, A(self.currency).resolve(record)]


class DateColumn(Column):
    """A date."""

    def render(self, value: Any) -> SafeString:
        return format_html(
            '<time datetime="{}">{}</time>', value.isoformat(), date_format(value, "DATE_FORMAT")
        )


class InstantColumn(Column):
    """An instant, in the provider's time zone."""

    def render(self, value: Any) -> SafeString:
        return instant_html(value)

    def export_cells(self, record: Any, value: Any) -> list[Cell]:
        return [value and localtime(value)]


def instant_html(value: datetime) -> SafeString:
    """An instant, in the provider's time zone."""
    local = localtime(value)
    return format_html(
        '<time datetime="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        date_format(local, "DATETIME_FORMAT"),
    )


class BadgeColumn(Column):
    """A choice, e.g. a state, as a badge; `value` leads to what colours it."""

    def __init__(self, verbose_name: str | None = None, *, value: str, **options: Any) -> None:
        super().__init__(verbose_name, **options)
        self.value_accessor = value

    def render(self, record: Any, value: Any) -> SafeString:
        return badge(str(A(self.value_accessor).resolve(record)), str(value))


class Table(django_tables2.Table):  # type: ignore[misc]
    """The base of every table of the surfaces."""

    def __init__(self, rows: Sequence[Any], *, request: SurfaceRequest, sort: str = "") -> None:
        super().__init__(OrderedRows(rows), order_by=(sort,) if sort else (), default=NONE)
        self.scope = request.scope

    @property
    def body(self) -> SafeString:
        """Its rows as HTML."""
        return rows_html(self)

    @classmethod
    def sorts(cls) -> Mapping[str, Sequence[str]]:
        """The columns it can be sorted by, and the lookups which that means."""
        return {
            name: list(column.order_by or [str(column.accessor or name).replace(".", "__")])
            for name, column in cls.base_columns.items()
            if column.orderable
        }
