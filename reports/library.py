"""The standard reports by name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from enum import Enum, auto
from typing import Any

from common.errors import NotFound
from common.periods import Period
from common.scope import Scope
from reports.selectors import (
    acquisition,
    collected,
    customer_money,
    margins,
    payouts,
    receivables,
    sales,
    traffic,
    wholesale,
)


class UnknownReport(NotFound):
    """There is no report with this name."""


class Group(Enum):
    """What a report is about; those about resellers are of no use without any."""

    RESELLERS = "Resellers"
    MONEY = "Money"
    USAGE = "Usage and margin"


class Span(Enum):
    """Which time a report is about: all of a period, the end of its last day, or always now."""

    PERIOD = auto()
    LAST_DAY = auto()
    NOW = auto()


@dataclass(frozen=True)
class Report:
    """A report: `read` gives its rows, which are of `row_type`; `formula` says what they mean.

    `question` is what it answers, in a sentence. `totals` are the columns that may be added up,
    amounts within one currency: a balance is not, over several months.
    """

    name: str
    title: str
    question: str
    formula: str
    row_type: type
    read: Callable[[Scope, Period], Sequence[Any]]
    totals: tuple[str, ...]
    group: Group
    span: Span = Span.PERIOD

    @property
    def columns(self) -> list[str]:
        """The names of the rows' fields, in order."""
        return [field.name for field in fields(self.row_type)]

    def period_of(self, asked: Period, today: date) -> Period:
        """What it is read for: the state at a day's end is that of today, where the day is to come.

        Else nothing that waits would be younger than what is left of a running month.
        """
        if self.span is not Span.LAST_DAY or asked.last_date <= today:
            return asked
        return Period(min(asked.from_date, today), today + timedelta(days=1))


_SALES = ("invoice_count", "invoiced_amount", "credited_amount", "net_amount")

REPORTS = (
    Report(
        "total-reseller-sales",
        "Total reseller-driven sales",
        "What did the customers of each reseller, and of all below it, buy?",
        sales.RESELLER_SALES,
        sales.ResellerSales,
        sales.reseller_sales,
        _SALES,
        Group.RESELLERS,
    ),
    Report(
        "non-reseller-sales",
        "Sales without a reseller",
        "What did customers buy who came without a reseller?",
        sales.DIRECT_SALES,
        sales.DirectSales,
        sales.direct_sales,
        _SALES,
        Group.RESELLERS,
    ),
    Report(
        "reseller-payout",
        "Reseller payout",
        "What did each reseller earn, what was it paid, and what is it owed still?",
        payouts.RESELLER_PAYOUT,
        payouts.ResellerPayout,
        payouts.reseller_payouts,
        ("accrued_amount", "clawed_back_amount", "settled_amount"),
        Group.RESELLERS,
    ),
    Report(
        "acquired-customers",
        "Customers acquired via resellers",
        "Who came by which reseller's code, and was invoiced when first?",
        acquisition.ACQUIRED_CUSTOMERS,
        acquisition.AcquiredCustomer,
        acquisition.acquired_customers,
        (),
        Group.RESELLERS,
    ),
    Report(
        "acquisition",
        "Acquisition and churn by reseller code",
        "How many customers did each code bring, how many of them stayed?",
        acquisition.ACQUISITION,
        acquisition.Acquisition,
        acquisition.acquisition,
        ("acquired_count", "invoiced_count", "terminated_count"),
        Group.RESELLERS,
    ),
    Report(
        "wholesale",
        "Wholesale legs in billing mode",
        "What do resellers in billing mode owe for usage, and what is owed to them?",
        wholesale.WHOLESALE,
        wholesale.Wholesale,
        wholesale.wholesale,
        ("charged_count", "charged_amount", "owed_count", "owed_amount"),
        Group.RESELLERS,
    ),
    Report(
        "aged-receivables",
        "Aged receivables",
        "Who owes how much on invoices, and how late is it?",
        receivables.AGED_RECEIVABLES,
        receivables.AgedReceivable,
        receivables.aged_receivables,
        (
            "invoice_count",
            "not_due_amount",
            "days_1_to_30_amount",
            "days_31_to_60_amount",
            "days_61_to_90_amount",
            "older_amount",
            "due_amount",
        ),
        Group.MONEY,
        Span.LAST_DAY,
    ),
    Report(
        "collections",
        "Collections",
        "How much came in, by which way, and how much was taken back?",
        collected.COLLECTIONS,
        collected.Collection,
        collected.collections,
        ("payment_count", "received_amount", "reversal_count", "reversed_amount", "net_amount"),
        Group.MONEY,
    ),
    Report(
        "tax",
        "Tax",
        "How much tax was asked for, and given back?",
        collected.TAX,
        collected.TaxDue,
        collected.taxes,
        ("base_amount", "invoiced_amount", "credited_amount", "net_amount"),
        Group.MONEY,
    ),
    Report(
        "unbilled",
        "Unbilled charges and usage",
        "What have customers run up that no invoice asks for yet?",
        customer_money.UNBILLED,
        customer_money.Unbilled,
        customer_money.unbilled,
        (
            "recurring_amount",
            "one_time_amount",
            "call_count",
            "usage_amount",
            "unbilled_amount",
        ),
        Group.MONEY,
        Span.NOW,
    ),
    Report(
        "credit-exposure",
        "Credit exposure",
        "How much may each customer use still, and who is over its limit?",
        customer_money.CREDIT_EXPOSURE,
        customer_money.CreditExposure,
        customer_money.credit_exposure,
        ("credit_limit_amount", "receivable_amount", "unbilled_amount", "wallet_amount"),
        Group.MONEY,
        Span.NOW,
    ),
    Report(
        "wallet-holdings",
        "Wallet holdings",
        "How much of customers' money settles nothing yet?",
        customer_money.WALLET_HOLDINGS,
        customer_money.WalletHolding,
        customer_money.wallet_holdings,
        ("held_amount",),
        Group.MONEY,
        Span.LAST_DAY,
    ),
    Report(
        "margin",
        "Margin on usage by party",
        "What does usage leave the provider, and each reseller?",
        wholesale.MARGIN,
        wholesale.Margin,
        wholesale.margins,
        ("from_customers_amount", "to_vendors_amount", "margin_amount"),
        Group.USAGE,
    ),
    Report(
        "margin-by-reseller",
        "Margin on usage by who brought the customer",
        "What do the calls of each reseller's customers leave once vendors are paid?",
        margins.MARGIN_BY_RESELLER,
        margins.ResellerMargin,
        margins.reseller_margins,
        ("from_customers_amount", "to_vendors_amount", "margin_amount", "provider_share_amount"),
        Group.USAGE,
    ),
    Report(
        "margin-by-destination",
        "Margin on usage by destination",
        "Which destinations earn money, and which lose it?",
        margins.MARGIN_BY_DESTINATION,
        margins.DestinationMargin,
        margins.destination_margins,
        ("call_count", "from_customers_amount", "to_vendors_amount", "margin_amount"),
        Group.USAGE,
    ),
    Report(
        "vendor-cost",
        "Vendor cost",
        "What does each vendor cost, and for which destinations?",
        margins.VENDOR_COST,
        margins.VendorCost,
        margins.vendor_costs,
        ("call_count", "cost_amount"),
        Group.USAGE,
    ),
    Report(
        "traffic",
        "Traffic by destination",
        "Where do calls go, how many, and how long are they?",
        traffic.TRAFFIC,
        traffic.Traffic,
        traffic.traffic,
        ("call_count",),
        Group.USAGE,
    ),
    Report(
        "traffic-by-source",
        "Traffic by source, with answer-seizure ratio",
        "What did each source send, and how much of it was answered?",
        traffic.TRAFFIC_BY_SOURCE,
        traffic.SourceTraffic,
        traffic.source_traffic,
        (
            "file_count",
            "line_count",
            "answered_count",
            "unanswered_count",
            "suspended_count",
            "duplicate_count",
        ),
        Group.USAGE,
    ),
    Report(
        "suspense-ageing",
        "Suspense by age",
        "What waits for somebody, for how long, and what is it worth?",
        traffic.SUSPENSE_AGEING,
        traffic.AgedSuspense,
        traffic.aged_suspense,
        (
            "up_to_1_day_count",
            "up_to_7_days_count",
            "up_to_30_days_count",
            "older_count",
            "waiting_count",
            "value_amount",
        ),
        Group.USAGE,
        Span.LAST_DAY,
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
