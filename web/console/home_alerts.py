"""What the first page says needs somebody: in words, with the list it leads to."""

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.timezone import localdate

from common.scope import Scope
from reports.selectors.alerts import RECENT, Alert, alert_counts
from web.console.given_up import COUNTED_ELSEWHERE, Notice, work_given_up


@dataclass(frozen=True)
class _Watch:
    alert: Alert
    needs: str
    text: str
    url_name: str
    query: str = ""
    tone: str = "wait"


_WATCHED = (
    _Watch(
        Alert.FILES_STUCK,
        "usage.read",
        "xDR files that have not moved for half an hour",
        "console_xdr_files",
        tone="wrong",
    ),
    _Watch(Alert.SUSPENSE, "usage.read", "xDRs and legs in suspense", "console_suspense"),
    _Watch(
        Alert.RUNS_FAILED,
        "money.list",
        "Bill runs that could not bill everybody",
        "console_bill_runs",
        tone="wrong",
    ),
    _Watch(
        Alert.RUNS_TO_APPROVE,
        "money.list",
        "Bill runs with estimates waiting for approval",
        "console_bill_runs",
    ),
    _Watch(
        Alert.PAYMENTS_FAILED,
        "money.list",
        "Payments that failed in the last seven days",
        "console_payments",
        "state=FAILED&since={recent}",
    ),
    _Watch(
        Alert.PAYMENTS_PENDING,
        "money.list",
        "Payments that a gateway has not answered for a day",
        "console_payments",
        "state=PENDING",
    ),
    _Watch(
        Alert.EVENTS_UNMATCHED,
        "money.list",
        "Messages of gateways that match no payment, or were not acted on",
        "console_gateway_messages",
        tone="wrong",
    ),
    _Watch(
        Alert.STATEMENTS_DRAFTED,
        "payouts.list",
        "Payout statements to approve",
        "console_statements",
        "state=DRAFT",
    ),
    _Watch(
        Alert.STATEMENTS_TO_SETTLE,
        "payouts.list",
        "Payout statements to pay",
        "console_statements",
        "state=APPROVED",
    ),
    _Watch(
        Alert.CUSTOMERS_DRAFTED,
        "customers.list",
        "Customers who are not active yet",
        "console_customers",
        "state=DRAFT",
    ),
)


def notices(scope: Scope, at: datetime) -> list[Notice]:
    """What needs somebody who holds the user's permissions, what is wrong first."""
    watched = [watch for watch in _WATCHED if watch.needs in scope.permissions]
    counts = alert_counts(scope, [watch.alert for watch in watched], at)
    found = [
        Notice(watch.text, counts[watch.alert], _url(watch, at), watch.tone)
        for watch in watched
        if counts[watch.alert]
    ]
    failed = work_given_up(scope, but=COUNTED_ELSEWHERE)
    return sorted([*failed, *found], key=lambda notice: notice.tone != "wrong")


def _url(watch: _Watch, at: datetime) -> str:
    query = watch.query.format(recent=localdate(at - RECENT).isoformat())
    address = reverse(watch.url_name)
    return f"{address}?{query}" if query else address
