"""A statement as a table for the reseller's own books: one row per event."""

from common.csv_files import Cell, Writable, write_csv
from common.money import round_money
from payouts.documents.layout import reason
from payouts.models import PayoutStatement
from payouts.selectors import accruals_of

COLUMNS = (
    "statement",
    "reseller_number",
    "period_from",
    "period_to",
    "event_date",
    "event",
    "customer_number",
    "customer",
    "invoice",
    "base_amount",
    "percent",
    "amount",
    "currency",
)


def write_statement_csv(statement: PayoutStatement, stream: Writable) -> None:
    """Write the accruals on a statement; `period_to` is the first day after the period.

    Their amounts sum to accrued plus clawed back.
    """
    write_csv(stream, COLUMNS, statement_rows(statement))


def statement_rows(statement: PayoutStatement) -> list[list[Cell]]:
    """The accruals on a statement as cells below `COLUMNS`."""
    return [
        [
            statement.number,
            statement.reseller.number,
            statement.period_from,
            statement.period_to,
            accrual.event_date,
            reason(accrual),
            accrual.customer.number,
            accrual.customer.name,
            str(accrual.invoice),
            round_money(accrual.base_amount, accrual.currency),
            accrual.percent,
            round_money(accrual.amount, accrual.currency),
            accrual.currency,
        ]
        for accrual in accruals_of(statement)
    ]
