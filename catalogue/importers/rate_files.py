"""Rate files of every kind, by what they hold and not by their name: their sheets and cells."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import polars as pl

from catalogue.importers.refusals import MOST_COLUMNS, RateFileUnreadable
from catalogue.importers.texts import Row, read_text
from catalogue.importers.workbooks import OLD_OR_LOCKED_MAGIC, ZIP_MAGIC, Workbook
from catalogue.rules.rate_headings import headings
from catalogue.rules.rate_layouts import Layout

_ROWS_AT_ONCE = 50_000
_SHEET = "sheet"
LINE = "line"


def is_workbook(path: Path) -> bool:
    """Whether the file is a workbook; else it is read as text.

    :raises RateFileUnreadable: an old or locked workbook.
    """
    with path.open("rb") as file:
        start = file.read(8)
    if start.startswith(OLD_OR_LOCKED_MAGIC):
        raise RateFileUnreadable(
            "The workbook is locked with a password, or in the format of before 2007 (.xls): save"
            " it as .xlsx without a password."
        )
    return start.startswith(ZIP_MAGIC)


def sheet_names(path: Path) -> list[str]:
    """The sheets of a workbook; none of a text.

    :raises RateFileUnreadable: a workbook that cannot be read.
    """
    if not is_workbook(path):
        return []
    with Workbook(path) as book:
        return book.sheets


def first_rows(path: Path, layout: Layout, most: int) -> list[Row]:
    """The first rows of the file, or of the first sheet to read, headings included.

    :raises RateFileUnreadable: it cannot be read so.
    """
    for _, rows in _sheets(path, layout):
        return list(islice(rows, most))
    return []


def read_cells(path: Path, layout: Layout, *, on_rows: Callable[[int], None]) -> pl.DataFrame:
    """The cells of all rows as texts without blanks around them: a column for each mapped field.

    Beside them stand `sheet` (empty of a text) and `line`. `on_rows` is told from time to time how
    many rows were read.

    :raises RateFileUnreadable: it cannot be read so, or has no rows below the headings.
    """
    frames: list[pl.DataFrame] = []
    for sheet, rows in _sheets(path, layout):
        for frame in _frames(sheet, rows, layout):
            frames.append(frame)
            on_rows(sum(map(len, frames)))
    if not frames:
        raise RateFileUnreadable("The file has no rows below its headings.")
    return pl.concat(frames, rechunk=True)


def _sheets(path: Path, layout: Layout) -> Iterator[tuple[str, Iterator[Row]]]:
    if not is_workbook(path):
        yield "", read_text(path, layout.encoding, layout.delimiter)
        return
    with Workbook(path) as book:
        for sheet in layout.sheets or book.sheets:
            yield sheet, book.rows(sheet)


def _frames(sheet: str, rows: Iterator[Row], layout: Layout) -> Iterator[pl.DataFrame]:
    places: list[int] | None = None if layout.header_line else _places(sheet, [""], layout)
    lines: list[int] = []
    columns: list[list[str]] = [[] for _ in layout.columns]
    for number, cells in rows:
        if number < layout.header_line:
            continue
        if places is None:
            places = _places(sheet, cells, layout)
            continue
        found = [cells[place].strip() if place < len(cells) else "" for place in places]
        if not any(found):
            continue
        lines.append(number)
        for column, text in zip(columns, found, strict=True):
            column.append(text)
        if len(lines) == _ROWS_AT_ONCE:
            yield _frame(sheet, lines, columns, layout)
            lines, columns = [], [[] for _ in layout.columns]
    if lines:
        yield _frame(sheet, lines, columns, layout)


def _places(sheet: str, cells: Sequence[str], layout: Layout) -> list[int]:
    """Where the columns of the fields are on this sheet."""
    width = len(cells) if layout.header_line else MOST_COLUMNS
    names = headings(cells if layout.header_line else [""] * width)
    for name in layout.columns.values():
        if name not in names:
            place = f"Sheet {sheet}" if sheet else "The file"
            raise RateFileUnreadable(
                f"{place} has no column '{name}' in line {layout.header_line}: choose the line of"
                " the headings and the columns again."
            )
    return [names.index(name) for name in layout.columns.values()]


def _frame(sheet: str, lines: list[int], columns: list[list[str]], layout: Layout) -> pl.DataFrame:
    texts = zip(layout.columns, columns, strict=True)
    return pl.DataFrame(
        {
            _SHEET: pl.Series([sheet], dtype=pl.String).new_from_index(0, len(lines)),
            LINE: pl.Series(lines, dtype=pl.Int64),
            **{field: pl.Series(cells, dtype=pl.String) for field, cells in texts},
        }
    )
