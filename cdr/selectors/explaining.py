"""Why the legs of an xDR cost what they cost, and whether they still would."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import polars as pl
from django.db.models import Model

from catalogue.models import RateTable
from catalogue.rules.tags import split_tags
from catalogue.rules.units import UnitsRefused
from cdr.models import Leg, Xdr
from cdr.rating import Explanation, InvalidRate, Usage, explain
from cdr.rating.dial_plans import DialPlan, normalise
from cdr.rules.parties import ON_NET
from cdr.rules.tier_explanation import TierExplanation
from cdr.selectors.engine_tables import fitting_rates, table_chains
from cdr.selectors.equivalents import Equivalent, equivalents
from cdr.selectors.parties import parties
from cdr.selectors.suspense import corrections_of_xdr
from cdr.selectors.xdrs import included_by_name, legs_of_xdr
from common.scope import Scope
from subscriptions.models import Subscription
from tenancy.selectors import own_provider


@dataclass(frozen=True)
class ExplainedLeg:
    """A leg, its parties, and why it costs what it costs by its table as it is now.

    `explanation` is None where that cannot be told any more; `trouble` then says why. A leg that
    tiers priced has none but `tiered`, which always comes to its amount. A leg is
    charged in the currency of its table; `equivalents` tell it in that of the provider and of the
    customer, where it is another. `included` is what allowances covered, by the name of each.
    """

    leg: Leg
    payer: Model | None
    payee: Model | None
    explanation: Explanation | None
    trouble: str
    equivalents: tuple[Equivalent, ...]
    included: Mapping[str, int]
    tiered: TierExplanation | None = None

    @property
    def arithmetic(self) -> list[str]:
        """The sum with its numbers, a line each; none where it cannot be told."""
        if self.tiered is not None:
            return self.tiered.lines
        return list(self.explanation.lines) if self.explanation else []

    @property
    def cost_now(self) -> Decimal | None:
        """What the table as it is now makes of it; None where it cannot be charged."""
        if self.tiered is not None:
            return self.tiered.cost
        return self.explanation.cost if self.explanation else None

    @property
    def is_outdated(self) -> bool:
        """Whether the table would choose another rate or ask another price than it did then."""
        return self.explanation is not None and bool(self.change)

    @property
    def change(self) -> str:
        """Why the explanation does not come to the stored amount and rate; empty where it does."""
        if self.explanation is None:
            return self.trouble
        winner = self.explanation.winner
        if winner is None or self.cost_now is None:
            return "the table has no rate for it any more"
        if winner.id != self.leg.rate_id:
            return "the table has another rate for it now"
        if self.cost_now != self.leg.amount:
            return "its rate or its table says something else now"
        return ""


def explained_legs(scope: Scope, xdr: Xdr) -> list[ExplainedLeg]:
    """Every leg of an xDR, in the order of the walk, with its parties and its explanation."""
    legs = list(legs_of_xdr(scope, xdr))
    keys = {(leg.payer_kind, leg.payer_id) for leg in legs}
    known = parties(scope, keys | {(leg.payee_kind, leg.payee_id) for leg in legs})
    told_in = {own_provider(scope).currency, xdr.customer.currency if xdr.customer else ""}
    explained = []
    for leg in legs:
        explanation, trouble, tiered = None, "", _tiered(leg)
        try:
            explanation = None if tiered else explain_leg(scope, xdr, leg)
        except (InvalidRate, UnitsRefused) as refusal:
            trouble = str(refusal)
        payer = known.get((leg.payer_kind, leg.payer_id))
        payee = known.get((leg.payee_kind, leg.payee_id))
        also = equivalents(scope, leg.amount, leg.currency, at=xdr.started_at, wanted=told_in)
        included = included_by_name(scope, xdr) if leg.included_volume else {}
        explained.append(
            ExplainedLeg(leg, payer, payee, explanation, trouble, also, included, tiered)
        )
    return explained


def explain_tiers(
    subscription: Subscription, *, total_before: int, volume: int
) -> TierExplanation | None:
    """Why the tiers of a subscription charge what they do, of what is frozen with it.

    None for a subscription to what is not sold at tiers.
    """
    tiers, product = subscription.item.metered_tiers, subscription.product
    if tiers is None:
        return None
    return TierExplanation(tiers, product.rating_unit, product.volume_unit, total_before, volume)


def _tiered(leg: Leg) -> TierExplanation | None:
    if leg.subscription is None or leg.total_before is None:
        return None
    return explain_tiers(leg.subscription, total_before=leg.total_before, volume=leg.billed_volume)


def explain_leg(scope: Scope, xdr: Xdr, leg: Leg) -> Explanation:
    """Why the leg costs what it costs at its table as it is now: candidates, winner, arithmetic.

    The table may have changed since the leg was rated: `cost` then differs from the leg's.

    :raises InvalidRate: as `explain_usage`.
    """
    assert leg.rate_table_id is not None, "tiers are explained by themselves"
    usage = usage_of(
        number=xdr.normalised_number,
        started_at=xdr.started_at,
        caller_number=_caller(xdr),
        country_prefix=xdr.source.country_prefix or None,
        tags=xdr.tags,
        is_on_net=xdr.terminating_customer_id is not None,
    )
    return explain_usage(
        scope,
        table_id=leg.rate_table_id,
        usage=usage,
        volume=xdr.volume,
        included=leg.included_volume,
    )


def _caller(xdr: Xdr) -> str:
    """The caller's number as it is taken for; whoever sees the xDR sees what it costs by that."""
    corrections = corrections_of_xdr(Scope.system(xdr.provider_id), xdr)
    current = corrections.filter(is_current=True).first()
    corrected: str | None = current.caller_number if current else None
    return xdr.caller_number if corrected is None else corrected


def usage_of(
    *,
    number: str,
    started_at: datetime,
    caller_number: str,
    country_prefix: str | None,
    tags: str,
    is_on_net: bool,
) -> Usage:
    """What decides the choice, of an xDR as identified; `caller_number` is as received."""
    plan = DialPlan(country_prefix=country_prefix)
    caller = normalise(pl.Series([caller_number], dtype=pl.String), plan=plan)["number"][0]
    carried = split_tags(tags) | ({ON_NET} if is_on_net else set())
    return Usage(number=number, started_at=started_at, caller=caller or "", tags=carried)


def explain_usage(
    scope: Scope, *, table_id: int, usage: Usage, volume: int, included: int = 0
) -> Explanation:
    """What usage costs, or would cost, by a table as it is now, and why; nothing is written.

    `usage.number` is normalised (digits only), `volume` in the volume unit of the table's product,
    of which allowances cover the first `included`.

    :raises RateTable.DoesNotExist: the table is not in the scope.
    :raises InvalidRate: the table or a fitting rate holds what the engine refuses.
    """
    chain = table_chains(scope, [table_id]).get(table_id)
    if chain is None:
        raise RateTable.DoesNotExist
    (table, own), *parents = fitting_rates(scope, chain, [usage.number])
    return explain(table, own, usage, volume, included=included, parents=parents)
