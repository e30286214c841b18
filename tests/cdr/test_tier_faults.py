"""Totals that several workers add to at once, and that are killed with: exact all the same."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cdr.models import Leg, Xdr, XdrFile
from cdr.services.splitting import PATIENCE, requeue_lost, split_file
from common.clock import now
from tests.factories import make_customer, make_identifier
from tests.factories.cdr import receive
from tests.factories.subscriptions import make_subscription
from tests.factories.tiers import Metered, charged, make_metered, totals, usage
from tests.workers import forget_queued_work, running_worker, start_worker, wait_for

LINES_PER_CHUNK = 40
CHUNKS = 12


@pytest.fixture(autouse=True)
def _broker_of_its_own(settings: Any) -> Iterator[None]:
    settings.XDR_CHUNK_LINES = LINES_PER_CHUNK
    forget_queued_work()
    yield
    forget_queued_work()


def make_busy() -> tuple[Metered, XdrFile]:
    """A file of which every chunk has usage of two customers, at the same tiers."""
    metered = make_metered("VOLUME", "0:0.10;100:0.07")
    ben = make_customer(metered.provider)
    make_identifier(ben, "ben")
    make_subscription(ben, metered.item, metered.subscription.start_date)
    lines = [
        usage(number * 7 + 1, account=("carla", "ben")[number % 2])
        for number in range(LINES_PER_CHUNK * CHUNKS)
    ]
    file = receive(metered.source, lines, at=now())
    split_file(file_id=file.pk, at=now())
    return metered, file


def is_done(file: XdrFile) -> bool:
    requeue_lost(at=now() + PATIENCE)
    file.refresh_from_db()
    return file.state == XdrFile.State.DONE


def assert_exact() -> None:
    """Both months end beyond 100 GB, at 0.07 a GB for all of it."""
    volumes = [sum(n * 7 + 1 for n in range(rest, LINES_PER_CHUNK * CHUNKS, 2)) for rest in (0, 1)]
    due = Decimal(sum(volumes)) * 7 / 100_000
    assert Xdr.objects.count() == Leg.objects.count() == LINES_PER_CHUNK * CHUNKS
    assert sorted(volume for _, volume in totals()) == sorted(volumes)
    assert charged() == (due, due)


@pytest.mark.django_db(transaction=True)
class TestTotals:
    def test_are_exact_with_workers_at_once(self, tmp_path: Path) -> None:
        _, file = make_busy()

        with running_worker(tmp_path, children=3):
            wait_for(lambda: is_done(file), "the file to be done")

        assert_exact()

    def test_are_exact_with_a_worker_killed_at_any_moment(self, tmp_path: Path) -> None:
        _, file = make_busy()
        worker = start_worker(tmp_path, children=2)
        try:
            wait_for(lambda: file.chunks.filter(state="DONE").exists(), "a chunk to be done")
        finally:
            worker.kill()

        with running_worker(tmp_path, children=2):
            wait_for(lambda: is_done(file), "the file to be done")

        assert_exact()
