import pytest

from catalogue.rules.rate_headings import (
    detect_decimal_comma,
    find_columns,
    find_header_line,
    headings,
    means_increments,
)
from catalogue.rules.rate_lines import COLUMNS


class TestTheColumns:
    def test_of_an_export_are_all_known_by_name(self) -> None:
        assert find_columns(COLUMNS) == dict(zip(COLUMNS, COLUMNS, strict=True))

    @pytest.mark.parametrize(
        ("names", "expected"),
        [
            (
                ["Country", "Destination", "Dial Codes", "Rate (USD/min)", "Effective Date"],
                {
                    "prefix": "Dial Codes",
                    "destination": "Destination",
                    "rate": "Rate (USD/min)",
                    "effective_from": "Effective Date",
                },
            ),
            (
                ["Code", "Price per min, EUR", "Billing increments", "Valid from", "Valid to"],
                {
                    "prefix": "Code",
                    "rate": "Price per min, EUR",
                    "increments": "Billing increments",
                    "effective_from": "Valid from",
                    "effective_to": "Valid to",
                },
            ),
            (["Something", "Else"], {}),
        ],
    )
    def test_of_vendors_are_known_by_what_they_call_them(
        self, names: list[str], expected: dict[str, str]
    ) -> None:
        assert find_columns(names) == expected

    def test_have_names_of_their_own(self) -> None:
        assert headings([" Code ", "", "Code", "a  b"]) == ["Code", "Column 2", "Code (3)", "a b"]


class TestTheHeaderLine:
    def test_is_found_below_a_letterhead(self) -> None:
        rows = [
            (1, ["Vendor Ltd", ""]),
            (3, ["Rate sheet", "USD"]),
            (5, ["Prefix", "Rate"]),
            (6, ["44", "0.01"]),
        ]

        assert find_header_line(rows) == 5

    def test_is_none_where_the_first_line_is_a_rate(self) -> None:
        assert find_header_line([(1, ["44", "UK", "0.01"]), (2, ["49", "Germany", "0.02"])]) == 0

    def test_is_the_first_where_nothing_is_known(self) -> None:
        assert find_header_line([(1, ["Alpha", "Beta"]), (2, ["44", "0.1"])]) == 1

    def test_is_none_of_nothing(self) -> None:
        assert find_header_line([]) == 0


class TestTheCells:
    @pytest.mark.parametrize(
        ("texts", "expected"),
        [
            (["0,0125", "1", "-0,5"], True),
            (["0.0125", "1"], False),
            (["0,0125", "0.5"], False),
            ([], False),
        ],
    )
    def test_have_a_decimal_comma_where_no_point_is(self, texts: list[str], expected: bool) -> None:
        assert detect_decimal_comma(texts) is expected

    def test_hold_increments_in_one(self) -> None:
        assert means_increments(["60/30", "", "1/1/0"])
        assert not means_increments(["60", "1/1"])
        assert not means_increments([""])
