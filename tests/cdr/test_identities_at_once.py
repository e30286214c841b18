"""The same event stored by several at the same moment, one of whom corrects it: once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction

from cdr.models import Mending, Source, Suspense, Xdr
from cdr.rules.mending import Choice
from cdr.services.chunks import rate_chunk
from cdr.services.identities import lock_identities
from cdr.services.mending import ask_for_mending
from cdr.services.sources import source_terms
from cdr.services.splitting import split_file
from tests.cdr.services.test_identities import AHEAD, KIRITIMATI
from tests.cdr.switches import LATER, call_of, charged, world_of
from tests.cdr.worlds import World
from tests.factories.cdr import import_lines, receive
from tests.factories.mending import MENDED_AT, worked_on
from tests.race import race
from tests.workers import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

WAITING = """
    SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
    WHERE l.locktype = 'advisory' AND NOT l.granted AND d.datname = current_database()
"""


@pytest.fixture
def world(transactional_db: None) -> World:
    return world_of(Source.Format.FREESWITCH_CSV)


def at_once(world: World, *works: Callable[[], object]) -> None:
    """All works on connections of their own, each about to look whether the event is stored."""

    def all_wait() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(WAITING)
            (waiting,) = cursor.fetchone()
        return int(waiting) == len(works)

    with ThreadPoolExecutor(1) as background:
        with transaction.atomic():
            lock_identities(source_terms(world.source.pk))
            racing = background.submit(race, *works)
            wait_for(all_wait, "all to wait for the lock of the source", 30)
        assert not [error for error in racing.result(60) if isinstance(error, Exception)]


def correcting(world: World, *suspense_ids: int) -> Callable[[], object]:
    mending = ask_for_mending(
        provider_id=world.provider.pk,
        kind=Mending.Kind.CORRECT,
        choice=Choice(reason="in_future", suspense_ids=suspense_ids),
        change=KIRITIMATI,
        note="",
        at=MENDED_AT,
        actor_id=None,
    )
    return lambda: worked_on(mending)


class TestALineThatIsCorrected:
    def test_is_stored_once_while_it_comes_well(self, world: World) -> None:
        early = call_of(world, account="carla", started_at=AHEAD)
        import_lines(world.source, [early])
        well = early.again(started_at=AHEAD - timedelta(hours=12))
        file = receive(world.source, [well], at=LATER)
        split_file(file_id=file.pk, at=LATER)
        chunk_id = file.chunks.get().pk

        at_once(
            world,
            correcting(world, Suspense.objects.get().pk),
            lambda: rate_chunk(chunk_id=chunk_id, at=LATER),
        )

        assert (Xdr.objects.count(), charged()) == (1, 1)
        assert not Suspense.objects.filter(state=Suspense.State.OPEN).exists()

    def test_is_stored_once_while_it_is_corrected_in_another_file(self, world: World) -> None:
        early = call_of(world, account="carla", started_at=AHEAD)
        for junk in range(2):
            import_lines(world.source, [early, f"junk {junk}"])
        first, second = Suspense.objects.filter(reason="in_future").order_by("pk")

        at_once(world, correcting(world, first.pk), correcting(world, second.pk))

        assert (Xdr.objects.count(), charged()) == (1, 1)
        waiting = Suspense.objects.filter(reason="in_future", state=Suspense.State.OPEN)
        assert not waiting.exists()
