"""Calculating the estimates of a bill run's items.

A set of items is one transaction of a fixed number of statements, whatever their number: 500
invoices a second are out of reach with a dozen statements each. `billing.services.batches` gives
a customer that fails a transaction of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from billing.models import BillRun, BillRunItem, Invoice, InvoiceTax
from billing.rules.taxes import PercentTax
from billing.rules.totals import InvoiceTotals, line_digits, total_invoice
from billing.selectors import line_queries
from billing.selectors.tax_profiles import default_taxes
from billing.services.parties import (
    biller_as_seller,
    customer_as_buyer,
    reseller_as_buyer,
    reseller_as_seller,
)
from billing.services.tier_statements import keep_tier_statements
from common.money import ZERO, Rounding, RoundingScope
from common.periods import Period
from common.scope import Scope
from customers.models import Customer
from resellers.models import Reseller
from subscriptions.models import Charge, Subscription
from subscriptions.services.charging import post_recurring_charges
from tenancy.models import BillerEntity
from tenancy.selectors import default_biller_entity

_SET_TOTALS = """
    UPDATE billing_invoice i
    SET net_amount = t.net, tax_amount = t.tax, gross_amount = t.net + t.tax
    FROM unnest(%s::bigint[], %s::numeric[], %s::numeric[]) AS t (id, net, tax)
    WHERE i.id = t.id
"""
_LINE_AMOUNTS = """
    SELECT invoice_id, array_agg(net_amount) FROM billing_invoiceline
    WHERE invoice_id = ANY(%s) GROUP BY invoice_id
"""
# An estimate's parts go before it does; no trigger fires, as none of them is issued.
_DROP = (
    "DELETE FROM billing_billedusage WHERE invoice_id = ANY(%s)",
    "DELETE FROM billing_invoicetax WHERE invoice_id = ANY(%s)",
    "DELETE FROM billing_invoiceline WHERE invoice_id = ANY(%s)",
    "DELETE FROM billing_invoice WHERE id = ANY(%s)",
)


@dataclass(frozen=True)
class _Payer:
    """Who pays the invoices of an item, and how they are made."""

    item: BillRunItem
    customer: Customer | None
    reseller: Reseller | None
    biller: BillerEntity


@transaction.atomic
def estimate_items(*, run: BillRun, item_ids: Sequence[int], at: datetime) -> int:
    """Calculate waiting items of a run, all or none, and return how many; others are left alone.

    Each payer's estimates are replaced: what it owes up to the period's end and no other invoice
    has, one estimate per currency and (for a reseller) per party it owes. What comes to nothing or
    less is not kept; its charges stay unbilled and are set off against those of a later run.
    """
    items = list(
        BillRunItem.objects.filter(run=run, pk__in=item_ids, state=BillRunItem.State.WAITING)
        .order_by("pk")
        .select_for_update(skip_locked=True, no_key=True)
    )
    payers = _lock_payers(run, items)
    period = Period(run.period_from, run.period_to)
    _drop_estimates([item.pk for item in items])
    _post_recurring([item.customer_id for item in items if item.customer_id], period, at)
    estimates = _open_estimates(run, payers)
    _fill(estimates, payers, period)
    kept = _set_totals(estimates, payers, _taxes(run, period))
    _mark(items, {invoice.bill_run_item_id for invoice in kept})
    return len(items)


def _lock_payers(run: BillRun, items: Sequence[BillRunItem]) -> dict[int, _Payer]:
    """Customers and resellers by item; locked, as an estimate of another run wants the same."""
    customers = Customer.objects.filter(pk__in=[i.customer_id for i in items if i.customer_id])
    resellers = Reseller.objects.filter(pk__in=[i.reseller_id for i in items if i.reseller_id])
    customer = {row.pk: row for row in customers.order_by("pk").select_for_update(no_key=True)}
    reseller = {row.pk: row for row in resellers.order_by("pk").select_for_update(no_key=True)}
    default = default_biller_entity(Scope.system(run.provider_id))
    chosen = {row.biller_entity_id for row in customer.values()} - {None}
    billers = {row.pk: row for row in BillerEntity.objects.filter(pk__in=chosen)} if chosen else {}
    payers = {}
    for item in items:
        if item.customer_id is not None:
            payer = customer[item.customer_id]
            biller = billers.get(payer.biller_entity_id or 0, default)
            payers[item.pk] = _Payer(item, payer, None, biller)
        else:
            assert item.reseller_id is not None
            payers[item.pk] = _Payer(item, None, reseller[item.reseller_id], default)
    return payers


def _drop_estimates(item_ids: Sequence[int]) -> None:
    rows = Invoice.objects.filter(bill_run_item__in=item_ids, state=Invoice.State.ESTIMATE)
    drop_invoices(list(rows.values_list("pk", flat=True)))


def drop_invoices(invoice_ids: Sequence[int]) -> None:
    """Delete estimates with all their parts; the database refuses to drop an issued invoice."""
    if not invoice_ids:
        return
    with connection.cursor() as cursor:
        for statement in _DROP:
            cursor.execute(statement, [list(invoice_ids)])


def _post_recurring(customer_ids: Sequence[int], period: Period, at: datetime) -> None:
    rows = Subscription.objects.filter(customer__in=customer_ids, price__isnull=False)
    for customer_id in (
        rows.order_by("customer_id").values_list("customer_id", flat=True).distinct()
    ):
        post_recurring_charges(customer_id=customer_id, period=period, at=at)


def _open_estimates(run: BillRun, payers: dict[int, _Payer]) -> list[Invoice]:
    """An estimate without lines for each payer, party owed and currency."""
    by_customer = {p.customer.pk: p for p in payers.values() if p.customer is not None}
    by_reseller = {p.reseller.pk: p for p in payers.values() if p.reseller is not None}
    estimates = [
        _customer_estimate(run, by_customer[payer_id], currency)
        for payer_id, _, currency in _demands(line_queries.CUSTOMER_DEMANDS, run, by_customer)
    ]
    settlements = _demands(line_queries.RESELLER_DEMANDS, run, by_reseller)
    issuers = Reseller.objects.in_bulk({issuer_id for _, issuer_id, _ in settlements if issuer_id})
    estimates += [
        _settlement_estimate(run, by_reseller[payer_id], issuers.get(issuer_id or 0), currency)
        for payer_id, issuer_id, currency in settlements
    ]
    return Invoice.objects.bulk_create(estimates)


def _demands(
    sql: str, run: BillRun, payers: dict[int, _Payer]
) -> list[tuple[int, int | None, str]]:
    if not payers:
        return []
    parameters: dict[str, Any] = {
        "provider_id": run.provider_id,
        "payer_ids": list(payers),
        "period_to": run.period_to,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def _customer_estimate(run: BillRun, payer: _Payer, currency: str) -> Invoice:
    assert payer.customer is not None
    estimate = _estimate(run, payer, currency)
    estimate.kind = Invoice.Kind.CUSTOMER
    estimate.customer = payer.customer
    estimate.seller = biller_as_seller(payer.biller)
    estimate.buyer = customer_as_buyer(payer.customer)
    return estimate


def _settlement_estimate(
    run: BillRun, payer: _Payer, issuer: Reseller | None, currency: str
) -> Invoice:
    assert payer.reseller is not None
    estimate = _estimate(run, payer, currency)
    estimate.kind = Invoice.Kind.SETTLEMENT
    estimate.reseller = payer.reseller
    estimate.issuing_reseller = issuer
    estimate.seller = (
        reseller_as_seller(issuer, payer.biller) if issuer else biller_as_seller(payer.biller)
    )
    estimate.buyer = reseller_as_buyer(payer.reseller)
    return estimate


def _estimate(run: BillRun, payer: _Payer, currency: str) -> Invoice:
    return Invoice(
        provider_id=run.provider_id,
        biller_entity=payer.biller,
        bill_run_item=payer.item,
        currency=currency,
        rounding=payer.biller.rounding,
        period_from=run.period_from,
        period_to=run.period_to,
        net_amount=ZERO,
        tax_amount=ZERO,
        gross_amount=ZERO,
    )


def _fill(estimates: Sequence[Invoice], payers: dict[int, _Payer], period: Period) -> None:
    """Recurring charges, usage, one-time charges: the order of the groups on the invoice."""
    if not estimates:
        return
    parameters: dict[str, Any] = {
        "invoice_ids": [estimate.pk for estimate in estimates],
        "digits": [_line_digits(estimate, payers) for estimate in estimates],
        "period_to": period.to_date,
    }
    with connection.cursor() as cursor:
        cursor.execute(line_queries.TAKE_USAGE, parameters)
        recurring = parameters | {"charge_kind": Charge.Kind.RECURRING}
        cursor.execute(line_queries.INSERT_CHARGE_LINES, recurring)
        cursor.execute(line_queries.INSERT_USAGE_LINES, parameters)
        one_time = parameters | {"charge_kind": Charge.Kind.ONE_TIME}
        cursor.execute(line_queries.INSERT_CHARGE_LINES, one_time)
    keep_tier_statements(estimates)


def _line_digits(estimate: Invoice, payers: dict[int, _Payer]) -> int:
    assert estimate.bill_run_item_id is not None
    scope = RoundingScope(payers[estimate.bill_run_item_id].biller.rounding_scope)
    return line_digits(scope, estimate.currency)


def _set_totals(
    estimates: Sequence[Invoice], payers: dict[int, _Payer], taxes: Sequence[PercentTax]
) -> list[Invoice]:
    """Total the estimates; drop those that ask for nothing, and return the others."""
    amounts = _line_amounts([estimate.pk for estimate in estimates])
    totals: dict[Invoice, InvoiceTotals] = {}
    for estimate in estimates:
        is_exempt = estimate.buyer["tax_category"] == Customer.TaxCategory.EXEMPT
        totals[estimate] = total_invoice(
            amounts.get(estimate.pk, []),
            [] if is_exempt else taxes,
            estimate.currency,
            Rounding(estimate.rounding),
        )
    drop_invoices([estimate.pk for estimate in estimates if totals[estimate].net_amount <= 0])
    kept = [estimate for estimate in estimates if totals[estimate].net_amount > 0]
    _save_totals([(estimate, totals[estimate]) for estimate in kept])
    return kept


def _taxes(run: BillRun, period: Period) -> list[PercentTax]:
    return default_taxes(Scope.system(run.provider_id), period.last_date)


def _line_amounts(invoice_ids: Sequence[int]) -> dict[int, list[Decimal]]:
    with connection.cursor() as cursor:
        cursor.execute(_LINE_AMOUNTS, [list(invoice_ids)])
        return dict(cursor.fetchall())


def _save_totals(totals: Sequence[tuple[Invoice, InvoiceTotals]]) -> None:
    if not totals:
        return
    with connection.cursor() as cursor:
        ids = [invoice.pk for invoice, _ in totals]
        nets = [total.net_amount for _, total in totals]
        cursor.execute(_SET_TOTALS, [ids, nets, [total.tax_amount for _, total in totals]])
    InvoiceTax.objects.bulk_create(
        InvoiceTax(
            provider_id=invoice.provider_id,
            invoice_id=invoice.pk,
            position=position,
            name=tax.name,
            percent=tax.percent,
            base_amount=tax.base_amount,
            tax_amount=tax.tax_amount,
        )
        for invoice, total in totals
        for position, tax in enumerate(total.taxes, start=1)
    )


def _mark(items: Sequence[BillRunItem], estimated_ids: set[int | None]) -> None:
    for item in items:
        estimated = item.pk in estimated_ids
        item.state = BillRunItem.State.ESTIMATED if estimated else BillRunItem.State.EMPTY
        item.error, item.try_began_at = "", None
    BillRunItem.objects.bulk_update(items, ["state", "error", "try_began_at"])
