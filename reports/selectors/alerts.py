"""What waits for a person: counts only, each cheap enough for the console's first page.

What workers gave up is counted in `given_up`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Value

from billing.models import BillRun
from cdr.models import XdrChunk, XdrFile
from cdr.selectors.suspense import open_suspense
from common.scope import Scope
from customers.models import Customer
from payments.models import Payment, WebhookEvent
from payments.selectors.payments import pending_payments, waiting_events
from payouts.models import PayoutStatement

# A worker rates a chunk in seconds; a gateway answers within minutes.
STUCK_AFTER = timedelta(minutes=30)
UNHEARD_AFTER = timedelta(minutes=10)
PENDING_AFTER = timedelta(days=1)
RECENT = timedelta(days=7)

_Lots = Sequence[QuerySet[Any]]
"""What an alert is about, in one lot or several that share no row."""


class Alert(Enum):
    """What can need somebody."""

    FILES_STUCK = auto()
    SUSPENSE = auto()
    RUNS_FAILED = auto()
    RUNS_TO_APPROVE = auto()
    PAYMENTS_FAILED = auto()
    PAYMENTS_PENDING = auto()
    EVENTS_UNMATCHED = auto()
    STATEMENTS_DRAFTED = auto()
    STATEMENTS_TO_SETTLE = auto()
    CUSTOMERS_DRAFTED = auto()


def alert_counts(scope: Scope, alerts: Collection[Alert], at: datetime) -> dict[Alert, int]:
    """How many there are of each kind that need somebody, as of `at`; in one statement."""
    lots = [
        rows.order_by()
        .annotate(alert=Value(alert.name))
        .values_list("alert")
        .annotate(count=Count("pk"))
        for alert in alerts
        for rows in _ROWS[alert](scope, at)
    ]
    counts = dict.fromkeys(alerts, 0)
    for name, count in lots[0].union(*lots[1:], all=True) if lots else []:
        counts[Alert[name]] += count
    return counts


def _files_stuck(scope: Scope, at: datetime) -> _Lots:
    """Files received some time ago of which nothing was rated since."""
    moved = XdrChunk.objects.filter(file=OuterRef("pk"), finished_at__gte=at - STUCK_AFTER)
    rows = XdrFile.objects.visible_to(scope).filter(
        ~Exists(moved),
        state__in=(XdrFile.State.RECEIVED, XdrFile.State.RATING),
        received_at__lt=at - STUCK_AFTER,
    )
    return [rows]


def _suspense(scope: Scope, _: datetime) -> _Lots:
    return [open_suspense(scope)]


def _runs_failed(scope: Scope, _: datetime) -> _Lots:
    rows = BillRun.objects.visible_to(scope).exclude(state=BillRun.State.ISSUED)
    return [rows.filter(Q(state=BillRun.State.FAILED) | ~Q(error=""))]


def _runs_to_approve(scope: Scope, _: datetime) -> _Lots:
    return [BillRun.objects.visible_to(scope).filter(state=BillRun.State.REVIEW)]


def _payments_failed(scope: Scope, at: datetime) -> _Lots:
    rows = Payment.objects.visible_to(scope).filter(state=Payment.State.FAILED)
    return [rows.filter(created_at__gte=at - RECENT)]


def _payments_pending(scope: Scope, at: datetime) -> _Lots:
    return [pending_payments(scope, started_before=at - PENDING_AFTER)]


def _events_unmatched(scope: Scope, at: datetime) -> _Lots:
    """Messages that could not be matched lately, and those nobody has acted on."""
    refused = WebhookEvent.objects.visible_to(scope).filter(
        state=WebhookEvent.State.REFUSED, received_at__gte=at - RECENT
    )
    return [refused, waiting_events(scope, received_before=at - UNHEARD_AFTER)]


def _statements_drafted(scope: Scope, _: datetime) -> _Lots:
    return [PayoutStatement.objects.visible_to(scope).filter(state=PayoutStatement.State.DRAFT)]


def _statements_to_settle(scope: Scope, _: datetime) -> _Lots:
    """Approved statements with something to pay that no later one, approved too, carries on."""
    later = PayoutStatement.objects.exclude(state=PayoutStatement.State.DRAFT).filter(
        reseller=OuterRef("reseller"),
        currency=OuterRef("currency"),
        period_from__gte=OuterRef("period_to"),
    )
    rows = PayoutStatement.objects.visible_to(scope).filter(
        ~Exists(later), state=PayoutStatement.State.APPROVED, closing_amount__gt=0
    )
    return [rows]


def _customers_drafted(scope: Scope, _: datetime) -> _Lots:
    return [Customer.objects.visible_to(scope).filter(state=Customer.State.DRAFT)]


_ROWS: Mapping[Alert, Callable[[Scope, datetime], _Lots]] = {
    Alert.FILES_STUCK: _files_stuck,
    Alert.SUSPENSE: _suspense,
    Alert.RUNS_FAILED: _runs_failed,
    Alert.RUNS_TO_APPROVE: _runs_to_approve,
    Alert.PAYMENTS_FAILED: _payments_failed,
    Alert.PAYMENTS_PENDING: _payments_pending,
    Alert.EVENTS_UNMATCHED: _events_unmatched,
    Alert.STATEMENTS_DRAFTED: _statements_drafted,
    Alert.STATEMENTS_TO_SETTLE: _statements_to_settle,
    Alert.CUSTOMERS_DRAFTED: _customers_drafted,
}
