"""What a report's columns hold, as their names say, and how values are written into files.

`…_amount` is money in the row's currency, `…_count` and `…_volume` are counts, `…_number` names a
customer or reseller, `…_percent` is a percentage, `…_date` and `day` are dates; the rest is text.
"""

from datetime import date
from decimal import Decimal
from enum import Enum, auto
from typing import Any

from common.csv_files import Cell
from common.money import round_money


class Kind(Enum):
    """What a column holds."""

    AMOUNT = auto()
    COUNT = auto()
    NUMBER = auto()
    PERCENT = auto()
    DAY = auto()
    TEXT = auto()

    @property
    def is_numeric(self) -> bool:
        """Whether its values stand to the right."""
        return self in (Kind.AMOUNT, Kind.COUNT, Kind.NUMBER, Kind.PERCENT)


_BY_SUFFIX = {
    "amount": Kind.AMOUNT,
    "count": Kind.COUNT,
    "volume": Kind.COUNT,
    "number": Kind.NUMBER,
    "percent": Kind.PERCENT,
    "date": Kind.DAY,
    "day": Kind.DAY,
}
_HEADINGS = {
    "asr_percent": "ASR %",
    "average_volume": "Average",
    "call_count": "Calls",
    "charged_count": "Calls charged",
    "customer_count": "Customers",
    "days_1_to_30_amount": "1 to 30 days",
    "days_31_to_60_amount": "31 to 60 days",
    "days_61_to_90_amount": "61 to 90 days",
    "file_count": "Files",
    "invoice_count": "Invoices",
    "line_count": "Lines",
    "older_count": "Older",
    "oldest_date": "Oldest",
    "owed_count": "Calls owed",
    "payment_count": "Payments",
    "reversal_count": "Reversals",
    "tax_percent": "Percent",
    "volume_unit": "Unit",
}


def kind_of(column: str) -> Kind:
    """What a column of this name holds."""
    return _BY_SUFFIX.get(column.rpartition("_")[2], Kind.TEXT)


def heading(column: str) -> str:
    """A column's name for people: `net_amount` is `Net`."""
    words = column.removesuffix("_amount").removesuffix("_count").replace("_", " ")
    return _HEADINGS.get(column, words[:1].upper() + words[1:])


def file_cell(row: Any, column: str) -> Cell:
    """A value for programs: amounts in the currency's decimals, or more where there are more."""
    value: str | int | Decimal | date | None = getattr(row, column)
    if not isinstance(value, Decimal):
        return value
    if kind_of(column) is Kind.AMOUNT:
        rounded = round_money(value, row.currency)
        return rounded if rounded == value else value.normalize()
    return value.normalize()
