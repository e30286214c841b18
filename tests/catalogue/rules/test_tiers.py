"""Tiers as they are written, and what is refused."""

from decimal import Decimal

import pytest

from catalogue.rules.tiers import Tier, TierModel, Tiers, TiersRefused, parse_tiers


class TestParseTiers:
    def test_reads_lines_and_what_it_writes_itself(self) -> None:
        tiers = parse_tiers("GRADUATED", "0 0.10\n\n 1000: 0.08 + 5 \n10000 0\n")

        assert tiers.rows == (
            Tier(0, Decimal("0.10")),
            Tier(1000, Decimal("0.08"), Decimal(5)),
            Tier(10000, Decimal(0)),
        )
        assert str(tiers) == "0:0.1;1000:0.08+5;10000:0"
        assert parse_tiers("GRADUATED", str(tiers)) == tiers

    def test_reads_packages_with_their_size(self) -> None:
        tiers = parse_tiers("PACKAGE", "0:5;1000:4", 100)

        assert (tiers.model, tiers.package_units) == (TierModel.PACKAGE, 100)

    @pytest.mark.parametrize(
        ("model", "text", "package_units", "why"),
        [
            ("GRADUATED", "", None, "1 to 50 tiers, not 0"),
            ("GRADUATED", ";".join(f"{n}:1" for n in range(51)), None, "not 51"),
            ("GRADUATED", "1:0.1", None, "begins at 0"),
            ("GRADUATED", "0:0.1;10:0.2;10:0.3", None, "after the one before"),
            ("GRADUATED", "0:0.1;10:0.2;5:0.3", None, "after the one before"),
            ("GRADUATED", "0:0.1;ten:0.2", None, "Line 2, 'ten:0.2', is not understood"),
            ("GRADUATED", "0:-1", None, "is not understood"),
            ("GRADUATED", "0:0.123456789", None, "is not understood"),
            ("GRADUATED", "0:99999999999", None, "is not understood"),
            ("GRADUATED", "0:1", 10, "Only packages have a size"),
            ("PACKAGE", "0:1", None, "how many units a package has"),
            ("PACKAGE", "0:1;150:1", 100, "150 is no multiple of 100"),
            ("STEPPED", "0:0+5;100:1+9", None, "flat amount and nothing a unit"),
            ("CHEAPEST", "0:1", None, "Choose how the tiers are applied"),
        ],
    )
    def test_refuses(self, model: str, text: str, package_units: int | None, why: str) -> None:
        with pytest.raises(TiersRefused, match=why):
            parse_tiers(model, text, package_units)


class TestTiers:
    @pytest.mark.parametrize(
        "row",
        [
            Tier(0, Decimal("-0.01")),
            Tier(0, Decimal("NaN")),
            Tier(0, Decimal(10**10)),
            Tier(0, Decimal("0.000000001")),
            Tier(0, Decimal(0), Decimal("-5")),
        ],
    )
    def test_refuses_what_is_no_price(self, row: Tier) -> None:
        with pytest.raises(TiersRefused):
            Tiers(TierModel.GRADUATED, (row,))
