"""When an invoice is due and overdue."""

from datetime import date
from decimal import Decimal

from billing.rules.due_dates import due_date, is_overdue


class TestTheDueDate:
    def test_is_the_issue_date_plus_the_credit_period(self) -> None:
        assert due_date(date(2026, 11, 22), 14) == date(2026, 12, 6)

    def test_is_the_issue_date_without_a_credit_period(self) -> None:
        assert due_date(date(2026, 11, 22), 0) == date(2026, 11, 22)


class TestAnInvoice:
    def test_is_not_overdue_on_its_last_day(self) -> None:
        assert not is_overdue(date(2026, 12, 6), Decimal(1), date(2026, 12, 6))

    def test_is_overdue_on_the_day_after(self) -> None:
        assert is_overdue(date(2026, 12, 6), Decimal(1), date(2026, 12, 7))

    def test_is_never_overdue_without_a_due(self) -> None:
        assert not is_overdue(date(2026, 12, 6), Decimal(0), date(2027, 1, 1))
