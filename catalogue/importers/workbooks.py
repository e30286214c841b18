"""XLSX workbooks, read row by row: values as they were last worked out, formulas never run.

A reader of our own, as those there are hold a sheet whole, or fill the rectangle that its outermost
cells span: a file of some kilobytes can make that terabytes.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO, Self
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format

from catalogue.importers.refusals import (
    MOST_COLUMNS,
    MOST_SHARED_CHARACTERS,
    MOST_SHARED_TEXTS,
    MOST_UNPACKED_BYTES,
    RateFileUnreadable,
    refuse_too_many_rows,
)
from catalogue.importers.texts import Row
from catalogue.importers.xml_parts import Attributes, XmlReader

ZIP_MAGIC = b"PK\x03\x04"
OLD_OR_LOCKED_MAGIC = b"\xd0\xcf\x11\xe0"

_MOST_PARTS = 2_000
_MOST_SHEETS = 200
_MOST_SHEET_CHARACTERS = 100
_MOST_ABOUT_BYTES = 1 << 24
"""Of a part that says what there is, and whose elements are held: sheets and styles."""
_LAST_ROW = 1 << 24
_BOOK = "xl/workbook.xml"
_LINKS = "xl/_rels/workbook.xml.rels"
_LETTERS = re.compile("[A-Z]{1,3}")
_LAST_EXCEL_DAY = 2_958_466
_SECONDS_OF_DAY = 86_400


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
            self._dates = self._date_styles()
        except BaseException:
            self._zip.close()
            raise
        self._texts: list[str] = []
        self._unread_texts: Iterator[None] | None = None

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

    def rows(self, sheet: str) -> Iterator[Row]:
        """The rows of a sheet that are not empty, each with its number.

        :raises RateFileUnreadable: there is no such sheet, or it is damaged or beyond the bounds.
        """
        if sheet not in self._parts:
            raise RateFileUnreadable(f"The workbook has no sheet '{sheet}'.")
        reader = _SheetReader(self._dates, self._is_1904)
        with self._part(self._parts[sheet]) as part:
            xml = XmlReader(part, start=reader.started, end=reader.ended)
            for _ in xml.pieces():
                for number, cells in reader.taken():
                    yield number, [self._text(cell) for cell in cells]

    def _text(self, cell: str | int) -> str:
        """A cell's text; those that are shared are read as far as they are needed."""
        if isinstance(cell, str):
            return cell
        if self._unread_texts is None:
            self._unread_texts = self._read_shared()
        while cell >= len(self._texts):
            try:
                next(self._unread_texts)
            except StopIteration:
                raise RateFileUnreadable(
                    "The workbook is damaged: a cell refers to a text that is not there."
                ) from None
        return self._texts[cell]

    def _read_shared(self) -> Iterator[None]:
        shared = _SharedTexts(self._texts)
        if "xl/sharedStrings.xml" not in self._zip.NameToInfo:
            return
        with self._part("xl/sharedStrings.xml") as part:
            yield from XmlReader(part, start=shared.started, end=shared.ended).pieces()

    def _check_size(self) -> None:
        parts = self._zip.infolist()
        if len(parts) > _MOST_PARTS:
            raise RateFileUnreadable(f"The workbook has {len(parts):,} parts: it is no rate file.")
        if any(part.flag_bits & 1 for part in parts):
            raise RateFileUnreadable("The workbook is locked with a password: save it without.")
        if any(part.compress_type not in (ZIP_STORED, ZIP_DEFLATED) for part in parts):
            raise RateFileUnreadable("The workbook is packed as no spreadsheet packs it.")
        unpacked = sum(part.file_size for part in parts)
        if unpacked > MOST_UNPACKED_BYTES:
            raise RateFileUnreadable(
                f"The workbook unpacks to {unpacked:,} bytes; up to {MOST_UNPACKED_BYTES:,} are"
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
            for _ in XmlReader(part, start=start, end=lambda *_: None).pieces():
                pass


def _place_of(letters: str) -> int:
    if not _LETTERS.fullmatch(letters):
        raise RateFileUnreadable(f"The workbook is damaged: a cell is at '{letters[:20]}'.")
    place = 0
    for letter in letters:
        place = place * 26 + ord(letter) - 64
    return place - 1


class _SharedTexts:
    """The texts that cells refer to by number; phonetic hints beside them are left out."""

    def __init__(self, texts: list[str]) -> None:
        self._texts = texts
        self._parts: list[str] = []
        self._is_hint = False
        self._length = 0

    def started(self, name: str, _: Attributes) -> None:
        if name == "rPh":
            self._is_hint = True

    def ended(self, name: str, text: str) -> None:
        if name == "t" and not self._is_hint:
            self._parts.append(text)
        elif name == "rPh":
            self._is_hint = False
        elif name == "si":
            whole = "".join(self._parts)
            self._parts.clear()
            self._length += len(whole)
            if len(self._texts) >= MOST_SHARED_TEXTS or self._length > MOST_SHARED_CHARACTERS:
                raise RateFileUnreadable("The workbook holds far more texts than a rate file.")
            self._texts.append(whole)


class _SheetReader:
    """Rows of a sheet as they are read; a number stands for a shared text."""

    def __init__(self, dates: frozenset[int], is_1904: bool) -> None:
        self._dates = dates
        self._epoch = datetime(1904, 1, 1) if is_1904 else datetime(1899, 12, 30)  # noqa: DTZ001
        self._done: list[tuple[int, list[str | int]]] = []
        self._cells: list[str | int] = []
        self._row = 0
        self._count = 0
        self._column = 0
        self._places: dict[str, int] = {}
        self._kind = "n"
        self._is_date = False
        self._value = ""

    def taken(self) -> list[tuple[int, list[str | int]]]:
        done, self._done = self._done, []
        return done

    def started(self, name: str, attributes: Attributes) -> None:
        if name == "c":
            self._column = self._place(attributes.get("r"))
            self._kind = attributes.get("t", "n")
            style = attributes.get("s", "0")
            self._is_date = style.isdecimal() and int(style) in self._dates
            self._value = ""
        elif name == "row":
            number = attributes.get("r", "")
            self._row = int(number[:12]) if number.isdecimal() else self._row + 1
            if self._row > _LAST_ROW:
                raise RateFileUnreadable(f"The workbook is damaged: it has a row {self._row:,}.")
            self._cells = []
            self._count += 1
            refuse_too_many_rows(self._count - 1)

    def ended(self, name: str, text: str) -> None:
        if name == "v" or (name == "t" and self._kind == "inlineStr"):
            self._value += text
        elif name == "c":
            if self._value:
                self._put(self._written())
        elif name == "row" and self._cells:
            self._done.append((self._row, self._cells))

    def _place(self, reference: str | None) -> int:
        if reference is None:
            return len(self._cells)
        letters = reference.rstrip("0123456789")
        place = self._places.get(letters)
        if place is None:
            place = self._places[letters] = _place_of(letters)
        return place

    def _put(self, value: str | int) -> None:
        if self._column >= MOST_COLUMNS:
            raise RateFileUnreadable(
                f"Row {self._row} has a cell in column {self._column + 1:,}; a rate file has up to"
                f" {MOST_COLUMNS} columns."
            )
        self._cells.extend([""] * (self._column - len(self._cells)))
        self._cells[self._column :] = [value]

    def _written(self) -> str | int:
        """The value as text; an exact number keeps the digits that a spreadsheet shows."""
        match self._kind:
            case "s":
                if not (self._value.isdecimal() and self._value.isascii()):
                    raise RateFileUnreadable("The workbook is damaged: a text has no number.")
                return int(self._value[:12])
            case "b":
                return "TRUE" if self._value == "1" else "FALSE"
            case "n":
                return self._number()
        return self._value

    def _number(self) -> str:
        try:
            number = float(self._value)
        except ValueError:
            return self._value
        if self._is_date and 0 <= number < _LAST_EXCEL_DAY:
            seconds = round(number * _SECONDS_OF_DAY)
            return (self._epoch + timedelta(seconds=seconds)).isoformat()
        return f"{Decimal(f'{number:.15g}'):f}"
