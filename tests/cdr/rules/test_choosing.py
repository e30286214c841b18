from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cdr.rules.choosing import (
    ORDER_OF_CHOICE,
    Loss,
    TableRates,
    Usage,
    effective_ends,
    judge_rates,
)
from cdr.rules.rates import Policy, Rate, RateStatus, RateTable

JANUARY, FEBRUARY, MARCH, APRIL = (datetime(2026, month, 1, tzinfo=UTC) for month in range(1, 5))


def make_rate(number: int, prefix: str = "44", start: datetime = JANUARY, **columns: Any) -> Rate:
    return Rate(id=number, prefix=prefix, rate=Decimal(number), effective_from=start, **columns)


def judge(rates: list[Rate], number: str, at: datetime) -> list[tuple[int, Loss | None]]:
    return [
        (candidate.rate.id, candidate.lost)
        for candidate in judge_rates([TableRates(RateTable(), rates)], Usage(number, at))
    ]


class TestEffectiveEnds:
    def test_ends_an_open_rate_where_the_next_of_its_prefix_starts(self) -> None:
        rates = [make_rate(1), make_rate(2, start=MARCH), make_rate(3, "447", start=FEBRUARY)]

        assert effective_ends(rates) == [MARCH, None, None]

    def test_keeps_an_end_of_its_own(self) -> None:
        rates = [make_rate(1, effective_to=APRIL), make_rate(2, start=MARCH)]

        assert effective_ends(rates) == [APRIL, None]

    def test_lets_a_stashed_rate_end_nothing(self) -> None:
        rates = [make_rate(1), make_rate(2, start=MARCH, status=RateStatus.STASHED)]

        assert effective_ends(rates) == [None, None]

    def test_tells_tags_and_time_profiles_apart(self) -> None:
        rates = [
            make_rate(1),
            make_rate(2, start=FEBRUARY, tag="vip"),
            make_rate(3, start=FEBRUARY, time_profile="Sat-Sun 00:00-24:00"),
        ]

        assert effective_ends(rates) == [None, None, None]

    def test_does_not_end_a_rate_at_its_own_start(self) -> None:
        assert effective_ends([make_rate(1), make_rate(2)]) == [None, None]


class TestJudgeRates:
    def test_prefers_the_longest_prefix(self) -> None:
        rates = [make_rate(1, ""), make_rate(2, "44"), make_rate(3, "447"), make_rate(4, "448")]

        assert judge(rates, "44790", MARCH) == [
            (3, None),
            (2, Loss.SHORTER_PREFIX),
            (1, Loss.SHORTER_PREFIX),
        ]

    def test_prefers_the_latest_start_then_the_highest_id(self) -> None:
        rates = [
            make_rate(1, effective_to=APRIL),
            make_rate(3, start=FEBRUARY),
            make_rate(2, start=FEBRUARY),
        ]

        assert judge(rates, "44", MARCH) == [
            (3, None),
            (2, Loss.LOWER_ID),
            (1, Loss.EARLIER_START),
        ]

    def test_says_why_a_rate_is_not_in_force(self) -> None:
        rates = [
            make_rate(1, effective_to=MARCH),
            make_rate(2, "447", start=APRIL),
            make_rate(3, "4", status=RateStatus.STASHED),
            make_rate(4, ""),
            make_rate(5, "", start=FEBRUARY),
        ]

        assert dict(judge(rates, "447", MARCH)) == {
            1: Loss.ENDED,
            2: Loss.NOT_YET_EFFECTIVE,
            3: Loss.STASHED,
            4: Loss.SUPERSEDED,
            5: None,
        }

    def test_is_in_force_from_its_start_up_to_its_end_exclusive(self) -> None:
        rates = [make_rate(1, start=FEBRUARY, effective_to=MARCH)]

        assert judge(rates, "44", FEBRUARY) == [(1, None)]
        assert judge(rates, "44", MARCH) == [(1, Loss.ENDED)]
        assert judge(rates, "44", JANUARY) == [(1, Loss.NOT_YET_EFFECTIVE)]

    @pytest.mark.parametrize("number", ["", "44x", "+44", "٤٤"])
    def test_has_no_candidate_for_what_is_not_a_number(self, number: str) -> None:
        assert judge([make_rate(1, ""), make_rate(2)], number, MARCH) == []


class TestOrderOfChoice:
    """One call that every rate here may be used for."""

    usage = Usage("447700900123", MARCH, caller="4930", tags=frozenset({"vip"}))

    @staticmethod
    def columns(*, preferred: bool) -> list[dict[str, Any]]:
        """For each line of the order, a rate that is ahead or behind in it."""
        return [
            {"tag": "vip" if preferred else ""},
            {"origin_prefix": "49" if preferred else ""},
            {"prefix": "447" if preferred else "44"},
            {"depth": 0 if preferred else 1},
            {"time_profile": "Mon-Sun 00:00-24:00 @9" if preferred else ""},
            {"start": FEBRUARY if preferred else JANUARY},
            {"number": 2 if preferred else 1},
        ]

    @pytest.mark.parametrize("line", range(len(ORDER_OF_CHOICE)))
    def test_is_decided_by_the_first_line_that_tells_them_apart(self, line: int) -> None:
        ahead, behind = self.columns(preferred=True), self.columns(preferred=False)
        # Alike above the line; the winner is ahead in it, and the other in all below it.
        winner = [*behind[:line], ahead[line], *behind[line + 1 :]]
        loser = [*behind[: line + 1], *ahead[line + 1 :]]
        tables: list[list[Rate]] = [[], []]
        for columns in (winner, loser):
            values = {name: value for each in columns for name, value in each.items()}
            depth = values.pop("depth")
            tables[depth].append(make_rate(**values, effective_to=APRIL))

        judged = judge_rates([TableRates(RateTable(), rates) for rates in tables], self.usage)

        assert [candidate.lost for candidate in judged] == [None, ORDER_OF_CHOICE[line].loss]

    def test_is_the_table_of_the_documentation(self) -> None:
        page = (Path(__file__).resolve().parents[3] / "docs" / "rating.md").read_text()
        header = "| order | the rate used is |\n|---|---|\n"
        rows = [f"| {place} | {line.title} |" for place, line in enumerate(ORDER_OF_CHOICE, 1)]

        assert page.partition(header)[2].partition("\n\n")[0] == "\n".join(rows)

    @pytest.mark.parametrize(
        ("columns", "loss"),
        [
            ({"time_profile": "Mon 00:00-24:00"}, Loss.OUTSIDE_TIME_PROFILE),
            ({"min_digits": 13}, Loss.WRONG_LENGTH),
            ({"max_digits": 11}, Loss.WRONG_LENGTH),
            ({"origin_prefix": "33"}, Loss.OTHER_ORIGIN),
            ({"tag": "on-net"}, Loss.TAG_NOT_CARRIED),
            ({"start": APRIL}, Loss.NOT_YET_EFFECTIVE),
            ({"status": RateStatus.STASHED}, Loss.STASHED),
        ],
    )
    def test_leaves_out_what_may_not_be_used(self, columns: dict[str, Any], loss: Loss) -> None:
        judged = judge_rates([TableRates(RateTable(), [make_rate(1, **columns)])], self.usage)

        assert [candidate.lost for candidate in judged] == [loss]

    def test_is_kept_among_additive_rates_by_themselves(self) -> None:
        rates = [make_rate(1), make_rate(2, policy=Policy.ADDITIVE)]
        chain = [TableRates(RateTable(), rates)]

        regular, additive = (judge_rates(chain, self.usage, policy) for policy in Policy)

        assert [candidate.rate.id for candidate in (*regular, *additive)] == [1, 2]
