"""Rates as the lines of a file, and the files that were asked for."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import F
from django.db.models.functions import Length

from catalogue.models import Rate, RateExport, RateImport, RateImportRow, RateTable
from catalogue.rules.rate_lines import COLUMNS, PrefixLayout, prefix_cells
from catalogue.selectors.rate_tables import in_force
from common.csv_files import Cell
from common.scope import Scope
from tenancy.owned import ProviderQuerySet

_ROWS_AT_ONCE = 5000
_PROFILE = COLUMNS.index("time_profile")
_STORED = [
    *COLUMNS[:_PROFILE],
    "time_profile__ranges",
    *COLUMNS[_PROFILE + 1 :],
    "time_profile__weight",
]
_TERMS = [name for name in _STORED if name != "prefix"]
_ABOUT_ROW = ("sheet", "line", "row_class", "before_rate", "wrong_field", "error")
IMPORT_COLUMNS = ("sheet", "line", "class", "rate_before", "wrong_field", "error", *COLUMNS)
"""Of the file of an import's rows: where each is in the sent file, what it does, and its rate."""


def rate_exports(scope: Scope, table: RateTable) -> ProviderQuerySet[RateExport]:
    """The files of a table, the latest first, without what is in them."""
    rows = RateExport.objects.visible_to(scope).filter(rate_table=table, rate_import=None)
    rows = rows.defer("content")
    return rows.order_by("-requested_at", "-pk")


def rate_export(scope: Scope, export_id: int) -> RateExport:
    """One file with its table, without what is in it.

    :raises RateExport.DoesNotExist: it is not in the scope.
    """
    rows = RateExport.objects.visible_to(scope)
    rows = rows.select_related("rate_table__product", "rate_import")
    return rows.defer("content").get(pk=export_id)


def rate_lines(
    scope: Scope,
    table: RateTable,
    *,
    at: datetime | None,
    layout: PrefixLayout,
    on_rates: Callable[[int], None] = lambda count: None,
) -> Iterator[Sequence[Cell]]:
    """The rates of a table, or those in force `at` an instant, as lines of `COLUMNS`.

    They are streamed; `on_rates` is told from time to time how many were. Instants are in the
    table's time zone, a time profile is written out as days and hours.
    """
    rows: Any = Rate.objects.visible_to(scope).filter(rate_table=table)
    if at is not None:
        rows = in_force(rows, at)
    if layout is PrefixLayout.ROWS:
        order: list[Any] = ["prefix", "effective_from", "pk"]
    else:
        order = [*map(F, _TERMS), Length("prefix"), "prefix"]
    found = rows.order_by(*order).values_list(*_STORED).iterator(_ROWS_AT_ONCE)
    zone = ZoneInfo(table.time_zone)
    for terms, group in groupby(_counted(found, on_rates), key=lambda row: row[1:]):
        cells = prefix_cells([row[0] for row in group], layout)
        yield from (_line(prefix, terms, zone) for prefix in cells)


def import_lines(
    scope: Scope, rate_import: RateImport, *, on_rates: Callable[[int], None]
) -> Iterator[Sequence[Cell]]:
    """What an import does as lines of `IMPORT_COLUMNS`, in the order of the file, streamed."""
    rows: Any = RateImportRow.objects.visible_to(scope).filter(rate_import=rate_import)
    zone = ZoneInfo(rate_import.rate_table.time_zone)
    found = rows.order_by("number").values_list(*_ABOUT_ROW, *_STORED).iterator(_ROWS_AT_ONCE)
    for row in _counted(found, on_rates):
        about, prefix, terms = (
            row[: len(_ABOUT_ROW)],
            row[len(_ABOUT_ROW)],
            row[len(_ABOUT_ROW) + 1 :],
        )
        yield [*(_cell(value, zone) for value in about), *_line(prefix, terms, zone)]


def _counted(rows: Iterator[tuple[Any, ...]], on_rates: Callable[[int], None]) -> Iterator[Any]:
    for count, row in enumerate(rows, start=1):
        if count % _ROWS_AT_ONCE == 0:
            on_rates(count)
        yield row


def _line(prefix: str, terms: Sequence[Any], zone: ZoneInfo) -> Sequence[Cell]:
    *cells, weight = (_cell(value, zone) for value in terms)
    if weight:
        cells[_PROFILE - 1] = f"{cells[_PROFILE - 1]} @{weight}"
    return [prefix, *cells]


def _cell(value: Any, zone: ZoneInfo) -> Cell:
    if isinstance(value, datetime):
        return value.astimezone(zone).isoformat()
    return value.normalize() if isinstance(value, Decimal) else value
