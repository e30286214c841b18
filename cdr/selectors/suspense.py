"""Reading what waits, and what it is worth."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Sum

from cdr.models import Suspense, SuspenseReason, Xdr
from common.scope import Scope
from tenancy.owned import ProviderQuerySet


def open_suspense(scope: Scope) -> ProviderQuerySet[Suspense]:
    """What waits, with customer and file, the oldest first."""
    rows = Suspense.objects.visible_to(scope).filter(state=Suspense.State.OPEN)
    return rows.select_related("customer", "chunk__file").order_by("pk")


def suspense(scope: Scope, suspense_id: int) -> Suspense:
    """One row, open or resolved, with customer, file and source.

    :raises Suspense.DoesNotExist: it is not in the scope.
    """
    rows = Suspense.objects.visible_to(scope)
    return rows.select_related("customer", "chunk__file__source").get(pk=suspense_id)


def suspense_of_xdr(scope: Scope, xdr: Xdr) -> ProviderQuerySet[Suspense]:
    """What of an xDR waits still: the whole of it, or its legs."""
    rows = Suspense.objects.visible_to(scope).filter(state=Suspense.State.OPEN)
    return rows.filter(chunk_id=xdr.chunk_id, xdr_id=xdr.id).order_by("pk")


def asked_count(scope: Scope) -> int:
    """How many rows somebody asked to be tried again and that were not yet."""
    return Suspense.objects.visible_to(scope).filter(retry_asked_at__isnull=False).count()


@dataclass(frozen=True)
class SuspenseCount:
    """Open suspense of one reason; `estimated_amount` is what customers would pay, in `currency`.

    The currency is empty where no customer rate is known.
    """

    reason: SuspenseReason
    currency: str
    row_count: int
    estimated_amount: Decimal


def suspense_counts(scope: Scope) -> list[SuspenseCount]:
    """Open suspense by reason and currency; an xDR with two legs waiting is valued twice."""
    rows = (
        Suspense.objects.visible_to(scope)
        .filter(state=Suspense.State.OPEN)
        .values("reason", "currency")
        .annotate(row_count=Count("pk"), amount=Sum("estimated_amount"))
        .order_by("reason", "currency")
    )
    return [
        SuspenseCount(
            SuspenseReason(row["reason"]), row["currency"], row["row_count"], row["amount"]
        )
        for row in rows
    ]
