"""What Prometheus collects of the whole installation, from the database and the broker.

Each answer is counted anew: it does not matter which of the web processes gives it, or whether one
was started again.
"""

import secrets
from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseNotFound
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from redis import RedisError

from billing.selectors.progress import payers_of_runs_at_work
from cdr.selectors.flow import (
    SourceTotals,
    source_totals,
    suspense_totals,
    waiting_totals,
)
from common import clock
from common.broker import queues
from payments.selectors.payments import event_totals
from reports.selectors.given_up import given_up_totals
from tenancy import row_security


def metrics(request: HttpRequest) -> HttpResponse:
    """The metrics, for whoever shows settings.METRICS_TOKEN; without one there is no such page."""
    if not settings.METRICS_TOKEN:
        return HttpResponseNotFound()
    if not _shows_token(request):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(("GET", "HEAD"))
    try:
        with row_security.metrics_role():
            counted = [*_usage(clock.now()), *_given_up(), *_billing(), *_payments()]
    except DatabaseError as error:
        # Its text may name hosts and users; the log has it.
        connection.close()
        return HttpResponse(f"# database: {type(error).__name__}\n", "text/plain", status=503)
    return _written(request, [*counted, *_queues()])


def _shows_token(request: HttpRequest) -> bool:
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    is_same = secrets.compare_digest(shown.strip().encode(), settings.METRICS_TOKEN.encode())
    return scheme.lower() == "bearer" and is_same


class _Counted(Collector):
    """What was counted, as Prometheus' own writer asks for it."""

    def __init__(self, families: list[Metric]) -> None:
        self.families = families

    def collect(self) -> list[Metric]:
        return self.families


def _written(request: HttpRequest, families: list[Metric]) -> HttpResponse:
    write, content_type = choose_encoder(request.headers.get("Accept", ""))
    registry = CollectorRegistry()
    registry.register(_Counted(families))
    return HttpResponse(write(registry), content_type, headers={"Cache-Control": "no-store"})


def _usage(at: datetime) -> Iterator[Metric]:
    sources = source_totals()
    yield from (_lag(sources, at), _import_lag(sources, at), _xdrs(sources))
    suspense = GaugeMetricFamily(
        "tollgate_suspense", "Open rows of suspense.", labels=("provider", "reason")
    )
    for provider, reason, count in suspense_totals():
        suspense.add_metric((provider, reason), count)
    waiting = GaugeMetricFamily(
        "tollgate_work_waiting",
        "What the database says waits for workers.",
        labels=("provider", "work"),
    )
    for provider, work, count in waiting_totals():
        waiting.add_metric((provider, work), count)
    yield from (suspense, waiting)


def _given_up() -> Iterator[Metric]:
    failed = GaugeMetricFamily(
        "tollgate_work_failed",
        "What workers gave up, or could not hand over, and waits for somebody.",
        labels=("provider", "work"),
    )
    for provider, work, count in given_up_totals():
        failed.add_metric((provider, work), count)
    yield failed


def _lag(sources: list[SourceTotals], at: datetime) -> Metric:
    lag = GaugeMetricFamily(
        "tollgate_xdr_lag_seconds",
        "Time since the start of the latest xDR of a source that is enabled.",
        labels=("provider", "source"),
    )
    for row in sources:
        if row.is_enabled and row.newest_started_at:
            seconds = (at - row.newest_started_at).total_seconds()
            lag.add_metric((row.provider, row.source), seconds)
    return lag


def _import_lag(sources: list[SourceTotals], at: datetime) -> Metric:
    lag = GaugeMetricFamily(
        "tollgate_import_lag_seconds",
        "Time since the oldest file that is not rated yet was received; 0 where none waits.",
        labels=("provider", "source"),
    )
    for row in sources:
        since = row.waiting_since or at
        lag.add_metric((row.provider, row.source), (at - since).total_seconds())
    return lag


def _xdrs(sources: list[SourceTotals]) -> Metric:
    xdrs = CounterMetricFamily(
        "tollgate_xdrs",
        "Lines of xDRs by what the import made of them.",
        labels=("provider", "source", "result"),
    )
    for row in sources:
        for result, count in row.counts.items():
            xdrs.add_metric((row.provider, row.source, result), count)
    return xdrs


def _billing() -> Iterator[Metric]:
    payers = GaugeMetricFamily(
        "tollgate_bill_run_payers",
        "Payers of the bill runs that are calculating or issuing, by state.",
        labels=("provider", "run", "state"),
    )
    for row in payers_of_runs_at_work():
        payers.add_metric((row.provider, str(row.run_id), row.state.lower()), row.count)
    yield payers


def _payments() -> Iterator[Metric]:
    events = GaugeMetricFamily(
        "tollgate_gateway_messages",
        "Messages of payment gateways by what became of them.",
        labels=("provider", "gateway", "state"),
    )
    for provider, gateway, state, count in event_totals():
        events.add_metric((provider, gateway, state.lower()), count)
    yield events


def _queues() -> Iterator[Metric]:
    """How long the broker's queues are; that they are not known where it is out of reach."""
    up = GaugeMetricFamily("tollgate_broker_up", "Whether the message broker answers.")
    waiting = GaugeMetricFamily(
        "tollgate_queue_messages", "Messages that wait in a queue.", labels=("queue",)
    )
    taken = GaugeMetricFamily(
        "tollgate_queue_taken", "Messages that workers have taken and not done yet."
    )
    try:
        found = queues()
    except RedisError:
        up.add_metric((), 0)
        yield up
        return
    up.add_metric((), 1)
    for name, length in found.waiting.items():
        waiting.add_metric((name,), length)
    taken.add_metric((), found.taken_count)
    yield from (up, waiting, taken)
