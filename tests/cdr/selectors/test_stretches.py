"""Stretches hold every xDR of a selection once, and none of them too many."""

from datetime import datetime, timedelta

import pytest

from cdr.models import Xdr
from cdr.rules.rerating import Place, Selection, Stretch
from cdr.selectors.selections import selected
from cdr.selectors.stored_xdrs import Condition, stored_xdrs
from cdr.selectors.stretches import stretches_of
from common.scope import Scope
from tests.cdr.worlds import World, make_world
from tests.factories.cdr import CALL_AT, Call, import_lines

MINUTE = timedelta(minutes=1)


@pytest.fixture
def world(db: None) -> World:
    return make_world()


def cut(world: World, most: int, *, first: datetime = CALL_AT, minutes: int = 10) -> list[Stretch]:
    return stretches_of(scope(world), Selection(first, CALL_AT + minutes * MINUTE), most)


def scope(world: World) -> Scope:
    return Scope.system(world.provider.pk)


def xdrs_of(world: World, stretch: Stretch) -> list[tuple[datetime, int]]:
    chosen = Selection(CALL_AT, CALL_AT + timedelta(days=1)).between(stretch.first, stretch.end)
    condition: Condition = selected(scope(world), chosen)
    found = stored_xdrs(scope(world), condition).sort("started_at", "id")
    return list(found.select("started_at", "id").iter_rows())


def call(minute: int, second: int = 0) -> Call:
    return Call(account="carla", started_at=CALL_AT + timedelta(minutes=minute, seconds=second))


class TestStretches:
    def test_end_with_a_minute_where_they_can(self, world: World) -> None:
        import_lines(world.source, [call(0), call(0, 59), call(1), call(3), call(3), call(4)])

        assert cut(world, 3) == [
            Stretch(Place(CALL_AT), Place(CALL_AT + 2 * MINUTE), 3),
            Stretch(Place(CALL_AT + 3 * MINUTE), Place(CALL_AT + 5 * MINUTE), 3),
        ]

    def test_keep_to_what_was_chosen(self, world: World) -> None:
        import_lines(world.source, [call(0, 10), call(0, 20), call(0, 30)])
        first = CALL_AT + timedelta(seconds=20)

        (stretch,) = cut(world, 3, first=first)

        assert (stretch.first, stretch.xdr_count) == (Place(first), 2)

    def test_are_cut_between_calls_of_one_instant(self, world: World) -> None:
        import_lines(world.source, [call(0, 1), *(call(0, 2) for _ in range(6)), call(2)])

        stretches = cut(world, 3)

        assert [stretch.xdr_count for stretch in stretches] == [3, 3, 2]
        stored = Xdr.objects.order_by("started_at", "id").values_list("id", flat=True)
        found = [[xdr_id for _, xdr_id in xdrs_of(world, stretch)] for stretch in stretches]
        assert found == [list(stored[:3]), list(stored[3:6]), list(stored[6:])]

    @pytest.mark.parametrize("most", [1, 2, 3, 4, 5, 9])
    def test_hold_each_xdr_once(self, world: World, most: int) -> None:
        import_lines(world.source, [call(n % 3, n % 2) for n in range(9)])

        parts = [xdrs_of(world, stretch) for stretch in cut(world, most)]

        assert max(map(len, parts)) <= most
        assert len({xdr for part in parts for xdr in part}) == sum(map(len, parts)) == 9

    def test_of_nothing_are_none(self, world: World) -> None:
        assert cut(world, 3) == []
