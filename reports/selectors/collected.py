"""Money that came in and was taken back, and the tax that was asked for."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Count, Sum
from django.db.models.functions import TruncMonth

from billing.models import CreditNoteTax, Invoice, InvoiceTax
from common.money import ZERO
from common.periods import Period
from common.scope import Scope
from payments.models import Payment, Reversal
from tenancy.selectors import provider_zone

COLLECTIONS = (
    "received = payments by the day they were posted, whatever became of them later; reversed ="
    " payments taken back by the day of their reversal; net = received - reversed. Net is what the"
    " bank and the gateways' accounts gained in the ledger by payments and their reversals."
)
TAX = (
    "tax = tax of the invoices issued in the month by the provider's biller entities, minus that of"
    " the credit notes issued in the month; base = what the invoices' tax was reckoned on."
    " Settlement invoices of resellers are left out: their tax is the reseller's."
    " Net tax is what the ledger's tax account gained."
)


@dataclass(frozen=True)
class Collection:
    """The payments of a month of one mode in one currency."""

    month: str
    mode: str
    gateway: str
    payment_count: int
    received_amount: Decimal
    reversal_count: int
    reversed_amount: Decimal
    net_amount: Decimal
    currency: str


@dataclass(frozen=True)
class TaxDue:
    """One tax of one seller in a month and currency."""

    month: str
    seller: str
    tax: str
    tax_percent: Decimal
    base_amount: Decimal
    invoiced_amount: Decimal
    credited_amount: Decimal
    net_amount: Decimal
    currency: str


# Month, mode, gateway, currency.
_Way = tuple[date, str, str, str]
# Month, seller, tax, percent, currency.
_Tax = tuple[date, str, str, Decimal, str]


def collections(scope: Scope, period: Period) -> list[Collection]:
    """Payments by month, mode, gateway and currency."""
    received, taken_back = _received(scope, period), _reversed(scope, period)
    return [
        Collection(
            month=f"{month:%Y-%m}",
            mode=Payment.Mode(mode).label,
            gateway=gateway,
            payment_count=received.get(key, (0, ZERO))[0],
            received_amount=received.get(key, (0, ZERO))[1],
            reversal_count=taken_back.get(key, (0, ZERO))[0],
            reversed_amount=taken_back.get(key, (0, ZERO))[1],
            net_amount=received.get(key, (0, ZERO))[1] - taken_back.get(key, (0, ZERO))[1],
            currency=currency,
        )
        for key in sorted(received.keys() | taken_back.keys())
        for month, mode, gateway, currency in [key]
    ]


def taxes(scope: Scope, period: Period) -> list[TaxDue]:
    """Tax by month, seller, tax and currency."""
    invoiced, credited = _invoiced_tax(scope, period), _credited_tax(scope, period)
    return [
        TaxDue(
            month=f"{month:%Y-%m}",
            seller=seller,
            tax=tax,
            tax_percent=percent,
            base_amount=invoiced.get(key, (ZERO, ZERO))[0],
            invoiced_amount=invoiced.get(key, (ZERO, ZERO))[1],
            credited_amount=credited.get(key, ZERO),
            net_amount=invoiced.get(key, (ZERO, ZERO))[1] - credited.get(key, ZERO),
            currency=currency,
        )
        for key in sorted(invoiced.keys() | credited.keys())
        for month, seller, tax, percent, currency in [key]
    ]


def _received(scope: Scope, period: Period) -> dict[_Way, tuple[int, Decimal]]:
    rows = (
        Payment.objects.visible_to(scope)
        .filter(
            posting_date__gte=period.from_date,
            posting_date__lt=period.to_date,
            succeeded_at__isnull=False,
        )
        .annotate(month=TruncMonth("posting_date"))
        .values_list("month", "mode", "gateway", "currency")
        .annotate(count=Count("pk"), sum=Sum("amount"))
        .order_by()
    )
    return {(month, *way): (count, amount) for month, *way, count, amount in rows}


def _reversed(scope: Scope, period: Period) -> dict[_Way, tuple[int, Decimal]]:
    zone = provider_zone(scope)
    begins, ends = period.instants(zone)
    rows = (
        Reversal.objects.visible_to(scope)
        .filter(reversed_at__gte=begins, reversed_at__lt=ends)
        .annotate(month=TruncMonth("reversed_at", tzinfo=zone))
        .values_list("month", "payment__mode", "payment__gateway", "payment__currency")
        .annotate(count=Count("pk"), sum=Sum("payment__amount"))
        .order_by()
    )
    return {(month.date(), *way): (count, amount) for month, *way, count, amount in rows}


def _invoiced_tax(scope: Scope, period: Period) -> dict[_Tax, tuple[Decimal, Decimal]]:
    rows = (
        InvoiceTax.objects.visible_to(scope)
        .filter(
            invoice__issue_date__gte=period.from_date,
            invoice__issue_date__lt=period.to_date,
            invoice__issuing_reseller__isnull=True,
        )
        .exclude(invoice__state=Invoice.State.ESTIMATE)
        .annotate(month=TruncMonth("invoice__issue_date"))
        .values_list(
            "month", "invoice__biller_entity__name", "name", "percent", "invoice__currency"
        )
        .annotate(base=Sum("base_amount"), tax=Sum("tax_amount"))
        .order_by()
    )
    return {(month, *rest): (base, tax) for month, *rest, base, tax in rows}


def _credited_tax(scope: Scope, period: Period) -> dict[_Tax, Decimal]:
    rows = (
        CreditNoteTax.objects.visible_to(scope)
        .filter(
            credit_note__issue_date__gte=period.from_date,
            credit_note__issue_date__lt=period.to_date,
            credit_note__issuing_reseller__isnull=True,
        )
        .annotate(month=TruncMonth("credit_note__issue_date"))
        .values_list(
            "month",
            "credit_note__biller_entity__name",
            "invoice_tax__name",
            "invoice_tax__percent",
            "credit_note__currency",
        )
        .annotate(tax=Sum("tax_amount"))
        .order_by()
    )
    credited: dict[_Tax, Decimal] = defaultdict(Decimal)
    for month, seller, tax, percent, currency, amount in rows:
        credited[month, seller, tax, percent, currency] += amount
    return credited
