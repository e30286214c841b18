from typing import Any

import pytest

from cdr.importers.chunks import first_lines
from tests.cdr.importers.samples import SAMPLES, parse_sample, reading_of
from tests.cdr.importers.texts import column, parse, reasons

HEADER = first_lines(SAMPLES["yeti-csv"], 1)
LINES = SAMPLES["yeti-csv"].read_text().splitlines()[1:]


def read(*lines: str, header: list[str] | None = None) -> Any:
    return parse("yeti-csv", "\n".join(lines), reading_of("yeti-csv", header or HEADER))


class TestParse:
    def test_charges_the_last_attempt_of_a_call_only(self) -> None:
        earlier = LINES[0].replace(",1,t,", ",1,f,")

        parsed = read(earlier, LINES[0])

        assert column(parsed, "billable_seconds") == [0, 60]

    def test_reads_every_offset(self) -> None:
        parsed = parse_sample("yeti-csv")

        assert column(parsed, "started_at")[0] == "01 08:00:00"
        assert column(parsed, "started_at")[3] == "01 08:03:00"

    def test_tells_the_passes_of_an_hour_apart_by_the_offset(self) -> None:
        stamps = (
            "2026-10-01 08:00:00.123456+00",
            "2026-10-01 08:00:05.5+00",
            "2026-10-01 08:01:05.5+00",
        )
        lines = []
        for offset in ("+02", "+01"):
            line = LINES[0]
            for stamp, seconds in zip(stamps, ("30:00", "30:05", "31:05"), strict=True):
                line = line.replace(stamp, f"2026-10-25 02:{seconds}{offset}")
            lines.append(line)

        assert column(read(*lines), "started_at") == ["25 00:30:00", "25 01:30:00"]

    def test_finds_columns_in_any_order_and_without_most_of_them(self) -> None:
        header = ["duration,dst_prefix_in,time_start"]

        parsed = read("60,00442071234567,2026-10-01 08:00:00+00", header=header)

        assert column(parsed, "destination_number") == ["00442071234567"]
        assert column(parsed, "billable_seconds") == [60]
        assert column(parsed, "answered_at") == ["01 08:00:00"]

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ("1,2", "2 fields where 17 are expected"),
            (
                LINES[0].replace(".123456+00", ""),
                'column time_start "2026-10-01 08:00:00" is not a',
            ),
            (LINES[0].replace(",60,t,", ",60.5,t,"), 'column duration "60.5" is not a number'),
        ],
    )
    def test_rejects_a_bad_line(self, line: str, reason: str) -> None:
        assert reasons(read(line))[0].startswith(reason)
