"""The legs of a batch of xDRs: who owes whom, and at which rate table; no price yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cdr.rating.few import FEW, filled, looked_up
from cdr.rating.terms import NO_TABLE, Terms
from cdr.rules.parties import PROVIDER_ID, Charge, Party
from cdr.rules.routes import Termination, is_foreign, reseller_payments

NOBODY = -1
"""Stands for an id where a column has none."""


class Routing(IntEnum):
    """Whether the parties of an xDR are known."""

    ROUTED = 0
    UNKNOWN_CUSTOMER = 1
    UNKNOWN_VENDOR = 2
    FOREIGN_VENDOR = 3


@dataclass(frozen=True, slots=True)
class PlannedLegs:
    """Parallel arrays, one row per leg: xDR by xDR, each in the order of its walk.

    `row` points into the batch, `number` counts an xDR's legs from 1, `table_id` is NO_TABLE where
    a customer has no rate table. Ids are int64, codes int8; `routing` is by xDR, not by leg, and an
    xDR that is not routed has its customer leg at most.
    """

    row: NDArray[np.int64]
    number: NDArray[np.int64]
    charge: NDArray[np.int8]
    payer_kind: NDArray[np.int8]
    payer_id: NDArray[np.int64]
    payee_kind: NDArray[np.int8]
    payee_id: NDArray[np.int64]
    table_id: NDArray[np.int64]
    routing: NDArray[np.int8]

    def alone(self, leg: NDArray[np.int64]) -> "PlannedLegs":
        """Some of the legs, by their places, each with a row of its own."""
        return PlannedLegs(
            row=np.arange(len(leg)),
            number=self.number[leg],
            charge=self.charge[leg],
            payer_kind=self.payer_kind[leg],
            payer_id=self.payer_id[leg],
            payee_kind=self.payee_kind[leg],
            payee_id=self.payee_id[leg],
            table_id=self.table_id[leg],
            routing=self.routing[self.row[leg]],
        )


class _Step(NamedTuple):
    """One leg of a route; the customer leg's payer and table come from the xDR's customer."""

    charge: Charge
    payer_kind: Party
    payer_id: int
    payee_kind: Party
    payee_id: int
    table_id: int


class _Way(NamedTuple):
    """What a route depends on. NOBODY as reseller: the customer is unknown."""

    reseller_id: int
    vendor_id: int
    terminating_reseller_id: int
    epoch: int


def plan_legs(xdrs: pl.DataFrame, terms: Terms) -> PlannedLegs:
    """The legs of every xDR.

    `xdrs` has started_at, customer_id, vendor_id and terminating_customer_id (int64, the ids null
    where unknown); with a terminating customer the call is on-net, whatever the vendor.
    """
    parties = _parties(xdrs, terms)
    ways, way_of_xdr = _ways(parties)
    return _expand(parties, terms, way_of_xdr, [_route(terms, way) for way in ways])


class _Parties(NamedTuple):
    """Per xDR the columns of a way, and its customer with price list; NOBODY where unknown."""

    reseller_id: NDArray[np.int64]
    vendor_id: NDArray[np.int64]
    terminating_reseller_id: NDArray[np.int64]
    epoch: NDArray[np.int64]
    customer_id: NDArray[np.int64]
    price_list: NDArray[np.int64]


def _parties(xdrs: pl.DataFrame, terms: Terms) -> _Parties:
    payer = looked_up(xdrs["customer_id"], terms.customers, "customer_id")
    end = looked_up(xdrs["terminating_customer_id"], terms.customers, "customer_id")
    return _Parties(
        reseller_id=filled(payer["reseller_id"], NOBODY),
        vendor_id=filled(xdrs["vendor_id"], NOBODY),
        terminating_reseller_id=filled(end["reseller_id"], NOBODY),
        epoch=terms.epoch_of(xdrs["started_at"].to_numpy()),
        customer_id=filled(xdrs["customer_id"], NOBODY),
        price_list=filled(payer["price_list"], NOBODY),
    )


def _ways(parties: _Parties) -> tuple[list[_Way], NDArray[np.int64]]:
    """The ways there are, and the place of each xDR's among them."""
    columns = [getattr(parties, name) for name in _Way._fields]
    if len(parties.epoch) <= FEW:
        places: dict[_Way, int] = {}
        each = map(_Way, *(column.tolist() for column in columns))
        place = [places.setdefault(way, len(places)) for way in each]
        return list(places), np.array(place, dtype=np.int64)
    every = pl.DataFrame(dict(zip(_Way._fields, columns, strict=True)))
    ways = every.unique()
    found = every.join(
        ways.with_row_index("way"), on=list(_Way._fields), how="left", maintain_order="left"
    )
    return [_Way(*way) for way in ways.iter_rows()], found["way"].cast(pl.Int64).to_numpy()


def _route(terms: Terms, way: _Way) -> tuple[Routing, list[_Step]]:
    if way.reseller_id == NOBODY:
        return Routing.UNKNOWN_CUSTOMER, []
    customer_leg = _Step(
        Charge.CUSTOMER, Party.CUSTOMER, NOBODY, *_seller(way.reseller_id), NO_TABLE
    )
    if way.terminating_reseller_id != NOBODY:
        termination = Termination(True, way.terminating_reseller_id)
        return Routing.ROUTED, [customer_leg, *_reseller_legs(terms, way, termination)]
    if way.vendor_id == NOBODY:
        if not terms.is_metered:
            return Routing.UNKNOWN_VENDOR, [customer_leg]
        supplied = Termination(False, PROVIDER_ID)
        return Routing.ROUTED, [customer_leg, *_reseller_legs(terms, way, supplied)]
    vendor = terms.vendors[way.vendor_id]
    termination = Termination(False, vendor.owner_id)
    if not terms.allows_foreign_vendors and is_foreign(terms.tree, way.reseller_id, termination):
        return Routing.FOREIGN_VENDOR, [customer_leg]
    vendor_leg = _Step(
        Charge.VENDOR,
        *_seller(vendor.owner_id),
        Party.VENDOR,
        way.vendor_id,
        vendor.rate_table_id,
    )
    return Routing.ROUTED, [customer_leg, *_reseller_legs(terms, way, termination), vendor_leg]


def _reseller_legs(terms: Terms, way: _Way, termination: Termination) -> list[_Step]:
    payments = reseller_payments(terms.tree, terms.modes[way.epoch], way.reseller_id, termination)
    return [
        _Step(
            Charge.RESELLER,
            Party.RESELLER,
            payment.payer_id,
            *_seller(payment.payee_id),
            payment.rate_table_id,
        )
        for payment in payments
    ]


def _seller(party_id: int) -> tuple[Party, int]:
    return (Party.PROVIDER if party_id == PROVIDER_ID else Party.RESELLER), party_id


def _expand(
    parties: _Parties,
    terms: Terms,
    way_of_xdr: NDArray[np.int64],
    routes: Sequence[tuple[Routing, list[_Step]]],
) -> PlannedLegs:
    """Each xDR's copy of the legs of its route."""
    steps = np.array([step for _, route in routes for step in route], dtype=np.int64)
    charge, payer_kind, payer_id, payee_kind, payee_id, table_id = steps.reshape(-1, 6).T
    lengths = np.array([len(route) for _, route in routes], dtype=np.int64)
    route_starts = np.cumsum(lengths) - lengths
    leg_counts = lengths[way_of_xdr]
    row = np.repeat(np.arange(len(way_of_xdr)), leg_counts)
    position = np.arange(len(row)) - np.repeat(np.cumsum(leg_counts) - leg_counts, leg_counts)
    step = route_starts[way_of_xdr[row]] + position
    of_customer = charge[step] == Charge.CUSTOMER
    return PlannedLegs(
        row=row,
        number=position + 1,
        charge=charge[step].astype(np.int8),
        payer_kind=payer_kind[step].astype(np.int8),
        payer_id=np.where(of_customer, parties.customer_id[row], payer_id[step]),
        payee_kind=payee_kind[step].astype(np.int8),
        payee_id=payee_id[step],
        table_id=np.where(
            of_customer,
            terms.price_lists[parties.price_list[row], parties.epoch[row]],
            table_id[step],
        ),
        routing=np.array([routing for routing, _ in routes], dtype=np.int8)[way_of_xdr],
    )
