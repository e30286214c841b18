import csv
import io
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client

from cdr.models import Leg, LegKind, Rerating, UsageCharge
from cdr.services.rerating import apply_rerating, plan_rerating
from tests.cdr.worlds import World, make_world
from tests.factories import make_staff
from tests.factories.allowances import give_minutes
from tests.factories.cdr import CALL_AT, Call, import_lines
from tests.factories.rerating import RERATED_AT, measure, price, work_off
from web.console.reratings import MOST_PREFIXES, rerating_url

pytestmark = pytest.mark.django_db
RERATINGS = "/console/usage/re-rating/"
NEW = f"{RERATINGS}new/"
ASKED = {
    "reason": "The price list was wrong.",
    "started_from": "2026-10-01T00:00",
    "started_to": "2026-11-01T00:00",
}


@pytest.fixture
def measured(world: World) -> Rerating:
    """Carla's call of 0.10 EUR is to cost 0.14."""
    import_lines(world.source, [Call(account="carla")])
    price(world.default_table(), "0.07")
    return measure(world.provider)


def text_of(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == HTTPStatus.OK
    return response.content.decode()


def of(rerating: Rerating, step: str = "") -> str:
    return f"{RERATINGS}{rerating.pk}/{step}"


def as_role(world: World, role: str) -> Client:
    client = Client()
    client.force_login(make_staff(world.provider, role))
    return client


class TestAsking:
    def test_starts_a_dry_run_of_what_is_chosen(self, staff: Client, world: World) -> None:
        choice = {
            "customer": world.carla.number,
            "reseller": world.sub.pk,
            "vendor": world.vendor.pk,
            "source": world.source.pk,
            "rate_table": world.default_table().pk,
            "prefixes": "49, 4420",
            "suspense_reason": "unrated_vendor",
        }

        response = staff.post(NEW, ASKED | choice)

        rerating = Rerating.objects.get()
        assert response.headers["Location"] == of(rerating)
        assert (rerating.customer, rerating.reseller, rerating.vendor, rerating.source) == (
            world.carla,
            world.sub,
            world.vendor,
            world.source,
        )
        assert rerating.rate_table == world.default_table()
        assert (rerating.prefixes, rerating.suspense_reason) == ("49,4420", "unrated_vendor")
        assert rerating.reason == "The price list was wrong."
        assert rerating.started_from.isoformat() == "2026-09-30T22:00:00+00:00"
        assert rerating.created_by is not None

    def test_is_filled_in_by_the_address(self, staff: Client, world: World) -> None:
        table = world.default_table()
        url = rerating_url(
            started_from=CALL_AT,
            rate_table_id=table.pk,
            prefixes=["49", "4420"],
            reason="Rates of October",
        )

        text = text_of(staff, url)

        assert 'value="2026-10-05T11:00"' in text or "2026-10-05T" in text
        assert 'value="49,4420"' in text
        assert 'value="Rates of October"' in text
        assert f'<option value="{table.pk}" selected>' in text

    def test_takes_no_more_prefixes_from_the_address_than_from_people(self, world: World) -> None:
        assert "prefixes" not in rerating_url(prefixes=["1"] * (MOST_PREFIXES + 1))
        assert "prefixes" in rerating_url(prefixes=["1"] * MOST_PREFIXES)

    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ({"reason": ""}, "This field is required."),
            ({"started_to": "2026-09-01T00:00"}, "It must be after the start."),
            ({"customer": "987654"}, "There is no customer of this number."),
            ({"prefixes": "49, abc"}, "“abc” is no prefix"),
            ({"prefixes": ",".join(["1"] * 101)}, "Name 100 prefixes at most"),
            ({"suspense_reason": "unparsable"}, "Select a valid choice."),
        ],
    )
    def test_says_at_the_field_what_is_wrong(
        self, staff: Client, wrong: dict[str, Any], message: str
    ) -> None:
        response = staff.post(NEW, ASKED | wrong)

        assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert message in response.content.decode()
        assert not Rerating.objects.exists()

    def test_refuses_rows_of_others(self, staff: Client) -> None:
        other = make_world()

        for field, row in (("source", other.source), ("vendor", other.vendor)):
            assert staff.post(NEW, ASKED | {field: row.pk}).status_code == 422
        assert staff.post(NEW, ASKED | {"reseller": other.sub.pk}).status_code == 422

        assert not Rerating.objects.exists()


class TestWatching:
    def test_shows_how_far_the_dry_run_is(self, staff: Client, world: World) -> None:
        import_lines(world.source, [Call(account="carla")])
        staff.post(NEW, ASKED)
        rerating = Rerating.objects.get()
        assert "Looking for the xDRs" in text_of(staff, of(rerating, "progress/"))

        plan_rerating(rerating_id=rerating.pk, at=RERATED_AT)

        assert "Dry run, in xDRs" in text_of(staff, of(rerating))
        work_off(rerating)
        moved = staff.get(of(rerating, "progress/"), headers={"HX-Request": "true"})
        assert moved.headers["HX-Redirect"] == of(rerating)

    def test_tells_the_result_and_offers_to_apply_it(
        self, staff: Client, measured: Rerating
    ) -> None:
        text = text_of(staff, of(measured))

        for amount in ("0.10", "0.14", "0.04"):
            assert f'<span class="money">{amount}' in text
        assert of(measured, "apply/") in text
        assert of(measured, "discard/") in text

    def test_says_whose_usage_is_rated_again_by_whole_months(
        self, staff: Client, world: World
    ) -> None:
        give_minutes(world.carla, world.product, 90)
        import_lines(world.source, [Call(account="carla")])

        text = text_of(staff, of(measure(world.provider)))

        assert "1 customer with allowances or tiers, all usage of the months" in text

    def test_says_where_nothing_would_change(self, staff: Client, world: World) -> None:
        import_lines(world.source, [Call(account="carla")])
        rerating = measure(world.provider)

        text = text_of(staff, of(rerating))

        assert "Nothing would change" in text
        assert of(rerating, "apply/") not in text

    def test_offers_nothing_to_who_only_reads(self, world: World, measured: Rerating) -> None:
        text = text_of(as_role(world, "Finance"), of(measured))

        assert of(measured, "apply/") not in text


class TestDifferences:
    def test_are_listed_payer_by_payer(
        self, staff: Client, world: World, measured: Rerating
    ) -> None:
        text = text_of(staff, of(measured, "differences/"))

        assert str(world.carla) in text

    def test_can_be_downloaded(self, staff: Client, world: World, measured: Rerating) -> None:
        response = staff.get(of(measured, "differences/?format=csv"))

        (row,) = csv.DictReader(io.StringIO(response.content.decode("utf-8-sig")))
        assert row["Payer"] == str(world.carla)
        assert (Decimal(row["Before"]), Decimal(row["After"])) == (Decimal("0.1"), Decimal("0.14"))
        assert (Decimal(row["Difference"]), row["Difference currency"]) == (Decimal("0.04"), "EUR")


class TestApplying:
    def test_states_the_amounts_and_starts_when_they_are_agreed_to(
        self, staff: Client, measured: Rerating
    ) -> None:
        text = text_of(staff, of(measured, "apply/"))
        for amount in ("0.10", "0.14", "0.04"):
            assert f'<span class="money">{amount}' in text

        response = staff.post(of(measured, "apply/"), {"_confirmed": "1"})

        assert response.headers["Location"] == of(measured)
        assert "Applying, in xDRs" in text_of(staff, of(measured))
        work_off(measured)
        assert measured.state == Rerating.State.APPLIED
        assert Leg.objects.get(kind=LegKind.CUSTOMER).amount == Decimal("0.14")
        assert "by" in text_of(staff, of(measured))

    def test_is_refused_the_second_time(self, staff: Client, measured: Rerating) -> None:
        apply_rerating(rerating_id=measured.pk, at=RERATED_AT, actor_id=None)
        work_off(measured)
        before = UsageCharge.objects.count()

        response = staff.post(of(measured, "apply/"), {"_confirmed": "1"})

        assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "nothing to apply" in response.content.decode()
        assert UsageCharge.objects.count() == before

    def test_is_for_those_who_may_write_usage(self, world: World, measured: Rerating) -> None:
        response = as_role(world, "Finance").post(of(measured, "apply/"), {"_confirmed": "1"})

        assert response.status_code == HTTPStatus.FORBIDDEN
        measured.refresh_from_db()
        assert measured.state == Rerating.State.MEASURED

    def test_of_others_is_not_found(self, staff: Client) -> None:
        other = measure(make_world().provider)

        for step in ("", "progress/", "differences/", "apply/", "discard/"):
            assert staff.get(of(other, step)).status_code == HTTPStatus.NOT_FOUND


class TestDiscarding:
    def test_ends_it_with_nothing_changed(self, staff: Client, measured: Rerating) -> None:
        staff.post(of(measured, "discard/"), {"_confirmed": "1"})

        measured.refresh_from_db()
        assert measured.state == Rerating.State.DISCARDED
        assert Leg.objects.get(kind=LegKind.CUSTOMER).amount == Decimal("0.10")


class TestHistory:
    def test_tells_why_who_and_what(self, staff: Client, measured: Rerating) -> None:
        text = text_of(staff, RERATINGS)

        assert "A rate was wrong." in text
        assert '<span class="money">0.04' in text

    def test_leads_nowhere_while_it_is_empty_but_to_the_first(self, staff: Client) -> None:
        assert "Nothing was rated again yet" in text_of(staff, RERATINGS)
