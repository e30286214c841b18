"""What holds for every format: nothing raises, no line is lost, no line counts twice."""

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdr.importers.chunks import ParsedChunk, read_chunks
from cdr.importers.formats import ADAPTERS
from cdr.importers.layout import STAMPS, TEXTS
from cdr.models import Source
from tests.cdr.importers.samples import SAMPLES, parse_sample, reading_of

FORMATS = sorted(ADAPTERS)
RECORD = ["line_number", "raw", *TEXTS, *STAMPS, "duration_seconds", "billable_seconds"]


def lines_of(format_: str) -> list[bytes]:
    return SAMPLES[format_].read_bytes().splitlines()


def numbers_of(parsed: ParsedChunk) -> list[int]:
    return [*parsed.records["line_number"], *parsed.rejected["line_number"]]


def spoilt(line: bytes) -> st.SearchStrategy[bytes]:
    """The line with a piece of it replaced by anything."""
    places = st.integers(0, len(line))
    pieces = st.one_of(
        st.binary(max_size=6), st.sampled_from([b'"', b",", b";", b"\\", b"-1", b"%"])
    )
    return st.builds(
        lambda start, size, piece: line[:start] + piece + line[start + size :],
        places,
        st.integers(0, 20),
        pieces,
    )


def any_lines(format_: str) -> st.SearchStrategy[list[bytes]]:
    written = lines_of(format_)
    line = st.one_of(
        st.binary(max_size=60),
        st.sampled_from(written),
        st.sampled_from(written).flatmap(spoilt),
        st.text("\",;{}[]:'a1 -\r", max_size=40).map(str.encode),
    )
    return st.lists(line.map(lambda each: each.replace(b"\n", b"")), max_size=8)


class TestTheFormats:
    def test_are_those_that_a_source_can_have(self) -> None:
        assert set(ADAPTERS) == {choice.value for choice in Source.Format}


@pytest.mark.parametrize("format_", FORMATS)
class TestEachFormat:
    def test_reads_its_sample_whole(self, format_: str) -> None:
        parsed = parse_sample(format_)

        assert parsed.rejected.rows() == []
        assert len(parsed.records) + parsed.blank_lines == len(lines_of(format_))
        assert parsed.records.columns == RECORD
        assert parsed.records["billable_seconds"].sum() > 0
        assert parsed.records["destination_number"].null_count() == 0

    def test_gives_an_unanswered_call_no_volume(self, format_: str) -> None:
        records = parse_sample(format_).records

        unanswered = records.filter(pl.col("answered_at").is_null())
        assert len(unanswered) > 0
        assert unanswered["billable_seconds"].to_list() == [0] * len(unanswered)

    @settings(max_examples=60, deadline=None)
    @given(data=st.data(), first_line=st.integers(1, 10**9))
    def test_ends_every_line_in_one_state(
        self, format_: str, data: st.DataObject, first_line: int
    ) -> None:
        lines = data.draw(any_lines(format_))
        header = data.draw(st.sampled_from([None, [], ["a,b", "c"]]))
        content = b"".join(line + b"\n" for line in lines)

        parsed = ADAPTERS[format_].parse(
            content, first_line=first_line, reading=reading_of(format_, header)
        )

        numbers = numbers_of(parsed)
        assert len(numbers) == len(set(numbers))
        assert set(numbers) <= set(range(first_line, first_line + len(lines)))
        assert len(numbers) + parsed.blank_lines == len(lines)
        assert parsed.rejected["reason"].null_count() == 0
        assert parsed.records.columns == RECORD

    @pytest.mark.parametrize("size", [1, 2, 3])
    def test_does_not_care_where_a_file_is_cut(self, format_: str, size: int) -> None:
        whole = parse_sample(format_)
        path: Path = SAMPLES[format_]
        pieces = [
            ADAPTERS[format_].parse(
                chunk.content, first_line=chunk.first_line, reading=reading_of(format_)
            )
            for chunk in read_chunks(path, max_bytes=10**6, lines=size)
        ]

        assert pl.concat([piece.records for piece in pieces]).rows() == whole.records.rows()
        assert sum(piece.blank_lines for piece in pieces) == whole.blank_lines
        assert sum(len(piece.rejected) for piece in pieces) == 0

    def test_reads_files_that_were_joined(self, format_: str) -> None:
        content = SAMPLES[format_].read_bytes() * 2

        parsed = ADAPTERS[format_].parse(content, first_line=1, reading=reading_of(format_))

        alone = parse_sample(format_)
        assert len(parsed.records) == 2 * len(alone.records)
        assert parsed.blank_lines == 2 * alone.blank_lines
        assert parsed.rejected.rows() == []

    def test_says_why_a_file_of_another_kind_is_none(self, format_: str) -> None:
        adapter = ADAPTERS[format_]
        other = reading_of(format_, ["something,else", ""])

        fault = adapter.fault(other)

        has_header = adapter.header_lines(other.mapping) > 0
        assert (fault is not None) == has_header
