from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.rules.time_profiles import (
    CalendarDay,
    HoursOfDays,
    TimeProfile,
    TimeProfileNotUnderstood,
    parse_time_profile,
    write_ranges,
)

MONDAY = datetime(2026, 10, 5, tzinfo=UTC)


def hours_inside(text: str, days: int = 7) -> list[tuple[int, int]]:
    """Day, counted from Monday, 5 October 2026, and hour of each hour inside."""
    profile = parse_time_profile(text)
    hours = [(day, hour) for day in range(days) for hour in range(24)]
    return [
        (day, hour)
        for day, hour in hours
        if profile.contains(MONDAY + timedelta(days=day, hours=hour))
    ]


class TestParseTimeProfile:
    def test_reads_weekdays_and_hours(self) -> None:
        inside = hours_inside("Mon-Tue 08:00-10:00; Sat 22:00-24:00")

        assert inside == [(0, 8), (0, 9), (1, 8), (1, 9), (5, 22), (5, 23)]

    def test_goes_on_from_sunday_to_monday(self) -> None:
        assert hours_inside("Sat-Mon 00:00-01:00") == [(0, 0), (5, 0), (6, 0)]

    def test_reads_days_of_every_year_and_of_one(self) -> None:
        assert hours_inside("10-06,2026-10-07,2027-10-08 12:00-13:00") == [(1, 12), (2, 12)]

    def test_is_half_open(self) -> None:
        profile = parse_time_profile("Mon 08:00-08:30")

        inside = [
            profile.contains(MONDAY + timedelta(hours=8, minutes=m, microseconds=us))
            for m, us in ((0, -1), (0, 0), (30, -1), (30, 0))
        ]
        assert inside == [False, True, True, False]

    def test_reads_the_weight(self) -> None:
        weights = [parse_time_profile(f"Mon 08:00-09:00{end}").weight for end in ("", " @20", "@7")]

        assert weights == [0, 20, 7]

    def test_is_the_same_however_it_is_written(self) -> None:
        one = parse_time_profile("Mon-Wed 8:00-09:00;Sun 00:00-24:00 @0")

        assert one == parse_time_profile("sun 00:00-24:00; mon,tue,wed 08:00 - 09:00")

    def test_follows_the_wall_clock_through_both_changes(self) -> None:
        profile = parse_time_profile("Sun 02:00-03:00")
        berlin = ZoneInfo("Europe/Berlin")

        def minutes_inside(day: datetime) -> int:
            instants = [day + timedelta(minutes=minute) for minute in range(24 * 60)]
            return sum(profile.contains(instant.astimezone(berlin)) for instant in instants)

        assert minutes_inside(datetime(2026, 3, 28, 23, tzinfo=UTC)) == 0
        assert minutes_inside(datetime(2026, 10, 24, 22, tzinfo=UTC)) == 120

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "Mon",
            "08:00-09:00",
            "Mon 8-9",
            "Mon 09:00-08:00",
            "Mon 08:00-08:00",
            "Mon 08:00-24:01",
            "Mon 08:60-09:00",
            "Mo 08:00-09:00",
            "Mon-Fry 08:00-09:00",
            "02-30 08:00-09:00",
            "2026-02-29 08:00-09:00",
            "Mon 08:00-09:00;",
            "Mon 08:00-09:00 @-1",
            "Mon 08:00-09:00 @9999999999",
        ],
    )
    def test_refuses_what_is_no_profile(self, text: str) -> None:
        with pytest.raises(TimeProfileNotUnderstood):
            parse_time_profile(text)


CALENDAR_DAYS = st.builds(
    lambda year, day: CalendarDay(year, day.month, day.day),
    st.none() | st.just(2024),
    st.dates(datetime(2024, 1, 1).date(), datetime(2024, 12, 31).date()),  # noqa: DTZ001 - days
)
MINUTES = st.integers(0, 1440)
HOURS = st.builds(
    lambda weekdays, days, minutes: HoursOfDays(weekdays, days, min(minutes), max(minutes)),
    st.frozensets(st.integers(0, 6)),
    st.frozensets(CALENDAR_DAYS, max_size=3),
    st.sets(MINUTES, min_size=2, max_size=2),
).filter(lambda hours: hours.weekdays or hours.calendar_days)


class TestWriteRanges:
    @given(st.frozensets(HOURS, min_size=1, max_size=4))
    def test_writes_what_is_read_as_the_same(self, ranges: frozenset[HoursOfDays]) -> None:
        assert parse_time_profile(write_ranges(ranges)) == TimeProfile(ranges, 0)

    @pytest.mark.parametrize(
        ("text", "written"),
        [
            ("Tue,Mon,Wed 8:00-20:00", "Mon-Wed 08:00-20:00"),
            ("Sat-Mon 00:00-24:00", "Mon,Sat-Sun 00:00-24:00"),
            ("12-25 00:00-24:00;Sun 00:00-01:00", "Sun 00:00-01:00;12-25 00:00-24:00"),
            ("12-26,12-25,Fri 18:00-24:00", "Fri,12-25,12-26 18:00-24:00"),
        ],
    )
    def test_writes_all_ways_as_one(self, text: str, written: str) -> None:
        assert write_ranges(parse_time_profile(text).ranges) == written
