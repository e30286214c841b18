"""Which suspense is meant, and what is to be read otherwise than it was received."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

FIELDS = {
    "account_code": "Account code",
    "trunk": "Trunk",
    "caller_ip": "IP address",
    "caller_number": "Caller's number",
    "destination_number": "Number called",
}
"""What of a stored xDR can be taken otherwise, and what it is called."""
START = "started_at"
"""The start can be corrected as well: the xDR is moved to where it belongs then."""
CORRECTABLE = {**FIELDS, START: "Start"}
KNOWN_BY = ("caller_number", "destination_number", START)
"""What an xDR without a call id is known by, so that it is not stored twice."""


class ChangeKind(StrEnum):
    """What a correction does."""

    SET = "SET"
    """A field of the xDR is taken to be `new_text`."""
    PREFIX = "PREFIX"
    """A field that begins with `old_text` begins with `new_text` instead."""
    TEXT = "TEXT"
    """In the line, `old_text` is read as `new_text`, wherever it stands."""
    LINE = "LINE"
    """The whole line is read as `new_text`."""
    ZONE = "ZONE"
    """Local times of the line are of the time zone `new_text`; empty is what its source says."""

    @property
    def is_of_lines(self) -> bool:
        """Whether it is for lines that became no xDR, rather than for stored xDRs."""
        return self in (ChangeKind.TEXT, ChangeKind.LINE, ChangeKind.ZONE)


@dataclass(frozen=True, slots=True)
class Change:
    """A correction; `field` is one of CORRECTABLE where it is of a stored xDR."""

    kind: ChangeKind
    field: str = ""
    old_text: str = ""
    new_text: str = ""


def parse_start(text: str, zone: ZoneInfo) -> datetime:
    """The instant of a date and time, of `zone` unless it says an offset.

    :raises ValueError: it is none.
    """
    told = datetime.fromisoformat(text.strip())
    return told if told.tzinfo else told.replace(tzinfo=zone)


@dataclass(frozen=True, slots=True)
class Choice:
    """Open suspense that everything said here is true of; of nothing said, all of it.

    `subject` None is any, and an empty one is those without.
    """

    reason: str = ""
    source_id: int | None = None
    named_by: str = ""
    subject: str | None = None
    rate_table_id: int | None = None
    customer_id: int | None = None
    file_id: int | None = None
    suspense_ids: tuple[int, ...] = ()
