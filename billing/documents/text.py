"""Amounts, counts, dates and volumes as a document writes them (English)."""

from datetime import date
from decimal import Decimal

from common.money import minor_digits

# U+2212: a hyphen is too short beside figures.
_MINUS = "\u2212"
_MONTHS = (
    "January February March April May June July August September October November December"
).split()
_SECONDS_PER_MINUTE = 60
_VOLUME_HEADINGS = {"second": "Minutes", "byte": "Megabytes", "message": "Messages"}
_BYTES_PER_MEGABYTE = 1_000_000


def amount_text(amount: Decimal, currency: str) -> str:
    """`1,234.50`: at least the currency's decimals, more where the amount has more."""
    digits = max(minor_digits(currency), -_exponent(amount.normalize()))
    return f"{amount:,.{digits}f}".replace("-", _MINUS)


def count_text(count: Decimal | int) -> str:
    """`1,234`, with decimals only where there are some."""
    exact = Decimal(count)
    return f"{exact:,.{max(0, -_exponent(exact.normalize()))}f}".replace("-", _MINUS)


def percent_text(percent: Decimal) -> str:
    """`19 %`."""
    return f"{count_text(percent)} %"


def date_text(day: date) -> str:
    """`1 October 2026`, whatever the machine's locale."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def month_text(day: date) -> str:
    """`October 2026`."""
    return f"{_MONTHS[day.month - 1]} {day.year}"


def count_heading(unit: str) -> str:
    """What the column of usage records in `unit` is called."""
    return "Calls" if unit == "second" else "Records"


def volume_heading(unit: str) -> str:
    """What the column of volumes in `unit` is called."""
    return _VOLUME_HEADINGS.get(unit, f"{unit.capitalize()}s" if unit else "Volume")


def volume_text(volume: int, unit: str) -> str:
    """Seconds as minutes and seconds `205:45`, bytes as megabytes, anything else as it is."""
    if unit == "second":
        minutes, seconds = divmod(volume, _SECONDS_PER_MINUTE)
        return f"{minutes:,}:{seconds:02}"
    if unit == "byte":
        return f"{Decimal(volume) / _BYTES_PER_MEGABYTE:,.2f}"
    return f"{volume:,}"


def included_text(volume: int, unit: str) -> str:
    """What allowances covered: `100:00 minutes included`, `2,000 kB included`."""
    return f"{volume_text(volume, unit)} {'minutes' if unit == 'second' else unit} included"


def _exponent(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    return exponent
