"""What a rate file seems to be: the first guess that people look at, and change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from catalogue.importers.rate_files import first_rows, sheet_names
from catalogue.importers.texts import detect_delimiter, detect_encoding
from catalogue.rules.date_formats import detect_date_format
from catalogue.rules.rate_cells import AMOUNT_FIELDS, INSTANT_FIELDS
from catalogue.rules.rate_headings import (
    HEADER_LINES,
    detect_decimal_comma,
    find_columns,
    find_header_line,
    headings,
    means_increments,
)
from catalogue.rules.rate_layouts import INCREMENTS, Layout

_SAMPLE_ROWS = 500


@dataclass(frozen=True, slots=True)
class Proposal:
    """How to read a file, and its beginning read so: the headings and rows with their numbers."""

    layout: Layout
    sheets: Sequence[str]
    headings: Sequence[str]
    rows: Sequence[tuple[int, Sequence[str]]]

    def samples(self, heading: str, most: int) -> list[str]:
        """The first cells of a column that are not empty."""
        place = self.headings.index(heading)
        cells = (cells[place].strip() for _, cells in self.rows if place < len(cells))
        return [cell for cell in cells if cell][:most]


def propose_layout(path: Path, said: Mapping[str, Any]) -> Proposal:
    """How the file is to be read as far as it can be told, but as was `said` of it.

    `said` may have `sheets`, `encoding`, `delimiter` and `header_line`, as in a `Layout`.

    :raises RateFileUnreadable: it cannot be read so.
    """
    sheets = sheet_names(path)
    layout = Layout(columns={}, header_line=0, sheets=tuple(said.get("sheets") or ()))
    if not sheets:
        encoding = said.get("encoding") or detect_encoding(path)
        delimiter = said.get("delimiter") or detect_delimiter(path, encoding)
        layout = replace(layout, encoding=encoding, delimiter=delimiter)
    rows = first_rows(path, layout, HEADER_LINES + _SAMPLE_ROWS)
    header_line = said.get("header_line")
    header_line = find_header_line(rows) if header_line is None else header_line
    names = _headings(rows, header_line)
    below = [(number, cells) for number, cells in rows if number > header_line]
    proposal = Proposal(replace(layout, header_line=header_line), sheets, names, below)
    return replace(proposal, layout=_with_columns(proposal))


def _headings(rows: Sequence[tuple[int, Sequence[str]]], header_line: int) -> list[str]:
    if header_line == 0:
        return headings([""] * max((len(cells) for _, cells in rows), default=0))
    return headings(next((cells for number, cells in rows if number >= header_line), []))


def _with_columns(proposal: Proposal) -> Layout:
    """The layout with the columns that the headings name, and as their cells are written."""
    columns = find_columns(proposal.headings) if proposal.layout.header_line else {}
    interval = columns.get("increment", "")
    if interval and means_increments(proposal.samples(interval, _SAMPLE_ROWS)):
        columns[INCREMENTS] = columns.pop("increment")

    def samples(fields: Sequence[str]) -> list[str]:
        named = [columns[field] for field in fields if field in columns]
        return [cell for name in named for cell in proposal.samples(name, _SAMPLE_ROWS)]

    return replace(
        proposal.layout,
        columns=columns,
        date_format=detect_date_format(samples(INSTANT_FIELDS)),
        decimal_comma=detect_decimal_comma(samples(AMOUNT_FIELDS)),
    )
