"""Files to take away: CSV and spreadsheets, exact and without harm to who opens them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from io import BytesIO, StringIO

from django.http import HttpResponse
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from common.csv_files import FORMULA_STARTS, Cell, write_csv

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def csv_response(name: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> HttpResponse:
    """A CSV file called `<name>.csv`; at once and not streamed, as the request's role ends."""
    text = StringIO()
    write_csv(text, columns, rows)
    return _attachment(text.getvalue().encode(), f"{name}.csv", "text/csv; charset=utf-8")


def xlsx_response(
    name: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]
) -> HttpResponse:
    """A spreadsheet called `<name>.xlsx`: numbers and dates as such, texts never as formulas."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title=name[:31])
    for row in ([*columns], *rows):
        sheet.append([_xlsx_cell(sheet, cell) for cell in row])
    content = BytesIO()
    book.save(content)
    return _attachment(content.getvalue(), f"{name}.xlsx", XLSX_TYPE)


def _xlsx_cell(sheet: object, cell: Cell) -> object:
    if isinstance(cell, datetime):
        return cell.replace(tzinfo=None)  # a spreadsheet knows no zones
    if isinstance(cell, str) and cell.startswith(FORMULA_STARTS):
        text = WriteOnlyCell(sheet, value=cell)  # type: ignore[arg-type]
        text.data_type = "s"
        return text
    return cell


def _attachment(content: bytes, filename: str, content_type: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{filename}"'}
    return HttpResponse(content, content_type=content_type, headers=headers)
