"""What parties owe each other for usage: legs by reseller, and what is left to everybody."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Sum
from django.db.models.functions import TruncMonth

from cdr.models import LegKind, PartyKind, UsageCharge
from common.money import ZERO
from common.periods import Period
from common.scope import Scope
from resellers.models import Reseller
from tenancy.models import Provider

WHOLESALE = (
    "charged = reseller legs that the reseller pays its parent; owed = reseller legs that its"
    " sub-resellers pay it; both before tax, by the day of the call in the provider's time zone and"
    " the destination of the leg's own rate table; volume is the billed one, in volume unit."
)
MARGIN = (
    "margin = from customers + from resellers - to resellers or provider - to vendors, of the"
    " month's usage before tax, at the day of the call. From customers is what a party's own"
    " customers are charged, also where the provider collects it; vendors are paid by their owner."
    " In each currency all margins add up to the customers' charges minus the vendors' cost."
)


@dataclass(frozen=True)
class Wholesale:
    """A reseller's legs of a day to a destination in one currency."""

    day: date
    reseller_number: int
    reseller: str
    destination: str
    charged_count: int
    charged_volume: int
    charged_amount: Decimal
    owed_count: int
    owed_volume: int
    owed_amount: Decimal
    volume_unit: str
    currency: str


@dataclass(frozen=True)
class Margin:
    """What a month's usage leaves one party (the provider, or a reseller) in one currency."""

    month: str
    reseller_number: int | None
    party: str
    from_customers_amount: Decimal
    from_resellers_amount: Decimal
    to_sellers_amount: Decimal
    to_vendors_amount: Decimal
    margin_amount: Decimal
    currency: str


@dataclass(frozen=True)
class _Side:
    """The legs on one side of a reseller's account."""

    count: int = 0
    volume: int = 0
    amount: Decimal = ZERO


_IN, _OUT = True, False
# What a party takes in (positive) and lays out (negative), by kind of leg.
_Flow = dict[tuple[bool, LegKind], Decimal]
# Day, reseller, destination, unit, currency.
_LegKey = tuple[date, int, str, str, str]


def wholesale(scope: Scope, period: Period) -> list[Wholesale]:
    """Reseller legs by day, reseller and destination; days in the provider's zone."""
    charged = _sides(scope, period, "payer")
    owed = _sides(scope, period, "payee")
    resellers = {reseller.pk: reseller for reseller in Reseller.objects.visible_to(scope)}
    rows = []
    for key in charged.keys() | owed.keys():
        day, reseller_id, destination, unit, currency = key
        out, into = charged.get(key, _Side()), owed.get(key, _Side())
        rows.append(
            Wholesale(
                day=day,
                reseller_number=resellers[reseller_id].number,
                reseller=str(resellers[reseller_id]),
                destination=destination,
                charged_count=out.count,
                charged_volume=out.volume,
                charged_amount=out.amount,
                owed_count=into.count,
                owed_volume=into.volume,
                owed_amount=into.amount,
                volume_unit=unit,
                currency=currency,
            )
        )
    return sorted(
        rows,
        key=lambda row: (
            row.day,
            row.reseller_number,
            row.destination,
            row.currency,
            row.volume_unit,
        ),
    )


def margins(scope: Scope, period: Period) -> list[Margin]:
    """What usage leaves each party by month and currency, the provider first."""
    flows = _flows(scope, period)
    provider = Provider.objects.get(pk=scope.provider_id)
    resellers = {reseller.pk: reseller for reseller in Reseller.objects.visible_to(scope)}
    rows = []
    for (month, reseller_id, currency), flow in flows.items():
        reseller = resellers[reseller_id] if reseller_id else None
        if any(flow.values()):
            rows.append(
                Margin(
                    month=f"{month:%Y-%m}",
                    reseller_number=reseller.number if reseller else None,
                    party=str(reseller or provider),
                    from_customers_amount=flow[_IN, LegKind.CUSTOMER],
                    from_resellers_amount=flow[_IN, LegKind.RESELLER],
                    to_sellers_amount=-flow[_OUT, LegKind.RESELLER],
                    to_vendors_amount=-flow[_OUT, LegKind.VENDOR],
                    margin_amount=sum(flow.values(), ZERO),
                    currency=currency,
                )
            )
    return sorted(rows, key=lambda row: (row.month, row.reseller_number or 0, row.currency))


def _sides(scope: Scope, period: Period, party: str) -> dict[_LegKey, _Side]:
    """The reseller legs whose `party` (payer or payee) is a reseller."""
    rows = (
        UsageCharge.objects.visible_to(scope)
        .filter(
            kind=LegKind.RESELLER,
            day__gte=period.from_date,
            day__lt=period.to_date,
            **{f"{party}_kind": PartyKind.RESELLER},
        )
        .values_list("day", f"{party}_id", "destination", "product__volume_unit", "currency")
        .annotate(count=Sum("call_count"), units=Sum("billed_volume"), sum=Sum("amount"))
        .order_by()
    )
    return {
        (day, reseller_id, destination, unit, currency): _Side(count, volume, amount)
        for day, reseller_id, destination, unit, currency, count, volume, amount in rows
    }


def _flows(scope: Scope, period: Period) -> dict[tuple[date, int, str], _Flow]:
    """By month, party (0: the provider) and currency."""
    flows: dict[tuple[date, int, str], _Flow] = defaultdict(lambda: defaultdict(Decimal))
    for month, kind, payer, payee, currency, amount in _charges(scope, period):
        if kind != LegKind.CUSTOMER:
            flows[month, payer, currency][_OUT, kind] -= amount
        if kind != LegKind.VENDOR:
            flows[month, payee, currency][_IN, kind] += amount
    return flows


def _charges(
    scope: Scope, period: Period
) -> Iterable[tuple[date, LegKind, int, int, str, Decimal]]:
    """Month, kind, payer, payee, currency, sum; sellers and owners are resellers or 0."""
    rows = (
        UsageCharge.objects.visible_to(scope)
        .filter(day__gte=period.from_date, day__lt=period.to_date)
        .annotate(month=TruncMonth("day"))
        .values_list("month", "kind", "payer_id", "payee_id", "currency")
        .annotate(sum=Sum("amount"))
        .order_by()
    )
    for month, kind, payer_id, payee_id, currency, amount in rows:
        yield month, LegKind(kind), payer_id, payee_id, currency, amount
