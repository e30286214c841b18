from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.rules.allowances import (
    DESTINATIONS_LIMIT,
    PRIORITY_LIMIT,
    VOLUME_LIMIT,
    Allowance,
    AllowanceRefused,
    check_allowance,
    parse_destinations,
    written_destinations,
)
from catalogue.rules.prefixes import PrefixNotUnderstood

HUNDRED_MINUTES = Allowance(name="Europe 100", usage_product_id=1, volume=6_000)
PREFIXES = st.sets(st.from_regex(r"\A[0-9]{1,5}\Z"), min_size=1, max_size=40)


class TestCheckAllowance:
    @pytest.mark.parametrize("item_kind", ["RECURRING", "VOICE", "METERED"])
    @pytest.mark.parametrize("usage_kind", ["VOICE", "METERED"])
    def test_accepts_usage_that_is_included_by_the_month(
        self, item_kind: str, usage_kind: str
    ) -> None:
        check_allowance(item_kind, usage_kind, HUNDRED_MINUTES)

    @pytest.mark.parametrize(
        ("item_kind", "usage_kind", "changes", "field"),
        [
            ("RECURRING", "VOICE", {"name": " "}, "name"),
            ("RECURRING", "RECURRING", {}, "usage_product"),
            ("RECURRING", "", {}, "usage_product"),
            ("ONE_TIME", "VOICE", {}, "usage_product"),
            ("RECURRING", "VOICE", {"volume": 0}, "volume"),
            ("RECURRING", "VOICE", {"volume": VOLUME_LIMIT + 1}, "volume"),
            ("RECURRING", "VOICE", {"priority": -1}, "priority"),
            ("RECURRING", "VOICE", {"priority": PRIORITY_LIMIT + 1}, "priority"),
            (
                "RECURRING",
                "VOICE",
                {"destinations": ("49",) * (DESTINATIONS_LIMIT + 1)},
                "destinations",
            ),
        ],
    )
    def test_names_the_field_that_is_wrong(
        self, item_kind: str, usage_kind: str, changes: dict[str, Any], field: str
    ) -> None:
        with pytest.raises(AllowanceRefused) as refusal:
            check_allowance(item_kind, usage_kind, replace(HUNDRED_MINUTES, **changes))

        assert list(refusal.value.by_field) == [field]


class TestDestinations:
    @pytest.mark.parametrize(
        ("cell", "prefixes"),
        [
            ("", ()),
            ("  ", ()),
            ("4930, 44", ("44", "4930")),
            ("440-442,49", ("49", "440", "441", "442")),
            ("44(3,5)1", ("4431", "4451")),
            ("49, 49", ("49",)),
        ],
    )
    def test_are_read_as_rate_files_have_them(self, cell: str, prefixes: tuple[str, ...]) -> None:
        assert parse_destinations(cell) == prefixes

    @pytest.mark.parametrize("cell", ["+49", "49,,44", "49-4", "0000-1999", "Germany"])
    def test_are_refused_where_nobody_can_tell_which_are_meant(self, cell: str) -> None:
        with pytest.raises(PrefixNotUnderstood):
            parse_destinations(cell)

    @given(prefixes=PREFIXES)
    def test_are_written_as_what_stands_for_them(self, prefixes: set[str]) -> None:
        assert set(parse_destinations(written_destinations(prefixes))) == prefixes
