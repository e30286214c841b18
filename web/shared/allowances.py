"""How what items include of usage is written, in lists and sentences."""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

from django.http import HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django_tables2 import A

from catalogue.models import AllowanceTerms
from catalogue.rules.allowances import written_destinations
from cdr.selectors.allowances import AllowanceOfMonth
from common.csv_files import Cell
from common.periods import Period
from web.shared.exports import csv_response
from web.shared.tables import Column
from web.shared.writing import NONE, volume_text

_FEW_DESTINATIONS = 6


def destinations_text(prefixes: Sequence[str]) -> str:
    """Which numbers: `all`, `49, 440-442`, or the first few of many and how many more."""
    if not prefixes:
        return "all"
    cells = written_destinations(prefixes).split(", ")
    more = len(cells) - _FEW_DESTINATIONS
    few = ", ".join(islice(cells, _FEW_DESTINATIONS))
    return f"{few} and {more} more" if more > 0 else few


def included_text(allowance: AllowanceTerms, quantity: int = 1) -> str:
    """`Europe: 100 min of Calls a month to 49; what is left rolls over once`, for customers too."""
    volume = volume_text(allowance.volume * quantity, allowance.usage_product.volume_unit)
    text = f"{allowance.name}: {volume} of {allowance.usage_product} a month"
    if allowance.destinations:
        text += f" to {destinations_text(allowance.destinations)}"
    if allowance.sharing == AllowanceTerms.Sharing.OWN:
        text += ", for its own numbers"
    return f"{text}; what is left rolls over once" if allowance.rolls_over else text


def allowances_csv(
    name: str, period: Period, allowances: Iterable[AllowanceOfMonth]
) -> HttpResponse:
    """The allowances of a month as a file, in the units in which their usage is counted."""
    headings = (
        *("Month", "Allowance", "Usage of", "For", "Subscription", "Destinations"),
        *("Granted", "Rolled over", "Used", "Left", "Unit"),
    )
    rows = [
        (
            f"{period.from_date:%Y-%m}",
            row.name,
            row.product.name,
            row.sharing.lower(),
            row.subscription.product.name if row.subscription else None,
            written_destinations(row.destinations),
            row.granted_volume,
            row.rolled_volume,
            row.used_volume,
            row.left_volume,
            row.product.volume_unit,
        )
        for row in allowances
    ]
    return csv_response(f"{name}-{period.from_date:%Y-%m}", headings, rows)


class IncludesColumn(Column):
    """What an item includes, shortly; `of` leads to the item, `quantity` to how many are bought.

    With `url`, it leads to the page that this gives for a row.
    """

    def __init__(
        self, *, of: str = "", quantity: str = "", url: Callable[[Any], str] | None = None
    ) -> None:
        super().__init__("Includes", accessor="pk")
        self.of = of
        self.quantity = quantity
        self.url = url

    def render(self, record: Any) -> SafeString | str:
        texts = [(text,) for text in self._texts(record)]
        lines = format_html_join("", "<div>{}</div>", texts)
        if self.url is not None:
            return format_html('<a href="{}">{}</a>', self.url(record), lines or "Nothing")
        return format_html("<div>{}</div>", lines) if texts else NONE

    def export_cells(self, record: Any, value: Any) -> list[Cell]:
        return [" | ".join(self._texts(record))]

    def _texts(self, record: Any) -> list[str]:
        item = A(self.of).resolve(record) if self.of else record
        quantity = A(self.quantity).resolve(record) if self.quantity else 1
        return [_shortly(row, quantity) for row in item.allowances.all()]


def _shortly(allowance: AllowanceTerms, quantity: int) -> str:
    volume = allowance.volume * quantity
    return f"{allowance.name}: {volume_text(volume, allowance.usage_product.volume_unit)}"
