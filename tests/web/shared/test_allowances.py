from typing import Any

import pytest

from catalogue.models import CatalogueVersionItemAllowance, Product
from web.shared.allowances import destinations_text, included_text


def included(quantity: int = 1, **fields: Any) -> str:
    values = {"name": "Europe", "volume": 6_000, "sharing": "SHARED"}
    usage = Product(name="Calls", volume_unit="second")
    return included_text(
        CatalogueVersionItemAllowance(usage_product=usage, **values | fields), quantity
    )


class TestIncludedText:
    @pytest.mark.parametrize(
        ("fields", "text"),
        [
            ({}, "Europe: 100 min of Calls a month"),
            ({"quantity": 3}, "Europe: 300 min of Calls a month"),
            ({"destinations": ["49"]}, "Europe: 100 min of Calls a month to 49"),
            ({"sharing": "OWN"}, "Europe: 100 min of Calls a month, for its own numbers"),
            (
                {"sharing": "POOLED", "rolls_over": True},
                "Europe: 100 min of Calls a month; what is left rolls over once",
            ),
        ],
    )
    def test_says_what_customers_get(self, fields: dict[str, Any], text: str) -> None:
        assert included(**fields) == text


class TestDestinationsText:
    @pytest.mark.parametrize(
        ("prefixes", "text"),
        [
            ([], "all"),
            (["440", "441", "442", "49"], "49, 440-442"),
            ([str(prefix) for prefix in range(1, 20, 2)], "1, 3, 5, 7, 9, 11 and 4 more"),
        ],
    )
    def test_names_the_first_few(self, prefixes: list[str], text: str) -> None:
        assert destinations_text(prefixes) == text
