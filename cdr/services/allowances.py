"""Using up what the subscriptions of customers include, before their usage is charged."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cdr.rating.allowances import counters_of, month_before, share_out
from cdr.rating.outcomes import judge_xdrs
from cdr.rules.allowances import Counted, Entitlement
from cdr.rules.cost import Reason
from cdr.rules.parties import Charge
from cdr.selectors.entitlements import entitlements
from cdr.services.allowance_counters import (
    CountedAgain,
    KnownCounter,
    hold_counters,
    read_counters,
    write_counters,
)
from cdr.services.copying import days
from cdr.services.rating import Batch, RatedXdrs, price_included
from cdr.services.sources import SourceTerms
from cdr.services.tier_counting import count_tiers
from cdr.services.tiers_again import TotalsAgain, TotalsSoFar, count_tiers_again
from common.scope import Scope


def count_usage(
    rated: RatedXdrs, source: SourceTerms, *, among: NDArray[np.bool_] | None = None
) -> RatedXdrs:
    """Take what allowances include off the customer legs that stand, and price the rest.

    At tiers from the totals of their months on. Those `among` some legs, where they are given, in
    the order of their start. Counters, then totals, are locked until the transaction ends, so that
    of batches that come at the same time one waits for the other and nothing is used twice.
    """

    def charge(including: Sequence[RatedXdrs], refused: pl.DataFrame) -> list[RatedXdrs]:
        counts = among
        if not refused.is_empty():
            counts = np.full(len(rated.legs.row), True) if among is None else among.copy()
            counts[refused["leg"].to_numpy()] = False
        return [count_tiers(batch, source, among=counts) for batch in including]

    granted = _granted_to(rated, source)
    usage = _entitled_usage(rated, source, granted, among) if granted else None
    wanted = [] if usage is None else counters_of(granted, _customer_months(usage))
    if usage is None or not wanted:
        return count_tiers(rated, source, among=among)
    known = hold_counters(source, wanted)
    (again,), counted = _share([(rated, source)], usage, known, charge)
    write_counters(map(CountedAgain, known, counted))
    return again


def preview_allowances(rated: RatedXdrs, source: SourceTerms) -> tuple[RatedXdrs, dict[str, int]]:
    """The batch by what is left of allowances now, and how much of which; nothing is used up."""
    granted = _granted_to(rated, source)
    if not granted:
        return rated, {}
    usage = _entitled_usage(rated, source, granted, None)
    known = read_counters(source, counters_of(granted, _customer_months(usage)))
    (again,), _ = _share([(rated, source)], usage, known, lambda including, _: list(including))
    volumes: dict[str, int] = {}
    names = {each.id: each.counter.entitlements[0].name for each in known}
    for counter_id, volume in again.uses.select("counter_id", "volume").iter_rows():
        volumes[names[counter_id]] = volumes.get(names[counter_id], 0) + volume
    return again, volumes


def count_again(
    batches: Sequence[Batch],
    legs: pl.DataFrame,
    returned: Mapping[int, tuple[int, int]],
    so_far: Mapping[int, Sequence[CountedAgain]],
    totals_so_far: TotalsSoFar,
    *,
    holds: bool,
) -> tuple[list[Batch], dict[int, Sequence[CountedAgain]], TotalsAgain, TotalsSoFar]:
    """Charge stored xDRs anew, in the order of their start over all sources.

    They may come in several parts, one after the other in that order: `returned` is what all of
    them used before of allowances (by counter: product and volume), which is given back first, and
    `so_far` are the counters of each product, and `totals_so_far` the totals, after the parts
    before. What they added to totals by their `legs` (LEG_COLUMNS) is taken off; what others did
    stays. Counters, then totals, are locked where somebody `holds` them.
    """
    by_product: dict[int, list[int]] = {}
    for place, (_, source) in enumerate(batches):
        by_product.setdefault(source.product_id, []).append(place)
    found, counters, totals = list(batches), dict(so_far), TotalsAgain.none()
    for product_id, places in sorted(by_product.items()):
        of_product = [batches[place] for place in places]
        ids = pl.concat([rated.xdrs.select(xdr_id="id") for rated, _ in of_product])
        given_back = {pk: volume for pk, (of, volume) in returned.items() if of == product_id}
        again, counters[product_id], added, totals_so_far = _count_product_again(
            of_product,
            legs.join(ids, on="xdr_id", how="semi"),
            given_back,
            counters.get(product_id, ()),
            totals_so_far,
            holds=holds,
        )
        totals = totals.beside(added)
        for place, batch in zip(places, again, strict=True):
            found[place] = batch
    return found, counters, totals, totals_so_far


def _count_product_again(
    batches: Sequence[Batch],
    legs: pl.DataFrame,
    given_back: Mapping[int, int],
    so_far: Sequence[CountedAgain],
    totals_so_far: TotalsSoFar,
    *,
    holds: bool,
) -> tuple[list[Batch], Sequence[CountedAgain], TotalsAgain, TotalsSoFar]:
    granted = {each for batch in batches for each in _granted_to(*batch)}
    sources = [source for _, source in batches]
    totals, totals_now = TotalsAgain.none(), totals_so_far

    def charge(including: Sequence[RatedXdrs], refused: pl.DataFrame) -> list[RatedXdrs]:
        nonlocal totals, totals_now
        again, totals, totals_now = count_tiers_again(
            including, sources, legs, refused, totals_so_far, holds=holds
        )
        return again

    if not granted and not given_back:
        again = charge([rated for rated, _ in batches], _nothing_refused())
        return list(zip(again, sources, strict=True)), so_far, totals, totals_now
    ordered = sorted(granted, key=lambda each: each.order)
    usage = pl.concat(
        [_entitled_usage(*batch, ordered, None, place) for place, batch in enumerate(batches)]
    ).sort("started_at", "id")
    source = batches[0][1]
    take = hold_counters if holds else read_counters
    before = {each.known.counter.lock_order: each for each in so_far}
    wanted = {each.lock_order: each for each in counters_of(ordered, _customer_months(usage))}
    # What rolls over does so at last by what the last part leaves.
    wanted |= {place: each.known.counter for place, each in before.items() if place not in wanted}
    known = take(source, [wanted[place] for place in sorted(wanted)], also=list(given_back))
    begun = [
        _returned(each, given_back.get(each.id, 0))
        if each.counter.lock_order not in before
        else _counted_to(each, before[each.counter.lock_order].now)
        for each in known
    ]
    again, counted = _share(batches, usage, begun, charge)
    recounted = list(map(CountedAgain, known, counted))
    return list(zip(again, sources, strict=True)), recounted, totals, totals_now


def _nothing_refused() -> pl.DataFrame:
    return pl.DataFrame(schema={"batch": pl.Int64, "leg": pl.Int64})


def _returned(known: KnownCounter, volume: int) -> KnownCounter:
    """The counter as if so much had not been used."""
    return _counted_to(known, known.counter.counted.returned(volume))


def _counted_to(known: KnownCounter, counted: Counted) -> KnownCounter:
    return replace(known, counter=replace(known.counter, counted=counted))


def _share(
    batches: Sequence[Batch],
    usage: pl.DataFrame,
    known: Sequence[KnownCounter],
    charge: Callable[[Sequence[RatedXdrs], pl.DataFrame], list[RatedXdrs]],
) -> tuple[list[RatedXdrs], list[Counted]]:
    """The batches by what each call of the usage gets of the counters, and these afterwards.

    `charge` prices what is left of batches, without some legs: by batch and leg. Where that cannot
    be charged, being too great to be true, the leg waits, and those after it get what it would have
    used.
    """
    refused = usage.clear().with_columns(reason=pl.lit(None, pl.UInt8))
    while True:
        uses, counted = share_out(usage, [each.counter for each in known])
        of_batch = usage["batch"].gather(uses["row"])
        including = [
            _including(rated, source, usage, uses.filter(of_batch == place), known)
            for place, (rated, source) in enumerate(batches)
        ]
        again = charge(including, refused)
        fails = _failing(again, usage, uses)
        if fails.is_empty():
            break
        refused = pl.concat([refused, fails])
        usage = usage.join(fails, on=["batch", "leg"], how="anti", maintain_order="left")
    return [
        _suspending(rated, refused.filter(pl.col("batch") == place))
        for place, rated in enumerate(again)
    ], counted


def _failing(rated: Sequence[RatedXdrs], usage: pl.DataFrame, uses: pl.DataFrame) -> pl.DataFrame:
    """What got something and does not stand for what is left of it, with the reason."""
    using = usage[uses["row"].unique().sort()]
    found = [using.clear().with_columns(reason=pl.lit(None, pl.UInt8))]
    for place, batch in enumerate(rated):
        of_batch = using.filter(pl.col("batch") == place)
        leg = of_batch["leg"].to_numpy()
        told = of_batch.with_columns(reason=pl.Series(batch.priced.reason[leg], dtype=pl.UInt8))
        found.append(told.filter(~pl.Series(batch.outcome.stands[leg], dtype=pl.Boolean)))
    return pl.concat(found)


def _suspending(rated: RatedXdrs, refused: pl.DataFrame) -> RatedXdrs:
    """The batch with some legs that wait for the reason given, at no charge."""
    if refused.is_empty():
        return rated
    leg, priced = refused["leg"].to_numpy(), rated.priced
    columns = {
        name: getattr(priced, name).copy() for name in ("billed", "cost", "additive_cost", "reason")
    }
    for column in columns.values():
        column[leg] = 0
    columns["reason"][leg] = refused["reason"].to_numpy()
    priced = replace(priced, **columns)
    outcome = judge_xdrs(rated.xdrs, rated.terms, rated.legs, priced, rated.tables)
    return replace(rated, priced=priced, outcome=outcome)


def _granted_to(rated: RatedXdrs, source: SourceTerms) -> list[Entitlement]:
    """What the customers of a batch have for its time, and for the month before."""
    if not source.has_allowances:
        return []
    started_at = rated.xdrs["started_at"]
    ends = pl.Series([started_at.min(), started_at.max()], dtype=pl.Int64)
    first, last = days(ends, source.day_zone.key)
    return entitlements(
        Scope.system(source.provider_id),
        product_id=source.product_id,
        customer_ids=rated.terms.customers["customer_id"].to_list(),
        first_day=month_before(first.replace(day=1)),
        last_day=last,
        zone=source.day_zone,
    )


def _entitled_usage(
    rated: RatedXdrs,
    source: SourceTerms,
    granted: Sequence[Entitlement],
    among: NDArray[np.bool_] | None,
    batch: int = 0,
) -> pl.DataFrame:
    """The customer legs that may use what is granted, in the order of start and id.

    They are rated and stand: attempts and calls within the grace use nothing. As `share_out` takes
    them, with `leg`, the place of each among the planned ones, `batch`, started_at and id.
    """
    legs = rated.legs
    may = (
        (legs.charge == Charge.CUSTOMER)
        & rated.outcome.stands
        & (rated.priced.reason == Reason.RATED)
        & np.isin(legs.payer_id, sorted({each.customer_id for each in granted}))
    )
    leg = np.flatnonzero(may if among is None else may & among)
    xdrs = rated.xdrs[legs.row[leg]]
    usage = xdrs.select(
        "started_at",
        "volume",
        # One that was only asked about is not stored, and has neither.
        xdrs["id"] if "id" in xdrs.columns else pl.int_range(pl.len()).alias("id"),
        customer_id=pl.Series(legs.payer_id[leg], dtype=pl.Int64),
        subscription_id="subscription_id",
        number="normalised_number",
        day=days(xdrs["started_at"], source.day_zone.key),
        leg=pl.Series(leg, dtype=pl.Int64),
        batch=pl.lit(batch, pl.Int64),
    )
    return usage.with_columns(month=pl.col("day").dt.month_start()).sort("started_at", "id")


def _customer_months(usage: pl.DataFrame) -> set[tuple[int, date]]:
    """The customers with the first days of the months that they used something in."""
    return set(usage.select("customer_id", "month").unique().iter_rows())


def _including(
    rated: RatedXdrs,
    source: SourceTerms,
    usage: pl.DataFrame,
    uses: pl.DataFrame,
    known: Sequence[KnownCounter],
) -> RatedXdrs:
    """The batch priced beyond what its legs use of counters."""
    counter_ids = pl.Series([each.id for each in known], dtype=pl.Int64)
    used = uses.select(
        leg=usage["leg"].gather(uses["row"]),
        counter_id=counter_ids.gather(uses["place"]),
        volume="volume",
    )
    included = np.zeros(len(rated.legs.row), dtype=np.int64)
    np.add.at(included, used["leg"].to_numpy(), used["volume"].to_numpy())
    return replace(price_included(rated, source, included), uses=used)
