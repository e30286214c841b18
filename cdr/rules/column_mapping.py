"""What a provider says of the columns of a delimited file that no format describes."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

SEPARATORS = {",": "comma ,", ";": "semicolon ;", "\t": "tab", "|": "bar |"}
DECIMAL_SIGNS = {".": "point .", ",": "comma ,"}
LONGEST_NAME = 100
MOST_COLUMNS = 1000


class TimeFormat(StrEnum):
    """How instants are written; the value shows one."""

    YEAR_FIRST = "2026-10-31 23:59:59"
    YEAR_FIRST_SLASHES = "2026/10/31 23:59:59"
    DAY_FIRST_DOTS = "31.10.2026 23:59:59"
    DAY_FIRST_SLASHES = "31/10/2026 23:59:59"
    DAY_FIRST_DASHES = "31-10-2026 23:59:59"
    MONTH_FIRST = "10/31/2026 23:59:59"
    MONTH_FIRST_TWELVE_HOURS = "10/31/2026 11:59:59 PM"
    COMPACT = "20261031235959"
    OFFSET = "2026-10-31T23:59:59+01:00"
    EPOCH_SECONDS = "1793491199"
    EPOCH_MILLISECONDS = "1793491199000"


class VolumeUnit(StrEnum):
    """In what volumes are counted: time, or units of what the product is priced by."""

    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    MINUTES = "minutes"
    CLOCK = "hh:mm:ss"
    UNITS = "units"
    THOUSANDS = "thousands of units"
    KIBI = "1024 units each"

    @property
    def is_time(self) -> bool:
        """Whether the volume of an xDR is how long it took."""
        return self not in (VolumeUnit.UNITS, VolumeUnit.THOUSANDS, VolumeUnit.KIBI)


COLUMNS = {
    "started_at": "Start",
    "answered_at": "Answer",
    "ended_at": "End",
    "volume": "Volume or duration used",
    "destination_number": "Number called",
    "caller_number": "Caller's number",
    "account_code": "Account code",
    "trunk": "Trunk",
    "caller_ip": "IP address",
    "call_id": "Call id",
    "leg_id": "Leg id",
    "hangup_cause": "Result",
    "tags": "Tags",
}
"""What a column can be, and what it is called."""

STAMP_COLUMNS = ("started_at", "answered_at", "ended_at")
NEEDED = ("started_at", "destination_number")


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMapping:
    """Which column is what: by its name in the header, or by its number from 1 without one.

    Fields are parted by `separator`; of an instant `time_format` shows how it is written, and of a
    volume `volume_unit` says in what it is counted.
    """

    columns: Mapping[str, str]
    has_header: bool = True
    separator: str = ","
    time_format: TimeFormat = TimeFormat.YEAR_FIRST
    volume_unit: VolumeUnit = VolumeUnit.SECONDS
    decimal_sign: str = "."

    def faults(self) -> dict[str, str]:
        """What cannot be, in words, by the field it concerns: a column, or another one's name."""
        faults = {
            name: fault for name, column in self.columns.items() if (fault := self._fault(column))
        }
        faults |= {name: "This column is needed." for name in NEEDED if name not in self.columns}
        has_talk = {"answered_at", "ended_at"} <= self.columns.keys()
        if "volume" not in self.columns and not has_talk:
            faults["volume"] = "Name the volume's column, or those of the answer and the end."
        if self.decimal_sign == self.separator:
            faults["decimal_sign"] = "Fields cannot be parted by the decimal sign."
        return faults

    def _fault(self, column: str) -> str | None:
        if len(column) > LONGEST_NAME:
            return f"A column's name has at most {LONGEST_NAME} characters."
        is_number = column.isascii() and column.isdecimal()
        if not self.has_header and not (is_number and 1 <= int(column) <= MOST_COLUMNS):
            return f"Without a header, give the column's number from 1 to {MOST_COLUMNS}."
        return None

    def to_json(self) -> dict[str, Any]:
        """As it is stored."""
        return asdict(self) | {"columns": dict(self.columns)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "ColumnMapping":
        """What `to_json` gave."""
        return cls(
            columns=dict(stored["columns"]),
            has_header=stored["has_header"],
            separator=stored["separator"],
            time_format=TimeFormat(stored["time_format"]),
            volume_unit=VolumeUnit(stored["volume_unit"]),
            decimal_sign=stored["decimal_sign"],
        )
