"""Payments, and what gateways said about them."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, TypedDict

from django.db import connection
from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from common.money import ZERO
from common.scope import Scope
from payments.models import Payment, ReceiptDocument, WebhookEvent

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

    class _Allocated(TypedDict):
        allocated_amount: Decimal

    AllocatedPayment = WithAnnotations[Payment, _Allocated]


def payments(scope: Scope) -> "QuerySet[AllocatedPayment]":
    """Payments, newest first, each with `allocated_amount`: what of it settles invoices now."""
    live = Sum("allocations__amount", filter=Q(allocations__undone_at__isnull=True))
    return (
        Payment.objects.visible_to(scope)
        .annotate(allocated_amount=Coalesce(live, ZERO))
        .order_by("-created_at", "-pk")
    )


def transactions(scope: Scope) -> QuerySet[Payment]:
    """Payments of every state with their customers, the latest first; fast on any number."""
    return Payment.objects.visible_to(scope).select_related("customer").order_by("-pk")


def addressed_provider_id(slug: str) -> int | None:
    """The provider whose gateways write to `slug`; asked before a request has any scope."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT payments_provider_id(%s)", [slug])
        row = cursor.fetchone()
    return None if row is None else row[0]


def pending_payments(scope: Scope, *, started_before: datetime) -> QuerySet[Payment]:
    """Payments at a gateway of which nothing has been heard, oldest first."""
    return (
        Payment.objects.visible_to(scope)
        .filter(state=Payment.State.PENDING, created_at__lt=started_before)
        .order_by("created_at", "pk")
    )


def payments_without_receipt(
    scope: Scope, *, received_from: datetime, received_before: datetime
) -> QuerySet[Payment]:
    """Payments of a span of time whose receipt is numbered, and was never begun; oldest first."""
    return (
        Payment.objects.visible_to(scope)
        .filter(
            succeeded_at__gte=received_from,
            succeeded_at__lt=received_before,
            receipt_document=None,
        )
        .order_by("succeeded_at", "pk")
    )


def receipts(scope: Scope) -> QuerySet[ReceiptDocument]:
    """The PDFs of receipts, made or not, the latest first; without their bytes."""
    return ReceiptDocument.objects.visible_to(scope).defer("content").order_by("-pk")


def webhook_events(scope: Scope) -> QuerySet[WebhookEvent]:
    """Gateways' messages with what became of them, the latest first; without their bodies."""
    return WebhookEvent.objects.visible_to(scope).defer("body").order_by("-pk")


def refused_events(scope: Scope) -> QuerySet[WebhookEvent]:
    """Gateways' messages that were refused, the latest first."""
    return webhook_events(scope).filter(state=WebhookEvent.State.REFUSED)


def event_totals() -> "QuerySet[WebhookEvent, tuple[str, str, str, int]]":
    """Provider, gateway and state with how many messages; of the whole installation.

    Asked by the role of the metrics, which sees no other columns.
    """
    names = ("provider__slug", "gateway", "state")
    rows = WebhookEvent.objects.order_by().values_list(*names).annotate(count=Count("pk"))
    return rows.order_by(*names)


def waiting_events(scope: Scope, *, received_before: datetime) -> QuerySet[WebhookEvent]:
    """Gateways' messages that were stored but not acted on, oldest first."""
    return (
        WebhookEvent.objects.visible_to(scope)
        .filter(state=WebhookEvent.State.RECEIVED, received_at__lt=received_before)
        .order_by("received_at", "pk")
    )
