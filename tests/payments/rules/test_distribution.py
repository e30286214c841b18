from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.rules.distribution import (
    AmountNotPayable,
    DistributionTooHigh,
    InvoiceNotPayable,
    check_amount,
    check_distribution,
    clip,
    prefill,
)

amounts = st.decimals(min_value="0.01", max_value="99999999.99", places=2)


def decimals(*texts: str) -> list[Decimal]:
    return [Decimal(text) for text in texts]


class TestPrefill:
    def test_fills_the_oldest_first_and_stops_when_the_money_is_gone(self) -> None:
        dues = decimals("449949.28", "65177718.90", "6523665.40")

        shares = prefill(Decimal("679000.00"), dues)

        assert shares == decimals("449949.28", "229050.72", "0")

    def test_leaves_what_no_invoice_needs_to_the_wallet(self) -> None:
        assert prefill(Decimal("30.00"), decimals("10.00", "5.50")) == decimals("10.00", "5.50")

    @given(amount=amounts, dues=st.lists(amounts, max_size=6))
    def test_settles_all_it_can_and_never_more_than_due(
        self, amount: Decimal, dues: list[Decimal]
    ) -> None:
        shares = prefill(amount, dues)

        assert sum(shares) == min(amount, sum(dues))
        assert all(0 <= share <= due for share, due in zip(shares, dues, strict=True))
        for earlier, due, later in zip(shares, dues, shares[1:], strict=False):
            assert later == 0 or earlier == due


class TestClip:
    def test_drops_what_was_paid_otherwise_and_shortens_what_was_credited(self) -> None:
        shares = {1: Decimal("10.00"), 2: Decimal("20.00"), 3: Decimal("5.00")}

        clipped = clip(Decimal("35.00"), shares, {2: Decimal("12.50"), 3: Decimal("5.00")})

        assert clipped == {2: Decimal("12.50"), 3: Decimal("5.00")}

    @given(
        amount=amounts,
        shares=st.dictionaries(st.integers(1, 5), amounts),
        dues=st.dictionaries(st.integers(1, 5), amounts),
    )
    def test_stays_within_the_amount_the_shares_and_the_dues(
        self, amount: Decimal, shares: dict[int, Decimal], dues: dict[int, Decimal]
    ) -> None:
        clipped = clip(amount, shares, dues)

        assert sum(clipped.values()) <= amount
        for invoice_id, share in clipped.items():
            assert 0 < share <= min(shares[invoice_id], dues[invoice_id])


class TestCheckAmount:
    @pytest.mark.parametrize(
        ("amount", "currency"), [("0.01", "EUR"), ("7", "JPY"), ("7.00", "JPY"), ("1.234", "KWD")]
    )
    def test_takes_what_the_currency_has_coins_for(self, amount: str, currency: str) -> None:
        check_amount(Decimal(amount), currency)

    @pytest.mark.parametrize(
        ("amount", "currency"),
        [
            ("0", "EUR"),
            ("-5.00", "EUR"),
            ("0.001", "EUR"),
            ("7.5", "JPY"),
            ("1.2345", "KWD"),
            ("10000000000000000", "EUR"),
            ("Infinity", "EUR"),
            ("NaN", "EUR"),
        ],
    )
    def test_refuses_anything_else(self, amount: str, currency: str) -> None:
        with pytest.raises(AmountNotPayable):
            check_amount(Decimal(amount), currency)


class TestCheckDistribution:
    @staticmethod
    def check(amount: str, shares: dict[int, str]) -> None:
        check_distribution(
            amount=Decimal(amount),
            currency="EUR",
            shares={invoice_id: Decimal(share) for invoice_id, share in shares.items()},
            dues={1: Decimal("100.00"), 2: Decimal("50.00")},
            numbers={1: "INV-1", 2: "INV-2"},
        )

    def test_takes_parts_of_dues_in_any_order_and_less_than_the_amount(self) -> None:
        self.check("150.00", {2: "50.00", 1: "99.99"})

    def test_takes_nothing_at_all(self) -> None:
        self.check("150.00", {})

    def test_refuses_more_than_is_due_and_names_the_invoice(self) -> None:
        with pytest.raises(DistributionTooHigh, match=r"INV-2 asks for 50\.00 EUR"):
            self.check("150.00", {2: "50.01"})

    def test_refuses_more_than_was_paid(self) -> None:
        with pytest.raises(DistributionTooHigh, match=r"only 149\.99 EUR paid"):
            self.check("149.99", {1: "100.00", 2: "50.00"})

    def test_refuses_an_invoice_with_nothing_to_pay(self) -> None:
        with pytest.raises(InvoiceNotPayable):
            self.check("150.00", {3: "1.00"})

    @pytest.mark.parametrize("share", ["0.00", "-1.00", "1.005"])
    def test_refuses_a_share_that_is_no_amount(self, share: str) -> None:
        with pytest.raises(AmountNotPayable):
            self.check("150.00", {1: share})
