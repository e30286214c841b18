"""What a rate file may be, and the refusal of what is not."""

from common.errors import DomainError

MOST_ROWS = 1_000_000
"""Lines of a file, and rates that they stand for."""
MOST_COLUMNS = 256
MOST_LINE_CHARACTERS = 1 << 20
MOST_UNPACKED_BYTES = 1 << 30
"""Of a workbook, whose parts are read piece by piece and never held whole."""
MOST_SHARED_TEXTS = 2_000_000
MOST_SHARED_CHARACTERS = 1 << 26


class RateFileUnreadable(DomainError):
    """The file is none that can be read within bounds; the message says why."""


def refuse_too_many_rows(count: int) -> None:
    """:raises RateFileUnreadable: more than `MOST_ROWS`."""
    if count > MOST_ROWS:
        raise RateFileUnreadable(
            f"The file has more than {MOST_ROWS:,} rates: split it by destination."
        )
