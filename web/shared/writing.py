"""How amounts and numbers are written on pages."""

from decimal import Decimal

from django.utils.html import format_html
from django.utils.safestring import SafeString

from catalogue.rules.units import amount_in, units_beside
from common.money import minor_digits, round_money

MINUS = "\N{MINUS SIGN}"
NONE = "\N{EN DASH}"
_TIMES = {"second": 1, "minute": 60}
_COUNTED = {"message", "event"}
_READ_PLACES = 3


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


def volume_text(volume: int, unit: str) -> str:
    """A volume counted in `unit`, exactly, in units that people read: `98 min 50 s`, `1.5 GB`."""
    sign, size = (MINUS, -volume) if volume < 0 else ("", volume)
    if unit in _TIMES:
        minutes, seconds = divmod(size * _TIMES[unit], 60)
        shown = [f"{minutes:,} min"] if minutes or not seconds else []
        return sign + " ".join([*shown, f"{seconds} s"] if seconds else shown)
    if unit in _COUNTED:
        return f"{sign}{size:,} {unit}{'' if size == 1 else 's'}"
    if not size:
        return "0"
    for larger in reversed(units_beside(unit)):
        amount = amount_in(larger, size, unit)
        if amount >= 1 and amount == round(amount, _READ_PLACES):
            return f"{sign}{plain_number(round(amount, _READ_PLACES))} {larger}"
    return f"{sign}{size:,} {unit}"


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
