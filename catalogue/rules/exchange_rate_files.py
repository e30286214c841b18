"""Files of exchange rates: `day,from,to,rate`."""

from datetime import date
from decimal import Decimal, InvalidOperation

from catalogue.rules.exchange_rates import ExchangeRateRefused, ExchangeRateTerms
from common.csv_files import CsvUnreadable, read_csv

COLUMNS = ("day", "from", "to", "rate")
MOST_LINES = 5_000
"""Two years of days for seven pairs."""


def read_exchange_rates(text: str) -> list[ExchangeRateTerms]:
    """The rates of a CSV file with a header; days as 2026-10-31.

    :raises CsvUnreadable: it is none, or a line is wrong: the message names the first.
    """
    lines = read_csv(text, known=COLUMNS, required=COLUMNS, most_lines=MOST_LINES)
    read: list[ExchangeRateTerms] = []
    seen: dict[tuple[str, str, date], int] = {}
    for number, cells in lines:
        try:
            terms = ExchangeRateTerms(
                cells["from"].upper(),
                cells["to"].upper(),
                _day(cells["day"]),
                _rate(cells["rate"]),
            )
        except ExchangeRateRefused as refusal:
            raise CsvUnreadable(f"Line {number}: {refusal} Nothing was entered.") from refusal
        key = (terms.from_currency, terms.to_currency, terms.day)
        if seen.setdefault(key, number) != number:
            raise CsvUnreadable(f"Line {number} has the pair and day of line {seen[key]}.")
        read.append(terms)
    return read


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise ExchangeRateRefused(f"'{text}' is not a day; write it as 2026-10-31.") from error
    if not 1970 <= day.year <= 2999:
        raise ExchangeRateRefused(f"'{text}' is in no year from 1970 to 2999.")
    return day


def _rate(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise ExchangeRateRefused(f"'{text}' is not a number; write it as 1.0825.") from error
