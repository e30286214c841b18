"""Sales through resellers and without them; together they are all sales."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import TruncMonth

from billing.models import CreditNote, Invoice
from common.money import ZERO
from common.periods import Period
from common.scope import Scope
from resellers.models import ResellerCode
from resellers.selectors import reseller_tree, resellers

RESELLER_SALES = (
    "net = net of tax of the invoices issued in the month to customers who carried the reseller's"
    " tag on the invoice date, minus the net of credit notes issued in the month on such invoices;"
    " branch = net of the reseller and of all its sub-resellers, as the tree stands today."
    " Only billable customers are invoiced."
)
DIRECT_SALES = (
    "net = net of tax of the invoices issued in the month to customers without a reseller's tag on"
    " the invoice date, minus the net of credit notes issued in the month on such invoices."
    " With total-reseller-sales (net, not branch) it adds up to all net sales."
)


@dataclass(frozen=True)
class ResellerSales:
    """One reseller's sales of a month in one currency; amounts net of tax."""

    month: str
    reseller_number: int
    reseller: str
    codes: str
    parent: str
    invoice_count: int
    invoiced_amount: Decimal
    credited_amount: Decimal
    net_amount: Decimal
    branch_amount: Decimal
    currency: str


@dataclass(frozen=True)
class DirectSales:
    """The sales of a month to customers without a reseller, in one currency; net of tax."""

    month: str
    invoice_count: int
    invoiced_amount: Decimal
    credited_amount: Decimal
    net_amount: Decimal
    currency: str


@dataclass(frozen=True)
class _Sales:
    invoice_count: int = 0
    invoiced_amount: Decimal = ZERO
    credited_amount: Decimal = ZERO

    @property
    def net_amount(self) -> Decimal:
        return self.invoiced_amount - self.credited_amount


# Month, reseller (None: direct), currency.
_Key = tuple[date, int | None, str]


def reseller_sales(scope: Scope, period: Period) -> list[ResellerSales]:
    """Sales by month, reseller and currency, of resellers with any in their branch."""
    return _of_resellers(scope, _sales(scope, period))


def direct_sales(scope: Scope, period: Period) -> list[DirectSales]:
    """Sales by month and currency to customers without a reseller."""
    return _without_reseller(_sales(scope, period))


def sales_by_tag(scope: Scope, period: Period) -> tuple[list[ResellerSales], list[DirectSales]]:
    """Both of them at once: all sales of the period."""
    sales = _sales(scope, period)
    return _of_resellers(scope, sales), _without_reseller(sales)


def _of_resellers(scope: Scope, sales: Mapping[_Key, _Sales]) -> list[ResellerSales]:
    branches = _branches(scope, sales)
    found = {reseller.pk: reseller for reseller in resellers(scope)}
    codes = _codes(scope)
    rows = []
    for month, reseller_id, currency in branches:
        reseller = found[reseller_id]
        own = sales.get((month, reseller_id, currency), _Sales())
        rows.append(
            ResellerSales(
                month=f"{month:%Y-%m}",
                reseller_number=reseller.number,
                reseller=str(reseller),
                codes=", ".join(codes[reseller_id]),
                parent=str(reseller.parent or ""),
                invoice_count=own.invoice_count,
                invoiced_amount=own.invoiced_amount,
                credited_amount=own.credited_amount,
                net_amount=own.net_amount,
                branch_amount=branches[month, reseller_id, currency],
                currency=currency,
            )
        )
    return sorted(rows, key=lambda row: (row.month, row.reseller_number, row.currency))


def _without_reseller(sales: Mapping[_Key, _Sales]) -> list[DirectSales]:
    rows = [
        DirectSales(
            month=f"{month:%Y-%m}",
            invoice_count=own.invoice_count,
            invoiced_amount=own.invoiced_amount,
            credited_amount=own.credited_amount,
            net_amount=own.net_amount,
            currency=currency,
        )
        for (month, reseller_id, currency), own in sales.items()
        if reseller_id is None
    ]
    return sorted(rows, key=lambda row: (row.month, row.currency))


def _sales(scope: Scope, period: Period) -> dict[_Key, _Sales]:
    issued = {
        (month, reseller_id, currency): (count, amount)
        for month, reseller_id, currency, count, amount in _invoices(scope, period)
    }
    credited = {
        (month, reseller_id, currency): amount
        for month, reseller_id, currency, amount in _credit_notes(scope, period)
    }
    return {
        key: _Sales(*issued.get(key, (0, ZERO)), credited.get(key, ZERO))
        for key in issued.keys() | credited.keys()
    }


def _invoices(
    scope: Scope, period: Period
) -> QuerySet[Invoice, tuple[date, int | None, str, int, Decimal]]:
    rows = Invoice.objects.visible_to(scope).filter(
        kind=Invoice.Kind.CUSTOMER,
        issue_date__gte=period.from_date,
        issue_date__lt=period.to_date,
    )
    return (
        rows.exclude(state=Invoice.State.ESTIMATE)
        .annotate(month=TruncMonth("issue_date"))
        .values_list("month", "tagged_reseller_id", "currency")
        .annotate(count=Count("pk"), amount=Sum("net_amount"))
        .order_by()
    )


def _credit_notes(
    scope: Scope, period: Period
) -> QuerySet[CreditNote, tuple[date, int | None, str, Decimal]]:
    rows = CreditNote.objects.visible_to(scope).filter(
        invoice__kind=Invoice.Kind.CUSTOMER,
        issue_date__gte=period.from_date,
        issue_date__lt=period.to_date,
    )
    return (
        rows.annotate(month=TruncMonth("issue_date"))
        .values_list("month", "invoice__tagged_reseller_id", "currency")
        .annotate(amount=Sum("net_amount"))
        .order_by()
    )


def _branches(scope: Scope, sales: Mapping[_Key, _Sales]) -> dict[tuple[date, int, str], Decimal]:
    tree = reseller_tree(scope)
    branches: dict[tuple[date, int, str], Decimal] = defaultdict(Decimal)
    for (month, reseller_id, currency), own in sales.items():
        if reseller_id is not None:
            for member_id in (reseller_id, *tree.ancestors(reseller_id)):
                branches[month, member_id, currency] += own.net_amount
    return branches


def _codes(scope: Scope) -> dict[int, list[str]]:
    codes: dict[int, list[str]] = defaultdict(list)
    rows = ResellerCode.objects.visible_to(scope).order_by("code", "pk")
    for reseller_id, code in rows.values_list("reseller_id", "code"):
        codes[reseller_id].append(code)
    return codes
