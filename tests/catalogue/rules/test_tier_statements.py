"""Tier by tier, the price of a month's total."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.rules.tier_prices import price_of_total
from catalogue.rules.tier_statements import tier_rows
from catalogue.rules.tiers import Tiers, parse_tiers
from tests.catalogue.rules.tier_strategies import tiers


class TestTierRows:
    @pytest.mark.parametrize(
        ("model", "written", "package", "megabytes", "rows"),
        [
            (
                "GRADUATED",
                "0:0.10;100:0.05+2",
                None,
                120_500,
                [
                    ("up to 100 GB", "100 GB", "0.1 a GB", "10"),
                    ("beyond 100 GB", "20.5 GB", "0.05 a GB and 2", "3.025"),
                ],
            ),
            ("GRADUATED", "0:0.10", None, 1_000, [("any volume", "1 GB", "0.1 a GB", "0.1")]),
            (
                "VOLUME",
                "0:0.10;100:0.05",
                None,
                120_000,
                [("a month beyond 100 GB", "120 GB", "0.05 a GB", "6")],
            ),
            (
                "PACKAGE",
                "0:5;300:4",
                100,
                301_000,
                [
                    ("up to 300 GB", "3 packages", "5 per 100 GB begun", "15"),
                    ("beyond 300 GB", "1 package", "4 per 100 GB begun", "4"),
                ],
            ),
            (
                "STEPPED",
                "0:0+10;100:0+18",
                None,
                5_000,
                [("a month up to 100 GB", "5 GB", "10", "10")],
            ),
            ("GRADUATED", "0:0.10", None, 0, []),
        ],
    )
    def test_say_what_each_tier_prices(
        self,
        model: str,
        written: str,
        package: int | None,
        megabytes: int,
        rows: list[tuple[str, ...]],
    ) -> None:
        found = tier_rows(parse_tiers(model, written, package), megabytes, "GB", "MB")

        assert [(row.text, row.quantity, row.price) for row in found] == [row[:3] for row in rows]
        assert [row.amount for row in found] == [Decimal(row[3]) for row in rows]

    @given(table=tiers(), volume=st.integers(0, 10**9))
    def test_sum_to_the_price_of_the_total(self, table: Tiers, volume: int) -> None:
        rows = tier_rows(table, volume, "GB", "MB")

        assert sum((row.amount for row in rows), Decimal(0)) == price_of_total(table, volume, 1000)
