"""What is owed on invoices, by how late it is, at the end of any day."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, DecimalField, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from billing.models import CreditNote, Invoice
from common.money import ZERO
from common.periods import Period
from common.scope import Scope
from customers.selectors import customers
from payments.models import Allocation
from reports.rules.ages import BAND_COUNT, age_band
from resellers.models import Reseller

AGED_RECEIVABLES = (
    "due = gross of the invoices issued by the last day of the period, minus what payments settled"
    " and credit notes took off by then; an invoice is late from the day after its last day to pay."
    " In each currency it adds up to the receivables in the ledger at the end of that day."
)
_OPEN = (Invoice.State.ISSUED, Invoice.State.PART_PAID)
_AMOUNT: "DecimalField[Decimal, Decimal]" = DecimalField(max_digits=20, decimal_places=4)


@dataclass(frozen=True)
class AgedReceivable:
    """What one payer owes in one currency; the reseller is its tag, or the payer itself."""

    customer_number: int | None
    reseller_number: int | None
    payer: str
    reseller: str
    invoice_count: int
    not_due_amount: Decimal
    days_1_to_30_amount: Decimal
    days_31_to_60_amount: Decimal
    days_61_to_90_amount: Decimal
    older_amount: Decimal
    due_amount: Decimal
    currency: str


def aged_receivables(scope: Scope, period: Period) -> list[AgedReceivable]:
    """What is due at the end of the period's last day by payer and currency, the largest first."""
    bands: dict[_Payer, list[Decimal]] = defaultdict(lambda: [ZERO] * BAND_COUNT)
    counts: dict[_Payer, int] = defaultdict(int)
    for payer, due_date, count, due in _open_on(scope, period.last_date):
        bands[payer][age_band(due_date, period.last_date)] += due
        counts[payer] += count
    found = customers(scope).filter(pk__in={payer[0] for payer in bands if payer[0]})
    customer_of = {customer.pk: customer for customer in found}
    reseller_of = {reseller.pk: reseller for reseller in Reseller.objects.visible_to(scope)}
    rows = []
    for payer, (not_due, first, second, third, older) in bands.items():
        customer, reseller = customer_of.get(payer[0] or 0), reseller_of.get(payer[1] or 0)
        rows.append(
            AgedReceivable(
                customer.number if customer else None,
                reseller.number if reseller else None,
                str(customer or reseller),
                str(reseller or ""),
                counts[payer],
                not_due,
                first,
                second,
                third,
                older,
                not_due + first + second + third + older,
                payer[2],
            )
        )
    return sorted(rows, key=lambda row: (row.currency, -row.due_amount, row.payer))


# Customer or None, reseller or None (the payer's tag, or the payer itself), currency.
_Payer = tuple[int | None, int | None, str]


def _open_on(scope: Scope, day: date) -> Iterator[tuple[_Payer, date | None, int, Decimal]]:
    """What is due of invoices with one last day to pay, and how many they are."""
    due = (
        F("gross_amount")
        - Coalesce(_settled_by(day), ZERO, output_field=_AMOUNT)
        - Coalesce(_credited_by(day), ZERO, output_field=_AMOUNT)
    )
    reseller = Coalesce("reseller_id", "tagged_reseller_id")
    rows = (
        Invoice.objects.visible_to(scope)
        .exclude(state=Invoice.State.ESTIMATE)
        .filter(Q(state__in=_OPEN) | Q(pk__in=_touched_after(scope, day)), issue_date__lte=day)
        .annotate(due=due, owed_through=reseller)
        .exclude(due=0)
        .values_list("customer_id", "owed_through", "currency", "due_date")
        .annotate(count=Count("pk"), sum=Sum("due"))
        .order_by()
    )
    for customer_id, reseller_id, currency, due_date, count, amount in rows:
        yield (customer_id, reseller_id, currency), due_date, count, amount


def _settled_by(day: date) -> Subquery:
    """What live allocations settled of an invoice by the end of a day."""
    undone_later = Q(transfer__reversed_by=None) | Q(transfer__reversed_by__effective_date__gt=day)
    rows = Allocation.objects.filter(
        undone_later, invoice=OuterRef("pk"), transfer__effective_date__lte=day
    )
    sums = rows.values("invoice").annotate(sum=Sum("amount")).values("sum")
    return Subquery(sums, output_field=_AMOUNT)


def _credited_by(day: date) -> Subquery:
    """What credit notes took off the due of an invoice; the rest of them went to the wallet."""
    rows = CreditNote.objects.filter(invoice=OuterRef("pk"), issue_date__lte=day)
    taken_off = Sum(F("gross_amount") - F("excess_amount"))
    sums = rows.values("invoice").annotate(sum=taken_off).values("sum")
    return Subquery(sums, output_field=_AMOUNT)


def _touched_after(scope: Scope, day: date) -> QuerySet[Allocation, Any]:
    """Invoices that were settled or credited later: they may have been open on the day."""
    settled = Allocation.objects.visible_to(scope).filter(transfer__effective_date__gt=day)
    credited = CreditNote.objects.visible_to(scope).filter(issue_date__gt=day)
    return settled.values("invoice_id").union(credited.values("invoice_id"))
