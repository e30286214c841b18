import io
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdr.rating import COST_SCALE
from cdr.rating.csv_calls import LINES_AT_ONCE, OUTPUT_COLUMNS, format_cost, rate_calls
from cdr.rating.csv_cells import CsvRefused
from cdr.rating.csv_rates import Deck, read_deck

CALLS_HEADER = "id,table,started_at,destination_number,volume"
AT = "2026-10-01T12:00:00Z"


def read(text: str) -> Deck:
    return read_deck(io.BytesIO(text.encode()), "RATES.csv")


def rate(rates: str, calls: str) -> list[str]:
    """The lines written for `calls` after the header."""
    output = io.StringIO()
    rate_calls(read(rates), io.BytesIO(calls.encode()), "CALLS.csv", output)
    header, *lines = output.getvalue().splitlines()
    assert header == ",".join(OUTPUT_COLUMNS)
    return lines


def refusal_of_rates(text: str) -> tuple[int, str]:
    with pytest.raises(CsvRefused) as refusal:
        read(text)
    assert str(refusal.value).startswith(f"RATES.csv, line {refusal.value.line}")
    return refusal.value.line, refusal.value.column


def prefixes(deck: Deck) -> list[str]:
    return deck.table("").rates.numbers["prefix"].to_list()


def refusal_of_calls(text: str, rates: str = "prefix,rate\n44,1\n") -> tuple[int, str]:
    with pytest.raises(CsvRefused) as refusal:
        rate(rates, text)
    assert str(refusal.value).startswith(f"CALLS.csv, line {refusal.value.line}")
    return refusal.value.line, refusal.value.column


class TestReadDeck:
    def test_needs_no_more_than_prefix_and_rate(self) -> None:
        deck = read("prefix,rate\n44,0.02\n")

        rate = deck.table("whatever").rates.rate(0)
        assert (rate.prefix, rate.rate, rate.minimum) == ("44", Decimal("0.02"), 1)

    def test_reads_every_column_the_engine_rates(self) -> None:
        deck = read(
            "table,parent,currency,timezone,rounding,decimals,increment_base,boundary,prefix,"
            "destination,effective_from,effective_to,rate,initial_rate,connection_fee,minimum,"
            "increment,grace,steps,min_cost,max_cost,attempt_fee,time_profile,policy,tag,"
            "origin_prefix,min_digits,max_digits,status\n"
            "retail,,EUR,Europe/Berlin,half_even,4,total,start,44,UK,2026-01-01,2026-07-01T00:00Z,"
            "0.02,0.03,0.1,30,6,2,,0.05,9,0.01,,regular,,,,,blocked\n"
        )

        table, rate = deck.table("retail").table, deck.table("retail").rates.rate(0)
        assert (table.name, table.currency, table.timezone) == ("retail", "EUR", "Europe/Berlin")
        assert (table.rounding, table.decimals, table.increment_base) == ("half_even", 4, "total")
        assert str(rate.effective_from) == "2025-12-31 23:00:00+00:00"
        assert str(rate.effective_to) == "2026-07-01 00:00:00+00:00"
        assert (rate.initial_rate, rate.connection_fee) == (Decimal("0.03"), Decimal("0.1"))
        assert (rate.minimum, rate.increment, rate.grace) == (30, 6, 2)
        assert (rate.min_cost, rate.max_cost) == (Decimal("0.05"), Decimal(9))
        assert (rate.attempt_fee, rate.status) == (Decimal("0.01"), "blocked")

    def test_expands_prefix_cells(self) -> None:
        deck = read('prefix,rate\n"44301,44303-44304,443(8-9)1",1\n,2\n')

        assert prefixes(deck) == ["44301", "44303", "44304", "44381", "44391", ""]

    def test_passes_over_a_byte_order_mark_and_empty_lines(self) -> None:
        assert prefixes(read("\ufeffprefix,rate\r\n\r\n44,1\r\n")) == ["44"]

    def test_lets_blank_cells_agree_with_what_the_table_says(self) -> None:
        deck = read("table,decimals,prefix,rate\nA,2,44,1\nA,,49,1\nB,4,44,1\nA,02,33,1\n")

        assert [deck.table(name).table.decimals for name in "AB"] == [2, 4]

    @pytest.mark.parametrize(
        ("text", "line", "column"),
        [
            ("", 1, "prefix"),
            ("prefix\n44\n", 1, "rate"),
            ("rate\n1\n", 1, "prefix"),
            ("prefix,rate,colour\n44,1,red\n", 1, "colour"),
            ("prefix,rate,rate\n44,1,1\n", 1, "rate"),
            ("prefix,rate\n44,1\n45,\n", 3, "rate"),
            ("prefix,rate\n44,one\n", 2, "rate"),
            ("prefix,rate\n44,1e3\n", 2, "rate"),
            ("prefix,rate\n44,NaN\n", 2, "rate"),
            ("prefix,rate\n44,0.123456789\n", 2, "rate"),
            ("prefix,rate\n4x,1\n", 2, "prefix"),
            ("prefix,rate,minimum\n44,1,0\n", 2, "minimum"),
            ("prefix,rate,increment\n44,1,1.5\n", 2, "increment"),
            ("prefix,rate,grace\n44,1,-1\n", 2, "grace"),
            ("prefix,rate,status\n44,1,open\n", 2, "status"),
            ("prefix,rate,effective_from\n44,1,01/02/2026\n", 2, "effective_from"),
            ("prefix,rate,effective_to\n44,1,0001-01-01T00:00Z\n", 2, "effective_to"),
            ("prefix,rate\n44\n", 2, "rate"),
            ("prefix,rate\n44,1,2\n", 2, ""),
            ('prefix,rate\n44,"1\n', 2, ""),
            ("prefix,rate,timezone\n44,1,Mars/Olympus\n", 2, "timezone"),
            ("prefix,rate,decimals\n44,1,9\n", 2, "decimals"),
            ("prefix,rate,rounding\n44,1,up\n45,1,\n46,1,down\n", 4, "rounding"),
        ],
    )
    def test_refuses_bad_input_with_line_and_column(
        self, text: str, line: int, column: str
    ) -> None:
        assert refusal_of_rates(text) == (line, column)

    @pytest.mark.parametrize(
        ("column", "value"),
        [
            ("parent", "wholesale"),
            ("steps", "0:0.60"),
            ("time_profile", "workdays"),
            ("time_profile", "Mon 20:00-08:00"),
            ("max_digits", "31"),
        ],
    )
    def test_refuses_what_it_does_not_understand(self, column: str, value: str) -> None:
        assert refusal_of_rates(f"prefix,rate,{column}\n44,1,\n45,1,{value}\n") == (3, column)

    def test_needs_no_rate_where_there_are_steps(self) -> None:
        assert read("prefix,steps\n44,0:0.60/60\n").table("").rates.rate(0).steps == "0:0.60/60"

    def test_refuses_a_parent_searched_already_or_of_another_currency(self) -> None:
        header = "table,parent,currency,prefix,rate\n"

        assert refusal_of_rates(header + "A,B,,1,1\nB,A,,1,1\n") == (3, "parent")
        assert refusal_of_rates(header + "A,B,EUR,1,1\nB,,USD,1,1\n") == (2, "parent")

    def test_counts_the_lines_inside_quotes(self) -> None:
        text = 'prefix,destination,rate\n44,"two\nlines",1\n45,UK,x\n'

        assert refusal_of_rates(text) == (4, "rate")

    def test_refuses_what_is_not_utf_8(self) -> None:
        with pytest.raises(CsvRefused, match=r"RATES.csv, line 2: not UTF-8 text"):
            read_deck(io.BytesIO(b"prefix,destination,rate\n44,\xe9,1\n"), "RATES.csv")


class TestRateCalls:
    def test_follows_the_worked_rows_in_input_order(self) -> None:
        rates = (
            "table,prefix,destination,rate,minimum,increment,grace,connection_fee\n"
            "A,44,UK,1,30,1,2,0.3\n"
            "B,,World,0.6,60,60,,\n"
            'C,44,"Credit, UK",-0.6,,,,\n'
        )
        calls = [("A", 31), ("B", 61), ("A", 0), ("C", 60), ("A", 2), ("A", 3)]
        lines = [f"c{i},{t},{AT},+44 20 7946,{v}" for i, (t, v) in enumerate(calls)]

        assert rate(rates, "\n".join([CALLS_HEADER, *lines])) == [
            "c0,A,44,UK,31,0.816667,0,",
            "c1,B,,World,120,1.2,0,",
            "c2,A,44,UK,0,0,0,",
            'c3,C,44,"Credit, UK",60,-0.6,0,',
            "c4,A,44,UK,0,0,0,",
            "c5,A,44,UK,30,0.8,0,",
        ]

    def test_gives_the_reason_where_no_rate_applies(self) -> None:
        rates = "prefix,rate,status,increment\n44,1,,\n45,1,blocked,\n46,1,stashed,\n"
        rates += "47,9999999999,,9223372036854775807\n"
        numbers = ["44", "45", "46", "33", "alice", "", "471"]
        lines = [f"{number},,{AT},{number},7" for number in numbers]

        assert rate(rates, "\n".join([CALLS_HEADER, *lines])) == [
            "44,,44,,7,0.116667,0,",
            "45,,45,,,,,blocked",
            "46,,,,,,,unrated",
            "33,,,,,,,unrated",
            "alice,,,,,,,unrated",
            ",,,,,,,unrated",
            "471,,47,,,,,overflow",
        ]

    def test_reads_times_with_and_without_an_offset(self) -> None:
        rates = "timezone,prefix,effective_from,rate\nEurope/Berlin,44,2026-10-01,1\n"
        times = [
            "2026-09-30T22:00:00Z",
            "2026-09-30T21:59:59.999999Z",
            "2026-10-01T00:00:00",
            "2026-09-30 23:59:59",
            "2026-10-01",
        ]
        lines = [f"{i},,{time},44,60" for i, time in enumerate(times)]

        reasons = [line.split(",")[-1] for line in rate(rates, "\n".join([CALLS_HEADER, *lines]))]

        assert reasons == ["", "unrated", "", "unrated", ""]

    def test_rounds_a_fraction_of_a_second_up(self) -> None:
        lines = [f"{v},,{AT},44,{v}" for v in ("6.0", "6.001", "0.1", "0.0")]

        answers = rate("prefix,rate\n44,0.6\n", "\n".join([CALLS_HEADER, *lines]))

        assert [line.split(",")[4] for line in answers] == ["6", "7", "1", "0"]

    def test_lets_a_later_line_win_over_an_equal_one(self) -> None:
        answers = rate("prefix,rate\n44,1\n44,2\n", f"{CALLS_HEADER}\n1,,{AT},44,60\n")

        assert answers == ["1,,44,,60,2,0,"]

    def test_takes_the_optional_columns_in_any_order(self) -> None:
        header = "included,tags,caller_number,volume,destination_number,started_at,table,id"

        assert rate("prefix,rate\n44,1\n", f"{header}\n0,,49301,60,44,{AT},T,x\n") == [
            "x,T,44,,60,1,0,"
        ]

    def test_takes_off_what_is_left_of_an_allowance(self) -> None:
        rates = "prefix,rate,minimum,increment,connection_fee\n44,1,30,30,0.5\n"
        lines = [f"{i},,{AT},44,475,{i}" for i in ["60", "60.9", "475", "0", ""]]

        answers = rate(rates, "\n".join([f"{CALLS_HEADER},included", *lines]))

        assert answers == [
            "60,,44,,420,7.5,0,",
            "60.9,,44,,420,7.5,0,",
            "475,,44,,0,0,0,",
            "0,,44,,480,8.5,0,",
            ",,44,,480,8.5,0,",
        ]

    def test_chooses_by_tags_and_caller(self) -> None:
        rates = (
            "prefix,rate,tag,origin_prefix,policy\n"
            "44,1,,,\n44,2,vip,,\n44,3,,49,\n4,0.5,on net,,additive\n"
        )
        lines = [f"1,,{AT},44,60,{who}" for who in [",", "+4930,", ",a;vip", '0049,"vip,on net"']]

        answers = rate(rates, "\n".join([f"{CALLS_HEADER},caller_number,tags", *lines]))

        assert [line.split(",")[5:7] for line in answers] == [
            ["1", "0"],
            ["3", "0"],
            ["2", "0"],
            ["2", "0.5"],
        ]

    def test_searches_parents_of_parents_too(self) -> None:
        rates = "table,parent,prefix,rate\nA,B,44,1\nB,C,447,2\nC,,4477,3\nC,,44,4\nB,,49,5\n"
        places = [("A", "4477"), ("A", "4479"), ("A", "440"), ("B", "440")]
        lines = [f"1,{table},{AT},{to},60" for table, to in places]

        answers = rate(rates, "\n".join([CALLS_HEADER, *lines]))

        assert [line.split(",")[5] for line in answers] == ["3", "2", "1", "4"]

    def test_keeps_the_input_order_from_chunk_to_chunk(self) -> None:
        count = LINES_AT_ONCE + 3
        lines = [f"{i},{'AB'[i % 2]},{AT},44,60" for i in range(count)]

        answers = rate("table,prefix,rate\nA,44,1\nB,44,2\n", "\n".join([CALLS_HEADER, *lines]))

        assert answers == [f"{i},{'AB'[i % 2]},44,,60,{i % 2 + 1},0," for i in range(count)]

    @pytest.mark.parametrize(
        ("text", "line", "column"),
        [
            ("id,table,started_at,volume\n", 1, "destination_number"),
            (f"{CALLS_HEADER},price\n", 1, "price"),
            (f"{CALLS_HEADER}\n1,,{AT},44,7\n2,,{AT},44,\n", 3, "volume"),
            (f"{CALLS_HEADER}\n1,,{AT},44,-7\n", 2, "volume"),
            (f"{CALLS_HEADER}\n1,,{AT},44,9223372036854775808\n", 2, "volume"),
            (f"{CALLS_HEADER}\n1,,yesterday,44,7\n", 2, "started_at"),
            (f"{CALLS_HEADER}\n1,,,44,7\n", 2, "started_at"),
            (f"{CALLS_HEADER}\n1,,{AT},44\n", 2, "volume"),
            (f"{CALLS_HEADER},included\n1,,{AT},44,7,-60\n", 2, "included"),
        ],
    )
    def test_refuses_bad_input_with_line_and_column(
        self, text: str, line: int, column: str
    ) -> None:
        assert refusal_of_calls(text) == (line, column)

    def test_refuses_a_table_the_rates_do_not_have(self) -> None:
        rates = "table,prefix,rate\nA,44,1\n"

        assert refusal_of_calls(f"{CALLS_HEADER}\n1,B,{AT},44,7\n", rates) == (2, "table")


class TestFormatCost:
    @pytest.mark.parametrize(
        ("scaled", "text"),
        [
            (0, "0"),
            (81_666_700, "0.816667"),
            (120_000_000, "1.2"),
            (-60_000_000, "-0.6"),
            (1, "0.00000001"),
            (10 * COST_SCALE, "10"),
        ],
    )
    def test_writes_plain_decimals_without_trailing_zeros(self, scaled: int, text: str) -> None:
        assert format_cost(scaled) == text

    @given(st.integers(-(2**63), 2**63 - 1))
    def test_loses_nothing(self, scaled: int) -> None:
        assert Decimal(format_cost(scaled)).scaleb(8) == scaled
