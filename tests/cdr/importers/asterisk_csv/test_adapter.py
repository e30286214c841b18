import pytest

from cdr.importers.reading import Reading
from tests.cdr.importers.samples import BERLIN, SAMPLES
from tests.cdr.importers.texts import column, parse, reasons

FULL = SAMPLES["asterisk-csv"].read_text().splitlines()[0]
BASE = FULL.removesuffix(',"1790841600.5151","order 7"')
ID = '"1790841600.5151"'
NEW = '"boss","1790841600.1",77'


class TestParse:
    @pytest.mark.parametrize(
        ("tail", "call_id", "sequence"),
        [
            ("", None, ""),
            (f",{ID}", "1790841600.5151", ""),
            (',"my note"', None, ""),
            (f',{ID},"my note"', "1790841600.5151", ""),
            (f",{NEW}", None, "/77"),
            (f",{ID},{NEW}", "1790841600.5151", "/77"),
            (f',"my note",{NEW}', None, "/77"),
            (f',{ID},"my note",{NEW}', "1790841600.5151", "/77"),
        ],
    )
    def test_knows_the_optional_columns(
        self, tail: str, call_id: str | None, sequence: str
    ) -> None:
        parsed = parse("asterisk-csv", BASE + tail, Reading(BERLIN))

        assert column(parsed, "call_id") == [call_id]
        assert column(parsed, "leg_id") == [f"PJSIP/carrier-00000a20{sequence}"]

    def test_reads_quotes_and_commas_inside_of_texts(self) -> None:
        parsed = parse("asterisk-csv", FULL, Reading(BERLIN))

        assert column(parsed, "destination_number") == ["00442071234567"]
        assert column(parsed, "trunk") == ["PJSIP/acme"]
        assert column(parsed, "billable_seconds") == [60]

    def test_reads_an_answer_that_is_not_there_at_all(self) -> None:
        parsed = parse("asterisk-csv", FULL.replace('"2026-10-01 10:00:05"', ""), Reading(BERLIN))

        assert parsed.records["answered_at"].to_list() == [None]

    @pytest.mark.parametrize(
        ("start", "end", "seconds", "instant"),
        [
            # Berlin put its clocks back at 03:00 on 25 October 2026.
            ("02:50:00", "03:10:00", 1200, "25 01:50:00"),
            ("02:50:00", "03:10:00", 4800, "25 00:50:00"),
            ("02:10:00", "02:11:00", 60, "25 00:10:00"),
        ],
    )
    def test_chooses_the_hour_that_fits_the_duration(
        self, start: str, end: str, seconds: int, instant: str
    ) -> None:
        line = (
            FULL.replace("2026-10-01 10:00:00", f"2026-10-25 {start}")
            .replace("2026-10-01 10:00:05", f"2026-10-25 {start}")
            .replace("2026-10-01 10:01:05", f"2026-10-25 {end}")
            .replace(",65,60,", f",{seconds},{seconds},")
        )

        parsed = parse("asterisk-csv", line, Reading(BERLIN))

        assert column(parsed, "started_at") == [instant]

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ('"a","b"', "2 fields where 16, 17, 18, 19, 20 or 21 are expected"),
            (FULL.replace(",65,", ",6O,"), 'column 13 (duration) "6O" is not a number of seconds'),
            (
                FULL.replace("2026-10-01 10:00:00", "2026-03-29 02:30:00"),
                'column 10 (start) "2026-03-29 02:30:00" was skipped when clocks',
            ),
            (FULL + '"', "the quotes are not balanced"),
        ],
    )
    def test_rejects_a_bad_line(self, line: str, reason: str) -> None:
        parsed = parse("asterisk-csv", line, Reading(BERLIN))

        assert reasons(parsed)[0].startswith(reason)
