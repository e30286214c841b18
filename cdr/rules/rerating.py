"""Which xDRs are to be rated again."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple


class Place(NamedTuple):
    """A place among xDRs in the order of start and id: the one just before that id."""

    started_at: datetime
    xdr_id: int = 0


class Stretch(NamedTuple):
    """xDRs of a selection from one place to another, and how many they were when counted."""

    first: Place
    end: Place
    xdr_count: int


@dataclass(frozen=True, slots=True)
class Selection:
    """xDRs that started in `[started_from, started_to)` and to which all else applies that is said.

    `prefixes` are of the number called, normalised. `customer_id`, `vendor_id` and `source_id` are
    those that the xDR has now. A reseller's are the xDRs of the customers of `reseller_ids`, the
    reseller with all below it, and those it pays or earns a leg of. A rate table's are those with a
    leg rated at one of `rate_table_ids`, the table with all that have it as parent, and those that
    wait for a rate. `suspense_reason` are those that wait for it, whole or by a leg. With
    `customer_ids` only those of these customers are chosen, and none of `without_customer_ids`;
    those that the re-rating `moved_by` moves to a customer count as that one's. Of the xDRs that
    started at `started_from` those with lesser ids than `from_id` are left out, and
    of those that started at `started_to` those with lesser ids than `to_id` are in.
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
    moved_by: int | None = None
    from_id: int = 0
    to_id: int = 0

    @property
    def is_all_of_its_time(self) -> bool:
        """Whether nothing but the time is chosen."""
        whole = Selection(self.started_from, self.started_to)
        return self == whole.between(*self.places)

    @property
    def places(self) -> tuple[Place, Place]:
        """Where it begins and where it ends."""
        return Place(self.started_from, self.from_id), Place(self.started_to, self.to_id)

    def between(self, first: Place, end: Place) -> "Selection":
        """Those of it from one place to another."""
        return replace(
            self,
            started_from=first.started_at,
            started_to=end.started_at,
            from_id=first.xdr_id,
            to_id=end.xdr_id,
        )

    def without(self, customer_ids: Iterable[int], *, moved_by: int) -> "Selection":
        """Those of all other customers, and of none, that the re-rating moves to none of them."""
        ids = tuple(customer_ids)
        return replace(self, without_customer_ids=ids, moved_by=moved_by if ids else None)


@dataclass(frozen=True, slots=True)
class OrderedCustomers:
    """Customers whose usage of `[started_from, started_to)`, whole months, is rated together."""

    customer_ids: tuple[int, ...]
    started_from: datetime
    started_to: datetime
    xdr_count: int = 0


def joined(
    customers: Iterable[OrderedCustomers], links: Iterable[tuple[int, int]]
) -> list[OrderedCustomers]:
    """Those between whom xDRs move are one, over the months of all of them."""
    of_customer = {pk: each for each in customers for pk in each.customer_ids}
    for one, other in links:
        if one in of_customer and other in of_customer:
            both = of_customer[one], of_customer[other]
            if both[0] is both[1]:
                continue
            whole = OrderedCustomers(
                tuple(sorted({*both[0].customer_ids, *both[1].customer_ids})),
                min(each.started_from for each in both),
                max(each.started_to for each in both),
            )
            of_customer |= dict.fromkeys(whole.customer_ids, whole)
    return list(dict.fromkeys(of_customer.values()))


def packed(customers: Iterable[OrderedCustomers], most: int) -> list[OrderedCustomers]:
    """Customers of the same months together, about `most` xDRs each time."""
    packs: list[OrderedCustomers] = []
    for each in sorted(customers, key=lambda each: (each.started_from, each.started_to)):
        last = packs[-1] if packs else None
        if (
            last is not None
            and (last.started_from, last.started_to) == (each.started_from, each.started_to)
            and last.xdr_count + each.xdr_count <= most
        ):
            packs[-1] = replace(
                last,
                customer_ids=last.customer_ids + each.customer_ids,
                xdr_count=last.xdr_count + each.xdr_count,
            )
        else:
            packs.append(each)
    return packs
