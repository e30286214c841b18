from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.rules.items import (
    FactorRefused,
    ItemRefused,
    MeteringUnavailable,
    PriceNeeded,
    PriceNotExact,
    PricePeriodRefused,
    RateTableNeeded,
    Terms,
    TiersNeeded,
    check_terms,
    multiplied,
    multiplied_tiers,
)
from catalogue.rules.tiers import TiersRefused, parse_tiers

MONTHLY = Terms(currency="EUR", price=Decimal("21.6"), price_period="MONTH")
ONCE = Terms(currency="EUR", price=Decimal(50))
VOICE = Terms(currency="EUR", rate_table_id=7)
TIERED = Terms(currency="EUR", tier_model="GRADUATED", tiers="0:0.10;100:0.05")


class TestCheckTerms:
    @pytest.mark.parametrize(
        ("kind", "terms"),
        [
            ("RECURRING", MONTHLY),
            ("RECURRING", replace(MONTHLY, price_period="QUARTER", entry_proration=True)),
            ("RECURRING", replace(MONTHLY, price_period="YEAR", exit_proration=True)),
            ("RECURRING", replace(MONTHLY, price=Decimal(0))),
            ("ONE_TIME", ONCE),
            ("VOICE", VOICE),
            ("METERED", TIERED),
        ],
    )
    def test_accepts_what_each_kind_is_sold_at(self, kind: str, terms: Terms) -> None:
        check_terms(kind, terms)

    @pytest.mark.parametrize(
        ("kind", "terms", "refusal"),
        [
            ("RECURRING", VOICE, PriceNeeded),
            ("RECURRING", replace(MONTHLY, rate_table_id=7), PriceNeeded),
            ("RECURRING", replace(MONTHLY, price=Decimal(-1)), PriceNeeded),
            ("RECURRING", replace(MONTHLY, price=Decimal("NaN")), PriceNeeded),
            ("RECURRING", replace(MONTHLY, price=Decimal(10) ** 10), PriceNeeded),
            ("RECURRING", replace(MONTHLY, price=Decimal("1.123456789")), PriceNotExact),
            ("RECURRING", ONCE, PricePeriodRefused),
            ("RECURRING", replace(MONTHLY, price_period="WEEK"), PricePeriodRefused),
            ("RECURRING", replace(MONTHLY, price_period="HOUR"), MeteringUnavailable),
            ("RECURRING", replace(MONTHLY, currency="eur"), ItemRefused),
            ("ONE_TIME", VOICE, PriceNeeded),
            ("ONE_TIME", MONTHLY, PricePeriodRefused),
            ("ONE_TIME", replace(ONCE, entry_proration=True), PricePeriodRefused),
            ("VOICE", ONCE, RateTableNeeded),
            ("VOICE", replace(VOICE, price=Decimal(1)), RateTableNeeded),
            ("VOICE", replace(VOICE, price_period="MONTH"), RateTableNeeded),
            ("VOICE", replace(VOICE, exit_proration=True), PricePeriodRefused),
            ("METERED", ONCE, TiersNeeded),
            ("METERED", replace(TIERED, price=Decimal(1)), TiersNeeded),
            ("METERED", replace(TIERED, rate_table_id=7), TiersNeeded),
            ("METERED", replace(TIERED, price_period="MONTH"), PricePeriodRefused),
            ("VOICE", replace(VOICE, tier_model="VOLUME", tiers="0:1"), TiersNeeded),
            ("ONE_TIME", replace(ONCE, package_units=5), TiersNeeded),
        ],
    )
    def test_refuses_what_it_is_not(
        self, kind: str, terms: Terms, refusal: type[ItemRefused]
    ) -> None:
        with pytest.raises(ItemRefused) as caught:
            check_terms(kind, terms)

        assert type(caught.value) is refusal

    def test_refuses_tiers_that_are_none(self) -> None:
        with pytest.raises(TiersRefused, match="begins at 0"):
            check_terms("METERED", replace(TIERED, tiers="1:0.10"))


class TestMultipliedTiers:
    def test_multiplies_prices_and_flat_amounts_exactly(self) -> None:
        tiers = parse_tiers("PACKAGE", "0:0.10;100:0.05+2", 10)

        found = multiplied_tiers(tiers, Decimal("1.15"))

        assert str(found) == "0:0.115;100:0.0575+2.3"
        assert (found.model, found.package_units) == (tiers.model, 10)

    def test_refuses_to_lose_digits(self) -> None:
        with pytest.raises(PriceNotExact):
            multiplied_tiers(parse_tiers("GRADUATED", "0:0.12345678"), Decimal("0.9"))


class TestMultiplied:
    @pytest.mark.parametrize(
        ("price", "factor", "expected"),
        [("20", "1.15", "23"), ("9.99", "1.15", "11.4885"), ("21.6", "0.9", "19.44")],
    )
    def test_is_exact(self, price: str, factor: str, expected: str) -> None:
        assert multiplied(Decimal(price), Decimal(factor)) == Decimal(expected)

    @pytest.mark.parametrize("factor", ["0", "-1", "NaN", "Infinity"])
    def test_refuses_what_is_not_positive(self, factor: str) -> None:
        with pytest.raises(FactorRefused):
            multiplied(Decimal(20), Decimal(factor))

    @pytest.mark.parametrize(
        ("price", "factor"),
        [
            ("1.12345678", "0.9"),
            ("9999999999", "1.1"),
            # 36 digits: a context of 28 would have rounded them away.
            ("9999999.99999999", "1.00000000000000000000001"),
        ],
    )
    def test_refuses_to_lose_digits(self, price: str, factor: str) -> None:
        with pytest.raises(PriceNotExact):
            multiplied(Decimal(price), Decimal(factor))

    @given(
        cents=st.integers(min_value=0, max_value=10**9),
        factor=st.decimals(min_value="0.001", max_value=10, places=3),
    )
    def test_of_cents_by_three_decimals_divides_back_to_the_price(
        self, cents: int, factor: Decimal
    ) -> None:
        price = Decimal(cents).scaleb(-2)

        assert multiplied(price, factor) / factor == price
