"""Parts of a workbook as XML, read piece by piece: whatever they hold, memory stays bounded."""

import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import IO
from xml.parsers import expat
from zipfile import BadZipFile

from catalogue.importers.refusals import RateFileUnreadable

_BYTES_AT_ONCE = 1 << 18
_MOST_DEPTH = 64
_MOST_NAMES = 10_000
_MOST_TAG_BYTES = 1 << 20
_MOST_TEXT_CHARACTERS = 1 << 17

Attributes = Mapping[str, str]


class _Names(dict[str, str]):
    """Names of elements without their namespace; a sheet has a dozen, a million times each."""

    def __missing__(self, name: str) -> str:
        if len(self) > _MOST_NAMES:
            raise RateFileUnreadable("The workbook has far more kinds of elements than any other.")
        self[name] = local = name.rpartition(" ")[2]
        return local


def unpacked(part: IO[bytes]) -> Iterator[bytes]:
    """The bytes of a part, piece by piece.

    :raises RateFileUnreadable: while iterating, the part cannot be unpacked.
    """
    while True:
        try:
            piece = part.read(_BYTES_AT_ONCE)
        except (BadZipFile, zlib.error, EOFError, RuntimeError) as error:
            raise RateFileUnreadable(f"The workbook cannot be unpacked: {error}.") from error
        if not piece:
            return
        yield piece


class XmlReader:
    """Calls `start(name, attributes)` and `end(name, text)` for each element of a part.

    Names are without their namespace; `text` is what stands directly before the end. `encoding` is
    the one that the part declares, once that was read.
    """

    def __init__(
        self,
        *,
        start: Callable[[str, Attributes], None],
        end: Callable[[str, str], None],
    ) -> None:
        self._start = start
        self._end = end
        self._depth = 0
        self._read = 0
        self.encoding = "utf-8"
        self._names = _Names()
        self._texts: list[str] = []
        self._length = 0
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._started
        parser.EndElementHandler = self._ended
        parser.CharacterDataHandler = self._said
        parser.XmlDeclHandler = self._declared
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.EntityDeclHandler = _refuse_doctype
        self._parser = parser

    def feed(self, piece: bytes) -> None:
        """Read on.

        :raises RateFileUnreadable: the part is broken, or built to exhaust its reader.
        """
        self._read += len(piece)
        self._parse(piece, is_last=False)
        if self._read - max(self._parser.CurrentByteIndex, 0) > _MOST_TAG_BYTES:
            raise RateFileUnreadable("The workbook holds an endless tag.")

    def close(self) -> None:
        """Read to the end.

        :raises RateFileUnreadable: the part ends before its elements do.
        """
        self._parse(b"", is_last=True)

    def _parse(self, piece: bytes, *, is_last: bool) -> None:
        try:
            self._parser.Parse(piece, is_last)
        except (expat.ExpatError, LookupError, ValueError, OverflowError) as error:
            # Beside what is no XML: encodings, numbers and days beyond those that there are.
            raise RateFileUnreadable(f"The workbook is damaged: {error}.") from error

    def _declared(self, _version: str, encoding: str | None, _standalone: int) -> None:
        self.encoding = (encoding or "utf-8").lower()

    def _started(self, name: str, attributes: Attributes) -> None:
        self._depth += 1
        if self._depth > _MOST_DEPTH:
            raise RateFileUnreadable("The workbook is nested too deeply.")
        if self._texts:
            self._texts, self._length = [], 0
        self._start(self._names[name], attributes)

    def _said(self, text: str) -> None:
        self._length += len(text)
        if self._length > _MOST_TEXT_CHARACTERS:
            raise RateFileUnreadable("A cell of the workbook holds far too much text.")
        self._texts.append(text)

    def _ended(self, name: str) -> None:
        self._depth -= 1
        text = ""
        if self._texts:
            text = "".join(self._texts)
            self._texts, self._length = [], 0
        self._end(self._names[name], text)


def _refuse_doctype(*_: object) -> None:
    raise RateFileUnreadable("The workbook declares XML entities, which no spreadsheet does.")
