"""What is known of a file when its lines are read."""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from cdr.rules.column_mapping import ColumnMapping
from cdr.rules.volumes import Rounding


@dataclass(frozen=True, slots=True)
class Reading:
    """How the lines of a file are read.

    Times without an offset are of `zone`; fractions of a volume unit become whole ones by
    `rounding`. `header` has the lines in front that name the columns, where the format has some,
    and `mapping` what the provider has said of columns that no format names.
    """

    zone: ZoneInfo
    rounding: Rounding = Rounding.UP
    header: Sequence[str] = ()
    mapping: ColumnMapping | None = None
