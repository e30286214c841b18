"""What resellers earned, what they were paid, and what they are still owed."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Case, DateField, Q, Sum, Value, When
from django.db.models.functions import Cast, Coalesce, TruncMonth

from common.money import ZERO
from common.periods import Period, months
from common.scope import Scope
from payouts.models import Accrual, PayoutStatement
from resellers.selectors import resellers

RESELLER_PAYOUT = (
    "accrued = commission on events of the month (an invoice issued, or money collected, by the"
    " reseller's plan); clawed back = commission taken back in the month (credit notes, payments"
    " taken back); settled = statements paid in the month; outstanding = opening + accrued +"
    " clawed back - settled, at the end of the month; opening = outstanding of the month before."
    " A month that the period cuts counts its days inside of the period."
)


@dataclass(frozen=True)
class ResellerPayout:
    """One reseller's commission of a month in one currency; what is clawed back is negative."""

    month: str
    reseller_number: int
    reseller: str
    opening_amount: Decimal
    accrued_amount: Decimal
    clawed_back_amount: Decimal
    settled_amount: Decimal
    outstanding_amount: Decimal
    currency: str


@dataclass(frozen=True)
class _Movement:
    accrued: Decimal = ZERO
    clawed_back: Decimal = ZERO
    settled: Decimal = ZERO

    @property
    def change(self) -> Decimal:
        return self.accrued + self.clawed_back - self.settled


_Party = tuple[int, str]
_EARLIER = date.min


def reseller_payouts(scope: Scope, period: Period) -> list[ResellerPayout]:
    """Commission by month, reseller and currency, where there was any or some is outstanding."""
    movements = _movements(scope, period)
    rows = []
    for reseller in resellers(scope):
        for party in sorted(party for party in movements if party[0] == reseller.pk):
            rows += [
                ResellerPayout(
                    month=f"{first:%Y-%m}",
                    reseller_number=reseller.number,
                    reseller=str(reseller),
                    opening_amount=opening,
                    accrued_amount=moved.accrued,
                    clawed_back_amount=moved.clawed_back,
                    settled_amount=moved.settled,
                    outstanding_amount=opening + moved.change,
                    currency=party[1],
                )
                for first, opening, moved in _by_month(movements[party], period)
                if opening or moved != _Movement()
            ]
    return sorted(rows, key=lambda row: (row.month, row.reseller_number, row.currency))


def _by_month(
    movements: dict[date, _Movement], period: Period
) -> Iterator[tuple[date, Decimal, _Movement]]:
    opening = movements.get(_EARLIER, _Movement()).change
    for part in months(period):
        first = part.from_date.replace(day=1)
        moved = movements.get(first, _Movement())
        yield first, opening, moved
        opening += moved.change


def _movements(scope: Scope, period: Period) -> dict[_Party, dict[date, _Movement]]:
    """All that moved before the period's end, by reseller and currency, then by month."""
    accrued = (
        Accrual.objects.visible_to(scope)
        .filter(event_date__lt=period.to_date)
        .annotate(month=_month_of("event_date", period))
        .values_list("reseller_id", "currency", "month")
        .annotate(
            earned=Coalesce(Sum("amount", filter=Q(amount__gt=0)), ZERO),
            taken_back=Coalesce(Sum("amount", filter=Q(amount__lt=0)), ZERO),
        )
        .order_by()
    )
    settled = (
        PayoutStatement.objects.visible_to(scope)
        .filter(settled_date__lt=period.to_date)
        .annotate(month=_month_of("settled_date", period))
        .values_list("reseller_id", "currency", "month")
        .annotate(paid=Sum("transfer__amount"))
        .order_by()
    )
    found: dict[_Party, dict[date, _Movement]] = defaultdict(dict)
    for reseller_id, currency, first, earned, taken_back in accrued:
        found[reseller_id, currency][first] = _Movement(earned, taken_back)
    for reseller_id, currency, first, paid in settled:
        moved = found[reseller_id, currency].get(first, _Movement())
        found[reseller_id, currency][first] = _Movement(moved.accrued, moved.clawed_back, paid)
    return found


def _month_of(day: str, period: Period) -> Case:
    """The first day of the month; one day for all that moved before the period."""
    earlier = When(**{f"{day}__lt": period.from_date}, then=Value(_EARLIER))
    return Case(earlier, default=Cast(TruncMonth(day), DateField()), output_field=DateField())
