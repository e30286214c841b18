import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.rules.prefixes import parse_prefixes
from catalogue.rules.rate_lines import PrefixLayout, prefix_cells

PREFIXES = st.sets(st.text("0123456789", max_size=4) | st.text("01", max_size=12), max_size=40)


def in_order(prefixes: set[str]) -> list[str]:
    return sorted(prefixes, key=lambda prefix: (len(prefix), prefix))


class TestPrefixCells:
    @pytest.mark.parametrize("layout", PrefixLayout)
    @given(prefixes=PREFIXES)
    def test_stand_for_each_prefix_once(self, layout: PrefixLayout, prefixes: set[str]) -> None:
        cells = list(prefix_cells(in_order(prefixes), layout))

        read = [prefix for cell in cells for prefix in parse_prefixes(cell)]
        assert len(read) == len(prefixes)
        assert set(read) == prefixes

    def test_hold_lists_and_ranges(self) -> None:
        prefixes = ["", "1", "44", "45", "099", "100", "101", "103"]

        assert list(prefix_cells(prefixes, PrefixLayout.ROWS)) == prefixes
        assert list(prefix_cells(prefixes, PrefixLayout.LISTS)) == ["", "1,44,45,099,100,101,103"]
        assert list(prefix_cells(prefixes, PrefixLayout.RANGES)) == ["", "1,44,45,099-101,103"]

    def test_stay_within_what_a_cell_takes(self) -> None:
        many = [f"{number:06}" for number in range(12_000)]

        lists = list(prefix_cells(many, PrefixLayout.LISTS))
        ranges = list(prefix_cells(many, PrefixLayout.RANGES))

        assert max(map(len, lists)) <= 2_010
        assert ranges == ["000000-004999", "005000-009999", "010000-011999"]
        assert [prefix for cell in lists for prefix in parse_prefixes(cell)] == many
