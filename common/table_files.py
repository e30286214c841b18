"""Tables as files that are kept until somebody takes them: written row by row, and packed."""

import gzip
import zlib
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO, TextIOWrapper
from tempfile import TemporaryFile

from common.csv_files import Cell, write_csv
from common.xlsx_files import write_xlsx

CSV, XLSX = "csv", "xlsx"
_BYTES_AT_ONCE = 1 << 18


def table_file(
    format: str, title: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]
) -> bytes:
    """What is kept of a CSV or XLSX file; memory stays the same however many rows there are."""
    if format == CSV:
        content = BytesIO()
        # No time in it: the same rows come to the same bytes.
        with gzip.GzipFile(fileobj=content, mode="wb", compresslevel=6, mtime=0) as packed:
            text = TextIOWrapper(packed, encoding="utf-8", newline="")
            write_csv(text, columns, rows)
            text.flush()
        return content.getvalue()
    with TemporaryFile() as file:
        write_xlsx(file, title, columns, rows)
        file.seek(0)
        return file.read()


def file_pieces(format: str, kept: bytes) -> Iterator[bytes]:
    """The file itself, piece by piece."""
    if format == XLSX:
        yield kept
        return
    unpacking = zlib.decompressobj(zlib.MAX_WBITS | 16)
    for start in range(0, len(kept), _BYTES_AT_ONCE):
        yield unpacking.decompress(kept[start : start + _BYTES_AT_ONCE])
    yield unpacking.flush()
