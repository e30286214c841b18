"""What happens at a provider in ten months: calls, bill runs, payments, credit notes, payouts."""

import itertools
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks.imports.workers import running_workers
from benchmarks.imports.world import SEED, write_calls
from billing.models import BillRun, Invoice
from billing.selectors.invoices import open_invoices
from billing.services import bill_run_work
from billing.services.batches import BATCH_ITEMS
from billing.services.bill_runs import (
    approve_bill_run,
    create_bill_run,
    start_calculation,
    start_issuing,
)
from billing.services.credit_notes import credit_in_full
from cdr.models import Source, XdrFile
from cdr.services.intake import receive_file
from common.periods import Period, month
from common.scope import Scope
from customers.models import Customer
from payments.models import Payment, WebhookEvent
from payments.services.offline import record_offline_payment
from payouts.services.approving import approve_statement
from payouts.services.preparing import prepare_statement
from resellers.models import Reseller
from tenancy.models import Provider
from tests.factories.billing import item_ids

OCTOBER = month(2026, 10)
CALLS_START = datetime(2026, 10, 1, tzinfo=UTC)
CALLS_SECONDS = 30 * 86_400
FILES = 50
POLL_SECONDS = 0.2
# Calls of accounts that nobody has, and of one customer with very many; and lines that are none.
STRANGER_EVERY, FIRST_CUSTOMER_EVERY, JUNK_EVERY = 200, 20, 5_000
MONTHS = [month(2026, number) for number in range(1, 11)]
CREDIT_NOTE_EVERY, PAYMENTS_PER_CUSTOMER = 100, 2
REFUSED, NO_ORDER = WebhookEvent.State.REFUSED, "There is no such order."
IN_NOVEMBER = datetime(2026, 11, 10, 12, tzinfo=UTC)
IN_DECEMBER = datetime(2026, 12, 2, 12, tzinfo=UTC)


def import_calls(source: Source, folder: Path, xdrs: int, customers: int) -> None:
    """A month of calls through the importer and two worker processes, in files."""
    accounts = np.random.default_rng(SEED).integers(0, customers, xdrs)
    accounts[::STRANGER_EVERY] = customers + 1
    accounts[1::FIRST_CUSTOMER_EVERY] = 0
    calls = folder / f"{source.slug}.csv"
    write_calls(calls, accounts, start=CALLS_START, calls_per_second=xdrs / CALLS_SECONDS)
    with calls.open("rb") as lines, running_workers(folder, 2):
        for number in range(FILES):
            path = folder / f"{source.slug}-{number:02}.csv"
            with path.open("wb") as part:
                part.writelines(itertools.islice(lines, xdrs // FILES))
                part.writelines([b"junk\n"] * (xdrs // FILES // JUNK_EVERY))
            with path.open("rb") as content:
                receive_file(
                    content=content, name=path.name, source=source, at=IN_NOVEMBER, actor_id=None
                )
            path.unlink()
        while source.files.exclude(state=XdrFile.State.DONE).exists():
            time.sleep(POLL_SECONDS)
    calls.unlink()


def bill(provider: Provider) -> None:
    """Ten months issued, and the estimates of the next waiting for approval."""
    for period in MONTHS:
        run = calculated(provider, period, IN_NOVEMBER)
        approve_bill_run(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)
        start_issuing(run_id=run.pk, at=IN_NOVEMBER, actor_id=None)
        in_batches(bill_run_work.issue, run, IN_NOVEMBER)
    calculated(provider, month(2026, 11), IN_DECEMBER)


def calculated(provider: Provider, period: Period, at: datetime) -> BillRun:
    """The period's run with its estimates."""
    run = create_bill_run(provider=provider, period=period, at=at, actor_id=None)
    start_calculation(run_id=run.pk, at=at, actor_id=None)
    in_batches(bill_run_work.calculate, run, at)
    return run


def in_batches(work: Callable[..., None], run: BillRun, at: datetime) -> None:
    """What workers do, here: nothing else is to run while lists are measured."""
    ids: Sequence[int] = item_ids(run)
    for first in range(0, len(ids), BATCH_ITEMS):
        work(run_id=run.pk, item_ids=ids[first : first + BATCH_ITEMS], at=at)


def take_payments(provider: Provider) -> None:
    """Every customer pays its oldest invoices, one by one."""
    scope = Scope.system(provider.pk)
    for customer in Customer.objects.visible_to(scope).order_by("pk"):
        due = open_invoices(scope, customer.pk, customer.currency)[:PAYMENTS_PER_CUSTOMER]
        for invoice in due:
            record_offline_payment(
                customer=customer,
                amount=invoice.due_amount,
                currency=invoice.currency,
                mode=Payment.Mode.BANK_TRANSFER,
                reference=f"Statement {invoice.pk}",
                posting_date=IN_NOVEMBER.date(),
                transaction_date=IN_NOVEMBER.date(),
                at=IN_NOVEMBER,
                actor_id=None,
            )


def write_credit_notes(provider: Provider) -> None:
    """One of so many invoices is credited."""
    invoices = Invoice.objects.filter(provider=provider, state=Invoice.State.ISSUED)
    for invoice in list(invoices.order_by("-pk"))[::CREDIT_NOTE_EVERY]:
        credit_in_full(invoice_id=invoice.pk, reason="Agreed", at=IN_NOVEMBER, actor_id=None)


def state_payouts(provider: Provider) -> None:
    """What every reseller earned, by month; October's are drafts still."""
    for reseller in Reseller.objects.filter(provider=provider).order_by("pk"):
        for period in MONTHS:
            statement = prepare_statement(
                reseller=reseller,
                period=period,
                currency=reseller.currency,
                at=IN_DECEMBER,
                actor_id=None,
            )
            if period != OCTOBER:
                approve_statement(statement=statement, at=IN_DECEMBER, actor_id=None)


def hear_from_gateway(provider: Provider) -> None:
    """A message about every payment, one of so many about an order that nobody knows."""
    scope = Scope.system(provider.pk)
    orders = Payment.objects.visible_to(scope).order_by("pk").values_list("order_number", flat=True)
    WebhookEvent.objects.bulk_create(
        WebhookEvent(
            provider=provider,
            gateway="sandbox",
            event_id=f"evt-{order}",
            body=b"{}",
            received_at=IN_NOVEMBER,
            processed_at=IN_NOVEMBER,
            state=WebhookEvent.State.APPLIED if number % STRANGER_EVERY else REFUSED,
            outcome=f"Order {order} was paid." if number % STRANGER_EVERY else NO_ORDER,
        )
        for number, order in enumerate(orders)
    )
