"""Calls: how many, how long, how many were answered, and what waits for somebody."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Count, DateField, Min, Q, Sum
from django.db.models.functions import TruncDate, TruncMonth

from cdr.models import LegKind, Suspense, SuspenseReason, UsageCharge, XdrChunk
from common.money import ZERO, round_to
from common.periods import Period
from common.scope import Scope
from tenancy.selectors import provider_zone

TRAFFIC = (
    "calls = xDRs that customers are charged for, at the day of the call in the provider's time"
    " zone, by the destination of the customer's rate table; used and billed volume in volume"
    " unit; average = used volume / calls (of calls: the average duration, ACD). Usage in suspense"
    " is left out."
)
TRAFFIC_BY_SOURCE = (
    "by the day the file was received, in the provider's time zone: answered = xDRs rated on"
    " import, unanswered = those without volume; answer-seizure ratio (ASR) = answered / (answered"
    " + unanswered); suspended and duplicate lines are counted apart."
)
SUSPENSE_AGEING = (
    "what waited at the end of the period's last day, by how long it had waited then; value = what"
    " customers would pay for the whole xDR, where a rate for it is known. An xDR with two legs"
    " waiting counts twice."
)
# Days that it has waited: up to a day, a week, 30 days; the rest is older.
_AGES = (1, 7, 30)


@dataclass(frozen=True)
class Traffic:
    """The charged calls of a month to one destination."""

    month: str
    product: str
    destination: str
    call_count: int
    used_volume: int
    billed_volume: int
    average_volume: Decimal
    volume_unit: str


@dataclass(frozen=True)
class SourceTraffic:
    """What the files of one source held that were received on a day."""

    day: date
    source: str
    file_count: int
    line_count: int
    answered_count: int
    unanswered_count: int
    asr_percent: Decimal | None
    suspended_count: int
    duplicate_count: int


@dataclass(frozen=True)
class AgedSuspense:
    """What waited for one reason on a day; the currency is empty where no value is known."""

    reason: str
    up_to_1_day_count: int
    up_to_7_days_count: int
    up_to_30_days_count: int
    older_count: int
    waiting_count: int
    oldest_date: date
    value_amount: Decimal
    currency: str


def traffic(scope: Scope, period: Period) -> list[Traffic]:
    """Charged calls by month, product and destination."""
    rows = (
        UsageCharge.objects.visible_to(scope)
        .filter(kind=LegKind.CUSTOMER, day__gte=period.from_date, day__lt=period.to_date)
        .annotate(month=TruncMonth("day"))
        .values_list("month", "product__name", "destination", "product__volume_unit")
        .annotate(calls=Sum("call_count"), used=Sum("volume"), charged=Sum("billed_volume"))
        .order_by("month", "product__name", "destination")
    )
    return [
        Traffic(
            month=f"{month:%Y-%m}",
            product=product,
            destination=destination,
            call_count=calls,
            used_volume=used,
            billed_volume=charged,
            average_volume=round_to(Decimal(used) / calls, 1) if calls else ZERO,
            volume_unit=unit,
        )
        for month, product, destination, unit, calls, used, charged in rows
    ]


def source_traffic(scope: Scope, period: Period) -> list[SourceTraffic]:
    """Lines read by day of receipt and source, by what became of them at first."""
    zone = provider_zone(scope)
    begins, ends = period.instants(zone)
    rows = (
        XdrChunk.objects.visible_to(scope)
        .filter(
            state=XdrChunk.State.DONE, file__received_at__gte=begins, file__received_at__lt=ends
        )
        .annotate(day=TruncDate("file__received_at", tzinfo=zone, output_field=DateField()))
        .values_list("day", "file__source__name", "file__source_id")
        .annotate(
            files=Count("file", distinct=True),
            lines=Sum("line_count"),
            rated=Sum("rated_count"),
            zero=Sum("zero_count"),
            waiting=Sum("suspended_count"),
            repeated=Sum("duplicate_count"),
        )
        .order_by("day", "file__source__name", "file__source_id")
    )
    return [
        SourceTraffic(
            day=day,
            source=source,
            file_count=files,
            line_count=lines,
            answered_count=rated,
            unanswered_count=zero,
            asr_percent=answer_seizure_percent(rated, zero),
            suspended_count=waiting,
            duplicate_count=repeated,
        )
        for day, source, _, files, lines, rated, zero, waiting, repeated in rows
    ]


def answer_seizure_percent(answered: int, unanswered: int) -> Decimal | None:
    """Answered calls in a hundred attempts, with one decimal; None without any attempt."""
    attempts = answered + unanswered
    return round_to(Decimal(100) * answered / attempts, 1) if attempts else None


def aged_suspense(scope: Scope, period: Period) -> list[AgedSuspense]:
    """What waited at the end of the period's last day by reason and currency."""
    zone = provider_zone(scope)
    _, end = period.instants(zone)
    young = {
        f"within_{days}": Count("pk", filter=Q(created_at__gte=end - timedelta(days=days)))
        for days in _AGES
    }
    rows = (
        Suspense.objects.visible_to(scope)
        .filter(Q(resolved_at=None) | Q(resolved_at__gte=end), created_at__lt=end)
        .values("reason", "currency")
        .annotate(
            **young,
            waiting=Count("pk"),
            oldest=Min("created_at"),
            value=Sum("estimated_amount"),
        )
        .order_by("reason", "currency")
    )
    return [
        AgedSuspense(
            reason=SuspenseReason(row["reason"]).label,
            up_to_1_day_count=row["within_1"],
            up_to_7_days_count=row["within_7"] - row["within_1"],
            up_to_30_days_count=row["within_30"] - row["within_7"],
            older_count=row["waiting"] - row["within_30"],
            waiting_count=row["waiting"],
            oldest_date=row["oldest"].astimezone(zone).date(),
            value_amount=row["value"],
            currency=row["currency"],
        )
        for row in rows
    ]
