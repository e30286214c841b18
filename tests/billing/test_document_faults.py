"""A worker that is killed in the middle of a PDF: that try counts, with real processes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from celery import current_app
from django.db import connection, transaction

from billing.models import Document, Invoice
from common.tries import KILLED, MOST_TRIES
from tests.cdr.test_faults import killed_at_the_end
from tests.factories import make_customer, make_provider
from tests.factories.billing import invoice_of, issue_run, make_charge
from tests.workers import forget_queued_work, running_worker, start_worker, wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def invoice() -> Iterator[Invoice]:
    customer = make_customer(make_provider())
    make_charge(customer, "100")
    issue_run(customer.provider)
    forget_queued_work()
    yield invoice_of(customer)
    forget_queued_work()


@contextmanager
def held_up() -> Iterator[None]:
    """Whoever has rendered a PDF cannot keep it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION hold_up() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN PERFORM pg_advisory_xact_lock(77); RETURN NEW; END $$;"
            "CREATE TRIGGER hold_up BEFORE UPDATE ON billing_document FOR EACH ROW"
            " WHEN (NEW.state = 'DONE') EXECUTE FUNCTION hold_up()"
        )
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(77)")
            yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER hold_up ON billing_document; DROP FUNCTION hold_up()")


def is_blocked() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return cursor.fetchone() is not None


def ask(invoice: Invoice) -> None:
    current_app.send_task(
        "billing.render_documents", kwargs={"invoice_ids": [invoice.pk]}, queue="documents"
    )


def state() -> tuple[str, int]:
    document = Document.objects.get()
    return document.state, document.try_count


class TestAKilledWorker:
    def test_uses_up_a_try_and_the_last_one_gives_the_document_up(
        self, invoice: Invoice, tmp_path: Path
    ) -> None:
        with held_up(), killed_at_the_end(start_worker(tmp_path)):
            ask(invoice)
            wait_for(is_blocked, "the worker to have a PDF")
        at_first = state()
        forget_queued_work()
        Document.objects.update(try_count=MOST_TRIES - 1)

        with running_worker(tmp_path):
            ask(invoice)
            wait_for(lambda: state()[0] == "FAILED", "the document to be given up")

        assert at_first == ("WAITING", 0)
        assert state() == ("FAILED", MOST_TRIES)
        assert Document.objects.get().try_error == KILLED
        assert Document.objects.get().content is None
