"""A worker that is killed in the middle of an import leaves nothing, and loses nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from catalogue.importers.proposals import propose_layout
from catalogue.models import Rate, RateImport, RateTable
from catalogue.rules.rate_layouts import ImportOptions
from catalogue.services.rate_files import path_of
from catalogue.services.rate_import_work import PATIENCE, requeue_lost_imports
from catalogue.services.rate_imports import confirm_import, start_comparing
from common.clock import now
from tenancy.models import Provider
from tests.factories import make_product, make_provider, make_rate_table
from tests.factories.rate_files import AT, receive_rates, work
from tests.workers import forget_queued_work, running_worker, start_worker, wait_for

ROWS = 3000
TEXT = "prefix,rate,destination\n" + "".join(
    f"{1000 + number},0.01,Anywhere\n" for number in range(ROWS)
)
BLOCKED = """
    SELECT 1 FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND pid <> pg_backend_pid() AND datname = current_database()
"""

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _broker_of_its_own() -> Iterator[None]:
    forget_queued_work()
    yield
    forget_queued_work()


@pytest.fixture
def table() -> RateTable:
    return make_rate_table(make_product(make_provider()), {"1000": "0.05"})


def is_blocked() -> bool:
    with connection.cursor() as cursor:
        # Within a transaction PostgreSQL goes on showing the activity that it showed first.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(BLOCKED)
        return cursor.fetchone() is not None


def everything(table: RateTable) -> list[tuple[Any, ...]]:
    return list(Rate.objects.filter(rate_table=table).order_by("pk").values_list())


def queue_comparison(rate_import: RateImport) -> None:
    start_comparing(
        rate_import=rate_import,
        layout=propose_layout(path_of(rate_import), {}).layout,
        options=ImportOptions(defaults={"effective_from": AT.isoformat()}),
        at=now(),
        actor_id=None,
    )


def killed_while_it_waits_for(row: RateImport | Provider, folder: Path) -> None:
    """A worker is killed in the middle of its work, where it needs a row which is held here."""
    with transaction.atomic():
        type(row).objects.select_for_update().get(pk=row.pk)
        worker = start_worker(folder)
        try:
            wait_for(is_blocked, "the worker to wait for the lock")
        finally:
            worker.kill()
    forget_queued_work()


def sweep_until(rate_import: RateImport, state: str) -> None:
    """Sweep as the scheduler would minutes later, again and again."""

    def swept() -> bool:
        requeue_lost_imports(at=now() + PATIENCE)
        rate_import.refresh_from_db()
        return rate_import.state == state

    wait_for(swept, f"the import to be {state}", 60)


class TestAKilledWorker:
    def test_that_wrote_has_written_nothing_and_another_writes_all(
        self, table: RateTable, tmp_path: Path
    ) -> None:
        rate_import = receive_rates(table, TEXT)
        queue_comparison(rate_import)
        forget_queued_work()
        compared = work(rate_import)
        before = everything(table)
        confirm_import(rate_import=compared, at=now(), actor_id=None)

        # PostgreSQL checks at the commit, when all is written, that the rates' provider is there.
        killed_while_it_waits_for(table.provider, tmp_path)
        after_the_kill = everything(table)
        with running_worker(tmp_path):
            sweep_until(compared, "DONE")

        assert after_the_kill == before
        assert Rate.objects.filter(rate_table=table).count() == ROWS + 1

    def test_that_compared_has_kept_no_row_and_another_compares_all(
        self, table: RateTable, tmp_path: Path
    ) -> None:
        rate_import = receive_rates(table, TEXT)
        queue_comparison(rate_import)

        killed_while_it_waits_for(rate_import, tmp_path)
        after_the_kill = rate_import.rows.count()
        with running_worker(tmp_path):
            sweep_until(rate_import, "COMPARED")

        assert after_the_kill == 0
        assert rate_import.counts == {"decreased": 1, "new": ROWS - 1}
        assert rate_import.rows.count() == ROWS
