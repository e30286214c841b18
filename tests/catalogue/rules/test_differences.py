from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from catalogue.rules.differences import (
    DifferenceKind,
    FieldChange,
    ItemDifference,
    differences,
)
from catalogue.rules.items import Terms

MONTHLY = Terms(currency="EUR", price=Decimal("21.6"), price_period="MONTH")
PRICES = st.sampled_from([Decimal(1), Decimal(2)])
VERSIONS = st.dictionaries(
    st.tuples(st.integers(1, 4), st.sampled_from(["EUR", "USD"])),
    PRICES.map(lambda price: Terms(currency="EUR", price=price)),
)


class TestDifferences:
    def test_name_what_was_added_removed_and_changed(self) -> None:
        older = {(1, "EUR"): MONTHLY, (2, "EUR"): MONTHLY, (3, "EUR"): MONTHLY}
        newer = {
            (2, "EUR"): replace(MONTHLY, price=Decimal("21.60")),
            (3, "EUR"): replace(MONTHLY, price=Decimal(20), is_available=False),
            (3, "USD"): replace(MONTHLY, currency="USD"),
        }

        assert differences(older, newer) == (
            ItemDifference(1, "EUR", DifferenceKind.REMOVED, MONTHLY, None),
            ItemDifference(
                3,
                "EUR",
                DifferenceKind.CHANGED,
                MONTHLY,
                newer[(3, "EUR")],
                (
                    FieldChange("price", Decimal("21.6"), Decimal(20)),
                    FieldChange("is_available", True, False),
                ),
            ),
            ItemDifference(3, "USD", DifferenceKind.ADDED, None, newer[(3, "USD")]),
        )

    @given(version=VERSIONS)
    def test_are_none_between_equal_versions(self, version: dict[tuple[int, str], Terms]) -> None:
        assert differences(version, dict(version)) == ()

    @given(older=VERSIONS, newer=VERSIONS)
    def test_lead_from_the_older_to_the_newer(
        self, older: dict[tuple[int, str], Terms], newer: dict[tuple[int, str], Terms]
    ) -> None:
        led = dict(older)
        for difference in differences(older, newer):
            key = (difference.product_id, difference.currency)
            match difference.kind:
                case DifferenceKind.REMOVED:
                    del led[key]
                case DifferenceKind.ADDED:
                    assert key not in led
                    led[key] = newer[key]
                case DifferenceKind.CHANGED:
                    changes: dict[str, Any] = {
                        change.field: change.after for change in difference.changes
                    }
                    led[key] = replace(led[key], **changes)

        assert led == newer
