"""Fields of delimited lines, against Python's own reader."""

import csv
import time

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from cdr.importers.csv_fields import split_fields

texts = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=8)


def lines_of(*raw: str) -> pl.DataFrame:
    return pl.DataFrame({"line_number": range(1, len(raw) + 1), "raw": raw})


class TestSplitFields:
    @given(
        st.lists(st.lists(texts, min_size=2, max_size=5), min_size=1, max_size=6),
        st.sampled_from([",", ";", "\t", "|"]),
    )
    def test_reads_what_csv_writes(self, rows: list[list[str]], separator: str) -> None:
        quoted = [
            separator.join('"{}"'.format(text.replace('"', '""')) for text in row) for row in rows
        ]

        fields, misshapen = split_fields(
            lines_of(*quoted), {"first": 0, "third": 2}, widths=range(2, 6), separator=separator
        )

        assert misshapen.is_empty()
        assert fields["width"].to_list() == [len(row) for row in rows]
        assert fields["first"].to_list() == [row[0] for row in rows]
        assert fields["third"].to_list() == [row[2] if len(row) > 2 else None for row in rows]

    @given(st.lists(st.text('a",; é', max_size=12), min_size=1, max_size=6))
    def test_agrees_with_pythons_reader_on_every_line_it_takes(self, raw: list[str]) -> None:
        fields, misshapen = split_fields(lines_of(*raw), {"first": 0, "second": 1})

        taken = {row["line_number"]: row for row in fields.iter_rows(named=True)}
        assert sorted([*taken, *misshapen["line_number"]]) == list(range(1, len(raw) + 1))
        for number, row in taken.items():
            read = next(csv.reader([raw[number - 1]], skipinitialspace=True))
            assert (row["first"], row["second"]) == (read[0], read[1])
            assert row["width"] == len(read)

    def test_keeps_the_order_of_lines_and_bad_ones_alone_however_many_there_are(self) -> None:
        raw = [f"{number},x" for number in range(20_000)]
        raw[7], raw[19_999] = "alone", '"open,x'

        fields, misshapen = split_fields(lines_of(*raw), {"first": 0}, widths=[2])

        good = [number for number in range(20_000) if number not in (7, 19_999)]
        assert fields["first"].to_list() == [str(number) for number in good]
        assert misshapen.rows() == [
            (8, "alone", "1 field where 2 are expected"),
            (20_000, '"open,x', "the quotes are not balanced"),
        ]

    def test_is_not_slowed_down_by_a_line_of_blanks(self) -> None:
        long = "," + " " * 60_000 + "a"

        started = time.process_time()
        fields, _ = split_fields(lines_of(*["x,y"] * 50_000, long), {"second": 1})

        assert fields["second"][-1] == "a"
        assert time.process_time() - started < 5
