"""How the tiers of metered products are written, in lists and sentences."""

from decimal import Decimal
from itertools import pairwise
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django_tables2 import A

from catalogue.models import ItemTerms
from catalogue.rules.tiers import Tier, TierModel, Tiers
from common.csv_files import Cell
from web.shared.tables import MoneyColumn
from web.shared.writing import NONE, plain_number, price_html


def tier_lines(item: ItemTerms, *, is_brief: bool = False) -> list[SafeString]:
    """What an item's tiers say, a line each: `beyond 100 GB: 0.05 EUR a GB`; none without tiers.

    The first says how they are applied, in a word where `is_brief`.
    """
    tiers, unit = item.metered_tiers, item.product.rating_unit
    if tiers is None:
        return []
    ends = [following.from_units for _, following in pairwise(tiers.rows)]
    lines = [
        format_html("{}: {}", _range(row, end, unit), _price(tiers, row, unit, item.currency))
        for row, end in zip(tiers.rows, [*ends, None], strict=True)
    ]
    model = item.tier_model.capitalize() if is_brief else item.get_tier_model_display()
    return [format_html("{}, a month:", model), *lines]


def _range(row: Tier, end: int | None, unit: str) -> str:
    if not row.from_units:
        return f"up to {plain_number(end)} {unit}" if end else "any volume"
    return f"beyond {plain_number(row.from_units)} {unit}"


def _price(tiers: Tiers, row: Tier, unit: str, currency: str) -> SafeString:
    flat = price_html(row.flat_amount, currency)
    if tiers.model is TierModel.STEPPED:
        return flat
    size = f"{plain_number(tiers.package_units)} {unit} begun" if tiers.package_units else unit
    per = "for every" if tiers.package_units else "a"
    price = format_html("{} {} {}", price_html(row.unit_price, currency), per, size)
    return format_html("{} and {}", price, flat) if row.flat_amount else price


class TieredPriceColumn(MoneyColumn):
    """The exact price of an item, or its tiers where it has some; `of` leads to the item."""

    def __init__(self, *, of: str = "") -> None:
        super().__init__("Price", is_exact=True, empty_values=())
        self.of = of

    def render(self, record: Any, value: Decimal | None) -> SafeString:
        if lines := tier_lines(self._item(record), is_brief=True):
            # Of one piece: a narrow table has label and value side by side.
            return format_html(
                "<div>{}</div>", format_html_join("", "<div>{}</div>", ((line,) for line in lines))
            )
        return SafeString(NONE) if value is None else super().render(record, value)

    def export_headings(self, heading: str) -> list[str]:
        return [*super().export_headings(heading), "Tiers"]

    def export_cells(self, record: Any, value: Any) -> list[Cell]:
        item = self._item(record)
        tiers = f"{item.tier_model} {item.tiers}".strip()
        return [*super().export_cells(record, value), tiers]

    def _item(self, record: Any) -> ItemTerms:
        item: ItemTerms = A(self.of).resolve(record) if self.of else record
        return item
