"""The legs of a batch that was just stored, to be shown without being read again."""

from decimal import Decimal
from typing import NamedTuple

import numpy as np

from cdr.rating import COST_SCALE_DIGITS
from cdr.rating.terms import NO_TABLE
from cdr.services.rating import RatedXdrs


class RecordedLeg(NamedTuple):
    """A leg with what the model of that name has, save the xDR that it is of."""

    number: int
    kind: int
    payer_kind: int
    payer_id: int
    payee_kind: int
    payee_id: int
    rate_table_id: int | None
    rate_id: int | None
    subscription_id: int | None
    total_before: int | None
    billed_volume: int
    included_volume: int
    amount: Decimal
    additive_amount: Decimal
    currency: str


def recorded_legs(rated: RatedXdrs) -> dict[int, list[RecordedLeg]]:
    """The legs that stand, by the row of their xDR."""
    legs, priced = rated.legs, rated.priced
    found: dict[int, list[RecordedLeg]] = {}
    for leg in np.flatnonzero(rated.outcome.stands).tolist():
        table_id = int(legs.table_id[leg])
        by_rate = table_id > NO_TABLE
        recorded = RecordedLeg(
            number=int(legs.number[leg]),
            kind=int(legs.charge[leg]),
            payer_kind=int(legs.payer_kind[leg]),
            payer_id=int(legs.payer_id[leg]),
            payee_kind=int(legs.payee_kind[leg]),
            payee_id=int(legs.payee_id[leg]),
            rate_table_id=table_id if by_rate else None,
            rate_id=int(priced.rate_id[leg]) if by_rate else None,
            subscription_id=None if by_rate else -table_id,
            total_before=None if by_rate else int(priced.total_before[leg]),
            billed_volume=int(priced.billed[leg]),
            included_volume=int(rated.included[leg]),
            amount=_amount(priced.cost[leg]),
            additive_amount=_amount(priced.additive_cost[leg]),
            currency=rated.tables[table_id].currency,
        )
        found.setdefault(int(legs.row[leg]), []).append(recorded)
    return found


def _amount(cost: np.int64) -> Decimal:
    return Decimal(int(cost)).scaleb(-COST_SCALE_DIGITS)
