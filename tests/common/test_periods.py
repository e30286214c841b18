from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from common.periods import Period, PeriodNotUnderstood, month, parse_month


class TestParseMonth:
    def test_reads_a_month_as_its_days(self) -> None:
        assert parse_month("2026-10") == Period(date(2026, 10, 1), date(2026, 11, 1))
        assert parse_month("2026-12") == Period(date(2026, 12, 1), date(2027, 1, 1))
        assert parse_month("2028-02").days == 29

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "2026",
            "2026-1",
            "2026-00",
            "2026-13",
            "2026-10-01",
            "26-10",
            " 2026-10",
            "2026-10\n",
            "0001-01",
            "9999-12",
            "\N{ARABIC-INDIC DIGIT TWO}026-10",
        ],
    )
    def test_refuses_anything_else(self, text: str) -> None:
        with pytest.raises(PeriodNotUnderstood, match="write it as 2026-10"):
            parse_month(text)


class TestAPeriod:
    def test_refuses_to_end_before_it_lasted_a_day(self) -> None:
        with pytest.raises(PeriodNotUnderstood):
            Period(date(2026, 10, 1), date(2026, 10, 1))

    def test_ends_with_the_day_before_the_next_one(self) -> None:
        october = month(2026, 10)

        assert (october.days, october.last_date) == (31, date(2026, 10, 31))
        assert str(october) == "2026-10-01 to 2026-10-31"

    def test_lasts_an_hour_longer_when_the_clocks_go_back(self) -> None:
        assert month(2026, 10).instants(ZoneInfo("Europe/Berlin")) == (
            datetime(2026, 9, 30, 22, tzinfo=UTC),
            datetime(2026, 10, 31, 23, tzinfo=UTC),
        )
