from typing import Any

import pytest

from cdr.importers.chunks import first_lines
from tests.cdr.importers.samples import SAMPLES, parse_sample, reading_of
from tests.cdr.importers.texts import column, parse, reasons

HEADER = first_lines(SAMPLES["cucm-csv"], 2)
LINES = SAMPLES["cucm-csv"].read_text().splitlines()[2:]


def read(*lines: str) -> Any:
    return parse("cucm-csv", "\n".join([*HEADER, *lines]), reading_of("cucm-csv"))


class TestSeveralRecordsOfACall:
    def test_are_an_xdr_each_under_one_call(self) -> None:
        parsed = parse_sample("cucm-csv")

        assert column(parsed, "call_id") == ["1-5001-StandAloneCluster"] * 3 + [
            "1-5002-StandAloneCluster"
        ]
        assert len(set(column(parsed, "leg_id"))) == 4

    def test_are_charged_where_the_called_party_is_outside(self) -> None:
        parsed = parse_sample("cucm-csv")

        assert column(parsed, "destination_number") == [
            "+442071234567",
            "1002",
            "b00201234001",
            "+33123456789",
        ]
        assert column(parsed, "billable_seconds") == [60, 0, 0, 0]

    @pytest.mark.parametrize(
        ("called", "seconds"), [("123456", 0), ("1234567", 60), ("0-30 123456", 60), ("", 0)]
    )
    def test_take_fewer_than_seven_digits_for_an_extension(self, called: str, seconds: int) -> None:
        parsed = read(LINES[0].replace('"+442071234567"', f'"{called}"'))

        assert column(parsed, "billable_seconds") == [seconds]


class TestParse:
    @pytest.mark.parametrize(
        ("written", "address"),
        [
            ("-1139627840", "192.168.18.188"),
            ("16777226", "10.0.0.1"),
            ("3155339456", "192.168.18.188"),
            ("0", None),
            ("x", None),
        ],
    )
    def test_turns_the_bytes_of_addresses_round(self, written: str, address: str | None) -> None:
        parsed = read(LINES[0].replace("-1139627840", written))

        assert column(parsed, "caller_ip") == [address]

    @pytest.mark.parametrize(
        ("written", "address"),
        [("2001:0DB8:0:0::7", "2001:db8::7"), ("192.0.2.7", "192.0.2.7"), ("", "192.168.18.188")],
    )
    def test_takes_the_column_of_both_families_before_the_number(
        self, written: str, address: str
    ) -> None:
        parsed = read(LINES[0].removesuffix('"",""') + f'"{written}",""')

        assert column(parsed, "caller_ip") == [address]

    def test_reads_the_second_pass_of_an_hour_as_the_epoch_says(self) -> None:
        # 02:30 in Berlin on 25 October 2026, for the second time.
        shift = 1_792_891_800 - 1_790_841_600
        line = LINES[0]
        for second in (1_790_841_600, 1_790_841_605, 1_790_841_665):
            line = line.replace(str(second), str(second + shift))

        assert column(read(line), "started_at") == ["25 01:30:00"]

    def test_passes_over_records_of_call_management(self) -> None:
        parsed = read("2" + LINES[0][1:], LINES[0])

        assert len(parsed.records) == 1
        assert parsed.blank_lines == 3

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ("1,2,3", "3 fields where 42 are expected"),
            (LINES[0].replace(",60,", ",x,"), 'column duration "x" is not a number of seconds'),
            (LINES[0].replace("7c1e5a60-0001", ""), "column pkid is empty"),
        ],
    )
    def test_rejects_a_bad_line(self, line: str, reason: str) -> None:
        assert reasons(read(line))[0].startswith(reason)
