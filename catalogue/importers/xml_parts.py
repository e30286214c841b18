"""Parts of a workbook as XML, read piece by piece: whatever they hold, memory stays bounded."""

import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import IO
from xml.parsers import expat
from zipfile import BadZipFile

from catalogue.importers.refusals import RateFileUnreadable

_BYTES_AT_ONCE = 1 << 16
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


class XmlReader:
    """Calls `start(name, attributes)` and `end(name, text)` for each element of a part.

    Names are without their namespace; `text` is what stands directly before the end.
    """

    def __init__(
        self,
        part: IO[bytes],
        *,
        start: Callable[[str, Attributes], None],
        end: Callable[[str, str], None],
    ) -> None:
        self._part = part
        self._start = start
        self._end = end
        self._depth = 0
        self._names = _Names()
        self._texts: list[str] = []
        self._length = 0
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._started
        parser.EndElementHandler = self._ended
        parser.CharacterDataHandler = self._said
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.EntityDeclHandler = _refuse_doctype
        self._parser = parser

    def pieces(self) -> Iterator[None]:
        """Read on; yields after each piece, so that what was found can be taken away.

        :raises RateFileUnreadable: the part is broken, or built to exhaust its reader.
        """
        read = 0
        while True:
            try:
                piece = self._part.read(_BYTES_AT_ONCE)
                read += len(piece)
                self._parser.Parse(piece, not piece)
            except (expat.ExpatError, LookupError, ValueError, OverflowError) as error:
                # Beside what is no XML: encodings, numbers and days beyond those that there are.
                raise RateFileUnreadable(f"The workbook is damaged: {error}.") from error
            except (BadZipFile, zlib.error, EOFError, RuntimeError) as error:
                raise RateFileUnreadable(f"The workbook cannot be unpacked: {error}.") from error
            if read - max(self._parser.CurrentByteIndex, 0) > _MOST_TAG_BYTES and piece:
                raise RateFileUnreadable("The workbook holds an endless tag.")
            yield
            if not piece:
                return

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
