"""Usage to bill and invoices, made the short way."""

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from billing.models import BillRun, Invoice
from billing.services import bill_run_work
from billing.services.bill_runs import (
    approve_bill_run,
    create_bill_run,
    start_calculation,
    start_issuing,
)
from catalogue.models import Product
from cdr.models import LegKind, PartyKind, UsageCharge, XdrChunk, XdrFile
from common.periods import Period, month
from customers.models import Customer
from resellers.models import Reseller
from subscriptions.models import Charge
from tenancy.models import Provider
from tests.factories import LONG_AGO, make_product, make_source

OCTOBER = month(2026, 10)
# When October is billed: over in every zone.
IN_NOVEMBER = datetime(2026, 11, 3, 10, tzinfo=UTC)
_serial = count(1)


def make_chunk(provider: Provider, product: Product | None = None) -> XdrChunk:
    """A rated chunk of a file of the provider's."""
    serial = next(_serial)
    source = make_source(product or make_product(provider))
    file = XdrFile.objects.create(
        provider=provider,
        source=source,
        name=f"calls-{serial}.csv",
        sha256=f"{serial:064}",
        size_bytes=1,
        stored_name=f"{serial}.csv",
        state=XdrFile.State.DONE,
        received_at=LONG_AGO,
    )
    return XdrChunk.objects.create(
        provider=provider,
        file=file,
        source=source,
        number=1,
        first_line=1,
        first_byte=0,
        byte_count=1,
        line_count=1,
        blank_count=1,
        state=XdrChunk.State.DONE,
        queued_at=LONG_AGO,
    )


def make_usage(payer: Customer | Reseller, amount: str, **fields: Any) -> UsageCharge:
    """What a customer owes for calls, or a reseller its payee (by default its parent)."""
    chunk = fields.pop("chunk", None) or make_chunk(payer.provider)
    values = {
        "chunk": chunk,
        "product": chunk.file.source.product,
        "day": date(2026, 10, 15),
        "destination": "Germany",
        "currency": payer.currency,
        "call_count": 1,
        "volume": 60,
        "billed_volume": 60,
        "amount": Decimal(amount),
        "created_at": LONG_AGO,
        **_parties(payer),
    }
    return UsageCharge.objects.create(provider=payer.provider, **values | fields)


def _parties(payer: Customer | Reseller) -> dict[str, Any]:
    owner_id = payer.reseller_id if isinstance(payer, Customer) else payer.parent_id
    is_customer = isinstance(payer, Customer)
    return {
        "kind": LegKind.CUSTOMER if is_customer else LegKind.RESELLER,
        "payer_kind": PartyKind.CUSTOMER if is_customer else PartyKind.RESELLER,
        "payer_id": payer.pk,
        "payee_kind": PartyKind.RESELLER if owner_id else PartyKind.PROVIDER,
        "payee_id": owner_id or 0,
        "customer_reseller_id": owner_id if is_customer else payer.pk,
    }


def make_charge(customer: Customer, amount: str, **fields: Any) -> Charge:
    """A one-time charge of 20 October."""
    values = {
        "kind": Charge.Kind.ONE_TIME,
        "description": "Installation",
        "period_from": date(2026, 10, 20),
        "period_to": date(2026, 10, 21),
        "unit_price": Decimal(amount),
        "net_amount": Decimal(amount),
        "currency": customer.currency,
        "posted_at": LONG_AGO,
    }
    return Charge.objects.create(provider=customer.provider, customer=customer, **values | fields)


def calculate_run(
    provider: Provider, period: Period = OCTOBER, at: datetime = IN_NOVEMBER
) -> BillRun:
    """The provider's run for the period, calculated here and not by workers."""
    run = create_bill_run(provider=provider, period=period, at=at, actor_id=None)
    run = start_calculation(run_id=run.pk, at=at, actor_id=None)
    bill_run_work.calculate(run_id=run.pk, item_ids=item_ids(run), at=at)
    run.refresh_from_db()
    return run


def issue_run(provider: Provider, period: Period = OCTOBER, at: datetime = IN_NOVEMBER) -> BillRun:
    """The provider's run for the period, calculated, approved and issued."""
    return issue_calculated(calculate_run(provider, period, at), at)


def issue_calculated(run: BillRun, at: datetime = IN_NOVEMBER) -> BillRun:
    """The run approved and issued."""
    approve_bill_run(run_id=run.pk, at=at, actor_id=None)
    start_issuing(run_id=run.pk, at=at, actor_id=None)
    bill_run_work.issue(run_id=run.pk, item_ids=item_ids(run), at=at)
    run.refresh_from_db()
    return run


def item_ids(run: BillRun) -> list[int]:
    """All items of a run, first come first."""
    return list(run.items.order_by("pk").values_list("pk", flat=True))


def invoice_of(payer: Customer | Reseller) -> Invoice:
    """The one invoice or estimate of a payer."""
    if isinstance(payer, Customer):
        return Invoice.objects.get(customer=payer)
    return Invoice.objects.get(reseller=payer)
