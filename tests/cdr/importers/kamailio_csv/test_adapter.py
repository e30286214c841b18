from typing import Any

import pytest

from cdr.importers.formats import ADAPTERS
from cdr.importers.reading import Reading
from cdr.rules.volumes import Rounding
from tests.cdr.importers.samples import BERLIN
from tests.cdr.importers.texts import column, parse, reasons

OPENSIPS = (
    "id,method,from_tag,to_tag,callid,sip_code,sip_reason,time,duration,ms_duration,setuptime,"
    "created,caller,callee"
)
KAMAILIO = "id,start_time,end_time,duration,src_user,dst_user,callid"


def read(header: str, *lines: str, rounding: Rounding = Rounding.UP) -> Any:
    text = "\n".join([header, *lines])
    return parse("kamailio-csv", text, Reading(BERLIN, rounding, [header]))


class TestParse:
    def test_reads_opensips_with_its_milliseconds(self) -> None:
        answered = (
            "1,INVITE,a,b,c1,200,OK,2026-10-01 10:00:05,61,60500,5,2026-10-01 10:00:00,"
            "sip:+4930123456@example.org,sip:00442071234567@10.0.0.1"
        )
        refused = (
            "2,INVITE,a,c,c2,486,Busy Here,2026-10-01 10:02:05,0,0,0,,"
            "sip:100@example.org,tel:030987654"
        )

        parsed = read(OPENSIPS, answered, refused)

        assert column(parsed, "billable_seconds") == [61, 0]
        assert column(parsed, "caller_number") == ["+4930123456", "100"]
        assert column(parsed, "destination_number") == ["00442071234567", "030987654"]
        assert column(parsed, "hangup_cause") == ["OK", "Busy Here"]
        assert column(parsed, "leg_id") == ["a/b", "a/c"]
        assert column(parsed, "answered_at") == ["01 08:00:05", None]

    @pytest.mark.parametrize(
        ("rounding", "seconds"), [(Rounding.UP, 61), (Rounding.NEAREST, 61), (Rounding.DOWN, 60)]
    )
    def test_rounds_kamailios_fraction_as_its_source_says(
        self, rounding: Rounding, seconds: int
    ) -> None:
        line = "1,2026-10-01 10:00:05,2026-10-01 10:01:05,60.500,4930123456,442071234567,c1"

        parsed = read(KAMAILIO, line, rounding=rounding)

        assert column(parsed, "billable_seconds") == [seconds]

    def test_takes_the_earlier_of_two_readings_for_a_time_told_twice(self) -> None:
        line = "1,2026-10-25 02:30:00,2026-10-25 02:31:00,60,4930123456,442071234567,c1"

        assert column(read(KAMAILIO, line), "started_at") == ["25 00:30:00"]

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ("1,2", "2 fields where 7 are expected"),
            ("1,soon,,1,2,3,c", 'column start_time "soon" is not a time like 2026-10-31 23:59:59'),
            ("1,2026-10-01 10:00:05,,long,2,3,c", 'column duration "long" is not a number from 0'),
        ],
    )
    def test_rejects_a_bad_line(self, line: str, reason: str) -> None:
        assert reasons(read(KAMAILIO, line))[0].startswith(reason)

    def test_names_the_columns_that_a_header_lacks(self) -> None:
        fault = ADAPTERS["kamailio-csv"].fault(Reading(BERLIN, header=["method,callid"]))

        assert fault is not None
        assert fault.startswith("its header has no column call_start_time or start_time or time,")
