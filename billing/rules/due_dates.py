"""When an invoice falls due."""

from datetime import date, timedelta
from decimal import Decimal


def due_date(issue_date: date, credit_days: int) -> date:
    """The last day to pay: the issue date plus the credit period; due at that day's end."""
    return issue_date + timedelta(days=credit_days)


def is_overdue(due_date: date, due_amount: Decimal, today: date) -> bool:
    """Whether something is still due after the last day to pay (`today` in the provider's zone)."""
    return due_amount > 0 and today > due_date
