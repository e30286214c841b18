"""Rating a batch of xDRs: identify, walk the tree, price, judge and sum; nothing is written."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cdr.models import IdentifiedBy
from cdr.rating import align
from cdr.rating.choice import TagColumn
from cdr.rating.dial_plans import DialPlan, normalise
from cdr.rating.few import filled, looked_up, with_columns
from cdr.rating.identification import identify_parties, tag_column
from cdr.rating.legs import NOBODY, PlannedLegs, plan_legs
from cdr.rating.networks import by_address, has_networks
from cdr.rating.outcomes import Outcome, judge_xdrs
from cdr.rating.prices import PricedLegs, PriceTable, place_legs, price_legs, table_ids
from cdr.rating.terms import NO_TABLE, Terms
from cdr.rules.routes import BillingMode
from cdr.services.mediation import normalise_numbers
from cdr.services.party_terms import identifiers, party_terms
from cdr.services.price_tables import price_tables
from cdr.services.sources import SourceTerms
from cdr.services.tier_pricing import TieredUsage, find_tiered, known_totals, price_usage

_NAMED_IN = {
    IdentifiedBy.ACCOUNT_CODE: "account_code",
    IdentifiedBy.TRUNK: "trunk",
    IdentifiedBy.IP: "caller_ip",
    IdentifiedBy.NUMBER: "caller_e164",
}
USES = {"leg": pl.Int64, "counter_id": pl.Int64, "volume": pl.Int64}
FEW_XDRS = 500
"""Of so few xDRs the identifiers are looked up one by one; of more all are read at once."""


@dataclass(frozen=True, slots=True)
class RatedXdrs:
    """A batch with everything known about it; the rows of all but `legs` and `priced` are xDRs.

    `xdrs` has got reseller_id: of the customer, 0 for none, -1 where the customer is unknown.
    `included` (int64, by leg) is what allowances cover of the volume, `uses` of which counters:
    leg, its place, counter_id and volume. `tiered` is what of the legs tiers price.
    """

    xdrs: pl.DataFrame
    terms: Terms
    legs: PlannedLegs
    priced: PricedLegs
    outcome: Outcome
    tables: Mapping[int, PriceTable]
    included: NDArray[np.int64]
    uses: pl.DataFrame
    tiered: TieredUsage | None


Batch: TypeAlias = tuple[RatedXdrs, SourceTerms]
"""With the source that it came by."""


def identify_xdrs(xdrs: pl.DataFrame, source: SourceTerms) -> pl.DataFrame:
    """`xdrs` with the parties that hold now: customer_id, vendor_id and terminating_customer_id.

    `xdrs` has account_code, trunk, caller_ip, caller_number, destination_number and received_tags,
    all as received, and gets normalised_number and tags too.
    """
    named = normalise_numbers(xdrs, source)
    kinds = identifiers(source.provider_id, _few(named, *_NAMED_IN.values(), "normalised_number"))
    if has_networks(kinds[IdentifiedBy.IP]):
        kinds[IdentifiedBy.IP] = by_address(kinds[IdentifiedBy.IP], named["caller_ip"])
    return identify_parties(
        named,
        customers={
            _NAMED_IN[kind]: kinds[kind]
            for kind in source.identified_by
            if not kinds[kind].is_empty()
        },
        numbers=kinds[IdentifiedBy.NUMBER],
        default_vendor_id=source.default_vendor_id,
        source_tags=source.tags,
    )


def _few(xdrs: pl.DataFrame, *columns: str) -> list[str] | None:
    """What a small batch names, to be looked up by itself; None for one that names many."""
    if len(xdrs) > FEW_XDRS:
        return None
    return [text for column in columns for text in xdrs[column].to_list() if text is not None]


def rate_xdrs(
    identified: pl.DataFrame,
    source: SourceTerms,
    *,
    compiled: Callable[[int, Collection[int]], Mapping[int, PriceTable]] = price_tables,
    assumed: Mapping[int, BillingMode] | None = None,
) -> RatedXdrs:
    """Rate xDRs of one source, of which there must be one at least, by what holds now.

    `identified` is as `identify_xdrs` makes it, with started_at (int64 microseconds UTC) and volume
    (int64) as well. `compiled` gives the tables that the legs need, as `price_tables` does.
    `assumed` is the billing mode of some resellers, whatever it was. Usage sold at tiers is
    priced as what goes beyond the totals of the moment, until it is counted (`count_tiers`).
    """
    started_at = identified["started_at"].to_numpy()
    terms = party_terms(
        source,
        customer_ids=_customer_ids(identified),
        first=int(started_at.min()),
        last=int(started_at.max()),
    )
    legs = plan_legs(identified, terms.assuming(assumed) if assumed else terms)
    legs, tiered = find_tiered(legs, identified, source)
    tables = dict(compiled(source.provider_id, table_ids(legs)))
    if tiered is not None:
        tables |= tiered.tables
    priced = _price(legs, identified, source, tables)
    if tiered is not None:
        totals = known_totals(source.provider_id)
        priced = price_usage(tiered, legs, identified, priced, totals=totals)
    outcome = judge_xdrs(identified, terms, legs, priced, tables)
    of_customer = looked_up(identified["customer_id"], terms.customers, "customer_id")
    reseller_id = pl.Series("reseller_id", filled(of_customer["reseller_id"], NOBODY))
    return RatedXdrs(
        xdrs=with_columns(identified, [reseller_id]),
        terms=terms,
        legs=legs,
        priced=priced,
        outcome=outcome,
        tables=tables,
        included=np.zeros(len(legs.row), dtype=np.int64),
        uses=pl.DataFrame(schema=USES),
        tiered=tiered,
    )


def price_included(rated: RatedXdrs, source: SourceTerms, included: NDArray[np.int64]) -> RatedXdrs:
    """The batch with so much of the volume of each leg covered by allowances, the rest charged.

    Only those legs are priced anew, and those not that tiers price: they are counted after this.
    """
    leg = np.flatnonzero((included != 0) & (rated.legs.table_id >= NO_TABLE))
    if not len(leg):
        return replace(rated, included=included)
    xdrs = rated.xdrs[rated.legs.row[leg]]
    anew = _price(rated.legs.alone(leg), xdrs, source, rated.tables, included=included[leg])
    priced = place_legs(rated.priced, leg, anew)
    outcome = judge_xdrs(rated.xdrs, rated.terms, rated.legs, priced, rated.tables)
    return replace(rated, priced=priced, outcome=outcome, included=included)


def _price(
    legs: PlannedLegs,
    identified: pl.DataFrame,
    source: SourceTerms,
    tables: Mapping[int, PriceTable],
    included: NDArray[np.int64] | None = None,
) -> PricedLegs:
    return price_legs(
        legs,
        tables,
        destination=align(identified["normalised_number"]),
        started_at=identified["started_at"].to_numpy(),
        volume=identified["volume"].to_numpy(),
        caller=_callers(identified, source, tables),
        tags=_tags(identified, tables),
        included=included,
    )


def _callers(
    identified: pl.DataFrame, source: SourceTerms, tables: Mapping[int, PriceTable]
) -> NDArray[np.int64] | None:
    """The callers' numbers as keys, where a table prices by them."""
    if not any(table.compiled and table.compiled.needs_caller for table in tables.values()):
        return None
    plan = DialPlan(country_prefix=source.country_prefix)
    return align(normalise(identified["caller_number"], plan=plan)["number"])


def _tags(identified: pl.DataFrame, tables: Mapping[int, PriceTable]) -> TagColumn | None:
    """The tags of each xDR, where a table prices by them."""
    if not any(table.compiled and table.compiled.needs_tags for table in tables.values()):
        return None
    return tag_column(identified["tags"], identified["terminating_customer_id"])


def _customer_ids(identified: pl.DataFrame) -> list[int]:
    both = (identified["customer_id"], identified["terminating_customer_id"])
    distinct = both if len(identified) <= FEW_XDRS else [ids.unique() for ids in both]
    return sorted({pk for ids in distinct for pk in ids.to_list() if pk is not None})
