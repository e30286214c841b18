from decimal import Decimal

import pytest

from demo.rate_deck import RateDeck, build_rate_deck, zone_of


@pytest.fixture(scope="module")
def deck() -> RateDeck:
    return build_rate_deck("EUR")


class TestBuildRateDeck:
    def test_has_thousands_of_unique_e164_prefixes_in_order(self, deck: RateDeck) -> None:
        prefixes = [rate.prefix for rate in deck.rates]

        assert deck.currency == "EUR"
        assert len(prefixes) >= 5000
        assert prefixes == sorted(set(prefixes))
        assert all(prefix.isascii() and prefix.isdigit() for prefix in prefixes)
        assert all(1 <= len(prefix) <= 15 for prefix in prefixes)

    def test_is_always_the_same(self, deck: RateDeck) -> None:
        assert build_rate_deck("EUR") == deck

    @pytest.mark.parametrize(
        ("prefix", "destination", "mobile"),
        [
            ("49", "Germany", False),
            ("4930", "Germany", False),
            ("49172", "Germany, mobile", True),
            ("4420", "United Kingdom", False),
            ("1416", "Canada", False),
            ("1212", "United States", False),
            ("1876", "Jamaica", False),
            ("383", "Kosovo", False),
        ],
    )
    def test_names_real_destinations(
        self, deck: RateDeck, prefix: str, destination: str, mobile: bool
    ) -> None:
        (found,) = (rate for rate in deck.rates if rate.prefix == prefix)

        assert (found.destination, found.mobile) == (destination, mobile)

    def test_covers_every_country_and_no_satellite_network(self, deck: RateDeck) -> None:
        prefixes = {rate.prefix for rate in deck.rates}

        assert {"1", "7", "20", "33", "44", "49", "61", "86", "852", "998"} <= prefixes
        assert not any("8816123456".startswith(prefix) for prefix in prefixes)

    def test_prices_every_destination_once_and_plausibly(self, deck: RateDeck) -> None:
        prices: dict[str, set[Decimal]] = {}
        for rate in deck.rates:
            prices.setdefault(rate.destination, set()).add(rate.rate)

        assert {len(found) for found in prices.values()} == {1}
        assert Decimal("0.004") <= min(rate.rate for rate in deck.rates)
        assert max(rate.rate for rate in deck.rates) <= Decimal("0.9")

    def test_bills_by_the_second_or_by_the_minute(self, deck: RateDeck) -> None:
        steps = {(rate.minimum, rate.increment) for rate in deck.rates}

        assert steps == {(1, 1), (60, 60)}


class TestScaled:
    def test_multiplies_every_rate_exactly(self, deck: RateDeck) -> None:
        wholesale = deck.scaled(Decimal("0.7125"))

        assert wholesale.currency == "EUR"
        assert [rate.prefix for rate in wholesale.rates] == [rate.prefix for rate in deck.rates]
        assert all(
            after.rate == before.rate * Decimal("0.7125")
            for before, after in zip(deck.rates, wholesale.rates, strict=True)
        )

    def test_refuses_more_than_eight_decimals(self, deck: RateDeck) -> None:
        with pytest.raises(ValueError, match="needs 9 decimals"):
            deck.scaled(Decimal("0.71251"))


class TestZoneOf:
    @pytest.mark.parametrize(
        ("calling_code", "name"),
        [
            ("1", "North America"),
            ("49", "Western Europe"),
            ("351", "Western Europe"),
            ("380", "Eastern Europe"),
            ("679", "Pacific islands"),
            ("65", "East Asia and Australia"),
            ("254", "Africa"),
        ],
    )
    def test_finds_the_region_of_the_world(self, calling_code: str, name: str) -> None:
        assert zone_of(calling_code).name == name
