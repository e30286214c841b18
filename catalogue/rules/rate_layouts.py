"""How a rate file is laid out, and what is to be done with it: what a template keeps."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from catalogue.rules.date_formats import DateFormat
from catalogue.rules.rate_lines import COLUMNS as RATE_FIELDS

INCREMENTS = "increments"
"""Minimum, increment and grace in one cell: `60/30`, `1/1/0`."""

MAPPED_FIELDS = (*RATE_FIELDS, INCREMENTS)


class Duplicates(StrEnum):
    """Which of the rows counts that mean the same calls from the same instant."""

    LATEST = "latest"
    FIRST = "first"
    REFUSE = "refuse"


class Errors(StrEnum):
    """Whether a file with wrong rows is imported without them or not at all."""

    ABORT = "abort"
    SKIP = "skip"


class Unchanged(StrEnum):
    """Whether a rate is written again that only begins anew with the terms it has."""

    SKIP = "skip"
    KEEP = "keep"


class Absent(StrEnum):
    """What happens to the rates of the table that the file says nothing of (A-Z files)."""

    KEEP = "keep"
    CLOSE = "close"
    """A-Z simple: those in force are closed at a date."""
    CLOSE_AND_STASH = "stash"
    """A-Z extended: those that begin later are stashed too."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the cells of a file are and how they are written.

    `columns` leads from a field to the heading of its column, as `headings` names it. `header_line`
    is the line of the headings, 0 without any. `sheets` are those of a workbook to read, all if it
    names none; `encoding` and `delimiter` are those of a text.
    """

    columns: Mapping[str, str]
    header_line: int = 1
    sheets: tuple[str, ...] = ()
    encoding: str = "utf-8"
    delimiter: str = ","
    date_format: DateFormat = DateFormat.ISO
    decimal_comma: bool = False

    def as_json(self) -> dict[str, Any]:
        """As a column of JSON keeps it."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """What `as_json` made."""
        date_format = DateFormat(kept["date_format"])
        return cls(**{**kept, "sheets": tuple(kept["sheets"]), "date_format": date_format})


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What is to be done with the rows of a file.

    `defaults` are the texts of cells that are empty or not in the file, by field, written as in the
    file but for dates, which are ISO 8601. `close_at` is set where absent rates are closed.
    """

    duplicates: Duplicates = Duplicates.LATEST
    errors: Errors = Errors.ABORT
    unchanged: Unchanged = Unchanged.SKIP
    absent: Absent = Absent.KEEP
    close_at: datetime | None = None
    stash: bool = False
    defaults: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """As a column of JSON keeps it."""
        return {**asdict(self), "close_at": self.close_at and self.close_at.isoformat()}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """What `as_json` made."""
        close_at = kept["close_at"]
        return cls(
            duplicates=Duplicates(kept["duplicates"]),
            errors=Errors(kept["errors"]),
            unchanged=Unchanged(kept["unchanged"]),
            absent=Absent(kept["absent"]),
            close_at=close_at and datetime.fromisoformat(close_at),
            stash=kept["stash"],
            defaults=kept["defaults"],
        )
