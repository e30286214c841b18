"""How a credit note splits into net and taxes."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from billing.rules.crediting import Creditable, credit_gross, credit_net
from common.money import Rounding

CENTS = st.integers(0, 500_000).map(lambda cents: Decimal(cents) / 100)
LEFT = st.builds(Creditable, CENTS, st.lists(CENTS, max_size=4).map(tuple)).filter(
    lambda left: left.gross_amount > 0
)
ROUNDING = st.sampled_from(Rounding)


def less(left: Creditable, part: Creditable) -> Creditable:
    taxes = zip(left.tax_amounts, part.tax_amounts, strict=True)
    return Creditable(left.net_amount - part.net_amount, tuple(a - b for a, b in taxes))


def is_part(part: Creditable, left: Creditable) -> bool:
    rest = less(left, part)
    return all(
        amount >= 0
        for amount in (part.net_amount, *part.tax_amounts, rest.net_amount, *rest.tax_amounts)
    )


class TestCreditingAnAmountWithTax:
    def test_splits_it_as_the_invoice_is(self) -> None:
        left = Creditable(Decimal(1000), (Decimal(180),))

        part = credit_gross(left, Decimal(590), "EUR", Rounding.HALF_UP)

        assert part == Creditable(Decimal(500), (Decimal(90),))

    @given(LEFT, st.data(), ROUNDING)
    def test_gives_exactly_the_amount_and_never_more_than_is_left(
        self, left: Creditable, data: st.DataObject, rounding: Rounding
    ) -> None:
        cents = data.draw(st.integers(1, int(left.gross_amount * 100)))

        part = credit_gross(left, Decimal(cents) / 100, "EUR", rounding)

        assert part.gross_amount == Decimal(cents) / 100
        assert is_part(part, left)

    @given(LEFT, st.lists(st.integers(1, 100_000), max_size=6), ROUNDING)
    def test_in_parts_sums_to_the_whole(
        self, whole: Creditable, parts: list[int], rounding: Rounding
    ) -> None:
        left = whole
        for cents in parts:
            amount = min(Decimal(cents) / 100, left.gross_amount)
            if amount:
                left = less(left, credit_gross(left, amount, "EUR", rounding))
        if left.gross_amount:
            left = less(left, credit_gross(left, left.gross_amount, "EUR", rounding))

        assert left.net_amount == 0
        assert set(left.tax_amounts) <= {Decimal(0)}


class TestCreditingANet:
    def test_takes_its_share_of_each_tax(self) -> None:
        left = Creditable(Decimal(100), (Decimal(10), Decimal("5.50")))

        part = credit_net(left, Decimal(20), "EUR", Rounding.HALF_UP)

        assert part == Creditable(Decimal(20), (Decimal(2), Decimal("1.10")))

    @given(LEFT.filter(lambda left: left.net_amount > 0), st.data(), ROUNDING)
    def test_never_takes_more_than_is_left(
        self, left: Creditable, data: st.DataObject, rounding: Rounding
    ) -> None:
        cents = data.draw(st.integers(1, int(left.net_amount * 100)))

        part = credit_net(left, Decimal(cents) / 100, "EUR", rounding)

        assert part.net_amount == Decimal(cents) / 100
        assert is_part(part, left)

    @given(LEFT.filter(lambda left: left.net_amount > 0), ROUNDING)
    def test_of_all_the_net_takes_all_the_tax(self, left: Creditable, rounding: Rounding) -> None:
        assert credit_net(left, left.net_amount, "EUR", rounding) == left
