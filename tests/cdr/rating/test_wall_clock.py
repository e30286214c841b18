from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdr.rating.wall_clock import read_clock
from cdr.rules.instants import from_microseconds, to_microseconds

ZONES = ["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca"]
instants = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001 - aware below
    lambda each: each.replace(tzinfo=UTC)
)


def column(*moments: datetime) -> np.ndarray:
    return np.array([to_microseconds(moment) for moment in moments], dtype=np.int64)


class TestReadClock:
    @given(st.sampled_from(ZONES), st.lists(instants, min_size=1, max_size=20))
    def test_shows_what_the_clocks_of_the_zone_show(
        self, zone: str, moments: list[datetime]
    ) -> None:
        local = read_clock(zone, column(*moments)).local.tolist()

        shown = [moment.astimezone(ZoneInfo(zone)).replace(tzinfo=UTC) for moment in moments]
        assert [from_microseconds(each) for each in local] == shown

    @given(st.sampled_from(ZONES), instants)
    def test_runs_evenly_for_as_long_as_it_says(self, zone: str, moment: datetime) -> None:
        until = from_microseconds(int(read_clock(zone, column(moment)).even_until[0]))
        last = until - timedelta(microseconds=1)

        clock = ZoneInfo(zone)
        assert moment < until <= moment + timedelta(days=366)
        assert last.astimezone(clock).utcoffset() == moment.astimezone(clock).utcoffset()

    @pytest.mark.parametrize("instant", [-(10**17), 2 * 10**17])
    def test_does_not_fail_before_and_after_all_calendars(self, instant: int) -> None:
        assert len(read_clock("Europe/Berlin", np.array([instant])).local) == 1

    def test_changes_in_the_very_second(self) -> None:
        forward = datetime(2026, 3, 29, 1, tzinfo=UTC)

        before, after = read_clock(
            "Europe/Berlin", column(forward - timedelta(microseconds=1), forward)
        ).local.tolist()

        assert from_microseconds(before) == datetime(2026, 3, 29, 1, 59, 59, 999999, tzinfo=UTC)
        assert from_microseconds(after) == datetime(2026, 3, 29, 3, tzinfo=UTC)
