"""What a format is, to those who read files of any."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from cdr.importers.chunks import ParsedChunk
from cdr.importers.reading import Reading
from cdr.rules.column_mapping import ColumnMapping


class Parse(Protocol):
    """Reads a chunk of complete lines, of which the first is line `first_line` of its file.

    It never raises, whatever the bytes are.
    """

    def __call__(self, chunk: bytes, *, first_line: int, reading: Reading) -> ParsedChunk: ...


def _no_header(mapping: ColumnMapping | None) -> int:
    return 0


def _no_fault(reading: Reading) -> str | None:
    return None


@dataclass(frozen=True)
class Adapter:
    """How a format is read.

    `header_lines` says how many lines in front name the columns, and `fault` why a file with this
    header is none of the format at all, so that it is refused whole.
    """

    parse: Parse
    header_lines: Callable[[ColumnMapping | None], int] = _no_header
    fault: Callable[[Reading], str | None] = _no_fault
