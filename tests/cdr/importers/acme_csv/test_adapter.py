from typing import Any

import pytest

from cdr.importers.reading import Reading
from cdr.rules.volumes import Rounding
from tests.cdr.importers.samples import BERLIN, SAMPLES
from tests.cdr.importers.texts import column, parse, reasons

START, STOP, _, _ = SAMPLES["acme-csv"].read_text().splitlines()


def read(*lines: str, rounding: Rounding = Rounding.UP) -> Any:
    return parse("acme-csv", "\n".join(lines), Reading(BERLIN, rounding))


class TestParse:
    def test_takes_stop_records_only(self) -> None:
        interim = "3" + START[1:]

        parsed = read(START, interim, STOP, "7,10.0.0.1")

        assert len(parsed.records) == 1
        assert parsed.blank_lines == 3
        assert parsed.rejected.rows() == []

    @pytest.mark.parametrize(
        ("rounding", "seconds"), [(Rounding.UP, 61), (Rounding.NEAREST, 60), (Rounding.DOWN, 60)]
    )
    def test_counts_from_connect_to_disconnect(self, rounding: Rounding, seconds: int) -> None:
        assert column(read(STOP, rounding=rounding), "billable_seconds") == [seconds]

    def test_takes_the_users_of_addresses_for_numbers(self) -> None:
        parsed = read(STOP)

        assert column(parsed, "caller_number") == ["+4930123456"]
        assert column(parsed, "destination_number") == ["00442071234567"]

    @pytest.mark.parametrize(
        ("zone", "instant"),
        [("UTC", "25 02:30:00"), ("GMT", "25 02:30:00"), ("CET", "25 00:30:00")],
    )
    def test_reads_times_of_utc_or_of_the_source(self, zone: str, instant: str) -> None:
        line = (
            STOP.replace("08:00:00.000 UTC OCT 01", f"02:30:00.000 {zone} OCT 25")
            .replace("08:00:05.250 UTC OCT 01", f"02:30:05.250 {zone} OCT 25")
            .replace("08:01:05.500 UTC OCT 01", f"02:31:05.500 {zone} OCT 25")
        )

        assert column(read(line), "started_at") == [instant]

    @pytest.mark.parametrize(
        "stamp", ["*08:00:00.000 UTC THU OCT 1 2026", ".08:00:00 UTC Thu Oct 01 2026"]
    )
    def test_reads_clocks_that_are_not_synchronised(self, stamp: str) -> None:
        line = STOP.replace("08:00:00.000 UTC OCT 01 2026", stamp)

        assert column(read(line), "started_at") == ["01 08:00:00"]

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ("2,10.0.0.1", "2 fields where at least 27 are expected"),
            ("99" + STOP[1:], 'column 1 (status) "99" is no accounting status'),
            (
                STOP.replace("OCT 01", "FOO 01"),
                'column 14 (setup_time) "08:00:00.000 UTC FOO 01 2026" is not a time like',
            ),
            (STOP.replace("SDabc01-1@10.1.2.3", "", 1), "column 4 (session_id) is empty"),
        ],
    )
    def test_rejects_a_bad_line(self, line: str, reason: str) -> None:
        assert reasons(read(line))[0].startswith(reason)
