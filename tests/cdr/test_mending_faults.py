"""What is left of a mending whose workers are killed in the middle: the same totals."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db.models import Sum

from cdr.models import Leg, LegKind, Mending, Suspense, UsageCharge, Xdr, XdrCorrection
from cdr.rules.mending import Change, ChangeKind, Choice
from cdr.services.mending import ask_for_mending, requeue_lost_mendings
from cdr.services.splitting import PATIENCE
from common.clock import now
from tests.cdr.test_faults import killed_at_the_end
from tests.cdr.worlds import World, make_world
from tests.factories.cdr import Call, import_lines
from tests.workers import forget_queued_work, running_worker, start_worker, wait_for

pytestmark = pytest.mark.django_db(transaction=True)

FILES = 16
CALLS_PER_FILE = 10
ALL = FILES * CALLS_PER_FILE


@pytest.fixture(autouse=True)
def _broker_of_its_own() -> Iterator[None]:
    forget_queued_work()
    yield
    forget_queued_work()


def asked(world: World) -> Mending:
    for _ in range(FILES):
        import_lines(world.source, [Call(account="K-17") for _ in range(CALLS_PER_FILE)])
    mending = ask_for_mending(
        provider_id=world.provider.pk,
        kind=Mending.Kind.CORRECT,
        choice=Choice(subject="K-17"),
        change=Change(ChangeKind.SET, "account_code", "", "carla"),
        at=now(),
        actor_id=None,
    )
    forget_queued_work()
    return mending


class TestKilledWorker:
    def test_leaves_the_rest_to_the_next(self, tmp_path: Path) -> None:
        world = make_world()
        mending = asked(world)

        def has_begun() -> bool:
            requeue_lost_mendings(at=now() + PATIENCE)
            mending.refresh_from_db()
            return mending.freed_count > 0

        with killed_at_the_end(start_worker(tmp_path, children=2)):
            wait_for(has_begun, "the first file")

        def is_over() -> bool:
            requeue_lost_mendings(at=now() + PATIENCE)
            mending.refresh_from_db()
            return mending.state == Mending.State.DONE

        with running_worker(tmp_path, children=2):
            wait_for(is_over, "the mending to end", 60)

        assert (mending.freed_count, mending.waiting_count, mending.left_count) == (ALL, 0, 0)
        assert XdrCorrection.objects.filter(is_current=True).count() == ALL
        assert XdrCorrection.objects.count() == ALL
        assert Xdr.objects.filter(result=Xdr.Result.RATED, customer=world.carla).count() == ALL
        assert Suspense.objects.filter(state=Suspense.State.RESOLVED).count() == ALL
        for kind in (LegKind.CUSTOMER, LegKind.VENDOR):
            legs = Leg.objects.filter(kind=kind)
            assert legs.count() == ALL
            charged = UsageCharge.objects.filter(kind=kind).aggregate(sum=Sum("amount"))["sum"]
            assert charged == legs.aggregate(sum=Sum("amount"))["sum"]
