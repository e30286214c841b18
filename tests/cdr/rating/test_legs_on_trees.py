"""The columnar legs of whole batches, on random trees: against the rule, and what must add up."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from cdr.rating import Rate, RateTable, align, compile_table
from cdr.rating.legs import PlannedLegs, Routing, plan_legs
from cdr.rating.outcomes import Outcome, judge_xdrs
from cdr.rating.prices import PricedLegs, PriceTable, price_legs
from cdr.rating.terms import NO_TABLE, Terms, VendorTerms
from cdr.rules.parties import PROVIDER_ID, Charge, Party
from cdr.rules.routes import (
    BillingMode,
    InternalCalls,
    ResellerTree,
    Termination,
    reseller_payments,
)
from cdr.rules.suspense import Result

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
SWITCH = 1_000_000
NOTHING_TABLE = 99


@dataclass(frozen=True)
class Batch:
    terms: Terms
    xdrs: pl.DataFrame
    tables: dict[int, PriceTable]

    def run(self) -> tuple[PlannedLegs, PricedLegs, Outcome]:
        legs = plan_legs(self.xdrs, self.terms)
        priced = price_legs(
            legs,
            self.tables,
            destination=align(self.xdrs["normalised_number"]),
            started_at=self.xdrs["started_at"].to_numpy(),
            volume=self.xdrs["volume"].to_numpy(),
        )
        return legs, priced, judge_xdrs(self.xdrs, self.terms, legs, priced, self.tables)


def made_table(table_id: int) -> PriceTable:
    """Table n asks n hundredths a minute; one has no rate at all, so that its legs wait."""
    rates = (
        []
        if table_id == NOTHING_TABLE
        else [
            Rate(id=table_id, prefix="", rate=Decimal(table_id).scaleb(-2), effective_from=LONG_AGO)
        ]
    )
    compiled = compile_table(RateTable(name=str(table_id), currency="EUR"), rates)
    return PriceTable(table_id, str(table_id), "EUR", compiled)


TABLES = {table_id: made_table(table_id) for table_id in (*range(1, 10), NOTHING_TABLE)}
table_ids = st.sampled_from(list(TABLES))


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    """Calls of every kind on a tree of up to eight resellers, each with a customer and a vendor."""
    count = draw(st.integers(1, 8))
    parents = {n: draw(st.integers(PROVIDER_ID, n - 1)) for n in range(1, count + 1)}
    parties = [PROVIDER_ID, *parents]
    modes = st.dictionaries(st.sampled_from(list(parents)), billing_modes())
    terms = Terms(
        tree=ResellerTree(parents),
        vendors={100 + n: VendorTerms(f"V{n}", n, draw(table_ids)) for n in parties},
        customers=pl.DataFrame(
            {
                "customer_id": [200 + n for n in parties],
                "reseller_id": parties,
                "price_list": list(range(len(parties))),
            },
            schema=dict.fromkeys(("customer_id", "reseller_id", "price_list"), pl.Int64),
        ),
        cuts=np.array([SWITCH]),
        modes=(draw(modes), draw(modes)),
        price_lists=np.array(
            [[draw(table_ids | st.just(NO_TABLE)) for _ in range(2)] for _ in parties]
        ),
        allows_foreign_vendors=draw(st.booleans()),
    )
    return Batch(terms, draw(xdr_frames(parties)), TABLES)


@st.composite
def billing_modes(draw: st.DrawFn) -> BillingMode:
    policy = draw(st.sampled_from(InternalCalls))
    internal = draw(table_ids) if policy is InternalCalls.INTERNAL_TABLE else None
    return BillingMode(draw(table_ids), policy, internal)


@st.composite
def xdr_frames(draw: st.DrawFn, parties: list[int]) -> pl.DataFrame:
    ends = st.sampled_from([("vendor", n) for n in parties] + [("on-net", n) for n in parties])
    calls = draw(
        st.lists(
            st.tuples(
                st.sampled_from([None, *(200 + n for n in parties)]),
                ends | st.none(),
                st.sampled_from([SWITCH - 1, SWITCH]),
                st.sampled_from([0, 1, 60, 3600]),
            ),
            min_size=1,
            max_size=12,
        )
    )
    return pl.DataFrame(
        {
            "customer_id": [customer for customer, *_ in calls],
            "vendor_id": [
                100 + end[1] if end and end[0] == "vendor" else None for _, end, *_ in calls
            ],
            "terminating_customer_id": [
                200 + end[1] if end and end[0] == "on-net" else None for _, end, *_ in calls
            ],
            "started_at": [start for *_, start, _ in calls],
            "volume": [volume for *_, volume in calls],
            "normalised_number": ["4930123456"] * len(calls),
            "destination_number": ["030123456"] * len(calls),
            "account_code": [""] * len(calls),
            "caller_number": [""] * len(calls),
            "trunk": [""] * len(calls),
            "caller_ip": [""] * len(calls),
        },
        schema_overrides=dict.fromkeys(
            ("customer_id", "vendor_id", "terminating_customer_id"), pl.Int64
        ),
    )


class TestLegsOfABatch:
    @given(batches())
    def test_are_those_of_the_rule_for_each_xdr(self, batch: Batch) -> None:
        legs, _, _ = batch.run()

        for row, xdr in enumerate(batch.xdrs.iter_rows(named=True)):
            mine = np.flatnonzero(legs.row == row)
            resellers = [
                (int(legs.payer_id[i]), int(legs.payee_id[i]), int(legs.table_id[i]))
                for i in mine
                if legs.charge[i] == Charge.RESELLER
            ]
            assert list(legs.number[mine]) == list(range(1, len(mine) + 1))
            if legs.routing[row] != Routing.ROUTED:
                assert resellers == []
                continue
            called, vendor_id = xdr["terminating_customer_id"], xdr["vendor_id"]
            on_net = called is not None
            branch = called - 200 if on_net else vendor_id - 100
            expected = reseller_payments(
                batch.terms.tree,
                batch.terms.modes[int(xdr["started_at"] >= SWITCH)],
                xdr["customer_id"] - 200,
                Termination(on_net, branch),
            )
            assert resellers == [(p.payer_id, p.payee_id, p.rate_table_id) for p in expected]

    @given(batches())
    def test_leave_margins_that_sum_to_customer_charge_less_vendor_cost(self, batch: Batch) -> None:
        legs, priced, outcome = batch.run()

        margins: dict[tuple[int, int], int] = defaultdict(int)
        retail = vendor_cost = 0
        for i in np.flatnonzero(outcome.stands):
            cost = int(priced.cost[i])
            payer = (int(legs.payer_kind[i]), int(legs.payer_id[i]))
            payee = (int(legs.payee_kind[i]), int(legs.payee_id[i]))
            margins[payer] -= cost
            margins[payee] += cost
            retail += cost if legs.charge[i] == Charge.CUSTOMER else 0
            vendor_cost += cost if legs.charge[i] == Charge.VENDOR else 0

        outside = (Party.CUSTOMER, Party.VENDOR)
        inside = sum(m for (kind, _), m in margins.items() if kind not in outside)
        assert inside == retail - vendor_cost

    @given(batches())
    def test_stand_or_wait_and_say_so_for_every_xdr(self, batch: Batch) -> None:
        legs, _, outcome = batch.run()

        waiting = outcome.suspense
        for row, volume in enumerate(batch.xdrs["volume"]):
            standing = int(outcome.stands[legs.row == row].sum())
            of_row = waiting.filter(pl.col("row") == row)
            whole = of_row["leg_kind"].null_count()
            if volume == 0:
                assert (outcome.result[row], standing, len(of_row)) == (Result.ZERO, 0, 0)
            elif whole:
                assert (outcome.result[row], standing, len(of_row)) == (Result.SUSPENDED, 0, 1)
            else:
                assert standing + len(of_row) == int((legs.row == row).sum())
                rated = Result.RATED if standing else Result.SUSPENDED
                assert outcome.result[row] == rated
