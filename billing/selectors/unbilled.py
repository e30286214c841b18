"""What a customer has run up that no issued invoice has asked for yet."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

from billing.rules.totals import round_line
from billing.selectors import line_queries
from common.money import ZERO, Rounding, RoundingScope, round_money
from common.scope import Scope
from customers.models import Customer
from subscriptions.models import Charge
from tenancy.models import BillerEntity
from tenancy.selectors import default_biller_entity


@dataclass(frozen=True)
class UnbilledLine:
    """A charge, or usage of one product and destination, rounded as the invoice will round it."""

    group: str
    description: str
    currency: str
    net_amount: Decimal
    product_name: str = ""
    is_late: bool = False
    call_count: int | None = None
    billed_volume: int | None = None
    included_volume: int | None = None
    volume_unit: str = ""


def unbilled_lines(scope: Scope, customer: Customer, period_from: date) -> list[UnbilledLine]:
    """Recurring charges so far, usage up to the last batch, and one-time charges.

    `period_from` is the first day of the period not billed yet; usage before it is late. A run
    for that period turns the lines into its invoice, estimates do not count as billed.
    """
    seen = Customer.objects.visible_to(scope).filter(pk=customer.pk).first()
    if seen is None:
        return []
    biller = _biller(seen)
    return [*_charges(seen, biller), *_usage(seen, biller, period_from)]


def unbilled_net(scope: Scope, customer: Customer, currency: str, period_from: date) -> Decimal:
    """The net total of `unbilled_lines` in one currency, as an invoice would ask for it."""
    lines = unbilled_lines(scope, customer, period_from)
    total = sum((line.net_amount for line in lines if line.currency == currency), ZERO)
    return round_money(total, currency, Rounding(_biller(customer).rounding))


def _biller(customer: Customer) -> BillerEntity:
    return customer.biller_entity or default_biller_entity(Scope.system(customer.provider_id))


def _charges(customer: Customer, biller: BillerEntity) -> list[UnbilledLine]:
    parameters = {"provider_id": customer.provider_id, "customer_id": customer.pk}
    with connection.cursor() as cursor:
        cursor.execute(line_queries.UNBILLED_CHARGES, parameters)
        ids = [charge_id for (charge_id,) in cursor.fetchall()]
    rows = Charge.objects.filter(pk__in=ids).select_related("product")
    return [
        UnbilledLine(
            group=charge.kind,
            description=charge.description,
            currency=charge.currency,
            net_amount=_rounded(charge.net_amount, charge.currency, biller),
            product_name=charge.product.name if charge.product else "",
        )
        for charge in rows.order_by("-kind", "period_from", "description", "pk")
    ]


def _usage(customer: Customer, biller: BillerEntity, period_from: date) -> list[UnbilledLine]:
    parameters: dict[str, Any] = {
        "provider_id": customer.provider_id,
        "customer_id": customer.pk,
        "period_from": period_from,
    }
    with connection.cursor() as cursor:
        cursor.execute(line_queries.UNBILLED_USAGE_LINES, parameters)
        return [
            UnbilledLine(
                group="USAGE",
                description=destination,
                currency=currency,
                net_amount=_rounded(amount, currency, biller),
                product_name=product_name,
                is_late=is_late,
                call_count=call_count,
                billed_volume=billed_volume,
                included_volume=included_volume,
                volume_unit=volume_unit,
            )
            for (
                currency,
                _product_id,
                product_name,
                volume_unit,
                destination,
                is_late,
                call_count,
                billed_volume,
                included_volume,
                amount,
            ) in cursor.fetchall()
        ]


def _rounded(amount: Decimal, currency: str, biller: BillerEntity) -> Decimal:
    rounding, scope = Rounding(biller.rounding), RoundingScope(biller.rounding_scope)
    return round_line(amount, currency, rounding, scope)
