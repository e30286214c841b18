"""XLSX workbooks, read block by block: values as they were last worked out, formulas never run.

A reader of our own, as those there are hold a sheet whole, or fill the rectangle that its outermost
cells span: a file of some kilobytes can make that terabytes.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO, Self
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

import polars as pl
from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format

from catalogue.importers.refusals import (
    MOST_UNPACKED_BYTES,
    RateFileUnreadable,
)
from catalogue.importers.shared_texts import SharedTexts
from catalogue.importers.sheet_cells import block_rows, sheet_blocks
from catalogue.importers.sheet_xml import DateStyles
from catalogue.importers.texts import Row
from catalogue.importers.xml_parts import Attributes, XmlReader, unpacked

ZIP_MAGIC = b"PK\x03\x04"
OLD_OR_LOCKED_MAGIC = b"\xd0\xcf\x11\xe0"

_MOST_PARTS = 2_000
_MOST_SHEETS = 200
_MOST_SHEET_CHARACTERS = 100
_MOST_ABOUT_BYTES = 1 << 24
"""Of a part that says what there is, and whose elements are held: sheets and styles."""
_BOOK = "xl/workbook.xml"
_LINKS = "xl/_rels/workbook.xml.rels"
_TEXTS = "xl/sharedStrings.xml"


class Workbook:
    """An XLSX file; `sheets` are the names of its sheets, in order.

    :raises RateFileUnreadable: it is none, is locked with a password, or unpacks to too much.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._zip = ZipFile(path)
        except (BadZipFile, OSError, NotImplementedError, ValueError) as error:
            raise RateFileUnreadable(f"The file is no workbook (.xlsx): {error}.") from error
        try:
            self._check_size()
            self._is_1904 = False
            self._parts = self._sheet_parts()
            self._styles = DateStyles(self._date_styles(), self._is_1904)
        except BaseException:
            self._zip.close()
            raise
        self._shared = SharedTexts(self._shared_part)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._zip.close()

    @property
    def sheets(self) -> list[str]:
        """Names of the sheets with cells; charts are none."""
        return list(self._parts)

    def blocks(self, sheet: str) -> Iterator[pl.DataFrame]:
        """The rows of a sheet that are not empty, some thousand at a time, as columns.

        `line` is the number of the row; the columns beside it are named by their place from 0 on,
        and have the texts of the cells: null where there is none.

        :raises RateFileUnreadable: there is no such sheet, or it is damaged or beyond the bounds.
        """
        if sheet not in self._parts:
            raise RateFileUnreadable(f"The workbook has no sheet '{sheet}'.")
        with self._part(self._parts[sheet]) as part:
            yield from sheet_blocks(part, self._styles, self._shared)

    def rows(self, sheet: str) -> Iterator[Row]:
        """The rows of a sheet that are not empty, one by one, each with its number.

        :raises RateFileUnreadable: there is no such sheet, or it is damaged or beyond the bounds.
        """
        for block in self.blocks(sheet):
            yield from block_rows(block)

    def _check_size(self) -> None:
        parts = self._zip.infolist()
        if len(parts) > _MOST_PARTS:
            raise RateFileUnreadable(f"The workbook has {len(parts):,} parts: it is no rate file.")
        if any(part.flag_bits & 1 for part in parts):
            raise RateFileUnreadable("The workbook is locked with a password: save it without.")
        if any(part.compress_type not in (ZIP_STORED, ZIP_DEFLATED) for part in parts):
            raise RateFileUnreadable("The workbook is packed as no spreadsheet packs it.")
        size = sum(part.file_size for part in parts)
        if size > MOST_UNPACKED_BYTES:
            raise RateFileUnreadable(
                f"The workbook unpacks to {size:,} bytes; up to {MOST_UNPACKED_BYTES:,} are"
                " taken. Split it by destination."
            )

    @contextmanager
    def _part(self, name: str) -> Iterator[IO[bytes]]:
        try:
            part = self._zip.open(name)
        except (KeyError, BadZipFile, NotImplementedError, RuntimeError, ValueError) as error:
            raise RateFileUnreadable(f"The workbook lacks its part {name}.") from error
        with part:
            yield part

    @contextmanager
    def _shared_part(self) -> Iterator[IO[bytes] | None]:
        if _TEXTS not in self._zip.NameToInfo:
            yield None
            return
        with self._part(_TEXTS) as part:
            yield part

    def _sheet_parts(self) -> dict[str, str]:
        sheets: dict[str, str] = {}
        targets: dict[str, str] = {}

        def book(name: str, attributes: Attributes) -> None:
            if name == "workbookPr":
                self._is_1904 = attributes.get("date1904") in ("1", "true")
            if name == "sheet":
                link = next((v for k, v in attributes.items() if k.endswith(" id")), "")
                sheets[attributes.get("name", "")] = link
                if len(attributes.get("name", "")) > _MOST_SHEET_CHARACTERS:
                    raise RateFileUnreadable("The name of a sheet of the workbook is too long.")
            if len(sheets) > _MOST_SHEETS:
                raise RateFileUnreadable(f"The workbook has more than {_MOST_SHEETS} sheets.")

        def link(name: str, attributes: Attributes) -> None:
            if name == "Relationship" and attributes.get("Type", "").endswith("/worksheet"):
                target = PurePosixPath("/xl") / attributes.get("Target", "")
                targets[attributes.get("Id", "")] = str(target).removeprefix("/")

        self._read(_BOOK, book)
        self._read(_LINKS, link)
        found = {name: targets[key] for name, key in sheets.items() if key in targets}
        if not found:
            raise RateFileUnreadable("The workbook has no sheet with cells.")
        return found

    def _date_styles(self) -> frozenset[int]:
        """The numbers of the cell styles that show a number as a date."""
        written: dict[int, str] = dict(BUILTIN_FORMATS)
        formats: list[int] = []
        within: list[str] = []

        def style(name: str, attributes: Attributes) -> None:
            if name in ("cellXfs", "cellStyleXfs"):
                within[:] = [name]
            elif name == "numFmt":
                written[int(attributes["numFmtId"])] = attributes.get("formatCode", "")
            elif name == "xf" and within == ["cellXfs"]:
                formats.append(int(attributes.get("numFmtId", 0)))

        if "xl/styles.xml" in self._zip.NameToInfo:
            try:
                self._read("xl/styles.xml", style)
            except (KeyError, ValueError) as error:
                raise RateFileUnreadable("The workbook is damaged: its styles.") from error
        dates = (is_date_format(written.get(number)) for number in formats)
        return frozenset(place for place, is_date in enumerate(dates) if is_date)

    def _read(self, name: str, start: Callable[[str, Attributes], None]) -> None:
        with self._part(name) as part:
            if self._zip.getinfo(name).file_size > _MOST_ABOUT_BYTES:
                raise RateFileUnreadable(f"The part {name} of the workbook is far too large.")
            xml = XmlReader(start=start, end=lambda *_: None)
            for piece in unpacked(part):
                xml.feed(piece)
            xml.close()
