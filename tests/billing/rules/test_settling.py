"""The state of an invoice after money came or went."""

from decimal import Decimal

import pytest

from billing.rules.settling import SettledState, state_after


class TestTheState:
    @pytest.mark.parametrize(
        ("settled", "credited", "expected"),
        [
            ("0", "0", SettledState.ISSUED),
            ("0", "40", SettledState.ISSUED),
            ("40", "0", SettledState.PART_PAID),
            ("100", "0", SettledState.PAID),
            ("60", "40", SettledState.PAID),
            ("0", "100", SettledState.CANCELLED),
        ],
    )
    def test_of_an_invoice_of_100_follows_what_was_settled_and_credited(
        self, settled: str, credited: str, expected: SettledState
    ) -> None:
        assert state_after(Decimal(100), Decimal(settled), Decimal(credited)) is expected
