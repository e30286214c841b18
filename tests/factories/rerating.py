"""Re-ratings done without a worker."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from catalogue.models import Rate, RateTable
from cdr.models import Leg, LegKind, ReplacedLeg, Rerating, Suspense, UsageCharge, Xdr
from cdr.services.rerating import apply_rerating, ask_for_rerating, plan_rerating
from cdr.services.rerating_slices import work_on_slice
from tenancy.models import Provider
from tests.factories.cdr import IMPORT_AT

RERATED_AT = IMPORT_AT + timedelta(days=1)
OCTOBER_FROM = datetime(2026, 10, 1, tzinfo=UTC)
OCTOBER_TO = datetime(2026, 11, 1, tzinfo=UTC)


def measure(provider: Provider, **chosen: Any) -> Rerating:
    """A dry run of October, or of what is chosen, as workers would measure it."""
    options: dict[str, Any] = {
        "reason": "A rate was wrong.",
        "started_from": OCTOBER_FROM,
        "started_to": OCTOBER_TO,
        "at": RERATED_AT,
        "actor_id": None,
    }
    rerating = ask_for_rerating(provider_id=provider.pk, **options | chosen)
    rerating.refresh_from_db()
    while rerating.state == Rerating.State.PLANNING:
        plan_rerating(rerating_id=rerating.pk, at=RERATED_AT)
        work_off(rerating)
    return rerating


def apply(rerating: Rerating) -> Rerating:
    """Agree to a dry run, and apply it as workers would."""
    apply_rerating(rerating_id=rerating.pk, at=RERATED_AT, actor_id=None)
    return work_off(rerating)


def rerate(provider: Provider, **chosen: Any) -> Rerating:
    """Measure, and apply what would change, if anything would."""
    measured = measure(provider, **chosen)
    return apply(measured) if measured.slices.filter(has_changes=True).exists() else measured


def work_off(rerating: Rerating) -> Rerating:
    """Do what is queued of it; some slices are only queued by others."""
    slice_ids = list(rerating.slices.order_by("number").values_list("pk", flat=True))
    while sum(work_on_slice(slice_id=slice_id, at=RERATED_AT) for slice_id in slice_ids):
        pass
    rerating.refresh_from_db()
    return rerating


def price(table: RateTable, rate: str) -> None:
    """Give every rate of a table another price, as a change of a rate does."""
    for row in Rate.objects.filter(rate_table=table):
        row.rate = Decimal(rate)
        row.save()


def snapshot() -> list[object]:
    """All that rating again could change."""
    tables = (Xdr, Leg, ReplacedLeg, UsageCharge, Suspense)
    return [sorted(model.objects.values_list(), key=repr) for model in tables]


def owed(kind: LegKind) -> Decimal:
    """The sum of all usage charges of a kind."""
    return UsageCharge.objects.filter(kind=kind).aggregate(sum=Sum("amount"))["sum"] or Decimal(0)


def leg_sum(kind: LegKind) -> Decimal:
    """The sum of all legs of a kind."""
    return Leg.objects.filter(kind=kind).aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
