"""What a call that has not happened would cost everybody: rated like a call of a file."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

import polars as pl
from django.db.models import Model

from catalogue.models import RateTable
from catalogue.rules.units import UnitsRefused
from cdr.models import LegKind, PartyKind, Source, SuspenseReason
from cdr.rating import COST_SCALE_DIGITS, Explanation, InvalidRate, Usage
from cdr.rating.explain import FAILED
from cdr.rating.terms import NO_TABLE
from cdr.rules.addresses import canonical_address
from cdr.rules.instants import to_microseconds
from cdr.rules.tier_explanation import TierExplanation
from cdr.selectors.equivalents import Equivalent, equivalents
from cdr.selectors.explaining import explain_tiers, explain_usage, usage_of
from cdr.selectors.parties import PartyKey, parties
from cdr.services.allowances import preview_allowances
from cdr.services.price_tables import fitting_price_tables
from cdr.services.rating import RatedXdrs, identify_xdrs, rate_xdrs
from cdr.services.sources import SourceTerms, source_terms
from cdr.services.tier_counting import preview_tiers
from common.scope import Scope
from customers.models import Customer
from resellers.models import Vendor
from subscriptions.models import Subscription
from tenancy.selectors import own_provider

_SENT = {
    "account_code": pl.String,
    "trunk": pl.String,
    "caller_ip": pl.String,
    "caller_number": pl.String,
    "destination_number": pl.String,
    "received_tags": pl.String,
    "started_at": pl.Int64,
    "volume": pl.Int64,
}
_OWNERS = (PartyKind.PROVIDER, PartyKind.RESELLER)


@dataclass(frozen=True, kw_only=True)
class CallToQuote:
    """A call as the switch of a source would send it, `volume` in the product's volume unit.

    `trunk` and `caller_ip` are what it would come by. `customer_id` says who makes it, whatever the
    switch would send; `vendor_id` who terminates it, whatever tech prefix and source say, which
    makes it no on-net call either.
    """

    source_id: int
    destination_number: str
    started_at: datetime
    volume: int
    account_code: str = ""
    trunk: str = ""
    caller_ip: str = ""
    caller_number: str = ""
    tags: str = ""
    customer_id: int | None = None
    vendor_id: int | None = None


@dataclass(frozen=True)
class Trouble:
    """Why a call, or one leg of it, would wait in suspense."""

    reason: SuspenseReason
    detail: str


@dataclass(frozen=True)
class QuotedLeg:
    """What one party would pay another, and why.

    `amount` (of which an additive rate adds `additive_amount`) is None where no rate gives one.
    `is_due` is False where nobody would be charged: `trouble` says what the leg would wait for; an
    attempt without a fee, or a call that waits as a whole, has none of its own. `rate_table` and
    `explanation` are None where the payer has no table, or one that cannot be rated by.
    Where the tiers of a subscription price it, `tiered` says why: as the month stands now.
    `equivalents` tell the amount in the currency of the provider and of the customer, where it is
    another: nothing is converted when it is charged.
    """

    kind: LegKind
    payer_key: PartyKey
    payee_key: PartyKey
    payer: Model | None
    payee: Model | None
    rate_table: RateTable | None
    currency: str
    billed_volume: int
    included_volume: int
    amount: Decimal | None
    additive_amount: Decimal | None
    is_due: bool
    trouble: Trouble | None
    explanation: Explanation | None
    equivalents: tuple[Equivalent, ...]
    tiered: TierExplanation | None = None

    @property
    def arithmetic(self) -> list[str]:
        """The sum with its numbers, a line each."""
        if self.tiered is not None:
            return self.tiered.lines
        return list(self.explanation.lines) if self.explanation else []


@dataclass(frozen=True)
class Margin:
    """What the provider or a reseller would be paid less what it would pay, in one currency."""

    party_key: PartyKey
    party: Model | None
    currency: str
    amount: Decimal


@dataclass(frozen=True)
class Quote:
    """A call with its parties as identified, its legs and what each party would earn.

    `number` is normalised, empty where the destination is no number; `tags` are all it would carry.
    `trouble` says why the whole call would wait in suspense; then no leg is due. `included` is how
    much the customer's allowances, as they stand now, would cover, by name: nothing of it is used.
    """

    source: Source
    number: str
    tags: str
    customer: Customer | None
    called_customer: Customer | None
    vendor: Vendor | None
    trouble: Trouble | None
    included: Mapping[str, int]
    legs: tuple[QuotedLeg, ...]
    margins: tuple[Margin, ...]


def quote(scope: Scope, call: CallToQuote) -> Quote:
    """Price a call that has not happened by what holds now; nothing is written.

    Parties, legs and prices come from the code that rates files. Only the rates that fit the number
    are read, so that it takes as long in a table of any size.

    :raises Source.DoesNotExist, Customer.DoesNotExist, Vendor.DoesNotExist: not in the scope.
    """
    assert scope.sees_whole_provider, "legs of others are none of a portal's business"
    source = Source.objects.visible_to(scope).select_related("product").get(pk=call.source_id)
    for model, pk in ((Customer, call.customer_id), (Vendor, call.vendor_id)):
        if pk is not None:
            model.objects.visible_to(scope).get(pk=pk)
    terms = source_terms(source.pk)
    identified = _identified(call, terms)
    number = identified["normalised_number"][0] or ""
    rated, included = preview_allowances(
        rate_xdrs(identified, terms, compiled=partial(fitting_price_tables, numbers=[number])),
        terms,
    )
    rated = preview_tiers(rated, terms)
    xdr = rated.xdrs.row(0, named=True)
    usage = usage_of(
        number=number,
        started_at=call.started_at,
        caller_number=call.caller_number,
        country_prefix=terms.country_prefix,
        tags=xdr["tags"],
        is_on_net=xdr["terminating_customer_id"] is not None,
    )
    found = _parties(scope, rated, xdr)
    customer = _of(found, PartyKind.CUSTOMER, xdr["customer_id"])
    told_in = {own_provider(scope).currency, customer.currency if customer else ""}
    legs = tuple(
        replace(leg, equivalents=_equivalents(scope, leg, call.started_at, told_in))
        for leg in _legs(scope, rated, found, usage, call.volume)
    )
    return Quote(
        source=source,
        number=number,
        tags=xdr["tags"],
        customer=customer,
        called_customer=_of(found, PartyKind.CUSTOMER, xdr["terminating_customer_id"]),
        vendor=_of(found, PartyKind.VENDOR, xdr["vendor_id"]),
        trouble=_troubles(rated).get(None),
        included=included,
        legs=legs,
        margins=tuple(_margins(legs, found)),
    )


def _identified(call: CallToQuote, source: SourceTerms) -> pl.DataFrame:
    sent = pl.DataFrame(
        {
            "account_code": [call.account_code or None],
            "trunk": [call.trunk or None],
            "caller_ip": [canonical_address(call.caller_ip) or call.caller_ip or None],
            "caller_number": [call.caller_number or None],
            "destination_number": [call.destination_number],
            "received_tags": [call.tags or None],
            "started_at": [to_microseconds(call.started_at)],
            "volume": [call.volume],
        },
        schema=_SENT,
    )
    identified = identify_xdrs(sent, source)
    if call.customer_id is not None:
        identified = identified.with_columns(customer_id=pl.lit(call.customer_id, pl.Int64))
    if call.vendor_id is not None:
        identified = identified.with_columns(
            vendor_id=pl.lit(call.vendor_id, pl.Int64),
            terminating_customer_id=pl.lit(None, pl.Int64),
        )
    return identified


def _parties(scope: Scope, rated: RatedXdrs, xdr: Mapping[str, Any]) -> Mapping[PartyKey, Model]:
    legs = rated.legs
    keys = {(PartyKind.CUSTOMER, xdr["customer_id"])}
    keys |= {(PartyKind.CUSTOMER, xdr["terminating_customer_id"])}
    keys |= {(PartyKind.VENDOR, xdr["vendor_id"])}
    keys |= set(zip(legs.payer_kind.tolist(), legs.payer_id.tolist(), strict=True))
    keys |= set(zip(legs.payee_kind.tolist(), legs.payee_id.tolist(), strict=True))
    return parties(scope, {(int(kind), pk) for kind, pk in keys if pk is not None})


def _of(found: Mapping[PartyKey, Model], kind: PartyKind, pk: int | None) -> Any:
    return None if pk is None else found.get((int(kind), pk))


def _troubles(rated: RatedXdrs) -> dict[tuple[int, int] | None, Trouble]:
    """What waits, by kind and payer of the leg; None for the whole call."""
    found: dict[tuple[int, int] | None, Trouble] = {}
    for row in rated.outcome.suspense.iter_rows(named=True):
        leg = None if row["leg_kind"] is None else (row["leg_kind"], row["payer_id"])
        found[leg] = Trouble(SuspenseReason(row["reason"]), row["detail"])
    return found


def _legs(
    scope: Scope, rated: RatedXdrs, found: Mapping[PartyKey, Model], usage: Usage, volume: int
) -> Iterator[QuotedLeg]:
    legs, priced, troubles = rated.legs, rated.priced, _troubles(rated)
    tables = {table.pk: table for table in _rate_tables(scope, legs.table_id.tolist())}
    for place, table_id in enumerate(legs.table_id.tolist()):
        payer = int(legs.payer_kind[place]), int(legs.payer_id[place])
        payee = int(legs.payee_kind[place]), int(legs.payee_id[place])
        kind = LegKind(int(legs.charge[place]))
        is_priced = priced.reason[place] not in FAILED
        included = int(rated.included[place])
        yield QuotedLeg(
            kind=kind,
            payer_key=payer,
            payee_key=payee,
            payer=found.get(payer),
            payee=found.get(payee),
            rate_table=tables.get(table_id),
            currency=rated.tables[table_id].currency if table_id in rated.tables else "",
            billed_volume=int(priced.billed[place]),
            included_volume=included,
            amount=_amount(priced.cost[place]) if is_priced else None,
            additive_amount=_amount(priced.additive_cost[place]) if is_priced else None,
            is_due=bool(rated.outcome.stands[place]),
            trouble=troubles.get((int(kind), payer[1])),
            explanation=_explanation(scope, table_id, usage, volume, included),
            equivalents=(),
            tiered=_tiered(scope, rated, place) if is_priced else None,
        )


def _tiered(scope: Scope, rated: RatedXdrs, place: int) -> TierExplanation | None:
    """How the tiers of a subscription price a leg; None where a rate table does."""
    subscription_id = -int(rated.legs.table_id[place])
    if subscription_id <= NO_TABLE:
        return None
    rows = Subscription.objects.visible_to(scope).select_related("product", "item")
    return explain_tiers(
        rows.get(pk=subscription_id),
        total_before=int(rated.priced.total_before[place]),
        volume=int(rated.priced.billed[place]),
    )


def _equivalents(
    scope: Scope, leg: QuotedLeg, at: datetime, told_in: Collection[str]
) -> tuple[Equivalent, ...]:
    if leg.amount is None:
        return ()
    return equivalents(scope, leg.amount, leg.currency, at=at, wanted=told_in)


def _rate_tables(scope: Scope, table_ids: list[int]) -> list[RateTable]:
    return list(RateTable.objects.visible_to(scope).filter(pk__in=table_ids).order_by("pk"))


def _amount(cost: Any) -> Decimal:
    return Decimal(int(cost)).scaleb(-COST_SCALE_DIGITS)


def _explanation(
    scope: Scope, table_id: int, usage: Usage, volume: int, included: int
) -> Explanation | None:
    if table_id <= NO_TABLE:
        return None
    try:
        return explain_usage(
            scope, table_id=table_id, usage=usage, volume=volume, included=included
        )
    except (InvalidRate, UnitsRefused):  # the leg's trouble tells the fault
        return None


def _margins(legs: tuple[QuotedLeg, ...], found: Mapping[PartyKey, Model]) -> Iterator[Margin]:
    """From the party nearest to the customer up; the customer and the vendor are outside."""
    sums: dict[tuple[PartyKey, str], Decimal] = {}
    for leg in legs:
        if leg.is_due and leg.amount is not None:
            for key, sign in ((leg.payee_key, 1), (leg.payer_key, -1)):
                if key[0] in _OWNERS:
                    place = key, leg.currency
                    sums[place] = sums.get(place, Decimal(0)) + sign * leg.amount
    for (key, currency), amount in sums.items():
        yield Margin(key, found.get(key), currency, amount)
