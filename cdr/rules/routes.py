"""Which resellers pay their parents for one call, and at which table.

The line of a customer is its reseller, that one's parent, and so on up to the provider. Somebody
on the line carried the call: the owner of the vendor, or on-net the nearest common ancestor of both
ends. Every reseller below the carrier used what is its ancestors' and pays its own parent, where
billing mode is on for it. Above the carrier nothing of the parent's was used; on-net that is an
internal call, for which each reseller has a policy.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from cdr.rules.parties import PROVIDER_ID


class InternalCalls(StrEnum):
    """What a reseller in billing mode pays when both ends are customers of its own branch."""

    PARENT_VENDORS_ONLY = "PARENT_VENDORS_ONLY"
    EVERY_CALL = "EVERY_CALL"
    INTERNAL_TABLE = "INTERNAL_TABLE"


@dataclass(frozen=True, slots=True)
class BillingMode:
    """Billing mode on: the reseller pays its parent by `rate_table_id`.

    `internal_rate_table_id` goes with the policy INTERNAL_TABLE and is None with the others.
    """

    rate_table_id: int
    internal_calls: InternalCalls = InternalCalls.PARENT_VENDORS_ONLY
    internal_rate_table_id: int | None = None

    def internal_table_id(self) -> int | None:
        """The table for a call inside the reseller's own branch; None where it pays nothing."""
        match self.internal_calls:
            case InternalCalls.PARENT_VENDORS_ONLY:
                return None
            case InternalCalls.EVERY_CALL:
                return self.rate_table_id
            case InternalCalls.INTERNAL_TABLE:
                return self.internal_rate_table_id


@dataclass(frozen=True, slots=True)
class ResellerTree:
    """The resellers of a provider as they are now: `parents` by id, PROVIDER_ID where none."""

    parents: Mapping[int, int]

    def line(self, reseller_id: int) -> tuple[int, ...]:
        """The reseller and its ancestors, nearest first; empty for the provider itself."""
        line = []
        while reseller_id != PROVIDER_ID:
            line.append(reseller_id)
            reseller_id = self.parents[reseller_id]
        return tuple(line)

    def nearest_common_ancestor(self, one: int, other: int) -> int:
        """The lowest party above or at both; the provider where they share no reseller."""
        others = set(self.line(other))
        return next((party for party in self.line(one) if party in others), PROVIDER_ID)


@dataclass(frozen=True, slots=True)
class Termination:
    """Where a call ended: with a vendor owned by `branch`, or on-net with a customer of it.

    `branch` is a reseller's id or PROVIDER_ID.
    """

    is_on_net: bool
    branch: int


@dataclass(frozen=True, slots=True)
class ResellerPayment:
    """A reseller owes its parent this call at a table."""

    payer_id: int
    payee_id: int
    rate_table_id: int


def is_foreign(tree: ResellerTree, origin: int, termination: Termination) -> bool:
    """Whether the vendor belongs to somebody outside the customer's own line of ancestors."""
    if termination.is_on_net or termination.branch == PROVIDER_ID:
        return False
    return termination.branch not in tree.line(origin)


def reseller_payments(
    tree: ResellerTree,
    modes: Mapping[int, BillingMode],
    origin: int,
    termination: Termination,
) -> tuple[ResellerPayment, ...]:
    """The payments up the line of `origin`, the customer's reseller, nearest first.

    `modes` holds the billing modes in force when the call started; a reseller without one pays
    nothing and the walk goes on above it. For a foreign vendor that the provider allows, the walk
    stops at the nearest common ancestor of customer and owner.
    """
    carrier = tree.nearest_common_ancestor(origin, termination.branch)
    payments = []
    below_carrier = True
    for payer_id in tree.line(origin):
        below_carrier = below_carrier and payer_id != carrier
        mode = modes.get(payer_id)
        if mode is None:
            continue
        if below_carrier:
            table_id: int | None = mode.rate_table_id
        else:
            table_id = mode.internal_table_id() if termination.is_on_net else None
        if table_id is not None:
            payments.append(ResellerPayment(payer_id, tree.parents[payer_id], table_id))
    return tuple(payments)
