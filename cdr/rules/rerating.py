"""Which xDRs are to be rated again."""

from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Selection:
    """xDRs that started in `[started_from, started_to)` and to which all else applies that is said.

    `prefixes` are of the number called, normalised. `customer_id`, `vendor_id` and `source_id` are
    those that the xDR has now. A reseller's are the xDRs of the customers of `reseller_ids`, the
    reseller with all below it, and those it pays or earns a leg of. A rate table's are those with a
    leg rated at one of `rate_table_ids`, the table with all that have it as parent, and those that
    wait for a rate. `suspense_reason` are those that wait for it, whole or by a leg.
    """

    started_from: datetime
    started_to: datetime
    customer_id: int | None = None
    reseller_id: int | None = None
    reseller_ids: tuple[int, ...] = ()
    vendor_id: int | None = None
    source_id: int | None = None
    rate_table_ids: tuple[int, ...] = ()
    prefixes: tuple[str, ...] = ()
    suspense_reason: str = ""

    @property
    def is_all_of_its_time(self) -> bool:
        """Whether nothing but the time is chosen."""
        return self == Selection(self.started_from, self.started_to)

    def between(self, started_from: datetime, started_to: datetime) -> "Selection":
        """Those of a part of its time."""
        return replace(self, started_from=started_from, started_to=started_to)
