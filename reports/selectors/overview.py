"""The figures of the console's first page; from documents and usage charges, never from legs."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Count, Exists, F, OuterRef, Q, Sum

from billing.models import BillRun, BillRunItem, Invoice, TaxProfile
from billing.selectors.charges import unbilled_charges
from catalogue.models import CatalogueVersion, Rate
from cdr.models import XdrFile
from common.money import ZERO
from common.scope import Scope
from customers.models import Customer
from reports.rules.ages import BAND_COUNT, age_band
from reports.selectors.customer_money import unbilled_usage
from resellers.models import ResellerCode
from tenancy.models import Provider

_OPEN = (Invoice.State.ISSUED, Invoice.State.PART_PAID)
# What comes to nothing or less waits for another run, as does what somebody discarded.
_LEFT_OUT = (BillRunItem.State.EMPTY, BillRunItem.State.DISCARDED)


@dataclass(frozen=True)
class Receivable:
    """What is due now in one currency, by how late it is, as in the aged receivables."""

    currency: str
    invoice_count: int
    overdue_count: int
    band_amounts: tuple[Decimal, ...]

    @property
    def due_amount(self) -> Decimal:
        """All that is due."""
        return sum(self.band_amounts, ZERO)

    @property
    def overdue_amount(self) -> Decimal:
        """What of it is late."""
        return sum(self.band_amounts[1:], ZERO)


@dataclass(frozen=True)
class FirstSteps:
    """How far a new provider has come on the way to its first bill run."""

    has_taxes: bool
    has_catalogue: bool
    has_rates: bool
    has_codes: bool
    has_customers: bool
    has_usage: bool
    has_billed: bool


def receivables(scope: Scope, today: date) -> list[Receivable]:
    """What customers and resellers owe on invoices by currency; as of now."""
    rows = (
        Invoice.objects.visible_to(scope)
        .filter(state__in=_OPEN)
        .values_list("currency", "due_date")
        .annotate(
            count=Count("pk"),
            due=Sum(F("gross_amount") - F("settled_amount") - F("credited_amount")),
        )
        .order_by("currency", "due_date")
    )
    amounts: dict[str, list[Decimal]] = defaultdict(lambda: [ZERO] * BAND_COUNT)
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for currency, due_date, count, due in rows:
        band = age_band(due_date, today)
        amounts[currency][band] += due
        counts[currency][band > 0] += count
    return [
        Receivable(currency, sum(counts[currency]), counts[currency][1], tuple(bands))
        for currency, bands in amounts.items()
    ]


def unbilled_by_currency(scope: Scope) -> dict[str, Decimal]:
    """Charges and usage of billable customers that no issued invoice asks for; before tax.

    Of usage what came since the last whole run was begun, or is of days after its period, and all
    of the payers whom it left out: it invoiced everything else, which need not be looked at.
    """
    never = Customer.objects.visible_to(scope).filter(is_billable=False)
    usage = unbilled_usage(scope).exclude(payer_id__in=never.values("pk")).order_by()
    lots = [usage]
    if (last := _last_whole_run(scope)) is not None:
        is_recent = Q(day__gte=last.period_to) | Q(created_at__gte=last.created_at)
        left_out = BillRunItem.objects.filter(run=last, state__in=_LEFT_OUT).values("customer_id")
        lots = [usage.filter(is_recent), usage.filter(~is_recent, payer_id__in=left_out)]
    charges = unbilled_charges(scope).filter(customer__is_billable=True).order_by()
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for currency, amount in (
        *(row for lot in lots for row in lot.values_list("currency").annotate(sum=Sum("amount"))),
        *charges.values_list("currency").annotate(sum=Sum("net_amount")),
    ):
        sums[currency] += amount
    return dict(sorted(sums.items()))


def _last_whole_run(scope: Scope) -> BillRun | None:
    """The last run that was issued, of everybody, and of all that was there before its end.

    What waits on the estimates of another run, it could not take.
    """
    runs = BillRun.objects.visible_to(scope)
    waiting = runs.exclude(state=BillRun.State.ISSUED).filter(period_from__lt=OuterRef("period_to"))
    whole = runs.filter(~Exists(waiting), state=BillRun.State.ISSUED, is_partial=False)
    return whole.order_by("-period_to", "-pk").first()


def first_steps(scope: Scope) -> FirstSteps:
    """What there is already of what a bill run needs."""
    found = Provider.objects.filter(pk=scope.provider_id).values(
        has_taxes=Exists(TaxProfile.objects.visible_to(scope)),
        has_catalogue=Exists(CatalogueVersion.objects.visible_to(scope)),
        has_rates=Exists(Rate.objects.visible_to(scope)),
        has_codes=Exists(ResellerCode.objects.visible_to(scope)),
        has_customers=Exists(Customer.objects.visible_to(scope)),
        has_usage=Exists(XdrFile.objects.visible_to(scope)),
        has_billed=Exists(BillRun.objects.visible_to(scope).filter(state=BillRun.State.ISSUED)),
    )
    return FirstSteps(**found.get())
