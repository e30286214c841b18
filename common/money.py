"""Currencies and the rounding of money; no floats, no silent mixing of currencies."""

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from enum import StrEnum

# ISO 4217, the currencies whose minor unit is not a hundredth.
_MINOR_DIGITS = {
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
}
ZERO = Decimal(0)


class Rounding(StrEnum):
    """How halves are rounded on invoices."""

    HALF_UP = "HALF_UP"
    HALF_EVEN = "HALF_EVEN"


class RoundingScope(StrEnum):
    """Where amounts of an invoice are rounded to the currency: each line, or their sum only.

    Three lines of 1.005 make 3.03 by line (half up) and 3.02 by invoice.
    """

    LINE = "LINE"
    INVOICE = "INVOICE"


_MODES = {Rounding.HALF_UP: ROUND_HALF_UP, Rounding.HALF_EVEN: ROUND_HALF_EVEN}


def minor_digits(currency: str) -> int:
    """Decimals of the currency's minor unit (ISO 4217), e.g. 2 for EUR, 0 for JPY, 3 for KWD."""
    return _MINOR_DIGITS.get(currency, 2)


def round_to(amount: Decimal, digits: int, rounding: Rounding = Rounding.HALF_UP) -> Decimal:
    """`amount` rounded to `digits` decimals."""
    return amount.quantize(Decimal(1).scaleb(-digits), rounding=_MODES[rounding])


def round_money(amount: Decimal, currency: str, rounding: Rounding = Rounding.HALF_UP) -> Decimal:
    """`amount` rounded to the currency's own minor unit."""
    return round_to(amount, minor_digits(currency), rounding)


def format_money(amount: Decimal, currency: str) -> str:
    """An amount for people, never without its currency: `1,234.50 EUR`."""
    return f"{round_money(amount, currency):,} {currency}"
