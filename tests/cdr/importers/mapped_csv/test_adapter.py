from typing import Any

import pytest

from cdr.importers.reading import Reading
from cdr.rules.column_mapping import ColumnMapping, TimeFormat, VolumeUnit
from cdr.rules.volumes import Rounding
from tests.cdr.importers.samples import BERLIN
from tests.cdr.importers.texts import column, parse, reasons

UNNAMED = {"started_at": "1", "destination_number": "2", "volume": "3"}


def read(text: str, rounding: Rounding = Rounding.UP, **changes: Any) -> Any:
    values: dict[str, Any] = {"columns": UNNAMED, "has_header": False, **changes}
    mapping = ColumnMapping(**values)
    header = text.split("\n")[:1] if mapping.has_header else []
    return parse("mapped-csv", text, Reading(BERLIN, rounding, header, mapping))


class TestColumns:
    def test_are_counted_without_a_header(self) -> None:
        parsed = read("2026-10-01 10:00:00,+442071234567,60,more,and more")

        assert column(parsed, "destination_number") == ["+442071234567"]

    def test_are_found_by_their_names(self) -> None:
        columns = {"started_at": "When", "destination_number": "To whom", "volume": "Secs"}

        parsed = read(
            'Secs, When ,"To whom"\n60,2026-10-01 10:00:00,442071234567',
            columns=columns,
            has_header=True,
        )

        assert column(parsed, "billable_seconds") == [60]
        assert parsed.blank_lines == 1

    @pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
    def test_are_parted_by_any_separator(self, separator: str) -> None:
        line = separator.join(["2026-10-01 10:00:00", f'"44{separator}207"', "60"])

        parsed = read(line, separator=separator)

        assert column(parsed, "destination_number") == [f"44{separator}207"]

    def test_can_name_tags(self) -> None:
        parsed = read("2026-10-01 10:00:00,44,60,vip;fax", columns={**UNNAMED, "tags": "4"})

        assert column(parsed, "tags") == ["vip;fax"]

    def test_may_be_answer_and_end_instead_of_a_volume(self) -> None:
        columns = {
            "started_at": "1",
            "answered_at": "2",
            "ended_at": "3",
            "destination_number": "4",
        }

        parsed = read(
            "2026-10-01 10:00:00,2026-10-01 10:00:05.5,2026-10-01 10:01:05,44\n"
            "2026-10-01 10:00:00,,2026-10-01 10:01:05,44",
            columns=columns,
        )

        assert column(parsed, "billable_seconds") == [60, 0]
        assert column(parsed, "duration_seconds") == [65, 65]


class TestTimes:
    @pytest.mark.parametrize(
        ("time_format", "written"),
        [
            (TimeFormat.YEAR_FIRST, "2026-10-01 10:00:00"),
            (TimeFormat.YEAR_FIRST, "2026-10-01T10:00:00.250"),
            (TimeFormat.YEAR_FIRST_SLASHES, "2026/10/01 10:00:00"),
            (TimeFormat.DAY_FIRST_DOTS, "01.10.2026 10:00:00"),
            (TimeFormat.DAY_FIRST_SLASHES, "01/10/2026 10:00:00"),
            (TimeFormat.DAY_FIRST_DASHES, "01-10-2026 10:00:00"),
            (TimeFormat.MONTH_FIRST, "10/01/2026 10:00:00"),
            (TimeFormat.MONTH_FIRST_TWELVE_HOURS, "10/01/2026 10:00:00 AM"),
            (TimeFormat.COMPACT, "20261001100000"),
            (TimeFormat.OFFSET, "2026-10-01T08:00:00Z"),
            (TimeFormat.OFFSET, "2026-10-01 04:00:00-04:00"),
            (TimeFormat.EPOCH_SECONDS, "1790841600"),
            (TimeFormat.EPOCH_MILLISECONDS, "1790841600123"),
        ],
    )
    def test_are_read_as_they_are_written(self, time_format: TimeFormat, written: str) -> None:
        parsed = read(f"{written},44,60", time_format=time_format)

        assert reasons(parsed) == []
        assert column(parsed, "started_at") == ["01 08:00:00"]

    def test_show_themselves_in_every_format(self) -> None:
        for time_format in TimeFormat:
            parsed = read(f"{time_format.value},44,60", time_format=time_format)

            assert reasons(parsed) == []

    def test_told_twice_are_settled_by_the_end(self) -> None:
        columns = {**UNNAMED, "ended_at": "4"}

        parsed = read("2026-10-25 02:50:00,44,60,2026-10-25 02:10:00", columns=columns)

        assert column(parsed, "started_at") == ["25 00:50:00"]
        assert column(parsed, "ended_at") == ["25 01:10:00"]

    def test_that_never_were_are_refused(self) -> None:
        parsed = read("2026-03-29 02:30:00,44,60")

        assert "was skipped when clocks in Europe/Berlin were put forward" in reasons(parsed)[0]


class TestVolumes:
    @pytest.mark.parametrize(
        ("unit", "written", "rounding", "volume"),
        [
            (VolumeUnit.SECONDS, "60", Rounding.UP, 60),
            (VolumeUnit.SECONDS, "60.000001", Rounding.UP, 61),
            (VolumeUnit.SECONDS, "60.5", Rounding.NEAREST, 61),
            (VolumeUnit.SECONDS, "60.499999", Rounding.NEAREST, 60),
            (VolumeUnit.SECONDS, "60.999999", Rounding.DOWN, 60),
            (VolumeUnit.MILLISECONDS, "60001", Rounding.UP, 61),
            (VolumeUnit.MILLISECONDS, "60500", Rounding.NEAREST, 61),
            (VolumeUnit.MILLISECONDS, "60499.999", Rounding.NEAREST, 60),
            (VolumeUnit.MILLISECONDS, "999", Rounding.DOWN, 0),
            (VolumeUnit.MINUTES, "1.5", Rounding.UP, 90),
            (VolumeUnit.MINUTES, "0.01", Rounding.DOWN, 0),
            (VolumeUnit.CLOCK, "01:01:01", Rounding.UP, 3661),
            (VolumeUnit.CLOCK, "1:05", Rounding.UP, 65),
            (VolumeUnit.CLOCK, "00:00:59.4", Rounding.NEAREST, 59),
            (VolumeUnit.UNITS, "1000000000000", Rounding.UP, 10**12),
            (VolumeUnit.THOUSANDS, "1.5", Rounding.UP, 1500),
            (VolumeUnit.KIBI, "0.5", Rounding.UP, 512),
        ],
    )
    def test_become_whole_units(
        self, unit: VolumeUnit, written: str, rounding: Rounding, volume: int
    ) -> None:
        parsed = read(f"2026-10-01 10:00:00,44,{written}", rounding, volume_unit=unit)

        assert column(parsed, "billable_seconds") == [volume]

    def test_may_have_a_comma(self) -> None:
        parsed = read('2026-10-01 10:00:00;44;"60,5"', separator=";", decimal_sign=",")

        assert column(parsed, "billable_seconds") == [61]

    def test_of_data_say_nothing_of_a_duration(self) -> None:
        parsed = read("2026-10-01 10:00:00,web,99999999999", volume_unit=VolumeUnit.UNITS)

        assert column(parsed, "billable_seconds") == [99_999_999_999]
        assert column(parsed, "duration_seconds") == [0]

    @pytest.mark.parametrize(
        "written", ["", "-1", "-0.5", "1,5", "60.", ".5.", "1e3", "9" * 20, "x"]
    )
    def test_that_are_none_are_refused(self, written: str) -> None:
        parsed = read(f'2026-10-01 10:00:00,44,"{written}"')

        assert reasons(parsed) == [f'column 3 "{written}" is not a number from 0 to 2147483647']


class TestWithoutAMapping:
    def test_no_line_is_read(self) -> None:
        parsed = parse("mapped-csv", "a,b\n\n", Reading(BERLIN))

        assert reasons(parsed) == ["its source does not say yet which column is what"]
        assert parsed.blank_lines == 1
