import json
from typing import Any

import pytest

from cdr.importers.reading import Reading
from cdr.rules.volumes import Rounding
from tests.cdr.importers.samples import BERLIN, SAMPLES, parse_sample, reading_of
from tests.cdr.importers.texts import column, parse, reasons

SAMPLE = SAMPLES["freeswitch-json"].read_text().splitlines()


def write(document: dict[str, Any] | None = None, **variables: str) -> str:
    """The first call of the sample with some variables changed."""
    call = document or json.loads(SAMPLE[0])
    return json.dumps({**call, "variables": {**call["variables"], **variables}})


def read(*lines: str, rounding: Rounding = Rounding.UP) -> Any:
    return parse("freeswitch-json", "\n".join(lines), Reading(BERLIN, rounding))


class TestParse:
    def test_decodes_what_is_url_encoded(self) -> None:
        parsed = parse_sample("freeswitch-json")

        assert column(parsed, "caller_number")[0] == "+4930123456"
        assert column(parsed, "destination_number")[3] == "99#00442071234569"
        assert column(parsed, "account_code")[3] == "Café 100%"

    def test_reads_plain_values_as_they_stand(self) -> None:
        parsed = read(write(accountcode="Nord+West 100%"))

        assert column(parsed, "account_code") == ["Nord+West 100%"]

    def test_takes_instants_that_no_clock_change_makes_ambiguous(self) -> None:
        second_pass = 1_792_891_800_000000  # 02:30 in Berlin for the second time
        first_pass = second_pass - 3600_000000

        parsed = read(
            *(
                write(
                    uuid=str(start),
                    start_uepoch=str(start),
                    answer_uepoch=str(start),
                    end_uepoch=str(start + 60_000000),
                )
                for start in (first_pass, second_pass)
            )
        )

        assert column(parsed, "started_at") == ["25 00:30:00", "25 01:30:00"]

    def test_stores_the_legs_it_placed_unbilled(self) -> None:
        parsed = parse_sample("freeswitch-json")

        assert column(parsed, "billable_seconds") == [61, 0, 0, 10]

    @pytest.mark.parametrize(
        ("rounding", "seconds"), [(Rounding.UP, 61), (Rounding.NEAREST, 60), (Rounding.DOWN, 60)]
    )
    def test_rounds_the_fraction_as_its_source_says(self, rounding: Rounding, seconds: int) -> None:
        parsed = read(SAMPLE[0], rounding=rounding)

        assert column(parsed, "billable_seconds") == [seconds]

    def test_does_without_a_call_flow(self) -> None:
        call = json.loads(SAMPLE[0])
        del call["callflow"]

        parsed = read(write(call), SAMPLE[0])

        assert column(parsed, "destination_number") == [None, "+442071234567"]

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ("{", "the line is no JSON document of a call"),
            ("[]", "the line is no JSON document of a call"),
            ('{"variables": 7}', "the line is no JSON document of a call"),
            ('{"variables": {}}', "variables.uuid is empty"),
            (write(uuid=""), "variables.uuid is empty"),
            (write(accountcode="a%00b"), "a value holds NUL characters"),
            (write(start_uepoch="17\0"), "a value holds NUL characters"),
            (
                write(start_uepoch="soon"),
                'variables.start_uepoch "soon" is not a time like 1793491199000000',
            ),
            (
                write(billusec="-1"),
                'variables.billusec "-1" is not a number from 0 to 2147483647000000',
            ),
            (
                write(end_uepoch="1"),
                'variables.end_uepoch "1" is before the start',
            ),
        ],
    )
    def test_rejects_a_bad_line_and_reads_its_neighbours(self, line: str, reason: str) -> None:
        parsed = read(SAMPLE[0], line, SAMPLE[1])

        assert reasons(parsed) == [reason]
        assert column(parsed, "call_id") == ["5d1-a1", "5d1-a2"]

    def test_needs_no_header(self) -> None:
        assert reading_of("freeswitch-json").header == []
