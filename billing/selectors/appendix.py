"""The usage that an invoice asks for, day by day: the appendix to its lines."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Sum

from billing.selectors.invoices import invoice_by_id
from cdr.models import UsageCharge
from common.scope import Scope


@dataclass(frozen=True)
class BilledDay:
    """What a day's usage of one product and destination came to, before rounding and tax.

    Volumes count the product's `volume_unit`, and `included_volume` what allowances covered; the
    amount is in the invoice's currency.
    """

    day: date
    product_name: str
    destination: str
    call_count: int
    billed_volume: int
    included_volume: int
    volume_unit: str
    net_amount: Decimal


def usage_appendix(scope: Scope, invoice_id: int) -> list[BilledDay]:
    """The usage of an issued invoice by product, destination and day; its sums make the lines.

    A line is the sum of its days, rounded once; days before the invoice's period are in the lines
    of late usage.

    :raises UnknownInvoice: if the scope sees no such invoice.
    """
    invoice = invoice_by_id(scope, invoice_id)
    charges = UsageCharge.objects.filter(
        provider_id=scope.provider_id, billed__invoice_id=invoice.pk
    )
    sums = (
        charges.values_list(
            "day", "product__name", "destination", "product__volume_unit", "product"
        )
        .annotate(
            calls=Sum("call_count"),
            volume=Sum("billed_volume"),
            included=Sum("included_volume"),
            net=Sum("amount"),
        )
        .order_by("product__name", "product", "destination", "day")
    )
    return [
        BilledDay(day, product, destination, calls, volume, included, unit, net)
        for day, product, destination, unit, _, calls, volume, included, net in sums
    ]
