"""Spreadsheets: numbers as such as far as they stay exact, texts never as formulas."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import chain
from typing import BinaryIO

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from common.csv_files import FORMULA_STARTS, Cell

_EXACT_DIGITS = 15
"""A spreadsheet keeps numbers in binary; so many digits come back as they were."""


def write_xlsx(
    stream: BinaryIO, name: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]
) -> None:
    """Write a workbook of one sheet, row by row: memory stays the same however many there are.

    Decimals of more than fifteen digits are texts.
    """
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title=name[:31])
    for cells in chain([columns], rows):
        sheet.append([_cell(sheet, cell) for cell in cells])
    book.save(stream)


def _cell(sheet: object, cell: Cell) -> object:
    if isinstance(cell, datetime):
        return cell.replace(tzinfo=None)  # a spreadsheet knows no zones
    if isinstance(cell, Decimal) and len(cell.as_tuple().digits) > _EXACT_DIGITS:
        return f"{cell:f}"
    if isinstance(cell, str) and cell.startswith(FORMULA_STARTS):
        text = WriteOnlyCell(sheet, value=cell)  # type: ignore[arg-type]
        text.data_type = "s"
        return text
    return cell
