"""Allowances under workers in processes of their own, one of them killed: nothing is used twice."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Sum

from cdr.models import AllowanceUse, Leg, LegKind, UsageCharge, XdrFile
from cdr.services.splitting import PATIENCE, requeue_lost, split_file
from common.clock import now
from customers.models import Customer
from tests.cdr.worlds import World, make_world
from tests.factories.allowances import OCTOBER, counted, give_minutes
from tests.factories.cdr import CALL_AT, Call, receive
from tests.workers import forget_queued_work, running_worker, start_worker, wait_for

FILES, CHUNKS, LINES_PER_CHUNK, SECONDS = 4, 3, 60, 45
GRANTED = 10_007
"""Less than all that is used, and no multiple of a call."""


@pytest.fixture(autouse=True)
def _broker_of_its_own(settings: Any) -> Iterator[None]:
    settings.XDR_CHUNK_LINES = LINES_PER_CHUNK
    forget_queued_work()
    yield
    forget_queued_work()


def busy_files(world: World) -> list[XdrFile]:
    """Files of the same customer and month, cut into chunks that can all be rated at once."""
    files = []
    for number in range(FILES):
        start = CALL_AT + timedelta(seconds=number)
        calls = [
            Call(account="carla", seconds=SECONDS, started_at=start + timedelta(minutes=place))
            for place in range(CHUNKS * LINES_PER_CHUNK)
        ]
        file = receive(world.source, calls, at=now())
        split_file(file_id=file.pk, at=now())
        files.append(file)
    return files


def done_chunks(files: list[XdrFile]) -> int:
    return sum(file.chunks.filter(state="DONE").count() for file in files)


def included(customer: Customer) -> dict[str, int | Decimal]:
    """What is included by legs, by uses and by usage charges, and what is billed."""
    legs = Leg.objects.filter(kind=LegKind.CUSTOMER, usage_charge__payer_id=customer.pk)
    charges = UsageCharge.objects.filter(kind=LegKind.CUSTOMER, payer_id=customer.pk)
    return {
        **legs.aggregate(legs=Sum("included_volume"), billed=Sum("billed_volume")),
        **AllowanceUse.objects.aggregate(uses=Sum("volume")),
        **charges.aggregate(charges=Sum("included_volume")),
    }


@pytest.mark.django_db(transaction=True)
class TestFilesOfOneCustomerAtOnce:
    def test_use_exactly_what_is_granted(self, tmp_path: Path) -> None:
        world = make_world()
        give_minutes(world.carla, world.product, GRANTED)
        files = busy_files(world)
        killed = start_worker(tmp_path, children=2)
        try:
            requeue_lost(at=now() + PATIENCE)
            wait_for(lambda: done_chunks(files) >= 2, "two chunks to be done")
        finally:
            killed.kill()

        with running_worker(tmp_path, children=2):

            def swept() -> bool:
                requeue_lost(at=now() + PATIENCE)
                return done_chunks(files) == FILES * CHUNKS

            wait_for(swept, "all chunks to be done", 60)

        used = FILES * CHUNKS * LINES_PER_CHUNK * SECONDS
        assert counted(world.carla) == {OCTOBER: (GRANTED, 0, GRANTED)}
        assert included(world.carla) == {
            "legs": GRANTED,
            "uses": GRANTED,
            "charges": GRANTED,
            "billed": used - GRANTED,
        }
