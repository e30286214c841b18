"""How amounts and numbers are written on pages."""

from decimal import Decimal

from django.utils.html import format_html
from django.utils.safestring import SafeString

from common.money import minor_digits, round_money

MINUS = "\N{MINUS SIGN}"
NONE = "\N{EN DASH}"


def money_html(amount: Decimal, currency: str) -> SafeString:
    """An amount rounded to its currency, which stands beside it, small: `1,234.50 EUR`."""
    return _with_currency(_signed(f"{round_money(amount, currency):,}"), currency)


def price_html(amount: Decimal, currency: str) -> SafeString:
    """A price or rate, with all its decimals but no fewer than the currency's own."""
    fewest = minor_digits(currency)
    whole, _, decimals = f"{amount:,f}".partition(".")
    decimals = decimals.rstrip("0").ljust(fewest, "0")
    return _with_currency(_signed(f"{whole}.{decimals}" if decimals else whole), currency)


def trimmed(value: Decimal, least_places: int = 0) -> str:
    """A decimal without needless zeros, but with some decimals at least, as forms have it."""
    whole, _, decimals = f"{value:f}".partition(".")
    kept = decimals.rstrip("0").ljust(least_places, "0")
    return f"{whole}.{kept}" if kept else whole


def plain_number(value: int | Decimal) -> str:
    """A count or quantity: thousands apart, no needless zeros."""
    text = f"{value:,f}" if isinstance(value, Decimal) else f"{value:,}"
    return _signed(text.rstrip("0").rstrip(".") if "." in text else text)


def _signed(text: str) -> str:
    return f"{MINUS}{text[1:]}" if text.startswith("-") else text


def _with_currency(number: str, currency: str) -> SafeString:
    return format_html(
        '<span class="money">{} <span class="currency">{}</span></span>', number, currency
    )


def signed_percent(percent: Decimal) -> str:
    """A change in percent with its sign, also where it rises: `+2.5 %`."""
    text = f"{percent:,f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{_signed(text) if percent <= 0 else f'+{text}'} %"
