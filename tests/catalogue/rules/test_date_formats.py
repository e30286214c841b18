from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.rules.date_formats import DateFormat, detect_date_format, read_instant

BERLIN = ZoneInfo("Europe/Berlin")
WRITTEN = {
    DateFormat.ISO: "%Y-%m-%d",
    DateFormat.DAY_DASH: "%d-%m-%Y",
    DateFormat.DAY_DOT: "%d.%m.%Y",
    DateFormat.MONTH_SLASH: "%m/%d/%Y",
    DateFormat.DAY_SLASH: "%d/%m/%Y",
    DateFormat.YEAR_SLASH: "%Y/%m/%d",
    DateFormat.COMPACT: "%Y%m%d",
    DateFormat.MONTH: "%Y-%m",
}
DAYS = st.dates(date(1970, 1, 1), date(2999, 12, 31))


class TestReading:
    @given(DAYS, st.sampled_from(DateFormat))
    def test_is_the_opposite_of_writing(self, day: date, date_format: DateFormat) -> None:
        expected = day.replace(day=1) if date_format is DateFormat.MONTH else day
        text = day.strftime(WRITTEN[date_format])

        read = read_instant(text, date_format, ZoneInfo("UTC"))

        assert read == datetime(expected.year, expected.month, expected.day, tzinfo=UTC)

    @pytest.mark.parametrize("text", ["31.10.2026 13:05", "31.10.2026 13:05:00"])
    def test_takes_a_time_on_the_clocks_of_the_zone(self, text: str) -> None:
        read = read_instant(text, DateFormat.DAY_DOT, BERLIN)

        assert read.isoformat() == "2026-10-31T13:05:00+01:00"

    @given(
        st.datetimes(datetime(1970, 1, 2), datetime(2999, 12, 30), timezones=st.just(UTC)),  # noqa: DTZ001
        st.sampled_from(DateFormat),
    )
    def test_takes_what_exports_write_whatever_the_format(
        self, instant: datetime, date_format: DateFormat
    ) -> None:
        assert read_instant(instant.isoformat(), date_format, BERLIN) == instant

    @pytest.mark.parametrize(
        ("text", "date_format"),
        [
            ("2026-02-30", DateFormat.ISO),
            ("31/12/2026", DateFormat.MONTH_SLASH),
            ("2026-13", DateFormat.MONTH),
            ("1969-12-31", DateFormat.ISO),
            ("0001-01-01T00:00:00+14:00", DateFormat.ISO),
            ("2026-12-31 25:00", DateFormat.ISO),
            ("soon", DateFormat.ISO),
            ("", DateFormat.ISO),
            ("2026-03-29 02:30", DateFormat.ISO),  # clocks go from 02:00 to 03:00
        ],
    )
    def test_refuses_what_no_clock_shows(self, text: str, date_format: DateFormat) -> None:
        with pytest.raises(ValueError, match=r"is not|is no day|left out"):
            read_instant(text, date_format, BERLIN)

    def test_takes_the_first_of_a_time_that_clocks_show_twice(self) -> None:
        read = read_instant("2026-10-25 02:30", DateFormat.ISO, BERLIN)

        assert read.astimezone(UTC) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


class TestDetection:
    @given(st.lists(DAYS, min_size=1, max_size=20), st.sampled_from(DateFormat))
    def test_finds_a_format_that_reads_every_date(
        self, days: list[date], date_format: DateFormat
    ) -> None:
        texts = [day.strftime(WRITTEN[date_format]) for day in days]

        found = detect_date_format(texts)

        for text in texts:
            read_instant(text, found, ZoneInfo("UTC"))

    @given(st.lists(DAYS, min_size=1, max_size=20), st.sampled_from(DateFormat))
    def test_finds_the_format_where_one_date_tells_day_and_month_apart(
        self, days: list[date], date_format: DateFormat
    ) -> None:
        texts = [day.strftime(WRITTEN[date_format]) for day in (*days, date(2026, 12, 31))]

        assert detect_date_format(texts) is date_format

    def test_takes_months_before_days_where_both_fit(self) -> None:
        assert detect_date_format(["01/02/2026", ""]) is DateFormat.MONTH_SLASH
