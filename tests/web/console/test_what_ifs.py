from datetime import UTC, date, datetime
from http import HTTPStatus

import pytest
from django.test import Client

from cdr.models import Leg, LegKind, WhatIf
from cdr.services.what_ifs import answer_what_if
from resellers.models import BillingModeAssignment, ResellerModule
from tests.cdr.worlds import World, make_world
from tests.factories import (
    make_provider,
    make_rate_table,
    make_reseller,
    make_what_if,
)
from tests.factories.cdr import Call, import_lines
from tests.web.account_centre.pages import words
from tests.web.console.pages import as_role, confirm, page, refused

pytestmark = pytest.mark.django_db
ROOT = "/console/resellers/what-if/"
AT = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def staff(world: World) -> Client:
    return as_role(world.provider, "Accounts & Orders")


def question(world: World) -> dict[str, object]:
    return {
        "resellers": [world.sub.pk],
        "from_date": "2026-10-01",
        "last_date": "2026-10-31",
        "rate_table": world.sub_table.pk,
        "policy": BillingModeAssignment.Policy.PARENT_VENDORS_ONLY,
    }


class TestAsking:
    def test_keeps_the_question_for_a_worker(self, staff: Client, world: World) -> None:
        response = staff.post(f"{ROOT}new/", question(world))

        asked = WhatIf.objects.get()
        assert response.headers["Location"] == f"{ROOT}{asked.pk}/"
        assert (asked.from_date, asked.to_date) == (date(2026, 10, 1), date(2026, 11, 1))
        assert [row.reseller for row in asked.resellers.all()] == [world.sub]
        assert asked.state == WhatIf.State.WAITING
        assert "Waiting for a worker" in page(staff, f"{ROOT}{asked.pk}/")

    def test_starts_from_the_reseller_whose_billing_mode_led_there(
        self, staff: Client, world: World
    ) -> None:
        tab = page(staff, f"/console/resellers/{world.sub.pk}/billing-mode/")
        assert f"{ROOT}new/?reseller={world.sub.pk}" in tab

        text = page(staff, f"{ROOT}new/?reseller={world.sub.pk}")

        assert f'<option value="{world.sub.pk}" selected' in text

    @pytest.mark.parametrize(
        ("field", "value", "message"),
        [
            ("last_date", "2026-09-30", "before the first day"),
            ("last_date", "2028-01-01", "366 days at most"),
            ("from_date", "soon", "valid date"),
            ("resellers", [], "required"),
            ("policy", BillingModeAssignment.Policy.INTERNAL_TABLE, "goes with the policy"),
        ],
    )
    def test_says_what_is_wrong(
        self, staff: Client, world: World, field: str, value: object, message: str
    ) -> None:
        text = refused(staff, f"{ROOT}new/", **question(world) | {field: value})

        assert message in text
        assert not WhatIf.objects.exists()

    def test_takes_no_table_of_another_currency(self, staff: Client, world: World) -> None:
        table = make_rate_table(world.product, currency="USD")

        text = refused(staff, f"{ROOT}new/", **question(world) | {"rate_table": table.pk})

        assert "is billed in EUR" in text
        assert not WhatIf.objects.exists()

    def test_is_not_for_readers(self, world: World) -> None:
        response = as_role(world.provider, "Finance").post(f"{ROOT}new/", question(world))

        assert response.status_code == HTTPStatus.FORBIDDEN
        assert not WhatIf.objects.exists()


class TestTheAnswer:
    def test_shows_added_legs_and_what_they_move(self, staff: Client, world: World) -> None:
        import_lines(world.source, [Call(account="carla", seconds=120)])
        staff.post(f"{ROOT}new/", question(world))
        asked = WhatIf.objects.get()

        assert answer_what_if(what_if_id=asked.pk, clock=lambda: AT)

        text = words(page(staff, f"{ROOT}{asked.pk}/"))
        assert f"{world.sub} {world.root} 0 1 0.00 EUR 0.06 EUR 0.06 EUR 0" in text
        assert f"{world.sub} 0.10 EUR 0.04 EUR \N{MINUS SIGN}0.06 EUR" in text
        assert f"{world.root} \N{MINUS SIGN}0.04 EUR 0.02 EUR 0.06 EUR" in text
        assert not Leg.objects.filter(kind=LegKind.RESELLER).exists()

    def test_is_watched_until_it_is_there(self, staff: Client, world: World) -> None:
        asked = make_what_if(world.sub, state=WhatIf.State.RUNNING, done_count=12)
        address = f"{ROOT}{asked.pk}/progress/"

        text = words(page(staff, address))
        WhatIf.objects.update(state=WhatIf.State.DONE)
        after = staff.get(address, headers={"HX-Request": "true"})

        assert "Days reckoned 12 of 31" in text
        assert after.headers["HX-Redirect"] == f"{ROOT}{asked.pk}/"

    def test_of_another_provider_is_not_found(self, staff: Client) -> None:
        foreign = make_what_if(make_reseller(make_provider()))

        for tail in ("", "progress/", "cancel/"):
            assert staff.get(f"{ROOT}{foreign.pk}/{tail}").status_code == HTTPStatus.NOT_FOUND

    def test_does_not_exist_while_the_module_is_off(self, staff: Client, world: World) -> None:
        ResellerModule.objects.filter(provider=world.provider).update(is_enabled=False)

        assert staff.get(ROOT).status_code == HTTPStatus.NOT_FOUND


class TestCancelling:
    def test_happens_when_that_is_confirmed(self, staff: Client, world: World) -> None:
        asked = make_what_if(world.sub)

        page(staff, f"{ROOT}{asked.pk}/cancel/")
        confirm(staff, f"{ROOT}{asked.pk}/cancel/")

        asked.refresh_from_db()
        assert asked.state == WhatIf.State.CANCELLED
        assert "There is no answer" in page(staff, f"{ROOT}{asked.pk}/")
