from datetime import timedelta
from decimal import Decimal
from typing import Any

from cdr.rating import (
    Loss,
    Rate,
    RateStatus,
    RateTable,
    Reason,
    Usage,
    explain,
)
from tests.cdr.rating.strategies import START


def make_rate(number: int, prefix: str, **columns: Any) -> Rate:
    return Rate(id=number, prefix=prefix, rate=Decimal(1), effective_from=START, **columns)


class TestExplain:
    def test_shows_candidates_winner_and_arithmetic(self) -> None:
        mobile = make_rate(2, "447", minimum=30, connection_fee=Decimal("0.3"))
        rates = [make_rate(1, "44"), mobile, make_rate(3, "49")]

        explanation = explain(RateTable(), rates, Usage("44770", START), 31)

        assert [(c.rate.id, c.lost) for c in explanation.candidates] == [
            (2, None),
            (1, Loss.SHORTER_PREFIX),
        ]
        assert explanation.winner is mobile
        assert explanation.reason is Reason.RATED
        assert explanation.arithmetic is not None
        assert explanation.arithmetic.cost == Decimal("0.816667")
        assert explanation.lines == (
            "31 used, minimum 30, increment 1 (after minimum): 31 billed",
            "0.3 + 1 * 30 / 60 + 1 * 1 / 60",
            "rounded half up to 6 decimals: cost 0.816667",
        )

    def test_names_the_bound_that_decided(self) -> None:
        rate = make_rate(1, "44", max_cost=Decimal("0.5"))

        explanation = explain(RateTable(decimals=2), [rate], Usage("44", START), 60)

        assert explanation.lines[2:] == (
            "bounded by max cost 0.5",
            "rounded half up to 2 decimals: cost 0.50",
        )

    def test_tells_attempt_and_grace_in_words(self) -> None:
        rates = [make_rate(1, "44", grace=5, attempt_fee=Decimal("0.01"))]

        attempt = explain(RateTable(decimals=2), rates, Usage("44", START), 0)
        free = explain(RateTable(decimals=2), rates, Usage("44", START), 5)

        assert attempt.lines == ("nothing used: attempt fee 0.01", "cost 0.01")
        assert free.lines == ("5 is within the free 5", "cost 0.00")

    def test_has_no_arithmetic_where_nothing_is_charged(self) -> None:
        blocked = make_rate(1, "44", status=RateStatus.BLOCKED)

        unrated = explain(RateTable(), [blocked], Usage("49", START), 60)
        early = explain(RateTable(), [blocked], Usage("44", START - timedelta(days=1)), 60)
        refused = explain(RateTable(), [blocked], Usage("44", START), 60)

        assert (unrated.reason, unrated.winner, unrated.arithmetic) == (Reason.UNRATED, None, None)
        assert unrated.lines == ("no rate applies",)
        assert [c.lost for c in early.candidates] == [Loss.NOT_YET_EFFECTIVE]
        assert early.winner is None
        assert (refused.reason, refused.winner) == (Reason.BLOCKED, blocked)
        assert refused.arithmetic is None
