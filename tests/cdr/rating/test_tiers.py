"""Columns of legs that tiers price, held to the plain rule."""

from decimal import Decimal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from catalogue.rules.tier_prices import price_of_total
from catalogue.rules.tiers import Tiers, parse_tiers
from cdr.rating.prices import PricedLegs
from cdr.rating.scale import to_scaled
from cdr.rating.tiers import (
    TOTAL_LIMIT,
    TieredLegs,
    TierTable,
    compile_tiers,
    price_tiered,
)
from cdr.rules.cost import Reason
from tests.catalogue.rules.tier_strategies import UNITS, tiers


def nothing_priced(count: int) -> PricedLegs:
    return PricedLegs(
        rate_index=np.full(count, -1, np.int32),
        destination=np.full(count, -1, np.int32),
        rate_id=np.full(count, -1, np.int64),
        billed=np.zeros(count, np.int64),
        cost=np.zeros(count, np.int64),
        additive_cost=np.zeros(count, np.int64),
        reason=np.full(count, Reason.UNRATED, np.uint8),
        total_before=np.zeros(count, np.int64),
    )


def table(at: Tiers, units: int = 1) -> TierTable:
    return TierTable(-1, "Storage", "EUR", None, tiers=compile_tiers(at, units), codes=["storage"])


def priced(at: Tiers, volumes: list[int], before: int = 0, units: int = 1) -> PricedLegs:
    found = nothing_priced(len(volumes))
    legs = TieredLegs(
        member=np.arange(len(volumes)),
        total=np.zeros(len(volumes), np.int64),
        volume=np.array(volumes, np.int64),
        destination=np.zeros(len(volumes), np.int32),
    )
    price_tiered(legs, found, tables=[table(at, units)], before=[before])
    return found


class TestCompiledTiers:
    @given(tiers(), UNITS, st.lists(st.integers(0, 10**15) | st.integers(0, 2000), min_size=1))
    def test_price_as_the_plain_rule_does(self, at: Tiers, units: int, totals: list[int]) -> None:
        found = compile_tiers(at, units).price(np.array(totals, np.int64))

        assert found.tolist() == [to_scaled(price_of_total(at, total, units)) for total in totals]

    def test_stay_exact_beyond_64_bits(self) -> None:
        at = parse_tiers("GRADUATED", "0:9999999999.99999999;1000:9999999999.99999999")

        (found,) = compile_tiers(at, 1).price(np.array([10**15], np.int64)).tolist()

        assert found == 10**15 * 999_999_999_999_999_999


class TestPriceTiered:
    def test_charges_what_each_leg_adds_to_its_own_total(self) -> None:
        at = parse_tiers("GRADUATED", "0:0.10;100:0.05")
        found = nothing_priced(4)
        legs = TieredLegs(
            member=np.array([3, 0, 2, 1]),
            total=np.array([0, 0, 1, 1]),
            volume=np.array([60, 60, 10, 10]),
            destination=np.array([0, 0, 0, 0], np.int32),
        )

        price_tiered(legs, found, tables=[table(at)] * 2, before=[0, 100])

        assert [Decimal(int(cost)).scaleb(-8) for cost in found.cost] == [
            Decimal("5.00"),
            Decimal("0.50"),
            Decimal("0.50"),
            Decimal("6.00"),
        ]
        assert found.total_before.tolist() == [60, 110, 100, 0]
        assert found.billed.tolist() == [60, 10, 10, 60]
        assert set(found.reason.tolist()) == {Reason.RATED}

    def test_gives_back_where_all_units_become_cheaper(self) -> None:
        found = priced(parse_tiers("VOLUME", "0:0.10;100:0.05"), [100, 1])

        assert [Decimal(int(cost)).scaleb(-8) for cost in found.cost] == [10, Decimal("-4.95")]

    def test_leaves_out_of_the_total_what_is_too_dear_to_be_stored(self) -> None:
        found = priced(parse_tiers("GRADUATED", "0:1"), [5, 10**11, 7])

        assert found.reason.tolist() == [Reason.RATED, Reason.OVERFLOW, Reason.RATED]
        assert found.total_before.tolist() == [0, 0, 5]
        assert found.billed.tolist() == [5, 0, 7]

    def test_refuses_a_total_beyond_its_limit(self) -> None:
        found = priced(parse_tiers("GRADUATED", "0:0"), [10, 20], before=TOTAL_LIMIT - 20)

        assert found.reason.tolist() == [Reason.RATED, Reason.OVERFLOW]

    @given(tiers(), UNITS, st.integers(0, 10**9), st.lists(st.integers(1, 10**9), min_size=1))
    def test_charges_of_a_batch_sum_to_the_difference_of_its_totals(
        self, at: Tiers, units: int, before: int, volumes: list[int]
    ) -> None:
        found = priced(at, volumes, before, units)

        stand = found.reason == Reason.RATED
        after = before + int(found.billed[stand].sum())
        difference = price_of_total(at, after, units) - price_of_total(at, before, units)
        assert sum(found.cost[stand].tolist()) == to_scaled(difference)
