"""Work of which workers die is given up, and can be asked for again."""

from datetime import timedelta

import pytest
from django.db.models import Model, QuerySet
from django.test import Client

from cdr import tasks
from cdr.models import Rerating, ReratingSlice, WhatIf
from cdr.services.rerating import apply_rerating, ask_for_rerating, requeue_lost_reratings
from cdr.services.what_ifs import ask_what_if, requeue_lost_what_ifs
from common.periods import Period
from common.tries import GIVEN_UP, MOST_TRIES
from resellers.models import BillingModeAssignment
from tests.cdr.worlds import World, make_world
from tests.factories import make_staff
from tests.factories.cdr import Call, import_lines
from tests.factories.rerating import (
    OCTOBER_FROM,
    OCTOBER_TO,
    RERATED_AT,
    measure,
    price,
    rerate,
    snapshot,
)

LATER = RERATED_AT + timedelta(days=1)


@pytest.fixture
def world(db: None) -> World:
    world = make_world()
    import_lines(world.source, [Call(account="carla")])
    return world


def tried_too_often(rows: QuerySet[Model]) -> None:
    rows.update(try_count=MOST_TRIES)


def asked(world: World) -> Rerating:
    return ask_for_rerating(
        provider_id=world.provider.pk,
        reason="A rate was wrong.",
        started_from=OCTOBER_FROM,
        started_to=OCTOBER_TO,
        at=RERATED_AT,
        actor_id=None,
    )


class TestARerating:
    def test_that_cannot_be_planned_fails(self, world: World, client: Client) -> None:
        client.force_login(make_staff(world.provider))
        rerating = asked(world)
        tried_too_often(Rerating.objects.all())

        tasks.plan_rerating_task(rerating_id=rerating.pk)

        assert Rerating.objects.get().state == "FAILED"
        assert requeue_lost_reratings(at=LATER) == 0
        text = client.get(f"/console/usage/re-rating/{rerating.pk}/").content.decode()
        assert "The dry run failed" in text

    def test_that_cannot_be_measured_fails(self, world: World) -> None:
        rerating = asked(world)
        tasks.plan_rerating_task(rerating_id=rerating.pk)
        tried_too_often(ReratingSlice.objects.all())

        tasks.rerate_slice_task(slice_id=ReratingSlice.objects.get().pk)

        assert Rerating.objects.get().state == "FAILED"
        assert requeue_lost_reratings(at=LATER) == 0
        assert measure(world.provider).state == "MEASURED"

    def test_that_cannot_be_applied_leaves_everything_as_it_is(self, world: World) -> None:
        price(world.default_table(), "0.07")
        rerating = measure(world.provider)
        apply_rerating(rerating_id=rerating.pk, at=RERATED_AT, actor_id=None)
        tried_too_often(ReratingSlice.objects.all())
        before = snapshot()

        tasks.rerate_slice_task(slice_id=ReratingSlice.objects.get().pk)

        assert Rerating.objects.get().state == "PARTLY_APPLIED"
        assert snapshot() == before
        assert rerate(world.provider).state == "APPLIED"


def test_a_what_if_that_cannot_be_answered_fails(world: World) -> None:
    question = ask_what_if(
        provider_id=world.provider.pk,
        resellers=[world.sub],
        rate_table=world.sub_table,
        policy=BillingModeAssignment.Policy.PARENT_VENDORS_ONLY,
        period=Period(OCTOBER_FROM.date(), OCTOBER_TO.date()),
        at=RERATED_AT,
        actor_id=None,
    )
    tried_too_often(WhatIf.objects.all())

    tasks.answer_what_if_task(what_if_id=question.pk)

    ended = WhatIf.objects.get()
    assert (ended.state, ended.error) == ("FAILED", GIVEN_UP)
    requeue_lost_what_ifs(at=LATER)
    ended.refresh_from_db()
    assert ended.queued_at == RERATED_AT
