from dataclasses import replace

from catalogue.rules.allowance_differences import (
    AllowanceDifference,
    AllowanceKey,
    allowance_differences,
)
from catalogue.rules.allowances import Allowance
from catalogue.rules.differences import DifferenceKind, FieldChange

EUROPE = Allowance(name="Europe", usage_product_id=9, volume=6_000)
WORLD = Allowance(name="World", usage_product_id=9, volume=600, priority=2)


class TestAllowanceDifferences:
    def test_name_what_was_added_removed_and_changed(self) -> None:
        larger = replace(EUROPE, volume=12_000, destinations=("49",))
        older = {AllowanceKey(1, "EUR", "europe"): EUROPE, AllowanceKey(2, "EUR", "world"): WORLD}
        newer = {AllowanceKey(1, "EUR", "europe"): larger, AllowanceKey(1, "USD", "world"): WORLD}

        assert allowance_differences(older, newer) == (
            AllowanceDifference(
                1,
                "EUR",
                DifferenceKind.CHANGED,
                EUROPE,
                larger,
                (FieldChange("volume", 6_000, 12_000), FieldChange("destinations", (), ("49",))),
            ),
            AllowanceDifference(1, "USD", DifferenceKind.ADDED, None, WORLD),
            AllowanceDifference(2, "EUR", DifferenceKind.REMOVED, WORLD, None),
        )

    def test_are_none_between_equal_versions(self) -> None:
        version = {AllowanceKey(1, "EUR", "europe"): EUROPE}

        assert allowance_differences(version, dict(version)) == ()
