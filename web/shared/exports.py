"""Files to take away: CSV and spreadsheets, exact and without harm to who opens them."""

from collections.abc import Iterable, Sequence
from io import BytesIO, StringIO

from django.http import HttpResponse

from common.csv_files import Cell, write_csv
from common.table_files import XLSX, file_pieces
from common.xlsx_files import write_xlsx

CSV_TYPE = "text/csv; charset=utf-8"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def csv_response(name: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> HttpResponse:
    """A CSV file called `<name>.csv`; at once and not streamed, as the request's role ends."""
    text = StringIO()
    write_csv(text, columns, rows)
    return attachment(text.getvalue().encode(), f"{name}.csv", CSV_TYPE)


def xlsx_response(
    name: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]
) -> HttpResponse:
    """A spreadsheet called `<name>.xlsx`: numbers and dates as such, texts never as formulas."""
    content = BytesIO()
    write_xlsx(content, name, columns, rows)
    return attachment(content.getvalue(), f"{name}.xlsx", XLSX_TYPE)


def kept_file(format: str, kept: bytes, filename: str) -> HttpResponse:
    """A file as `table_file` kept it."""
    content_type = XLSX_TYPE if format == XLSX else CSV_TYPE
    return attachment(b"".join(file_pieces(format, kept)), filename, content_type)


def attachment(content: bytes, filename: str, content_type: str) -> HttpResponse:
    """A file to keep, called so."""
    headers = {"Content-Disposition": f'attachment; filename="{filename}"'}
    return HttpResponse(content, content_type=content_type, headers=headers)
