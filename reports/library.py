"""The standard reports by name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from common.errors import DomainError
from common.periods import Period
from common.scope import Scope
from reports.selectors import acquisition, payouts, sales, wholesale


class UnknownReport(DomainError):
    """There is no report with this name."""


@dataclass(frozen=True)
class Report:
    """A report: `read` gives its rows, which are of `row_type`; `formula` says what they mean."""

    name: str
    title: str
    formula: str
    row_type: type
    read: Callable[[Scope, Period], Sequence[Any]]

    @property
    def columns(self) -> list[str]:
        """The names of the rows' fields, in order."""
        return [field.name for field in fields(self.row_type)]


REPORTS = (
    Report(
        "total-reseller-sales",
        "Total reseller-driven sales",
        sales.RESELLER_SALES,
        sales.ResellerSales,
        sales.reseller_sales,
    ),
    Report(
        "non-reseller-sales",
        "Sales without a reseller",
        sales.DIRECT_SALES,
        sales.DirectSales,
        sales.direct_sales,
    ),
    Report(
        "reseller-payout",
        "Reseller payout",
        payouts.RESELLER_PAYOUT,
        payouts.ResellerPayout,
        payouts.reseller_payouts,
    ),
    Report(
        "acquired-customers",
        "Customers acquired via resellers",
        acquisition.ACQUIRED_CUSTOMERS,
        acquisition.AcquiredCustomer,
        acquisition.acquired_customers,
    ),
    Report(
        "acquisition",
        "Acquisition and churn by reseller code",
        acquisition.ACQUISITION,
        acquisition.Acquisition,
        acquisition.acquisition,
    ),
    Report(
        "wholesale",
        "Wholesale legs in billing mode",
        wholesale.WHOLESALE,
        wholesale.Wholesale,
        wholesale.wholesale,
    ),
    Report(
        "margin",
        "Margin on usage by party",
        wholesale.MARGIN,
        wholesale.Margin,
        wholesale.margins,
    ),
)


def report_named(name: str) -> Report:
    """The report with this name.

    :raises UnknownReport: if there is none; the message names those there are.
    """
    for report in REPORTS:
        if report.name == name:
            return report
    names = ", ".join(report.name for report in REPORTS)
    raise UnknownReport(f"There is no report '{name}'. Reports: {names}.")
