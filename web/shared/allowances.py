"""How what items include of usage is written, in lists and sentences."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django_tables2 import A

from catalogue.models import AllowanceTerms
from catalogue.rules.allowances import written_destinations
from common.csv_files import Cell
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
    """`Europe: 100 min of Calls a month to 49, 440-442, the rest rolls over`, for customers too."""
    volume = volume_text(allowance.volume * quantity, allowance.usage_product.volume_unit)
    text = f"{allowance.name}: {volume} of {allowance.usage_product} a month"
    if allowance.destinations:
        text += f" to {destinations_text(allowance.destinations)}"
    return f"{text}; what is left rolls over once" if allowance.rolls_over else text


class IncludesColumn(Column):
    """What an item includes; `of` leads to the item, `quantity` to how many there are of it."""

    def __init__(self, *, of: str = "", quantity: str = "") -> None:
        super().__init__("Includes", accessor="pk")
        self.of = of
        self.quantity = quantity

    def render(self, record: Any) -> SafeString | str:
        return (
            format_html_join("", "<div>{}</div>", ((text,) for text in self._texts(record))) or NONE
        )

    def export_cells(self, record: Any, value: Any) -> list[Cell]:
        return [" | ".join(self._texts(record))]

    def _texts(self, record: Any) -> list[str]:
        item = A(self.of).resolve(record) if self.of else record
        quantity = A(self.quantity).resolve(record) if self.quantity else 1
        return [included_text(row, quantity) for row in item.allowances.all()]
