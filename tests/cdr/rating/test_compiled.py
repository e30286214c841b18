import subprocess
import sys
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdr.rating import (
    COST_SCALE,
    CompiledTable,
    Rate,
    RatedBatch,
    RateStatus,
    RateTable,
    Reason,
    Rounding,
    align,
    choice,
    compile_table,
)
from cdr.rating.choice import LEAST_CHOICES_KEPT
from cdr.rating.compiled import ROWS_AT_ONCE
from cdr.rules.cost import leg_cost
from cdr.rules.instants import to_microseconds
from cdr.rules.rates import ParentRefused
from tests.cdr.rating.strategies import INT64_MAX, START
from tests.cdr.rules.test_cost import WORKED
from tests.cdr.rules.test_cost import make_rate as make_decimal_rate

Call = tuple[str, datetime, int]
DAY = timedelta(days=1)


def make_rate(number: int, prefix: str = "44", rate: str = "0.6", **columns: Any) -> Rate:
    columns.setdefault("effective_from", START)
    return Rate(id=number, prefix=prefix, rate=Decimal(rate), **columns)


def rate_calls(compiled: CompiledTable, rows: list[Call]) -> RatedBatch:
    return compiled.rate(
        align(pl.Series([number for number, _, _ in rows], dtype=pl.String)),
        np.array([to_microseconds(at) for _, at, _ in rows], dtype=np.int64),
        np.array([volume for _, _, volume in rows], dtype=np.int64),
    )


def chosen_ids(compiled: CompiledTable, rows: list[Call]) -> list[int]:
    return [int(rate_id) for rate_id in rate_calls(compiled, rows).rate_id]


class TestCompiledTable:
    @pytest.mark.parametrize(("columns", "volume", "billed", "cost"), WORKED)
    def test_follows_the_worked_rows(
        self, columns: dict[str, Any], volume: int, billed: int, cost: str
    ) -> None:
        compiled = compile_table(RateTable(), [make_decimal_rate(**columns)])

        batch = rate_calls(compiled, [("4420", START, volume)])

        assert (batch.billed[0], batch.cost[0]) == (billed, Decimal(cost) * COST_SCALE)

    def test_returns_columns_of_fixed_types(self) -> None:
        batch = rate_calls(compile_table(RateTable(), [make_rate(7)]), [("44", START, 60)] * 2)

        assert batch.rate_index.dtype == np.int32
        assert batch.rate_id.dtype == np.int64
        assert batch.billed.dtype == np.int64
        assert batch.cost.dtype == np.int64
        assert batch.reason.dtype == np.uint8
        assert batch.rate_index.tolist() == [0, 0]
        assert batch.rate_id.tolist() == [7, 7]

    def test_names_prefix_and_destination_by_rate_index(self) -> None:
        rates = [make_rate(7, "44", destination="UK"), make_rate(3, "447", destination="Mobile")]
        compiled = compile_table(RateTable(), rates)

        index = rate_calls(compiled, [("4479", START, 1), ("1", START, 1)]).rate_index

        assert compiled.rates.prefixes(index) == ["447", ""]
        assert compiled.rates.destinations(index) == ["Mobile", ""]

    def test_finds_the_longest_prefix(self) -> None:
        prefixes = ["", "4", "44", "440", "447", "4479", "123456789012345"]
        compiled = compile_table(RateTable(), [make_rate(i, p) for i, p in enumerate(prefixes)])
        numbers = ["1", "4", "45", "44", "4400", "4480", "4478", "44790", "1234567890123456"]

        ids = chosen_ids(compiled, [(number, START, 1) for number in numbers])

        assert ids == [0, 1, 1, 2, 3, 2, 4, 5, 6]

    def test_matches_the_empty_prefix_to_any_number_and_to_nothing_else(self) -> None:
        compiled = compile_table(RateTable(), [make_rate(9, "")])

        ids = chosen_ids(compiled, [(n, START, 1) for n in ("0", "9" * 20, "", "x", "+1")])

        assert ids == [9, 9, -1, -1, -1]

    def test_keeps_every_outcome_apart(self) -> None:
        rates = [
            make_rate(1, "1", "0", grace=2, attempt_fee=Decimal("0.01")),
            make_rate(2, "2", status=RateStatus.BLOCKED, attempt_fee=Decimal(1)),
            make_rate(3, "3", status=RateStatus.STASHED),
        ]
        rows = [("1", 0), ("1", 2), ("1", 3), ("2", 3), ("2", 0), ("3", 3), ("4", 0)]

        batch = rate_calls(
            compile_table(RateTable(), rates), [(number, START, v) for number, v in rows]
        )

        assert [Reason(code).name for code in batch.reason] == [
            "ZERO_VOLUME",
            "FREE",
            "RATED",
            "BLOCKED",
            "BLOCKED",
            "UNRATED",
            "UNRATED",
        ]
        assert batch.cost.tolist() == [10**6, 0, 0, 0, 0, 0, 0]
        assert batch.billed.tolist() == [0, 0, 3, 0, 0, 0, 0]
        assert batch.rate_id.tolist() == [1, 1, 1, 2, 2, -1, -1]

    def test_changes_rates_at_their_effective_instants(self) -> None:
        rates = [
            make_rate(1),
            make_rate(2, effective_from=START + 2 * DAY),
            make_rate(3, effective_from=START + 4 * DAY, effective_to=START + 5 * DAY),
            make_rate(4, "4"),
        ]
        moments = [START - DAY, START, START + 2 * DAY, START + 4 * DAY, START + 5 * DAY]
        just_before = [moment - timedelta(microseconds=1) for moment in moments[1:]]

        compiled = compile_table(RateTable(), rates)

        assert chosen_ids(compiled, [("44", at, 1) for at in moments]) == [-1, 1, 2, 3, 4]
        assert chosen_ids(compiled, [("44", at, 1) for at in just_before]) == [-1, 1, 2, 3]

    def test_forgets_choices_of_long_ago_and_works_them_out_again(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(choice, "BYTES_KEPT", 0)
        count = LEAST_CHOICES_KEPT + 10
        rates = [make_rate(i, effective_from=START + i * DAY) for i in range(count)]
        rows = [("44", START + i * DAY, 60) for i in [*range(count), *range(count)]]

        compiled = compile_table(RateTable(), rates)

        assert chosen_ids(compiled, rows) == [*range(count), *range(count)]

    def test_answers_row_by_row_however_many_rows_there_are(self) -> None:
        rates = [make_rate(1), make_rate(2, effective_from=START + DAY), make_rate(3, "45")]
        cycle = [("44", START + DAY, 1), ("45", START, 2), ("4", START, 3), ("440", START, 0)]
        rows = cycle * (ROWS_AT_ONCE // 2)

        batch = rate_calls(compile_table(RateTable(), rates), rows)

        assert batch.rate_id.reshape(-1, 4).tolist() == [[2, 3, -1, 1]] * (len(rows) // 4)
        assert batch.billed.reshape(-1, 4).tolist() == [[1, 2, 0, 0]] * (len(rows) // 4)

    def test_rates_nothing_from_an_empty_table(self) -> None:
        compiled = compile_table(RateTable(), [])

        assert chosen_ids(compiled, [("44", START, 60)]) == [-1]
        assert chosen_ids(compiled, []) == []

    def test_takes_the_decimal_path_where_64_bits_might_not_do(self) -> None:
        rate = make_rate(1, rate="9999999999.99999999", minimum=60)

        batch = rate_calls(compile_table(RateTable(), [rate]), [("44", START, 500)])

        assert Reason(int(batch.reason[0])) is Reason.RATED
        assert Decimal(int(batch.cost[0])) / COST_SCALE == Decimal("83333333333.333333")

    def test_says_overflow_only_where_the_result_does_not_fit(self) -> None:
        rate = make_rate(1, rate="9999999999", increment=INT64_MAX)
        fits = make_rate(2, "45", rate="0")

        batch = rate_calls(
            compile_table(RateTable(), [rate, fits]),
            [("44", START, 2), ("45", START, INT64_MAX)],
        )

        assert [Reason(code) for code in batch.reason] == [Reason.OVERFLOW, Reason.RATED]
        assert batch.billed.tolist() == [0, INT64_MAX]
        assert batch.cost.tolist() == [0, 0]

    def test_refuses_columns_that_do_not_fit_together(self) -> None:
        compiled = compile_table(RateTable(), [make_rate(1)])
        one, two = np.array([1]), np.array([1, 2])

        with pytest.raises(ValueError, match="differ in length"):
            compiled.rate(one, two, two)
        with pytest.raises(ValueError, match="differ in length"):
            compiled.rate(two, two, two, included=one)
        with pytest.raises(ValueError, match="row 1: a volume is 0 or more"):
            compiled.rate(two, two, np.array([1, -1]))

    @given(
        st.sampled_from(Rounding),
        st.sampled_from([0, 1, 2, 8]),
        st.integers(-40, 40),
        st.sampled_from([1, 2, 3, 4]),
        st.lists(st.integers(1, 40), min_size=1, max_size=40),
    )
    def test_rounds_ties_as_the_rule_does(
        self, rounding: Rounding, decimals: int, halves: int, units: int, volumes: list[int]
    ) -> None:
        table = RateTable(rounding=rounding, decimals=decimals, volume_units_per_rating_unit=units)
        rate = make_rate(1, rate=str(Decimal(halves * 5).scaleb(max(-decimals - 1, -8))))

        batch = rate_calls(compile_table(table, [rate]), [("44", START, v) for v in volumes])

        expected = [leg_cost(table, rate, volume).cost * COST_SCALE for volume in volumes]
        assert batch.cost.tolist() == expected


class TestCompileTable:
    def test_overlooks_a_stashed_rate_for_it_is_never_used(self) -> None:
        stashed = make_rate(5, status=RateStatus.STASHED)

        assert chosen_ids(compile_table(RateTable(), [stashed]), [("44", START, 1)]) == [-1]

    def test_refuses_a_parent_of_another_currency(self) -> None:
        table, parent = RateTable(name="retail", currency="EUR"), RateTable(currency="USD")

        with pytest.raises(ParentRefused, match="its currency is USD, that of 'retail' is EUR"):
            compile_table(table, [], [(parent, [])])

    def test_needs_no_django(self) -> None:
        program = "import sys, cdr.rating; sys.exit('django' in sys.modules)"

        assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
