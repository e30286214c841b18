"""What is left of a re-rating after workers and broker fail in the middle: the same totals."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Count, Sum

from cdr.models import Leg, ReplacedLeg, Rerating, Suspense, UsageCharge, Xdr
from cdr.services import rerating as services
from cdr.services.rerating import (
    apply_rerating,
    ask_for_rerating,
    plan_rerating,
    requeue_lost_reratings,
)
from cdr.services.rerating_slices import work_on_slice
from cdr.services.splitting import PATIENCE
from common.clock import now
from tests.cdr.test_faults import killed_at_the_end, make_busy_world
from tests.cdr.worlds import World
from tests.factories import make_customer, make_identifier
from tests.factories.cdr import CALL_AT, Call, import_lines
from tests.factories.mending import try_again
from tests.factories.rerating import (
    OCTOBER_FROM,
    OCTOBER_TO,
    apply,
    measure,
    price,
    snapshot,
)
from tests.kills import kill_at_every_statement
from tests.race import race
from tests.workers import forget_queued_work, running_worker, start_worker, wait_for

pytestmark = pytest.mark.django_db(transaction=True)

SLICES = 12
CALLS_PER_SLICE = 40
BLOCKED = """
    SELECT 1 FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND query LIKE '%%cdr_rerating"%%' AND pid <> pg_backend_pid()
      AND datname = current_database()
"""


@pytest.fixture(autouse=True)
def _small_slices(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(services, "SLICE_XDRS", CALLS_PER_SLICE)
    forget_queued_work()
    yield
    forget_queued_work()


def make_rated_world() -> World:
    """Calls of Carla and of somebody known since, over some minutes; all prices have changed."""
    world = make_busy_world()
    calls = [
        Call(
            account="new" if number % 7 == 0 else "carla",
            seconds=number % 90,
            started_at=CALL_AT + timedelta(minutes=number // CALLS_PER_SLICE),
        )
        for number in range(SLICES * CALLS_PER_SLICE)
    ]
    import_lines(world.source, calls)
    make_identifier(make_customer(world.provider, world.sub), "new")
    price(world.default_table(), "0.07")
    price(world.vendor.rate_table, "0.01")
    return world


def agreed(world: World) -> Rerating:
    """Measured here; what is agreed to waits for workers."""
    rerating = measure(world.provider)
    forget_queued_work()
    return apply_rerating(rerating_id=rerating.pk, at=now(), actor_id=None)


def asked(world: World) -> Rerating:
    return ask_for_rerating(
        provider_id=world.provider.pk,
        reason="Killed",
        started_from=OCTOBER_FROM,
        started_to=OCTOBER_TO,
        at=now(),
        actor_id=None,
    )


def measured_of(rerating: Rerating) -> list[Any]:
    columns = ("kind", "payer_id", "leg_count", "before_amount", "after_amount")
    return sorted(rerating.deltas.values_list(*columns))


def totals(world: World) -> dict[str, Any]:
    """Everything it did, summed; ids differ between worlds, these do not."""
    own = {"provider": world.provider}
    sums = {
        name: list(
            model.objects.filter(**own)
            .values_list("kind")
            .annotate(Count("number"), Sum("amount"), Sum("billed_volume"))
            .order_by("kind")
        )
        for name, model in (("legs", Leg), ("replaced", ReplacedLeg))
    }
    charges = UsageCharge.objects.filter(**own).values_list("kind", "destination", "day")
    return sums | {
        "charges": list(
            charges.annotate(Sum("call_count"), Sum("volume"), Sum("amount")).order_by("kind")
        ),
        "results": list(
            Xdr.objects.filter(**own).values_list("result").annotate(Count("id")).order_by("result")
        ),
        "suspense": list(
            Suspense.objects.filter(**own).values_list("state").annotate(Count("pk")).order_by()
        ),
    }


def undisturbed() -> dict[str, Any]:
    """The totals of another world in which nothing fails."""
    world = make_rated_world()
    apply(measure(world.provider))
    return totals(world)


def is_over(rerating: Rerating) -> bool:
    rerating.refresh_from_db()
    return rerating.state == Rerating.State.APPLIED


def sweep_until_over(rerating: Rerating) -> None:
    """Sweep as the scheduler would minutes later, again and again."""

    def swept() -> bool:
        requeue_lost_reratings(at=now() + PATIENCE)
        return is_over(rerating)

    wait_for(swept, "the re-rating to be applied", 90)


def is_blocked() -> bool:
    with connection.cursor() as cursor:
        # Within a transaction PostgreSQL goes on showing the activity that it showed first.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(BLOCKED)
        return cursor.fetchone() is not None


class TestKilledWorker:
    def test_at_the_end_of_a_slice_leaves_the_same_totals(self, tmp_path: Path) -> None:
        world = make_rated_world()
        rerating = agreed(world)
        # Held up by this lock, the worker has written all of a slice and not committed it.
        with transaction.atomic():
            Rerating.objects.select_for_update().get(pk=rerating.pk)
            with killed_at_the_end(start_worker(tmp_path)):
                wait_for(is_blocked, "the worker to wait for the lock")
        applied_before = rerating.slices.filter(state="APPLIED").count()

        with running_worker(tmp_path):
            sweep_until_over(rerating)

        assert applied_before == 0
        assert totals(world) == undisturbed()

    def test_at_any_moment_leaves_the_same_totals(self, tmp_path: Path) -> None:
        world = make_rated_world()
        rerating = agreed(world)
        for already_applied in (1, 5):
            with killed_at_the_end(start_worker(tmp_path, children=2)):
                requeue_lost_reratings(at=now() + PATIENCE)
                wait_for(
                    lambda: (
                        rerating.slices.filter(state="APPLIED").count() >= already_applied  # noqa: B023
                    ),
                    f"{already_applied} slices to be applied",
                )

        with running_worker(tmp_path, children=2):
            sweep_until_over(rerating)

        assert totals(world) == undisturbed()

    def test_while_it_is_planned_and_measured_leaves_the_same_differences(
        self, tmp_path: Path
    ) -> None:
        world = make_rated_world()
        rerating = asked(world)
        plan_rerating(rerating_id=rerating.pk, at=now())
        with killed_at_the_end(start_worker(tmp_path)):
            wait_for(lambda: rerating.slices.filter(state="MEASURED").exists(), "the first slice")

        with running_worker(tmp_path, children=2):

            def measured() -> bool:
                requeue_lost_reratings(at=now() + PATIENCE)
                rerating.refresh_from_db()
                return rerating.state == Rerating.State.MEASURED

            wait_for(measured, "the dry run to end", 90)

        assert measured_of(rerating) == measured_of(measure(world.provider))


class TestLostSession:
    """The database forgets a session that is killed: at whichever statement, nothing is left."""

    def test_at_any_statement_of_a_slice_changes_nothing(self) -> None:
        world = make_rated_world()
        rerating = agreed(world)
        first, *others = rerating.slices.order_by("number").values_list("pk", flat=True)
        before = snapshot()

        def check() -> None:
            assert snapshot() == before

        kills = kill_at_every_statement(
            lambda: work_on_slice(slice_id=first, at=now()), check=check
        )

        assert kills > 20
        for slice_id in others:
            work_on_slice(slice_id=slice_id, at=now())
        assert is_over(rerating)
        assert totals(world) == undisturbed()

    def test_at_any_statement_of_a_dry_run_measures_nothing_twice(self) -> None:
        world = make_rated_world()
        rerating = measure(world.provider)
        other = asked(world)

        def nothing_planned() -> None:
            assert not other.slices.exists()

        def nothing_measured() -> None:
            assert not other.deltas.exists()

        kill_at_every_statement(
            lambda: plan_rerating(rerating_id=other.pk, at=now()), check=nothing_planned
        )
        first, *others = other.slices.order_by("number").values_list("pk", flat=True)
        kill_at_every_statement(
            lambda: work_on_slice(slice_id=first, at=now()), check=nothing_measured
        )
        for slice_id in others:
            work_on_slice(slice_id=slice_id, at=now())

        assert measured_of(other) == measured_of(rerating)


class TestSameWorkTwiceAtOnce:
    def test_is_done_once_by_two_processes(self, tmp_path: Path) -> None:
        world = make_rated_world()
        rerating = agreed(world)
        for _ in range(3):
            requeue_lost_reratings(at=now() + 2 * PATIENCE)
            rerating.slices.update(queued_at=now())

        with running_worker(tmp_path, children=2):
            wait_for(lambda: is_over(rerating), "the re-rating to be applied", 90)

        assert totals(world) == undisturbed()

    def test_as_suspense_is_tried_again_releases_a_leg_once(self) -> None:
        world = make_busy_world()
        import_lines(world.source, [Call(account="new") for _ in range(20)])
        make_identifier(make_customer(world.provider, world.sub), "new")
        rerating = agreed(world)
        (slice_id,) = rerating.slices.values_list("pk", flat=True)

        race(
            lambda: work_on_slice(slice_id=slice_id, at=now()),
            lambda: try_again(world.provider, at=now()),
        )

        assert Leg.objects.count() == 60
        assert not Suspense.objects.filter(state="OPEN").exists()
        for kind in (1, 2, 3):
            charged = UsageCharge.objects.filter(kind=kind).aggregate(sum=Sum("amount"))["sum"]
            assert charged == Leg.objects.filter(kind=kind).aggregate(sum=Sum("amount"))["sum"]
