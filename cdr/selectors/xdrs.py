"""Reading xDRs and their legs, and explaining a leg."""

from datetime import datetime

from catalogue.selectors import rate_rows
from cdr.models import Leg, Xdr
from cdr.rating import Explanation, explain
from cdr.rules.rates import PREFIX_DIGITS
from cdr.selectors.engine_tables import rule_rates, rule_table, stored_tables
from common.scope import Scope
from tenancy.owned import ProviderQuerySet


def xdrs(scope: Scope, *, started_from: datetime, started_to: datetime) -> ProviderQuerySet[Xdr]:
    """The xDRs that started in `[started_from, started_to)`, the latest first."""
    rows = Xdr.objects.visible_to(scope).filter(
        started_at__gte=started_from, started_at__lt=started_to
    )
    return rows.select_related("customer", "vendor", "source").order_by("-started_at", "-id")


def legs_of_xdr(scope: Scope, xdr: Xdr) -> ProviderQuerySet[Leg]:
    """The legs of an xDR with rate and table, in the order of the walk."""
    rows = Leg.objects.visible_to(scope).filter(started_at=xdr.started_at, xdr_id=xdr.id)
    return rows.select_related("rate", "rate_table").order_by("number")


def explain_leg(scope: Scope, xdr: Xdr, leg: Leg) -> Explanation:
    """Why the leg costs what it costs at its table as it is now: candidates, winner, arithmetic.

    The table may have changed since the leg was rated: `winner.id` then differs from `leg.rate_id`.
    """
    table = stored_tables(scope).get(pk=leg.rate_table_id)
    number = xdr.normalised_number
    fitting = [number[:length] for length in range(PREFIX_DIGITS + 1)]
    rows = rate_rows(scope, [table.id]).filter(prefix__in=fitting)
    return explain(rule_table(table), rule_rates(rows), number, xdr.started_at, xdr.volume)
