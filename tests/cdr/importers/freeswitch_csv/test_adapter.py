import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdr.importers.chunks import ParsedChunk
from cdr.importers.freeswitch_csv.adapter import COLUMNS, parse
from cdr.importers.reading import Reading

BERLIN = ZoneInfo("Europe/Berlin")
EXAMPLE = (
    '"Alice","+4930123456","442071234567","default","2026-10-01 10:00:00","2026-10-01 10:00:05",'
    '"2026-10-01 10:01:05","65","60","NORMAL_CLEARING","c1","b1","ACME","PCMA","PCMU"'
)
DEFAULT = (
    '"Alice","+4930123456","442071234567","default","2026-10-01 10:00:00","2026-10-01 10:00:05",'
    '"2026-10-01 10:01:05","65","60","NORMAL_CLEARING","c2","b2", "ACME"'
)
VALUES = dict(zip(COLUMNS, next(csv.reader([EXAMPLE])), strict=True))


def write_line(**changes: str) -> str:
    """The example record with some of its columns changed."""
    assert changes.keys() <= VALUES.keys()
    return ",".join(f'"{value}"' for value in (VALUES | changes).values())


def parse_text(text: str, zone: ZoneInfo = BERLIN) -> ParsedChunk:
    return parse(text.encode(), first_line=1, reading=Reading(zone))


def microseconds(stamp: str) -> int:
    return int(datetime.fromisoformat(f"{stamp}+00:00").timestamp()) * 1_000_000


class TestParse:
    def test_types_every_column_of_the_shipped_template(self) -> None:
        parsed = parse(EXAMPLE.encode() + b"\n", first_line=11, reading=Reading(BERLIN))

        assert parsed.records.rows(named=True) == [
            {
                "line_number": 11,
                "raw": EXAMPLE,
                "call_id": "c1",
                "leg_id": "b1",
                "account_code": "ACME",
                "trunk": None,
                "caller_ip": None,
                "caller_number": "+4930123456",
                "destination_number": "442071234567",
                "hangup_cause": "NORMAL_CLEARING",
                "tags": None,
                "started_at": microseconds("2026-10-01 08:00:00"),
                "answered_at": microseconds("2026-10-01 08:00:05"),
                "ended_at": microseconds("2026-10-01 08:01:05"),
                "duration_seconds": 65,
                "billable_seconds": 60,
            }
        ]
        assert parsed.rejected.is_empty()
        assert parsed.blank_lines == 0

    def test_reads_the_fallback_template_with_its_blank_before_the_last_column(self) -> None:
        record = parse_text(DEFAULT).records.row(0, named=True)

        assert record["account_code"] == "ACME"
        assert record["leg_id"] == "b2"
        assert record["raw"] == DEFAULT

    def test_reads_both_templates_in_one_file_in_the_order_of_its_lines(self) -> None:
        parsed = parse_text("\n".join([DEFAULT, EXAMPLE, "", DEFAULT, EXAMPLE]))

        assert parsed.records["line_number"].to_list() == [1, 2, 4, 5]
        assert parsed.records["call_id"].to_list() == ["c2", "c1", "c2", "c1"]
        assert parsed.blank_lines == 1

    def test_explains_the_few_bad_lines_of_a_long_chunk_in_the_fallback_template(self) -> None:
        no_time = DEFAULT.replace("2026-10-01 10:00:00", "never")
        negative = DEFAULT.replace('"60"', '"-1"')
        block = [DEFAULT] * 10_000

        parsed = parse_text("\n".join([*block, no_time, *block, negative, *block]))

        assert len(parsed.records) == 30_000
        assert parsed.rejected.select("line_number", "reason").rows() == [
            (10_001, 'column 5 (start_stamp) "never" is not a time like 2026-10-31 23:59:59'),
            (20_002, 'column 9 (billsec) "-1" is not a number of seconds from 0 to 2147483647'),
        ]

    def test_reads_an_unanswered_call(self) -> None:
        line = write_line(
            answer_stamp="", billsec="0", hangup_cause="NO_ANSWER", bleg_uuid="", accountcode=""
        )

        record = parse_text(line).records.row(0, named=True)

        assert record["answered_at"] is None
        assert record["leg_id"] is None
        assert record["account_code"] is None
        assert record["billable_seconds"] == 0

    @pytest.mark.parametrize("epoch", ["1970-01-01 01:00:00", "1969-12-31 18:00:00"])
    def test_takes_the_unix_epoch_of_old_releases_for_no_answer(self, epoch: str) -> None:
        record = parse_text(write_line(answer_stamp=epoch)).records.row(0, named=True)

        assert record["answered_at"] is None

    def test_keeps_a_name_with_a_comma_or_doubled_quotes_in_its_column(self) -> None:
        comma = write_line(caller_id_name="Smith, Bob", destination_number="1, 2")
        quotes = write_line(caller_id_name='""Bob"" Smith, ""x""')
        separator = write_line(caller_id_name='"",""')

        parsed = parse_text("\n".join([comma, quotes, separator]))

        assert parsed.records["destination_number"].to_list() == [
            "1, 2",
            "442071234567",
            "442071234567",
        ]
        assert parsed.rejected.is_empty()

    def test_reads_names_beyond_ascii(self) -> None:
        parsed = parse_text(write_line(caller_id_number="Jürgen 😀"))

        assert parsed.records["caller_number"].to_list() == ["Jürgen 😀"]

    @pytest.mark.parametrize("end", ["\n", "\r\n", ""])
    def test_accepts_every_line_end(self, end: str) -> None:
        parsed = parse_text(EXAMPLE + end)

        assert parsed.records["raw"].to_list() == [EXAMPLE]
        assert parsed.records["call_id"].to_list() == ["c1"]

    def test_returns_empty_frames_of_the_same_columns_for_no_records(self) -> None:
        empty = parse_text("\n\n")
        full = parse_text(EXAMPLE)

        assert empty.records.is_empty()
        assert empty.blank_lines == 2
        assert empty.records.schema == full.records.schema
        assert empty.rejected.schema == full.rejected.schema

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ('"a","b"', "2 fields where 13 or 15 are expected"),
            (EXAMPLE + ',"x"', "16 fields where 13 or 15 are expected"),
            (
                EXAMPLE.removesuffix(',"PCMU"'),
                "14 fields where 13 or 15 are expected",
            ),
            (EXAMPLE.removesuffix('"'), "the quotes are not balanced"),
            (write_line(caller_id_name='"Bob" Smith'), "a quote inside a field is not doubled"),
            (write_line(uuid=""), "column 11 (uuid) is empty"),
            (
                write_line(start_stamp="2026-13-01"),
                'column 5 (start_stamp) "2026-13-01" is not a time like 2026-10-31 23:59:59',
            ),
            (
                write_line(end_stamp=""),
                'column 7 (end_stamp) "" is not a time like 2026-10-31 23:59:59',
            ),
            (
                write_line(answer_stamp="soon"),
                'column 6 (answer_stamp) "soon" is not a time like 2026-10-31 23:59:59',
            ),
            (
                write_line(duration="-5"),
                'column 8 (duration) "-5" is not a number of seconds from 0 to 2147483647',
            ),
            (
                write_line(billsec="6O"),
                'column 9 (billsec) "6O" is not a number of seconds from 0 to 2147483647',
            ),
            (
                write_line(billsec="2147483648"),
                'column 9 (billsec) "2147483648" is not a number of seconds from 0 to 2147483647',
            ),
            (
                write_line(duration=""),
                'column 8 (duration) "" is not a number of seconds from 0 to 2147483647',
            ),
            (
                write_line(end_stamp="2026-10-01 09:59:59"),
                'column 7 (end_stamp) "2026-10-01 09:59:59" is before the start',
            ),
            (
                write_line(answer_stamp="2026-10-01 10:01:06"),
                'column 6 (answer_stamp) "2026-10-01 10:01:06" is not between start and end',
            ),
        ],
    )
    def test_rejects_a_bad_line_with_its_reason_and_reads_its_neighbours(
        self, line: str, reason: str
    ) -> None:
        parsed = parse_text("\n".join([EXAMPLE, line, DEFAULT]))

        assert parsed.rejected.rows() == [(2, line, reason)]
        assert parsed.records["line_number"].to_list() == [1, 3]

    def test_shows_only_the_beginning_of_a_long_bad_value(self) -> None:
        parsed = parse_text(write_line(duration="9" * 500))

        assert parsed.rejected["reason"].to_list() == [
            f'column 8 (duration) "{"9" * 60}" is not a number of seconds from 0 to 2147483647'
        ]


class TestClockChanges:
    """Europe/Berlin: back from 03:00 to 02:00 on 2026-10-25, forward from 02:00 on 2026-03-29."""

    @pytest.mark.parametrize(
        ("start", "answer", "end", "seconds", "instants"),
        [
            # Nothing tells which 02:10 it was: the earlier, in summer time (UTC+2).
            ("02:10:00", "02:10:05", "02:11:00", 60, ("00:10:00", "00:10:05", "00:11:00")),
            # Ends after the second pass: 20 minutes before 03:10 is winter time (UTC+1).
            ("02:50:00", "02:50:05", "03:10:00", 1200, ("01:50:00", "01:50:05", "02:10:00")),
            # 80 minutes before 03:10 is the first pass.
            ("02:50:00", "02:50:05", "03:10:00", 4800, ("00:50:00", "00:50:05", "02:10:00")),
            # From before the change into the first pass, and into the second.
            ("01:50:00", "01:50:05", "02:10:00", 1200, ("23:50:00", "23:50:05", "00:10:00")),
            ("01:50:00", "01:50:05", "02:10:00", 4800, ("23:50:00", "23:50:05", "01:10:00")),
            # Across the change: clocks say that it ended before it started.
            ("02:59:50", "02:00:05", "02:10:00", 610, ("00:59:50", "01:00:05", "01:10:00")),
        ],
    )
    def test_choose_the_reading_that_fits_the_duration(
        self, start: str, answer: str, end: str, seconds: int, instants: tuple[str, str, str]
    ) -> None:
        line = write_line(
            start_stamp=f"2026-10-25 {start}",
            answer_stamp=f"2026-10-25 {answer}",
            end_stamp=f"2026-10-25 {end}",
            duration=str(seconds),
        )

        parsed = parse_text(line)

        shown = parsed.records.select(
            pl.from_epoch(name, time_unit="us").dt.strftime("%H:%M:%S")
            for name in ("started_at", "answered_at", "ended_at")
        )
        assert shown.row(0) == instants

    def test_reject_a_time_that_never_was(self) -> None:
        line = write_line(start_stamp="2026-03-29 02:30:00", end_stamp="2026-03-29 03:30:00")

        parsed = parse_text(line + "\n" + EXAMPLE)

        assert parsed.rejected["reason"].item() == (
            'column 5 (start_stamp) "2026-03-29 02:30:00" was skipped when clocks in '
            "Europe/Berlin were put forward"
        )
        assert parsed.records["line_number"].to_list() == [2]

    def test_leave_unambiguous_calls_of_the_same_chunk_alone(self) -> None:
        folded = write_line(
            start_stamp="2026-10-25 02:10:00",
            answer_stamp="",
            end_stamp="2026-10-25 02:10:05",
            duration="5",
        )

        alone = parse_text(EXAMPLE)
        together = parse_text(EXAMPLE + "\n" + folded)

        assert together.records.row(0) == alone.records.row(0)


texts = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufeff"))
stamps = st.integers(946_684_800, 4_102_444_800).map(
    lambda second: datetime.fromtimestamp(second, UTC).replace(tzinfo=None)
)


@st.composite
def calls(draw: st.DrawFn) -> list[str]:
    """The fields of one well-formed record in 13 or 15 columns."""
    started_at = draw(stamps)
    ringing, talking = draw(st.integers(0, 100)), draw(st.integers(0, 10_000))
    answered_at = started_at + timedelta(seconds=ringing)
    ended_at = answered_at + timedelta(seconds=talking)
    fields = [
        draw(texts),
        draw(texts),
        draw(texts),
        draw(texts),
        str(started_at),
        draw(st.sampled_from([str(answered_at), ""])),
        str(ended_at),
        str(ringing + talking),
        str(talking),
        draw(texts),
        draw(texts.filter(str.strip)),
        draw(texts),
        draw(texts),
    ]
    return fields + draw(st.sampled_from([[], ["PCMA", "PCMA"], ["", ""]]))


class TestProperties:
    @given(
        st.lists(calls(), max_size=8),
        st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
        st.sampled_from(["\n", "\r\n"]),
    )
    def test_what_is_written_as_csv_is_read_back(
        self, written: list[list[str]], quoting: Literal[0, 1], end: str
    ) -> None:
        text = io.StringIO()
        csv.writer(text, quoting=quoting, lineterminator=end).writerows(written)

        parsed = parse_text(text.getvalue(), zone=ZoneInfo("UTC"))

        names = ["caller_number", "destination_number", "hangup_cause"]
        names += ["call_id", "leg_id", "account_code"]
        positions = [1, 2, 9, 10, 11, 12]
        assert parsed.rejected.rows() == []
        assert parsed.records.select(names).rows() == [
            # Blanks before an unquoted field count as blanks between fields.
            tuple(_as_read(call[position], quoting) for position in positions)
            for call in written
        ]
        assert parsed.records["billable_seconds"].to_list() == [int(call[8]) for call in written]
        assert [
            str(datetime.fromtimestamp(instant // 1_000_000, UTC).replace(tzinfo=None))
            for instant in parsed.records["started_at"]
        ] == [call[4] for call in written]

    @given(
        st.lists(st.text('", a', max_size=6), min_size=6, max_size=6),
        st.lists(st.sampled_from([",", ", "]), min_size=14, max_size=14),
        st.sampled_from([13, 15]),
    )
    def test_blanks_and_quotes_are_told_apart_inside_and_outside_of_fields(
        self, values: list[str], separators: list[str], width: int
    ) -> None:
        names = ["caller_id_name", "caller_id_number", "destination_number", "context"]
        names += ["bleg_uuid", "accountcode"]
        call = VALUES | dict(zip(names, values, strict=True))
        fields = ['"{}"'.format(value.replace('"', '""')) for value in call.values()][:width]
        line = fields[0] + "".join(
            separator + field for separator, field in zip(separators, fields[1:], strict=False)
        )

        parsed = parse_text(line)

        read = ["caller_number", "destination_number", "leg_id", "account_code"]
        assert parsed.rejected.rows() == []
        assert parsed.records.select(read).rows() == [
            tuple(values[place] or None for place in (1, 2, 4, 5))
        ]

    @given(
        st.lists(
            st.one_of(
                st.binary(max_size=40),
                st.sampled_from([EXAMPLE.encode(), DEFAULT.encode(), b"", b"  ", b'"', b",,,"]),
                st.text('",a 1\r', max_size=30).map(str.encode),
                calls().map(lambda fields: ",".join(fields).encode()),
            ),
            max_size=12,
        ),
        st.integers(1, 10**9),
    )
    def test_every_line_is_a_record_or_rejected_or_blank(
        self, lines: list[bytes], first_line: int
    ) -> None:
        content = b"".join(line.replace(b"\n", b"") + b"\n" for line in lines)

        parsed = parse(content, first_line=first_line, reading=Reading(BERLIN))

        numbers = [*parsed.records["line_number"], *parsed.rejected["line_number"]]
        assert len(numbers) == len(set(numbers))
        assert set(numbers) <= set(range(first_line, first_line + len(lines)))
        assert len(numbers) + parsed.blank_lines == len(lines)
        assert parsed.rejected["reason"].null_count() == 0


def _as_read(value: str, quoting: Literal[0, 1]) -> str | None:
    quoted = quoting == csv.QUOTE_ALL or "," in value or '"' in value
    return (value if quoted else value.lstrip(" ")) or None
