"""What resellers earned, what they were paid, and what they are still owed."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Q, Sum
from django.db.models.functions import Coalesce, TruncMonth

from common.money import ZERO
from common.periods import Period, month
from common.scope import Scope
from payouts.models import Accrual, PayoutStatement
from resellers.selectors import resellers

RESELLER_PAYOUT = (
    "accrued = commission on events of the month (an invoice issued, or money collected, by the"
    " reseller's plan); clawed back = commission taken back in the month (credit notes, payments"
    " taken back); settled = statements paid in the month; outstanding = opening + accrued +"
    " clawed back - settled, at the end of the month; opening = outstanding of the month before."
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


def reseller_payouts(scope: Scope, period: Period) -> list[ResellerPayout]:
    """Commission by month, reseller and currency, where there was any or some is outstanding."""
    movements = _movements(scope, before=period.to_date)
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
    earlier = (moved.change for first, moved in movements.items() if first < period.from_date)
    opening = sum(earlier, ZERO)
    first = period.from_date
    while first < period.to_date:
        moved = movements.get(first, _Movement())
        yield first, opening, moved
        opening += moved.change
        first = month(first.year, first.month).to_date


def _movements(scope: Scope, *, before: date) -> dict[_Party, dict[date, _Movement]]:
    """All that moved before a day, by reseller and currency, then by month."""
    accrued = (
        Accrual.objects.visible_to(scope)
        .filter(event_date__lt=before)
        .annotate(month=TruncMonth("event_date"))
        .values_list("reseller_id", "currency", "month")
        .annotate(
            earned=Coalesce(Sum("amount", filter=Q(amount__gt=0)), ZERO),
            taken_back=Coalesce(Sum("amount", filter=Q(amount__lt=0)), ZERO),
        )
        .order_by()
    )
    settled = (
        PayoutStatement.objects.visible_to(scope)
        .filter(settled_date__lt=before)
        .annotate(month=TruncMonth("settled_date"))
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
