"""Rate files of every kind, by what they hold and not by their name: their sheets and cells."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path

import polars as pl

from catalogue.importers.refusals import MOST_COLUMNS, RateFileUnreadable
from catalogue.importers.sheet_cells import block_rows
from catalogue.importers.texts import LINE, Row, text_blocks
from catalogue.importers.workbooks import OLD_OR_LOCKED_MAGIC, ZIP_MAGIC, Workbook
from catalogue.rules.rate_headings import headings
from catalogue.rules.rate_layouts import Layout

_ROWS_AT_ONCE = 50_000
_SHEET = "sheet"


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
    for _, blocks in _sheets(path, layout):
        return list(islice(chain.from_iterable(map(block_rows, blocks)), most))
    return []


def read_cells(path: Path, layout: Layout, *, on_rows: Callable[[int], None]) -> pl.DataFrame:
    """The cells of all rows as texts without blanks around them: a column for each mapped field.

    Beside them stand `sheet` (empty of a text) and `line`. `on_rows` is told from time to time how
    many rows were read.

    :raises RateFileUnreadable: it cannot be read so, or has no rows below the headings.
    """
    frames: list[pl.DataFrame] = []
    count = told = 0
    for sheet, blocks in _sheets(path, layout):
        for frame in _frames(sheet, blocks, layout):
            frames.append(frame)
            if len(frame) and (count := count + len(frame)) >= told + _ROWS_AT_ONCE:
                on_rows(told := count)
    if not count:
        raise RateFileUnreadable("The file has no rows below its headings.")
    return pl.concat(frames, rechunk=True)


def _sheets(path: Path, layout: Layout) -> Iterator[tuple[str, Iterator[pl.DataFrame]]]:
    if not is_workbook(path):
        yield "", text_blocks(path, layout.encoding, layout.delimiter)
        return
    with Workbook(path) as book:
        for sheet in layout.sheets or book.sheets:
            yield sheet, book.blocks(sheet)


def _frames(sheet: str, blocks: Iterator[pl.DataFrame], layout: Layout) -> Iterator[pl.DataFrame]:
    places: list[int] | None = None if layout.header_line else _places(sheet, [""], layout)
    for block in blocks:
        rows = block.filter(pl.col(LINE) >= layout.header_line)
        if places is None and not rows.is_empty():
            (_, heading), *_ = block_rows(rows.head(1))
            places = _places(sheet, heading, layout)
            rows = rows.slice(1)
        if places is not None and not rows.is_empty():
            yield _frame(sheet, rows, dict(zip(layout.columns, places, strict=True)))


def _frame(sheet: str, rows: pl.DataFrame, places: Mapping[str, int]) -> pl.DataFrame:
    """The columns of the fields, without blanks around their texts and without empty rows."""
    nothing = pl.lit("", dtype=pl.String)
    cells = {
        field: pl.col(str(place)).str.strip_chars().fill_null("")
        if str(place) in rows.columns
        else nothing
        for field, place in places.items()
    }
    frame = rows.select(pl.lit(sheet).alias(_SHEET), LINE, **cells)
    return frame.filter(pl.any_horizontal(pl.col(field) != "" for field in cells))


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
