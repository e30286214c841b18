"""What a reseller would pay for the calls inside its own branch: a question, nothing is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any

import numpy as np
import polars as pl

from catalogue.models import RateTable
from cdr.models import Xdr
from cdr.rating import (
    COST_SCALE_DIGITS,
    CompiledTable,
    InvalidRate,
    Reason,
    align,
)
from cdr.rating.dial_plans import DialPlan, normalise
from cdr.rating.identification import tag_column
from cdr.rules.instants import to_microseconds
from cdr.selectors.engine_tables import compile_chain, table_chains
from common.errors import DomainError
from common.scope import Scope
from resellers.models import Reseller
from resellers.selectors import reseller_tree
from tenancy.owned import ProviderQuerySet

_CALLS_AT_ONCE = 20_000
_CALL_COLUMNS = (
    "normalised_number",
    "started_at",
    "volume",
    "caller_number",
    "source__country_prefix",
    "terminating_customer_id",
    "tags",
)
_WITHOUT_RATE = (Reason.UNRATED, Reason.BLOCKED, Reason.OVERFLOW)


class TableNotRated(DomainError):
    """The engine does not rate by this table, and says why."""


@dataclass(frozen=True)
class InternalCalls:
    """Calls between customers of one branch and what they cost at a table, in `currency`.

    `unrated_count` of the `call_count` calls have no rate there and cost nothing yet.
    """

    call_count: int
    unrated_count: int
    amount: Decimal
    currency: str


def internal_calls(
    scope: Scope,
    reseller: Reseller,
    table: RateTable,
    *,
    started_from: datetime,
    started_to: datetime,
) -> InternalCalls:
    """The rated on-net calls of `[started_from, started_to)` inside a branch, priced at `table`.

    The branch is the reseller and everyone below it, with the customers that they have now.

    :raises TableNotRated: if the engine does not support what the table says.
    """
    compiled = _compiled(scope, table)
    calls = _calls(scope, reseller, table).filter(
        started_at__gte=started_from, started_at__lt=started_to
    )
    rows = calls.values_list(*_CALL_COLUMNS).iterator(chunk_size=_CALLS_AT_ONCE)
    call_count = unrated_count = cost = 0
    while batch := list(islice(rows, _CALLS_AT_ONCE)):
        unrated, amount = _priced(compiled, batch)
        call_count += len(batch)
        unrated_count += unrated
        cost += amount
    return InternalCalls(
        call_count, unrated_count, Decimal(cost).scaleb(-COST_SCALE_DIGITS), table.currency
    )


def _calls(scope: Scope, reseller: Reseller, table: RateTable) -> ProviderQuerySet[Xdr]:
    branch = [reseller.pk, *reseller_tree(scope).descendants(reseller.pk)]
    return (
        Xdr.objects.visible_to(scope)
        .filter(
            customer__reseller__in=branch,
            terminating_customer__reseller__in=branch,
            source__product=table.product_id,
            result=Xdr.Result.RATED,
        )
        .order_by()
    )


def _compiled(scope: Scope, table: RateTable) -> CompiledTable:
    try:
        return compile_chain(scope, table_chains(scope, [table.pk])[table.pk])
    except InvalidRate as refusal:
        raise TableNotRated(f"Calls cannot be rated at {table}: {refusal}.") from refusal


def _priced(compiled: CompiledTable, calls: Sequence[tuple[Any, ...]]) -> tuple[int, int]:
    """How many of the calls have no rate, and the cost of the others at 10^-8."""
    numbers, starts, volumes, callers, countries, called, tags = zip(*calls, strict=True)
    caller = normalise(
        pl.Series(callers, dtype=pl.String),
        plan=DialPlan(),
        country_prefixes=pl.Series([country or None for country in countries], dtype=pl.String),
    )["number"]
    batch = compiled.rate(
        align(pl.Series(numbers, dtype=pl.String)),
        np.array([to_microseconds(start) for start in starts], dtype=np.int64),
        np.array(volumes, dtype=np.int64),
        caller=align(caller) if compiled.needs_caller else None,
        tags=tag_column(pl.Series(tags), pl.Series(called)),
    )
    unrated = int(np.isin(batch.reason, _WITHOUT_RATE).sum())
    return unrated, sum(batch.cost.tolist()) + sum(batch.additive_cost.tolist())
