"""Reading rate files and comparing them with the rates in force."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from catalogue.rules.rate_files import (
    FileLine,
    RateFileUnreadable,
    RowClass,
    StoredRate,
    plan_rows,
    read_rate_file,
)
from catalogue.rules.rate_terms import RateTerms

BERLIN = ZoneInfo("Europe/Berlin")
JANUARY = datetime(2026, 1, 1, tzinfo=UTC)
JUNE = datetime(2026, 6, 1, tzinfo=UTC)
STORED = RateTerms(
    prefix="49", rate=Decimal("0.05"), effective_from=JANUARY, destination="Germany", minimum=60
)


def read(text: str) -> list[FileLine]:
    return read_rate_file(text, zone=BERLIN, default_start=JUNE)


def planned(terms: RateTerms, *stored: RateTerms) -> tuple[RowClass, int | None]:
    rates = [StoredRate(pk, each) for pk, each in enumerate(stored or (STORED,), start=1)]
    (row,) = plan_rows([FileLine(2, terms.prefix, terms)], rates)
    return row.row_class, row.replaces


class TestReading:
    def test_takes_what_a_line_says_and_the_default_for_the_rest(self) -> None:
        (line,) = read(
            "\ufeffPrefix,Rate,Effective_From,Minimum,Destination\r\n"
            '49,0.0125,2026-07-01,60,"Germany, fixed"\r\n'
        )

        assert line.terms == RateTerms(
            prefix="49",
            rate=Decimal("0.0125"),
            effective_from=datetime(2026, 7, 1, tzinfo=BERLIN),
            minimum=60,
            destination="Germany, fixed",
        )
        (line,) = read("prefix,rate\n,0\n")
        assert line.terms == RateTerms(prefix="", rate=Decimal(0), effective_from=JUNE)

    @pytest.mark.parametrize(
        ("cells", "column", "why"),
        [
            ("49,abc,,", "rate", "'abc' is not a number"),
            ("49,,,", "rate", "'' is not a number"),
            ("4x,1,,", "prefix", "a prefix is up to 15 digits"),
            ("49,1,1.5,", "minimum", "'1.5' is not a whole number"),
            ("49,1,0,", "minimum", "a volume is from 1"),
            ("49,1,,soon", "effective_from", "'soon' is not a time"),
            ("49,0.000000001,,", "rate", "at most 8 decimals"),
            ("49,1", "", "2 cells where the header has 4"),
        ],
    )
    def test_names_line_and_column_of_what_is_wrong(
        self, cells: str, column: str, why: str
    ) -> None:
        right, wrong = read(f"prefix,rate,minimum,effective_from\n1,1,,\n\n{cells}\n")

        assert right.terms is not None
        assert (wrong.number, wrong.terms, wrong.column) == (4, None, column)
        assert why in wrong.error

    def test_refuses_a_second_line_of_the_same_prefix_and_start(self) -> None:
        first, second, third = read("prefix,rate,effective_from\n49,1,\n49,2,\n49,3,2026-07-01\n")

        assert first.terms is not None
        assert third.terms is not None
        assert (second.column, second.error) == ("prefix", "line 2 has the same prefix and start")

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("", "The file is empty"),
            ("prefix,rate\n", "no lines"),
            ("prefix\n49\n", "lacks the column 'rate'"),
            ("prefix,rate,colour\n49,1,red\n", "a column 'colour'"),
            ("prefix,rate,rate\n49,1,1\n", "'rate' twice"),
            ('prefix,rate\n"49,1\n', "is not CSV"),
        ],
    )
    def test_refuses_what_is_no_file_of_rates(self, text: str, why: str) -> None:
        with pytest.raises(RateFileUnreadable, match=why):
            read(text)


class TestComparing:
    def test_tells_what_becomes_of_the_rate_in_force(self) -> None:
        later = replace(STORED, effective_from=JUNE)

        assert planned(replace(later, rate=Decimal("0.06"))) == (RowClass.INCREASED, None)
        assert planned(replace(later, rate=Decimal("0.04"))) == (RowClass.DECREASED, None)
        assert planned(replace(later, minimum=1)) == (RowClass.CHANGED, None)
        assert planned(later) == (RowClass.UNCHANGED, None)
        assert planned(replace(later, destination="")) == (RowClass.UNCHANGED, None)
        assert planned(replace(later, prefix="44")) == (RowClass.NEW, None)

    def test_replaces_the_rate_of_the_same_start(self) -> None:
        assert planned(replace(STORED, rate=Decimal("0.06"))) == (RowClass.INCREASED, 1)
        assert planned(STORED)[0] is RowClass.UNCHANGED
        ended = replace(STORED, effective_to=JUNE)
        assert planned(ended) == (RowClass.CHANGED, 1)

    def test_compares_with_the_last_to_start(self) -> None:
        second = replace(STORED, effective_from=JUNE, rate=Decimal("0.08"))

        assert planned(replace(second, rate=Decimal("0.07")), STORED, second) == (
            RowClass.DECREASED,
            2,
        )

    def test_takes_no_notice_of_what_is_not_in_force_then(self) -> None:
        later = replace(STORED, effective_from=JUNE)

        assert planned(later, replace(STORED, effective_to=JUNE)) == (RowClass.NEW, None)
        assert planned(STORED, later) == (RowClass.NEW, None)
        assert planned(later, replace(STORED, tag="vip")) == (RowClass.NEW, None)
        assert planned(later, replace(STORED, status="stashed")) == (RowClass.NEW, None)
