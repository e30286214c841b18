"""Document numbers."""

import pytest

from billing.rules.numbering import format_number, is_pattern


class TestANumber:
    @pytest.mark.parametrize(
        ("pattern", "expected"),
        [
            ("INV-{year}-{number:06}", "INV-2026-000042"),
            ("{number}", "42"),
            ("R {year}/{number:3}", "R 2026/ 42"),
        ],
    )
    def test_is_written_by_the_pattern(self, pattern: str, expected: str) -> None:
        assert format_number(pattern, year=2026, number=42) == expected

    def test_grows_past_its_padding(self) -> None:
        assert format_number("{number:02}", year=2026, number=12345) == "12345"


class TestAPattern:
    @pytest.mark.parametrize(
        "pattern",
        [
            "INV",
            "{year}",
            "{number}{number}",
            "{number.real}",
            "{0}",
            "{number!r}",
            "{number:s}",
            "",
        ],
    )
    def test_is_refused_without_exactly_one_number_or_with_anything_else(
        self, pattern: str
    ) -> None:
        assert not is_pattern(pattern)
