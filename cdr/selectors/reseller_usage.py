"""What one reseller pays its parent, and takes in from below, for usage."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Q, Sum
from django.db.models.functions import TruncMonth

from cdr.models import LegKind, PartyKind, UsageCharge
from common.money import ZERO
from common.scope import Scope
from resellers.models import Reseller


@dataclass(frozen=True)
class ResellerUsage:
    """The reseller legs of a calendar month in one currency, before tax.

    `call_count` and `charged_amount` are what the reseller pays its parent; `owed_amount` is what
    its sub-resellers pay it.
    """

    month: date
    call_count: int
    charged_amount: Decimal
    owed_amount: Decimal
    currency: str


def reseller_usage(scope: Scope, reseller: Reseller, since: date) -> list[ResellerUsage]:
    """The months with reseller legs from the day `since` on, in the provider's zone, latest first.

    Taken from the usage charges, hence as fast with many xDRs as with few.
    """
    pays = Q(payer_kind=PartyKind.RESELLER, payer_id=reseller.pk)
    is_paid = Q(payee_kind=PartyKind.RESELLER, payee_id=reseller.pk)
    rows = (
        UsageCharge.objects.visible_to(scope)
        .filter(pays | is_paid, kind=LegKind.RESELLER, day__gte=since)
        .annotate(month=TruncMonth("day"))
        .values_list("month", "currency")
        .annotate(
            calls=Sum("call_count", filter=pays, default=0),
            charged=Sum("amount", filter=pays, default=ZERO),
            owed=Sum("amount", filter=is_paid, default=ZERO),
        )
        .order_by("-month", "currency")
    )
    return [
        ResellerUsage(month, calls, charged, owed, currency)
        for month, currency, calls, charged, owed in rows
    ]
