"""Making invoices of approved estimates: posted, numbered, fixed."""

from collections.abc import Sequence
from datetime import date, datetime
from itertools import groupby

from django.db import connection, transaction

from billing.models import BillRun, BillRunItem, Invoice, NumberSeries
from billing.rules.due_dates import due_date
from billing.services.numbering import take_numbers
from billing.services.postings import invoice_postings
from billing.services.tier_statements import keep_tier_statements
from ledger.services import post

# The tag is copied now, as the sales reports go by the invoice date. The state comes last: from
# then on the database keeps the row and its lines as they are.
_ISSUE = """
    UPDATE billing_invoice i
    SET number = n.number, due_date = n.due_date, issue_date = %s, issued_at = %s, state = 'ISSUED',
        tagged_reseller_id = (SELECT c.reseller_id FROM customers_customer c
                              WHERE c.id = i.customer_id)
    FROM unnest(%s::bigint[], %s::text[], %s::date[]) AS n (id, number, due_date)
    WHERE i.id = n.id
"""
_SERIES = {
    Invoice.Kind.CUSTOMER: NumberSeries.Kind.INVOICE,
    Invoice.Kind.SETTLEMENT: NumberSeries.Kind.SETTLEMENT,
}


@transaction.atomic
def issue_items(*, run: BillRun, item_ids: Sequence[int], at: datetime) -> int:
    """Issue the estimates of a run's approved items, all or none, and return how many items.

    Others are left alone, so that repeating it issues nothing twice. The ledger's accounts are
    locked before the series, which all issuing waits for, and both only to this commit.
    """
    assert run.issue_date is not None
    items = list(
        BillRunItem.objects.filter(run=run, pk__in=item_ids, state=BillRunItem.State.APPROVED)
        .order_by("pk")
        .select_for_update(skip_locked=True, no_key=True)
    )
    rows = Invoice.objects.filter(bill_run_item__in=items, state=Invoice.State.ESTIMATE)
    invoices = sorted(rows.select_related("biller_entity").order_by("pk"), key=_series_of)
    post(
        provider_id=run.provider_id,
        postings=[posting for invoice in invoices for posting in invoice_postings(invoice)],
        effective_date=run.issue_date,
        at=at,
        actor_id=run.approved_by_id,
    )
    keep_tier_statements(invoices)
    _issue(run, invoices, run.issue_date, at)
    BillRunItem.objects.filter(pk__in=[item.pk for item in items]).update(
        state=BillRunItem.State.ISSUED, error="", try_began_at=None
    )
    return len(items)


def _series_of(invoice: Invoice) -> tuple[int, int, str]:
    return (invoice.biller_entity_id, invoice.issuing_reseller_id or 0, invoice.kind)


def _issue(run: BillRun, invoices: Sequence[Invoice], issue_date: date, at: datetime) -> None:
    numbers: list[str] = []
    for _series, grouped in groupby(invoices, key=_series_of):
        of_series = list(grouped)
        numbers += take_numbers(
            provider_id=run.provider_id,
            biller_entity_id=of_series[0].biller_entity_id,
            issuing_reseller_id=of_series[0].issuing_reseller_id,
            kind=_SERIES[Invoice.Kind(of_series[0].kind)],
            issue_date=issue_date,
            count=len(of_series),
        )
    due_dates = [due_date(issue_date, i.biller_entity.credit_days) for i in invoices]
    with connection.cursor() as cursor:
        ids = [invoice.pk for invoice in invoices]
        cursor.execute(_ISSUE, [issue_date, at, ids, numbers, due_dates])
