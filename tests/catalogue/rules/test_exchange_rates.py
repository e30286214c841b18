from datetime import date
from decimal import Decimal

import pytest

from catalogue.rules.exchange_rate_files import MOST_LINES, read_exchange_rates
from catalogue.rules.exchange_rates import (
    CountingRate,
    ExchangeRateRefused,
    ExchangeRateTerms,
    counting_rate,
    refuse_misplaced,
)
from common.csv_files import CsvUnreadable

OCTOBER_9 = date(2026, 10, 9)
EURO = ExchangeRateTerms("EUR", "USD", OCTOBER_9, Decimal("1.0825"))
HEADER = "day,from,to,rate\n"


def october(day: int, rate: str = "1.08", *, is_inverse: bool = False) -> CountingRate:
    return CountingRate(date(2026, 10, day), Decimal(rate), is_inverse=is_inverse)


class TestARate:
    @pytest.mark.parametrize("rate", ["0", "-1", "NaN", "Infinity", "1e-10", "1e10"])
    def test_is_neither_zero_nor_negative_nor_absurd(self, rate: str) -> None:
        with pytest.raises(ExchangeRateRefused, match="above zero"):
            ExchangeRateTerms("EUR", "USD", OCTOBER_9, Decimal(rate))

    def test_has_at_most_twelve_decimals(self) -> None:
        with pytest.raises(ExchangeRateRefused, match="12 decimals"):
            ExchangeRateTerms("EUR", "USD", OCTOBER_9, Decimal("1.0000000000001"))

    @pytest.mark.parametrize("pair", [("EUR", "EUR"), ("EUR", "usd"), ("EURO", "USD"), ("", "USD")])
    def test_is_of_two_currencies(self, pair: tuple[str, str]) -> None:
        with pytest.raises(ExchangeRateRefused):
            ExchangeRateTerms(*pair, OCTOBER_9, Decimal(1))

    @pytest.mark.parametrize("other", ["10.825", "0.10825", "11"])
    def test_is_not_ten_times_another_of_the_days_around(self, other: str) -> None:
        with pytest.raises(ExchangeRateRefused, match="point misplaced"):
            refuse_misplaced(EURO, [october(8, other)])

    def test_may_move_less_than_that(self) -> None:
        refuse_misplaced(EURO, [october(8, "0.11"), october(10, "10.8"), october(7, "0.9")])


class TestTheRateThatCounts:
    def test_is_that_of_the_day(self) -> None:
        assert counting_rate(OCTOBER_9, [october(8), october(9, "1.09"), october(10)]) == october(
            9, "1.09"
        )

    def test_is_the_last_before_a_day_without_one(self) -> None:
        assert counting_rate(date(2026, 10, 11), [october(8), october(9, "1.09")]) == october(
            9, "1.09"
        )

    def test_is_at_most_ten_days_old(self) -> None:
        assert counting_rate(date(2026, 10, 19), [october(9)]) == october(9)
        assert counting_rate(date(2026, 10, 20), [october(9)]) is None

    def test_is_never_of_a_later_day(self) -> None:
        assert counting_rate(OCTOBER_9, [october(10)]) is None

    def test_may_be_the_inverse_where_that_is_younger(self) -> None:
        inverse = october(9, "0.92", is_inverse=True)

        assert counting_rate(OCTOBER_9, [october(8), inverse]) == inverse
        assert counting_rate(OCTOBER_9, [inverse, october(9)]) == october(9)

    def test_converts_exactly(self) -> None:
        assert october(9, "1.0825").convert(Decimal("100.01")) == Decimal("108.260825")
        assert october(9, "0.8", is_inverse=True).convert(Decimal("100")) == Decimal(125)


class TestAFileOfRates:
    def test_is_read_line_by_line(self) -> None:
        text = "rate,day,from,to\n1.0825,2026-10-09,eur,USD\n\n0.9,2026-10-10,USD,EUR\n"

        assert read_exchange_rates(text) == [
            EURO,
            ExchangeRateTerms("USD", "EUR", date(2026, 10, 10), Decimal("0.9")),
        ]

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("", "lacks the column 'day'"),
            (HEADER, "no lines"),
            ("day,from,to,price\n", "'price'"),
            (f"{HEADER}2026-10-09,EUR,USD\n", "Line 2 has 3 cells, the header 4"),
            (f"{HEADER}9.10.2026,EUR,USD,1\n", "Line 2: '9.10.2026' is not a day"),
            (f"{HEADER}0001-01-01,EUR,USD,1\n", "Line 2: '0001-01-01' is in no year"),
            (f"{HEADER}2026-10-09,EUR,USD,1\n2026-10-10,EUR,USD,0\n", "Line 3"),
            (f'{HEADER}"2026-10-09,EUR,USD,1\n', "not CSV"),
            (f'{HEADER}2026-10-09,EUR,USD,"1,08"\n', "not a number"),
            (HEADER + "2026-10-09,EUR,USD,1\n" * 2, "Line 3 has the pair and day of line 2"),
            (HEADER + "2026-10-09,EUR,USD,1\n" * (MOST_LINES + 1), "line 2"),
        ],
    )
    def test_is_refused_with_its_line(self, text: str, why: str) -> None:
        with pytest.raises(CsvUnreadable, match=why):
            read_exchange_rates(text)
