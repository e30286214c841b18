"""Reading xDRs and their legs, and explaining what they cost."""

from datetime import datetime

import polars as pl
from django.db.models import OuterRef, Subquery

from catalogue.models import RateTable
from catalogue.selectors import rate_rows
from cdr.models import Leg, LegKind, Xdr
from cdr.rating import Explanation, Usage, explain
from cdr.rating.dial_plans import DialPlan, normalise
from cdr.rules.parties import ON_NET
from cdr.rules.rates import PREFIX_DIGITS
from cdr.selectors.engine_tables import rule_rates, rule_table, table_chains
from common.scope import Scope
from tenancy.owned import ProviderQuerySet


def xdrs(
    scope: Scope, *, started_from: datetime | None = None, started_to: datetime | None = None
) -> ProviderQuerySet[Xdr]:
    """The xDRs that started in `[started_from, started_to)`, open where None, the latest first."""
    rows = Xdr.objects.visible_to(scope)
    if started_from is not None:
        rows = rows.filter(started_at__gte=started_from)
    if started_to is not None:
        rows = rows.filter(started_at__lt=started_to)
    return rows.select_related("customer", "vendor", "source").order_by("-started_at", "-id")


def with_charges(rows: ProviderQuerySet[Xdr]) -> ProviderQuerySet[Xdr]:
    """xDRs with `charge_amount` and `charge_currency` of the customer leg; None without one."""
    legs = Leg.objects.filter(
        provider_id=OuterRef("provider_id"),
        started_at=OuterRef("started_at"),
        xdr_id=OuterRef("id"),
        kind=LegKind.CUSTOMER,
    ).order_by("number")
    return rows.annotate(
        charge_amount=Subquery(legs.values("amount")[:1]),
        charge_currency=Subquery(legs.values("currency")[:1]),
    )


def xdr(scope: Scope, *, started_at: datetime, xdr_id: int) -> Xdr:
    """One xDR with its parties, source and file; its start finds the month it is kept in.

    :raises Xdr.DoesNotExist: it is not in the scope.
    """
    rows = xdrs(scope).select_related("terminating_customer", "chunk__file")
    return rows.get(started_at=started_at, id=xdr_id)


def legs_of_xdr(scope: Scope, xdr: Xdr) -> ProviderQuerySet[Leg]:
    """The legs of an xDR with rate and table, in the order of the walk."""
    rows = Leg.objects.visible_to(scope).filter(started_at=xdr.started_at, xdr_id=xdr.id)
    return rows.select_related("rate", "rate_table").order_by("number")


def explain_leg(scope: Scope, xdr: Xdr, leg: Leg) -> Explanation:
    """Why the leg costs what it costs at its table as it is now: candidates, winner, arithmetic.

    The table may have changed since the leg was rated: `cost` then differs from the leg's.

    :raises InvalidRate: as `explain_usage`.
    """
    plan = DialPlan(country_prefix=xdr.source.country_prefix or None)
    caller = normalise(pl.Series([xdr.caller_number]), plan=plan)["number"][0]
    usage = Usage(
        number=xdr.normalised_number,
        started_at=xdr.started_at,
        caller=caller or "",
        tags=frozenset({ON_NET} if xdr.terminating_customer_id else ()),
    )
    return explain_usage(scope, table_id=leg.rate_table_id, usage=usage, volume=xdr.volume)


def explain_usage(scope: Scope, *, table_id: int, usage: Usage, volume: int) -> Explanation:
    """What usage costs, or would cost, by a table as it is now, and why; nothing is written.

    `usage.number` is normalised (digits only), `volume` in the volume unit of the table's product.

    :raises RateTable.DoesNotExist: the table is not in the scope.
    :raises InvalidRate: the table or a fitting rate holds what the engine refuses.
    """
    chain = table_chains(scope, [table_id]).get(table_id)
    if chain is None:
        raise RateTable.DoesNotExist
    fitting = [usage.number[:length] for length in range(PREFIX_DIGITS + 1)]
    rows = rate_rows(scope, [row.id for row in chain]).filter(prefix__in=fitting)
    rates = rule_rates(rows)
    (table, own), *parents = [(rule_table(row), rates.get(row.id, [])) for row in chain]
    return explain(table, own, usage, volume, parents=parents)
