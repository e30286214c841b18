"""Asking for suspense to be tried again, and trying it."""

from datetime import timedelta

import pytest

from audit.models import Entry
from cdr.models import Suspense, Xdr
from cdr.services.retries import (
    ask_for_correction,
    ask_for_retry,
    requeue_lost_retries,
    retry_asked,
)
from cdr.services.splitting import PATIENCE
from cdr.services.suspense import LineStillUnreadable, NotUnparsable, Retried
from tests.cdr.worlds import World, make_world
from tests.factories import make_identifier, make_staff
from tests.factories.cdr import IMPORT_AT, Call, import_lines
from tests.refusals import refused

LATER = IMPORT_AT + timedelta(hours=1)


@pytest.fixture
def world(db: None) -> World:
    return make_world()


def ask(world: World, **options: list[str] | list[int]) -> int:
    return ask_for_retry(
        provider_id=world.provider.pk,
        reasons=options.get("reasons"),  # type: ignore[arg-type]
        suspense_ids=options.get("suspense_ids"),  # type: ignore[arg-type]
        at=LATER,
        actor_id=None,
    )


def asked() -> int:
    return Suspense.objects.filter(retry_asked_at__isnull=False).count()


class TestAsking:
    def test_marks_what_is_asked_for_and_no_unreadable_lines(self, world: World) -> None:
        import_lines(world.source, [Call(account="new"), Call(account="x"), "junk"])
        import_lines(make_world().source, [Call(account="new")])

        assert ask(world, reasons=["unknown_vendor"]) == 0
        assert ask(world) == 2
        assert asked() == 2

    def test_refused_a_correction_of_what_is_not_unreadable(self, world: World) -> None:
        import_lines(world.source, [Call(account="new"), "junk"])
        new, junk = Suspense.objects.order_by("line_number")

        for row, raw, refusal in ((new, "x", NotUnparsable), (junk, "x", LineStillUnreadable)):
            with refused(refusal):
                ask_for_correction(
                    provider_id=world.provider.pk,
                    suspense_id=row.pk,
                    raw=raw,
                    at=LATER,
                    actor_id=None,
                )


class TestTrying:
    def test_rates_what_was_asked_for_and_forgets_that_it_was(self, world: World) -> None:
        actor = make_staff(world.provider)
        for _ in range(2):
            import_lines(world.source, [Call(account="new"), Call(account="nobody"), "junk"])
        make_identifier(world.carla, "new")
        for row in Suspense.objects.filter(reason="unparsable"):
            ask_for_correction(
                provider_id=world.provider.pk,
                suspense_id=row.pk,
                raw=Call(account="carla").line,
                at=LATER,
                actor_id=actor.pk,
            )
        ask(world)

        assert retry_asked(provider_id=world.provider.pk, at=LATER) == Retried(4, 2)

        assert Xdr.objects.filter(customer=world.carla).count() == 4
        assert asked() == 0
        corrected = Entry.objects.filter(action="suspense.line_corrected")
        assert {entry.actor_id for entry in corrected} == {actor.pk}
        assert retry_asked(provider_id=world.provider.pk, at=LATER) == Retried(0, 0)

    def test_leaves_alone_what_was_not_asked_for(self, world: World) -> None:
        import_lines(world.source, [Call(account="new"), Call(account="new")])
        make_identifier(world.carla, "new")
        row = Suspense.objects.order_by("pk").first()
        assert row is not None
        ask(world, suspense_ids=[row.pk])

        assert retry_asked(provider_id=world.provider.pk, at=LATER) == Retried(1, 0)

        assert Suspense.objects.filter(state=Suspense.State.OPEN).count() == 1


class TestTheSweep:
    def test_finds_again_what_was_asked_for_long_ago(self, world: World) -> None:
        import_lines(world.source, [Call(account="new")])
        ask(world)

        assert requeue_lost_retries(at=LATER + PATIENCE - timedelta(seconds=1)) == 0
        assert requeue_lost_retries(at=LATER + PATIENCE) == 1
