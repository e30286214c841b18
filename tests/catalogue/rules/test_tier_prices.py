"""What a month's total costs: the worked table of docs/rating.md, and laws that always hold."""

import random
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.rules.tier_prices import price_of_total, shares_of, tier_reached
from catalogue.rules.tiers import Tier, TierModel, Tiers, parse_tiers
from tests.catalogue.rules.tier_strategies import UNITS, tiers

PAGE = Path(__file__).resolve().parents[3] / "docs" / "rating.md"
HEADER = "| model | tiers | a package has | units used | tier reached | the month costs |"


def worked_rows() -> list[list[str]]:
    lines = PAGE.read_text().splitlines()
    first = lines.index(HEADER) + 2
    rows: list[list[str]] = []
    for line in lines[first:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().strip("`") for cell in line.strip("|").split("|")])
    return rows


@pytest.mark.parametrize(
    ("model", "written", "package", "used", "reached", "price"),
    worked_rows(),
    ids=lambda cell: cell,
)
def test_the_worked_row_holds(
    model: str, written: str, package: str, used: str, reached: str, price: str
) -> None:
    table = parse_tiers(model.upper(), written, int(package) if package else None)
    volume = int(Decimal(used) * 1000)

    found = tier_reached(table, volume, 1000)

    assert price_of_total(table, volume, 1000) == Decimal(price)
    assert ("" if found is None else str(found.from_units)) == reached


def test_the_worked_table_is_not_empty() -> None:
    assert len(worked_rows()) > 20


class TestPriceOfTotal:
    @given(tiers(), UNITS)
    def test_is_nothing_of_nothing(self, table: Tiers, units: int) -> None:
        assert price_of_total(table, 0, units) == 0
        assert tier_reached(table, 0, units) is None

    @given(
        tiers((TierModel.GRADUATED, TierModel.PACKAGE)),
        UNITS,
        st.integers(0, 10**13),
        st.integers(0, 10**13),
    )
    def test_never_falls_with_usage(self, table: Tiers, units: int, one: int, more: int) -> None:
        assert price_of_total(table, one, units) <= price_of_total(table, one + more, units)

    @given(st.lists(st.integers(0, 10**6), min_size=1, max_size=6), UNITS, st.data())
    def test_never_falls_with_steps_that_rise(
        self, amounts: list[int], units: int, data: st.DataObject
    ) -> None:
        rows = [Tier(n * 10, Decimal(0), Decimal(a)) for n, a in enumerate(sorted(amounts))]
        table = Tiers(TierModel.STEPPED, tuple(rows))
        one, other = sorted(data.draw(st.tuples(st.integers(0, 10**4), st.integers(0, 10**4))))

        assert price_of_total(table, one, units) <= price_of_total(table, other, units)

    @given(tiers(), UNITS, st.lists(st.integers(1, 10**6), max_size=12), st.randoms())
    def test_is_what_single_charges_sum_to_in_any_order(
        self, table: Tiers, units: int, volumes: list[int], shuffled: random.Random
    ) -> None:
        shuffled.shuffle(volumes)
        total, charges = 0, []
        for volume in volumes:
            before = price_of_total(table, total, units)
            total += volume
            charges.append(price_of_total(table, total, units) - before)

        assert sum(charges, Decimal(0)) == price_of_total(table, sum(volumes), units)

    @given(tiers(), UNITS, st.integers(1, 10**9))
    def test_is_what_its_shares_come_to(self, table: Tiers, units: int, volume: int) -> None:
        shares = shares_of(table, volume, units)
        exact = sum((share.undivided for share in shares), Decimal(0)) / shares[0].per

        assert abs(price_of_total(table, volume, units) - exact) <= Decimal("0.000000005")

    def test_rounds_half_up_once(self) -> None:
        table = parse_tiers("GRADUATED", "0:0.00000003")

        assert price_of_total(table, 50, 60) == Decimal("0.00000003")
        assert price_of_total(table, 49, 60) == Decimal("0.00000002")
