"""Which xDRs are to be rated again."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Selection:
    """xDRs that started in `[started_from, started_to)` and to which all else applies that is said.

    `prefixes` are of the number called, normalised. `customer_id`, `vendor_id` and `source_id` are
    those that the xDR has now. A reseller's are the xDRs of the customers of `reseller_ids`, the
    reseller with all below it, and those it pays or earns a leg of. A rate table's are those with a
    leg rated at one of `rate_table_ids`, the table with all that have it as parent, and those that
    wait for a rate. `suspense_reason` are those that wait for it, whole or by a leg. With
    `customer_ids` only those of these customers are chosen, and none of `without_customer_ids`.
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
    customer_ids: tuple[int, ...] = ()
    without_customer_ids: tuple[int, ...] = ()

    @property
    def is_all_of_its_time(self) -> bool:
        """Whether nothing but the time is chosen."""
        return self == Selection(self.started_from, self.started_to)

    def without(self, customer_ids: Iterable[int]) -> "Selection":
        """Those of all other customers, and of none."""
        return replace(self, without_customer_ids=tuple(customer_ids))

    def between(self, started_from: datetime, started_to: datetime) -> "Selection":
        """Those of a part of its time."""
        return replace(self, started_from=started_from, started_to=started_to)


@dataclass(frozen=True, slots=True)
class OrderedCustomer:
    """A customer whose usage of `[started_from, started_to)`, whole months, is rated together."""

    customer_id: int
    started_from: datetime
    started_to: datetime
    xdr_count: int


def packed(customers: Iterable[OrderedCustomer], most: int) -> list[list[OrderedCustomer]]:
    """Customers of the same months together, about `most` xDRs each time, and no fewer than one."""
    packs: list[list[OrderedCustomer]] = []
    counts: list[int] = []
    for each in sorted(customers, key=lambda each: (each.started_from, each.started_to)):
        months = each.started_from, each.started_to
        fits = packs and (packs[-1][0].started_from, packs[-1][0].started_to) == months
        if fits and counts[-1] + each.xdr_count <= most:
            packs[-1].append(each)
            counts[-1] += each.xdr_count
        else:
            packs.append([each])
            counts.append(each.xdr_count)
    return packs
