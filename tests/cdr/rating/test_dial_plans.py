import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdr.rating.dial_plans import DialPlan, normalise

GERMANY = DialPlan(country_prefix="49")
NORTH_AMERICA = DialPlan(
    country_prefix="1", international_prefix="011", trunk_prefix=None, national_digits=10
)


def normalise_one(dialled: str | None, plan: DialPlan) -> str | None:
    number: str | None = normalise(pl.Series([dialled], dtype=pl.String), plan=plan)["number"][0]
    return number


class TestNumber:
    @pytest.mark.parametrize(
        "dialled",
        [
            "+49301234567",
            "0049301234567",
            "49301234567",
            "0301234567",
            " 030/123 45-67 ",
            "+49 (0) 30 1234567",
            "0049(0)301234567",
            "(030) 123.4567",
        ],
    )
    def test_is_the_same_however_it_was_dialled(self, dialled: str) -> None:
        assert normalise_one(dialled, GERMANY) == "49301234567"

    @pytest.mark.parametrize(
        "dialled",
        [
            None,
            "",
            "+",
            "00",
            "alice",
            "alice1234567",
            "1001",
            "112",
            "000123456789",
            "*21#",
            "٤٩٣٠١٢٣",
        ],
    )
    def test_is_null_for_what_is_no_e164_number(self, dialled: str | None) -> None:
        assert normalise_one(dialled, GERMANY) is None

    def test_has_seven_to_fifteen_digits(self) -> None:
        assert normalise_one("+123456", GERMANY) is None
        assert normalise_one("+1234567", GERMANY) == "1234567"
        assert normalise_one("+123456789012345", GERMANY) == "123456789012345"
        assert normalise_one("+1234567890123456", GERMANY) is None

    def test_may_be_a_short_code_where_the_plan_says_so(self) -> None:
        assert normalise_one("112", DialPlan(country_prefix="49", minimum_digits=3)) == "112"

    def test_is_null_for_a_national_number_of_an_unknown_country(self) -> None:
        assert normalise_one("0301234567", DialPlan()) is None
        assert normalise_one("+49301234567", DialPlan()) == "49301234567"

    @pytest.mark.parametrize(
        ("dialled", "number"),
        [
            ("2125550123", "12125550123"),
            ("12125550123", "12125550123"),
            ("01149301234567", "49301234567"),
            ("49301234567", "49301234567"),
            ("0301234567", "10301234567"),
        ],
    )
    def test_follows_a_plan_without_trunk_prefix(self, dialled: str, number: str) -> None:
        assert normalise_one(dialled, NORTH_AMERICA) == number

    def test_gets_the_country_of_its_row_or_else_of_the_plan(self) -> None:
        dialled = pl.Series(["0301234567", "0441234567", "+33123456789"])
        countries = pl.Series([None, "41", "41"], dtype=pl.String)

        found = normalise(dialled, plan=GERMANY, country_prefixes=countries)

        assert found["number"].to_list() == ["49301234567", "41441234567", "33123456789"]

    @given(st.text(), st.sampled_from([GERMANY, NORTH_AMERICA, DialPlan()]))
    def test_is_digits_or_null_and_stable(self, dialled: str, plan: DialPlan) -> None:
        number = normalise_one(dialled, plan)

        if number is not None:
            assert number.isascii()
            assert number.isdigit()
            assert 7 <= len(number) <= 15
            assert normalise_one(f"+{number}", plan) == number


class TestTrunk:
    def test_is_named_by_the_longest_tech_prefix_which_is_taken_off(self) -> None:
        dialled = pl.Series(["901149301234567", "9011#49301234567", "49301234567", None, "alice"])

        found = normalise(dialled, plan=GERMANY, tech_prefixes={"9011#": 2, "9011": 1})

        assert found.rows() == [
            ("49301234567", 1),
            ("49301234567", 2),
            ("49301234567", None),
            (None, None),
            (None, None),
        ]
        assert found.schema == {"number": pl.String, "trunk": pl.Int64}

    def test_is_told_apart_from_a_number_in_international_form(self) -> None:
        dialled = pl.Series(["+901149301234567", "9011+49301234567", "90110301234567"])

        found = normalise(dialled, plan=GERMANY, tech_prefixes={"9011": 1})

        assert found.rows() == [
            ("901149301234567", None),
            ("49301234567", 1),
            ("49301234567", 1),
        ]

    def test_is_null_for_every_row_without_tech_prefixes(self) -> None:
        found = normalise(pl.Series(["901149301234567"]), plan=GERMANY)

        assert found.rows() == [("901149301234567", None)]
