import gzip
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdr.importers import chunks
from cdr.importers.chunks import (
    MAX_LINE_BYTES,
    FileChunk,
    FileTooLarge,
    FileUnreadable,
    cut_lines,
    read_chunks,
    split_lines,
)

LIMIT = 10_000_000


class TestReadChunks:
    def test_cuts_a_file_after_so_many_lines(self, tmp_path: Path) -> None:
        path = tmp_path / "Master.csv"
        path.write_bytes(b"a\nbb\nccc\ndddd\ne")

        found = list(read_chunks(path, lines=2, max_bytes=LIMIT))

        assert found == [
            FileChunk(1, 0, b"a\nbb\n"),
            FileChunk(3, 5, b"ccc\ndddd\n"),
            FileChunk(5, 14, b"e"),
        ]

    def test_sees_gzip_by_its_content_and_not_by_its_name(self, tmp_path: Path) -> None:
        text = b"".join(b"line %d\n" % number for number in range(1000))
        compressed = tmp_path / "Master.csv"
        compressed.write_bytes(gzip.compress(text))
        plain = tmp_path / "Master.csv.gz"
        plain.write_bytes(text)

        from_compressed = list(read_chunks(compressed, lines=300, max_bytes=LIMIT))
        from_plain = list(read_chunks(plain, lines=300, max_bytes=LIMIT))

        assert from_compressed == from_plain
        assert [chunk.first_line for chunk in from_plain] == [1, 301, 601, 901]
        assert b"".join(chunk.content for chunk in from_plain) == text

    @pytest.mark.parametrize("compress", [False, True])
    def test_continues_with_equal_chunks_where_it_is_told(
        self, tmp_path: Path, compress: bool
    ) -> None:
        text = b"".join(b"line %d\n" % number for number in range(1000))
        path = tmp_path / "Master.csv"
        path.write_bytes(gzip.compress(text) if compress else text)
        whole = list(read_chunks(path, lines=300, max_bytes=LIMIT))
        third = whole[2]

        rest = list(
            read_chunks(
                path,
                lines=300,
                max_bytes=LIMIT,
                first_line=third.first_line,
                offset=third.offset,
            )
        )

        assert rest == whole[2:]

    def test_yields_nothing_for_an_empty_file(self, tmp_path: Path) -> None:
        path = tmp_path / "Master.csv"
        path.write_bytes(b"")

        assert list(read_chunks(path, lines=2, max_bytes=LIMIT)) == []

    def test_ends_a_chunk_of_long_lines_early(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(chunks, "CHUNK_BYTES", 10)
        path = tmp_path / "Master.csv"
        path.write_bytes(b"1234567\n1234567\n1\n")

        found = list(read_chunks(path, lines=100, max_bytes=LIMIT))

        assert found == [FileChunk(1, 0, b"1234567\n1234567\n"), FileChunk(3, 16, b"1\n")]

    def test_keeps_the_beginning_of_an_over_long_line_and_goes_on(self, tmp_path: Path) -> None:
        path = tmp_path / "Master.csv"
        path.write_bytes(b"a\n" + b"x" * 3 * MAX_LINE_BYTES + b"\nb\nc\n")

        first, second = read_chunks(path, lines=3, max_bytes=LIMIT)

        assert first == FileChunk(1, 0, b"a\n" + b"x" * (MAX_LINE_BYTES + 1) + b"\nb\n")
        assert second == FileChunk(4, 2 + 3 * MAX_LINE_BYTES + 1 + 2, b"c\n")

    def test_names_the_file_and_the_place_where_gzip_breaks_off(self, tmp_path: Path) -> None:
        text = b"".join(b"line %d\n" % number for number in range(100_000))
        path = tmp_path / "october.csv"
        path.write_bytes(gzip.compress(text)[:-20_000])
        seen: list[FileChunk] = []

        with pytest.raises(FileUnreadable) as refusal:
            seen.extend(read_chunks(path, lines=10_000, max_bytes=LIMIT))

        whole = seen[-1].offset + len(seen[-1].content)
        assert len(seen) > 1
        assert b"".join(chunk.content for chunk in seen) == text[:whole]
        assert str(refusal.value).startswith(
            f"october.csv: the gzip stream cannot be read on after line {len(seen)}0000 "
            f"(byte {whole} of the text): "
        )

    def test_refuses_damaged_gzip(self, tmp_path: Path) -> None:
        content = bytearray(gzip.compress(b"line\n" * 100))
        content[-5] ^= 0xFF
        path = tmp_path / "october.csv"
        path.write_bytes(content)

        with pytest.raises(FileUnreadable, match=r"october\.csv"):
            list(read_chunks(path, lines=10, max_bytes=LIMIT))

    def test_stops_a_zip_bomb_at_the_limit(self, tmp_path: Path) -> None:
        path = tmp_path / "bomb.csv"
        path.write_bytes(gzip.compress(b"0" * 99 + b"\n" + b"0" * 50_000_000))
        seen: list[FileChunk] = []

        with pytest.raises(FileTooLarge, match=r"bomb\.csv holds more than 1000000 bytes"):
            seen.extend(read_chunks(path, lines=1, max_bytes=1_000_000))

    def test_accepts_a_file_of_exactly_the_limit(self, tmp_path: Path) -> None:
        path = tmp_path / "Master.csv"
        path.write_bytes(b"0123456789\n")

        assert len(list(read_chunks(path, lines=1, max_bytes=11))) == 1
        with pytest.raises(FileTooLarge):
            list(read_chunks(path, lines=1, max_bytes=10))


class TestSplitLines:
    def test_numbers_lines_on_from_the_first_and_drops_their_ends(self) -> None:
        lines = split_lines(b"a\r\nb\nc", first_line=7)

        assert lines.readable.to_dict(as_series=False) == {
            "line_number": [7, 8, 9],
            "raw": ["a", "b", "c"],
        }
        assert lines.readable.schema["line_number"] == pl.Int64

    def test_counts_blank_lines_and_numbers_past_them(self) -> None:
        lines = split_lines(b"\na\n  \t\r\nb\n\n", first_line=1)

        assert lines.readable["line_number"].to_list() == [2, 4]
        assert lines.blank_count == 3

    def test_drops_a_byte_order_mark_at_the_start_of_the_file_only(self) -> None:
        at_start = split_lines(b"\xef\xbb\xbfa\n", first_line=1)
        later = split_lines(b"\xef\xbb\xbfa\n", first_line=2)

        assert at_start.readable["raw"].to_list() == ["a"]
        assert later.readable["raw"].to_list() == ["\ufeffa"]

    def test_rejects_lines_that_are_no_text_and_shows_their_bytes(self) -> None:
        lines = split_lines(b"a\nJos\xe9\nb\0c\n\xff\xfe\nd\xef\xbf\xbd\n", first_line=1)

        assert lines.readable["line_number"].to_list() == [1, 5]
        assert lines.rejected.rows() == [
            (2, r"Jos\xe9", "the line is not valid UTF-8"),
            (3, r"b\x00c", "the line holds NUL bytes"),
            (4, r"\xff\xfe", "the line is not valid UTF-8"),
        ]

    def test_counts_blank_lines_behind_a_line_that_is_no_text(self) -> None:
        lines = split_lines(b"\xff\n\n", first_line=1)

        assert lines.rejected["line_number"].to_list() == [1]
        assert lines.blank_count == 1

    def test_rejects_lines_over_the_longest_length(self) -> None:
        longest = b"x" * MAX_LINE_BYTES

        lines = split_lines(longest + b"\n" + longest + b"x\n", first_line=1)

        assert lines.readable["line_number"].to_list() == [1]
        assert lines.rejected["line_number"].to_list() == [2]
        assert lines.rejected["reason"].to_list() == [
            "the line is longer than 65536 bytes; its beginning is kept"
        ]

    def test_counts_an_over_long_line_of_blanks_once(self) -> None:
        lines = split_lines(b" " * (MAX_LINE_BYTES + 1) + b"\n\n", first_line=1)

        assert (lines.rejected["line_number"].to_list(), lines.blank_count) == ([1], 1)

    def test_counts_a_byte_order_mark_alone_as_a_blank_line(self) -> None:
        lines = split_lines(b"\xef\xbb\xbf", first_line=1)

        assert (len(lines.readable), len(lines.rejected), lines.blank_count) == (0, 0, 1)

    def test_finds_no_line_in_nothing(self) -> None:
        lines = split_lines(b"", first_line=1)

        assert lines.readable.is_empty()
        assert lines.rejected.is_empty()
        assert lines.blank_count == 0


class TestCutLines:
    @given(st.lists(st.text("ab\r", max_size=12).map(str.encode)), st.booleans())
    def test_cuts_where_reading_would(self, lines: list[bytes], is_ended: bool) -> None:
        text = b"\n".join(lines) + (b"\n" if is_ended else b"")
        with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
            patch.setattr(chunks, "_BLOCK_BYTES", 7)
            patch.setattr(chunks, "CHUNK_BYTES", 20)
            path = Path(folder) / "calls.csv"
            path.write_bytes(text)

            cuts = list(cut_lines(path, lines=3))
            pieces = list(read_chunks(path, max_bytes=len(text), lines=3))

        assert [(cut.first_line, cut.offset) for cut in cuts] == [
            (piece.first_line, piece.offset) for piece in pieces
        ]
        assert [text[cut.offset : cut.offset + cut.byte_count] for cut in cuts] == [
            piece.content for piece in pieces
        ]
        assert [cut.line_count for cut in cuts] == [
            len(piece.content.removesuffix(b"\n").split(b"\n")) for piece in pieces
        ]
