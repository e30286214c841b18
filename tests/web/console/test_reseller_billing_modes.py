from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from pytest_django import Settings

from cdr.models import CustomerIdentifier
from common.clock import now
from resellers.models import BillingModeAssignment
from tests.cdr.worlds import World
from tests.factories import (
    make_billing_mode,
    make_customer,
    make_identifier,
    make_product,
    make_provider,
    make_rate_table,
    make_reseller,
)
from tests.factories.cdr import Call, import_lines
from tests.web.console.pages import as_role, confirm, page, refused

pytestmark = pytest.mark.django_db
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(autouse=True)
def _own_files_dir(settings: Settings, tmp_path: Path) -> None:
    settings.XDR_FILES_DIR = tmp_path / "xdr_files"


def path(world: World, rest: str = "") -> str:
    return f"/console/resellers/{world.sub.pk}/billing-mode/{rest}"


def sent(world: World, **changes: object) -> dict[str, object]:
    return {
        "rate_table": world.sub_table.pk,
        "policy": "PARENT_VENDORS_ONLY",
        "valid_from": "2026-11-01T00:00",
        **changes,
    }


def call_between_own_customers(world: World, seconds: int) -> None:
    """A call of Carla to another customer of Sub, ten days ago."""
    callee = make_customer(world.provider, world.sub)
    number = "493099887766"
    make_identifier(callee, number, CustomerIdentifier.Kind.NUMBER)
    started_at = (now() - timedelta(days=10)).replace(microsecond=0)
    call = Call(account="carla", to=number, seconds=seconds, started_at=started_at)
    import_lines(world.source, [call], at=now())


class TestTheList:
    def test_says_that_it_is_off(self, staff: Client, world: World) -> None:
        assert "Billing mode is off" in page(staff, path(world))

    def test_shows_table_policy_and_dates(self, staff: Client, world: World) -> None:
        mode = make_billing_mode(world.sub, world.sub_table)

        text = page(staff, path(world))

        assert world.sub_table.name in text
        assert "further notice" in text
        assert path(world, f"{mode.pk}/end/") in text


class TestAssigning:
    def test_is_reviewed_and_then_holds_from_its_date(self, staff: Client, world: World) -> None:
        review = staff.post(path(world, "new/"), sent(world))
        before = BillingModeAssignment.objects.count()
        confirm(staff, path(world, "new/"), **sent(world))

        mode = BillingModeAssignment.objects.get()
        assert str(world.root) in review.content.decode()
        assert before == 0
        assert (mode.reseller, mode.rate_table) == (world.sub, world.sub_table)
        assert mode.valid_from == datetime(2026, 11, 1, tzinfo=BERLIN)
        assert mode.valid_to is None

    def test_for_every_call_states_what_internal_calls_would_have_cost(
        self, staff: Client, world: World
    ) -> None:
        call_between_own_customers(world, seconds=120)

        response = staff.post(path(world, "new/"), sent(world, policy="EVERY_CALL"))

        text = response.content.decode()
        assert "calls between its own customers" in text
        assert "<dd>1</dd>" in text
        assert '0.06 <span class="currency">EUR</span>' in text
        assert not BillingModeAssignment.objects.exists()

    def test_for_every_call_counts_no_call_over_a_vendor(self, staff: Client, world: World) -> None:
        started_at = (now() - timedelta(days=10)).replace(microsecond=0)
        import_lines(world.source, [Call(account="carla", started_at=started_at)], at=now())

        text = staff.post(path(world, "new/"), sent(world, policy="EVERY_CALL")).content.decode()

        assert "<dd>0</dd>" in text
        assert '0.00 <span class="currency">EUR</span>' in text

    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ({"rate_table": ""}, "This field is required."),
            ({"valid_from": "soon"}, "Enter a valid date/time."),
            ({"policy": "SOMETIMES"}, "Select a valid choice."),
            ({"valid_to": "2026-10-01T00:00"}, "cannot end"),
            ({"valid_from": "2025-01-01T00:00"}, "already; end that first"),
        ],
    )
    def test_with_bad_input_keeps_what_was_typed_and_writes_nothing(
        self, staff: Client, world: World, wrong: dict[str, str], message: str
    ) -> None:
        existing = make_billing_mode(
            world.sub,
            world.sub_table,
            valid_from=datetime(2025, 6, 1, tzinfo=BERLIN),
            valid_to=datetime(2025, 7, 1, tzinfo=BERLIN),
        )

        text = refused(staff, path(world, "new/"), **sent(world) | wrong, _confirmed="1")

        [field] = wrong
        assert message in text
        assert f'id="id_{field}_error"' in text
        assert BillingModeAssignment.objects.get() == existing

    def test_needs_the_table_of_internal_calls_where_they_have_one(
        self, staff: Client, world: World
    ) -> None:
        text = refused(
            staff, path(world, "new/"), **sent(world, policy="INTERNAL_TABLE"), _confirmed="1"
        )

        assert 'id="id_internal_rate_table_error"' in text
        assert not BillingModeAssignment.objects.exists()

    def test_offers_no_table_of_another_provider(self, staff: Client, world: World) -> None:
        foreign = make_rate_table(make_product(make_provider()))

        text = refused(staff, path(world, "new/"), **sent(world, rate_table=foreign.pk))

        assert 'id="id_rate_table_error"' in text

    def test_is_refused_to_a_role_without_the_permission(self, world: World) -> None:
        response = as_role(world.provider, "Finance").post(path(world, "new/"), sent(world))

        assert response.status_code == HTTPStatus.FORBIDDEN
        assert not BillingModeAssignment.objects.exists()


class TestEnding:
    def test_happens_when_that_is_confirmed(self, staff: Client, world: World) -> None:
        mode = make_billing_mode(world.sub, world.sub_table)
        end = path(world, f"{mode.pk}/end/")

        asked = staff.post(end, {"valid_to": "2026-12-01T00:00"})
        confirm(staff, end, valid_to="2026-12-01T00:00")

        mode.refresh_from_db()
        assert asked.status_code == HTTPStatus.OK
        assert mode.valid_to == datetime(2026, 12, 1, tzinfo=BERLIN)

    def test_before_it_began_is_refused(self, staff: Client, world: World) -> None:
        mode = make_billing_mode(world.sub, world.sub_table)

        text = refused(
            staff, path(world, f"{mode.pk}/end/"), valid_to="2020-01-01T00:00", _confirmed="1"
        )

        mode.refresh_from_db()
        assert 'id="id_valid_to_error"' in text
        assert mode.valid_to is None

    def test_of_another_reseller_does_not_exist(self, staff: Client, world: World) -> None:
        other = make_billing_mode(make_reseller(world.provider), world.sub_table)

        response = staff.get(path(world, f"{other.pk}/end/"))

        assert response.status_code == HTTPStatus.NOT_FOUND


class TestTheWholesaleTab:
    def test_sums_what_is_owed_by_month(self, staff: Client, world: World) -> None:
        make_billing_mode(world.sub, world.sub_table)
        started_at = (now() - timedelta(days=3)).replace(microsecond=0)
        calls = [Call(account="carla", seconds=120, started_at=started_at) for _ in range(2)]
        import_lines(world.source, calls, at=now())

        of_sub = page(staff, f"/console/resellers/{world.sub.pk}/wholesale/")
        of_root = page(staff, f"/console/resellers/{world.root.pk}/wholesale/")

        month = f"{started_at.astimezone(BERLIN):%B %Y}"
        assert month in of_sub
        assert '0.12 <span class="currency">EUR</span>' in of_sub
        assert '0.12 <span class="currency">EUR</span>' in of_root
        assert "No settlement invoices yet" in of_sub
