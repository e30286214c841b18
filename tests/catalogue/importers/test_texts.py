"""CSV as vendors send it: whatever its encoding and separator, the cells are the same."""

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.importers.proposals import propose_layout
from catalogue.importers.rate_files import first_rows
from catalogue.importers.texts import read_text
from catalogue.rules.rate_layouts import Layout

ROWS = [["Prefix", "Zone", "Rate"], ["49", "Österreich é", "0.01"], ["44", 'a "b", c', "0.02"]]
# What Windows calls Latin-1 is cp1252; where only that differs, both read the same.
CELLS = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x17F, exclude_characters="\x7f\x85"), max_size=20
)


def written(rows: list[list[str]], delimiter: str = ",", line_end: str = "\r\n") -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=line_end).writerows(rows)
    return text.getvalue()


class TestDetection:
    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
    @pytest.mark.parametrize(
        ("codec", "expected"),
        [
            ("utf-8", "utf-8"),
            ("utf-8-sig", "utf-8"),
            ("utf-16", "utf-16-le"),
            ("utf-16-be", "utf-16-be"),
            ("utf-16-le", "utf-16-le"),
            ("cp1252", "cp1252"),
        ],
    )
    def test_finds_encoding_and_separator(
        self, tmp_path: Path, delimiter: str, codec: str, expected: str
    ) -> None:
        path = tmp_path / "rates"
        path.write_bytes(written(ROWS, delimiter).encode(codec))

        proposal = propose_layout(path, {})

        assert (proposal.layout.encoding, proposal.layout.delimiter) == (expected, delimiter)
        assert proposal.headings == ROWS[0]
        assert [cells for _, cells in proposal.rows] == ROWS[1:]
        assert proposal.layout.columns == {
            "prefix": "Prefix",
            "destination": "Zone",
            "rate": "Rate",
        }

    def test_believes_who_says_otherwise(self, tmp_path: Path) -> None:
        path = tmp_path / "rates"
        path.write_bytes("Prefix;Rate\n49;1\n".encode("latin-1"))

        proposal = propose_layout(path, {"delimiter": ",", "header_line": 2, "encoding": "cp1252"})

        assert proposal.headings == ["49;1"]


class TestReading:
    @given(
        st.lists(st.lists(CELLS, min_size=2, max_size=4), min_size=1, max_size=8),
        st.sampled_from([",", ";", "\t", "|"]),
        st.sampled_from(["\n", "\r\n", "\r"]),
        st.sampled_from(["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be"]),
    )
    def test_gives_back_every_cell(
        self, rows: list[list[str]], delimiter: str, line_end: str, codec: str
    ) -> None:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "rates"
            path.write_bytes(written(rows, delimiter, line_end).encode(codec))

            read = [cells for _, cells in read_text(path, codec.removesuffix("-sig"), delimiter)]

        assert read == [row for row in rows if any(row)]

    def test_counts_lines_as_an_editor_does(self, tmp_path: Path) -> None:
        path = tmp_path / "rates"
        path.write_text("prefix,rate\n\n49,1\n")

        assert first_rows(path, Layout(columns={}), 5) == [
            (1, ["prefix", "rate"]),
            (3, ["49", "1"]),
        ]

    def test_passes_over_a_cut_at_any_byte(self, tmp_path: Path) -> None:
        path = tmp_path / "rates"
        rows = [["é" * 1000, str(number)] for number in range(100)]
        path.write_bytes(written(rows).encode())

        assert [cells for _, cells in read_text(path, "utf-8", ",")] == rows
