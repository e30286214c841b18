from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from payments.rules.advance import Due, Money, Use, spend, unspent

START = datetime(2026, 10, 1, tzinfo=UTC)
days = st.integers(0, 5).map(lambda day: START + timedelta(days=day))
amounts = st.decimals(min_value="0.00", max_value="50.00", places=2)
monies = st.lists(
    st.builds(Money, payment_id=st.none() | st.integers(1, 9), arrived_at=days, amount=amounts),
    max_size=5,
    unique_by=lambda money: (money.payment_id, money.arrived_at),
)
dues = st.lists(
    st.builds(Due, invoice_id=st.integers(1, 9), issued_at=days, amount=amounts),
    max_size=5,
    unique_by=lambda due: due.invoice_id,
)


def day(number: int) -> datetime:
    return START + timedelta(days=number)


class TestSpend:
    def test_gives_the_oldest_money_to_the_first_invoice(self) -> None:
        purse = [Money(2, day(2), Decimal("70.00")), Money(1, day(1), Decimal("50.00"))]
        owed = [Due(7, day(3), Decimal("30.00")), Due(8, day(4), Decimal("60.00"))]

        uses = spend(purse, owed, later_only=True)

        assert uses == [
            Use(1, 7, Decimal("30.00")),
            Use(1, 8, Decimal("20.00")),
            Use(2, 8, Decimal("40.00")),
        ]

    def test_names_no_payment_for_what_was_credited(self) -> None:
        purse = [Money(None, day(0), Decimal("5.00"))]

        uses = spend(purse, [Due(7, day(1), Decimal("9.00"))], later_only=True)

        assert uses == [Use(None, 7, Decimal("5.00"))]

    def test_leaves_invoices_older_than_the_money_alone_if_so_asked(self) -> None:
        purse = [Money(1, day(2), Decimal("50.00"))]
        owed = [Due(7, day(1), Decimal("30.00")), Due(8, day(3), Decimal("30.00"))]

        assert spend(purse, owed, later_only=True) == [Use(1, 8, Decimal("30.00"))]
        assert spend(purse, owed, later_only=False) == [
            Use(1, 7, Decimal("30.00")),
            Use(1, 8, Decimal("20.00")),
        ]

    @given(monies=monies, dues=dues, later_only=st.booleans())
    def test_never_spends_more_than_there_is_or_is_due(
        self, monies: list[Money], dues: list[Due], later_only: bool
    ) -> None:
        uses = spend(monies, dues, later_only=later_only)

        spent: Counter[int | None] = Counter()
        settled: Counter[int] = Counter()
        for use in uses:
            assert use.amount > 0
            spent[use.payment_id] += use.amount  # type: ignore[assignment]  # counts money
            settled[use.invoice_id] += use.amount  # type: ignore[assignment]
        for payment_id, amount in spent.items():
            assert amount <= sum(m.amount for m in monies if m.payment_id == payment_id)
        for due in dues:
            assert settled[due.invoice_id] <= due.amount

    @given(monies=monies, dues=dues)
    def test_spends_all_it_can_where_age_is_no_matter(
        self, monies: list[Money], dues: list[Due]
    ) -> None:
        uses = spend(monies, dues, later_only=False)

        purse = sum(money.amount for money in monies)
        assert sum(use.amount for use in uses) == min(purse, sum(due.amount for due in dues))

    @given(monies=monies, dues=dues)
    def test_finds_nothing_more_to_do_afterwards(
        self, monies: list[Money], dues: list[Due]
    ) -> None:
        paid = [money for money in monies if money.payment_id is not None]
        one_each = list({money.payment_id: money for money in paid}.values())

        uses = spend(one_each, dues, later_only=True)

        left = [
            Money(m.payment_id, m.arrived_at, m.amount - _total(uses, payment_id=m.payment_id))
            for m in one_each
        ]
        open_dues = [
            Due(d.invoice_id, d.issued_at, d.amount - _total(uses, invoice_id=d.invoice_id))
            for d in dues
        ]
        assert spend(left, open_dues, later_only=True) == []


class TestUnspent:
    def test_takes_what_was_used_from_the_oldest(self) -> None:
        credit = [Money(None, day(3), Decimal("20.00")), Money(None, day(1), Decimal("5.00"))]

        left = unspent(credit, Decimal("12.00"))

        assert left == [
            Money(None, day(1), Decimal("0.00")),
            Money(None, day(3), Decimal("13.00")),
        ]


def _total(
    uses: list[Use], *, payment_id: int | None = None, invoice_id: int | None = None
) -> Decimal:
    return sum(
        (
            use.amount
            for use in uses
            if (payment_id is None or use.payment_id == payment_id)
            and (invoice_id is None or use.invoice_id == invoice_id)
        ),
        Decimal(0),
    )
