import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.rules.prefixes import MAX_EXPANDED_PREFIXES, PrefixNotUnderstood, parse_prefixes


class TestParsePrefixes:
    @pytest.mark.parametrize(
        ("text", "prefixes"),
        [
            ("44", ["44"]),
            ("", [""]),
            ("  ", [""]),
            ("44301,44303", ["44301", "44303"]),
            ("44301-44303", ["44301", "44302", "44303"]),
            ("443(0-2)1", ["44301", "44311", "44321"]),
            ("443(0,2)1", ["44301", "44321"]),
            ("443(08-10)", ["44308", "44309", "44310"]),
            ("44(1-2)(3,5-6)", ["4413", "4415", "4416", "4423", "4425", "4426"]),
            ("0098-0101", ["0098", "0099", "0100", "0101"]),
            ("7, 44301 - 44302 ,443(0-1)1", ["7", "44301", "44302", "44311"]),
            ("44,44", ["44"]),
        ],
    )
    def test_expands_lists_ranges_and_groups(self, text: str, prefixes: list[str]) -> None:
        assert parse_prefixes(text) == tuple(prefixes)

    @pytest.mark.parametrize(
        "text",
        [
            "44a",
            "+44",
            "44,",
            ",44",
            "44301-443",
            "44303-44301",
            "44301-3",
            "443(0-2",
            "443()1",
            "443(2-0)1",
            "443(0-)1",
            "44(1-2)3-44(1-2)5",
            "4 4",
            "٤٤",
            "1234567890123456",
            "12345678901234(0-9)5",
        ],
    )
    def test_refuses_what_it_does_not_understand(self, text: str) -> None:
        with pytest.raises(PrefixNotUnderstood):
            parse_prefixes(text)

    def test_bounds_how_many_prefixes_a_cell_stands_for(self) -> None:
        assert len(parse_prefixes("10000-19999")) == MAX_EXPANDED_PREFIXES

        for text in ("10000-20000", "1(0-9)(0-9)(0-9)(0-9)(0-9)", "1000-9999,10000-19999"):
            with pytest.raises(PrefixNotUnderstood, match="10000"):
                parse_prefixes(text)

    @given(st.lists(st.text("0123456789", min_size=1, max_size=15), min_size=1, max_size=20))
    def test_returns_every_prefix_of_a_list_once_in_order(self, prefixes: list[str]) -> None:
        assert parse_prefixes(",".join(prefixes)) == tuple(dict.fromkeys(prefixes))

    @given(st.integers(0, 10**6), st.integers(0, 300))
    def test_runs_through_a_range_at_one_width(self, low: int, more: int) -> None:
        text = f"{low:08d}-{low + more:08d}"

        assert [int(prefix) for prefix in parse_prefixes(text)] == list(range(low, low + more + 1))
        assert {len(prefix) for prefix in parse_prefixes(text)} == {8}
