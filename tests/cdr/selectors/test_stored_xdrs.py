from datetime import timedelta

import pytest

from cdr.models import Xdr
from cdr.selectors.stored_xdrs import of_xdrs, stored_xdrs
from common.scope import Scope
from tests.cdr.worlds import make_world
from tests.factories.cdr import CALL_AT, Call, import_lines

pytestmark = pytest.mark.django_db


class TestTheseVeryXdrs:
    def test_are_found_by_start_and_id_together(self) -> None:
        world, others = make_world(), make_world()
        calls = [
            Call(account="carla", started_at=CALL_AT + timedelta(seconds=second))
            for second in (0, 0, 0, 1, 1, 2)
        ]
        import_lines(world.source, calls)
        import_lines(others.source, calls)
        first, _, third, fourth, fifth, _ = Xdr.objects.filter(source=world.source).order_by("id")

        asked = [first, third, fifth]
        starts = [xdr.started_at for xdr in asked]
        # Of the last, the start is another one's.
        chosen = of_xdrs([*starts, first.started_at], [*(xdr.id for xdr in asked), fourth.id])
        found = stored_xdrs(Scope.system(world.provider.pk), chosen)

        assert sorted(found["id"]) == [first.id, third.id, fifth.id]
