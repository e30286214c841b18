import csv
import io
from datetime import date, timedelta
from decimal import Decimal
from http import HTTPStatus

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from cdr.models import Mending, RetiredMonth, Xdr
from cdr.rules.mending import Change, ChangeKind
from tests.cdr.worlds import World, make_world
from tests.factories import make_billing_mode, make_rate, make_rate_table, make_staff
from tests.factories.allowances import give_minutes
from tests.factories.cdr import CALL_AT, IMPORT_AT, Call, import_lines
from tests.factories.mending import mend
from tests.web.account_centre.pages import words

pytestmark = pytest.mark.django_db
XDRS = "/console/usage/xdrs/"


def page(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == HTTPStatus.OK
    return response.content.decode()


def exported(client: Client, query: str = "") -> list[tuple[str, str, str]]:
    """Called number, what the customer pays, and result of what is listed."""
    response = client.get(f"{XDRS}?format=csv{query}")
    rows = csv.DictReader(io.StringIO(response.content.decode()))
    return [(row["To"], row["Customer pays"], row["Result"]) for row in rows]


def address(xdr: Xdr) -> str:
    return reverse("console_xdr", kwargs={"xdr_key": xdr.pk})


class TestTheList:
    def test_shows_the_latest_first_with_what_the_customer_pays(
        self, staff: Client, world: World
    ) -> None:
        later = CALL_AT + timedelta(hours=1)
        import_lines(
            world.source,
            [
                Call(account="carla", to="4930000001"),
                Call(account="x", to="4930000002", started_at=later),
            ],
        )
        import_lines(make_world().source, [Call(account="carla", to="4930000003")])

        assert exported(staff) == [
            ("4930000002", "", "Suspended"),
            ("4930000001", "0.10000000", "Rated"),
        ]

    def test_is_filtered_by_customer_day_and_result(self, staff: Client, world: World) -> None:
        # In Berlin it is two hours later: the last of these starts on the next day.
        days = [CALL_AT, CALL_AT + timedelta(days=1, hours=12), CALL_AT + timedelta(hours=14)]
        lines = [
            Call(account="carla", to=f"493000000{n}", started_at=at, seconds=60 * (n != 1))
            for n, at in enumerate(days)
        ]
        import_lines(world.source, [*lines, Call(account="x", to="4930000009")])

        number = world.carla.number
        assert [to for to, _, _ in exported(staff, f"&customer={number}")] == [
            "4930000001",
            "4930000002",
            "4930000000",
        ]
        assert exported(staff, "&customer=987654") == []
        assert [to for to, _, _ in exported(staff, "&since=2026-10-06&until=2026-10-06")] == [
            "4930000001",
            "4930000002",
        ]
        assert [to for to, _, _ in exported(staff, "&result=3")] == ["4930000009"]
        assert [to for to, _, _ in exported(staff, "&result=2")] == ["4930000001"]
        assert len(exported(staff, f"&source={world.source.pk}")) == 4

    def test_says_what_is_kept_in_files(self, staff: Client, world: World) -> None:
        RetiredMonth.objects.create(
            first_day=date(2024, 12, 1), folder="/archive", manifest={}, retired_at=IMPORT_AT
        )

        shown = staff.get(XDRS).content.decode()

        assert "What started before 1 Jan 2025 (UTC) is kept in files." in shown

    def test_pages_through_xdrs_of_the_same_second(self, staff: Client, world: World) -> None:
        import_lines(world.source, [Call(account="carla", to=f"49{n}") for n in range(120)])
        seen: list[str] = []

        path = XDRS
        while path:
            response = staff.get(path)
            seen += [row.destination_number for row in response.context["page"].rows]
            after = response.context["page"].after
            path = f"{XDRS}?after={after}" if after else ""

        assert sorted(seen) == sorted(f"49{n}" for n in range(120))
        assert seen[0] == "49119"

    def test_costs_as_many_statements_for_fifty_rows_as_for_one(
        self,
        staff: Client,
        world: World,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        import_lines(world.source, [Call(account="carla") for _ in range(50)])

        with django_assert_max_num_queries(45):
            page(staff, XDRS)


class TestAnXdr:
    def test_explains_each_of_its_legs(self, staff: Client, world: World) -> None:
        make_billing_mode(world.sub, make_rate_table(world.product, {"": "0.03", "7": "1"}))
        make_rate(world.default_table(), "49", rate=Decimal("0.08"), destination="Germany")
        import_lines(world.source, [Call(account="carla", to="493012345678")])

        text = page(staff, address(Xdr.objects.get()))

        assert text.count("<strong>used</strong>") == 3
        assert "Customer leg" in text
        assert "Reseller leg" in text
        assert "Vendor leg" in text
        assert "0 + 0.08000000 * 1 / 60 + 0.08000000 * 119 / 60" in text
        assert "a longer prefix fits" in text
        assert f'href="/console/customers/{world.carla.pk}/"' in text
        assert "The table has changed since" not in text

    def test_says_so_where_the_table_has_changed_since(self, staff: Client, world: World) -> None:
        import_lines(world.source, [Call(account="carla")])
        make_rate(world.default_table(), "49", rate=Decimal("0.5"))

        text = page(staff, address(Xdr.objects.get()))

        assert text.count("The table has changed since") == 1
        assert '0.10 <span class="currency">EUR</span></span> was charged' in text
        assert 'it would be <span class="money">1.00' in text

    def test_says_so_where_the_engine_does_not_rate_what_the_table_says(
        self, staff: Client, world: World
    ) -> None:
        import_lines(world.source, [Call(account="carla")])
        world.default_table().rates.update(steps="by and by")

        text = page(staff, address(Xdr.objects.get()))

        assert "It cannot be explained by the table as it is now" in text

    def test_leads_to_what_of_it_waits(self, staff: Client, world: World) -> None:
        make_billing_mode(world.sub, make_rate_table(world.product))
        import_lines(world.source, [Call(account="carla")])

        text = page(staff, address(Xdr.objects.get()))

        assert "Look at what waits" in text

    def test_is_not_there_at_another_start(self, staff: Client, world: World) -> None:
        import_lines(world.source, [Call(account="carla")])
        xdr = Xdr.objects.get()
        moved = (xdr.provider_id, xdr.started_at + timedelta(seconds=1), xdr.id)

        paths = [
            reverse("console_xdr", kwargs={"xdr_key": moved}),
            f"{XDRS}99999999999999999-1/",
            f"{XDRS}1-9999999999999999999/",
        ]

        assert [staff.get(path).status_code for path in paths] == [404, 404, 404]


class TestAnXdrWhoseStartWasCorrected:
    @staticmethod
    def moved_by(world: World, days: int) -> Xdr:
        start = f"{CALL_AT - timedelta(days=days):%Y-%m-%dT%H:%M:%S+00:00}"
        change = Change(ChangeKind.SET, "started_at", "", start)
        mend(world.provider, Mending.Kind.CORRECT, change=change)
        return Xdr.objects.get()

    def test_is_led_to_from_every_start_that_it_had(self, staff: Client, world: World) -> None:
        import_lines(world.source, [Call(account="new")])
        addresses = [address(Xdr.objects.get())]
        for days in (30, 31):
            addresses.append(address(self.moved_by(world, days)))

        for old in addresses[:-1]:
            response = staff.get(old)
            assert (response.status_code, response["Location"]) == (302, addresses[-1])
        assert staff.get(addresses[-1]).status_code == HTTPStatus.OK

    def test_is_led_to_once_it_is_back_where_it_was(self, staff: Client, world: World) -> None:
        import_lines(world.source, [Call(account="new")])
        wrong, back = address(self.moved_by(world, 30)), address(self.moved_by(world, 0))

        assert staff.get(wrong)["Location"] == back

    def test_is_not_there_for_others(self, client: Client, world: World) -> None:
        import_lines(world.source, [Call(account="new")])
        old = address(Xdr.objects.get())
        self.moved_by(world, 30)
        client.force_login(make_staff(make_world().provider))

        assert client.get(old).status_code == HTTPStatus.NOT_FOUND


class TestAllowances:
    def test_are_told_with_what_each_covered(self, staff: Client, world: World) -> None:
        give_minutes(world.carla, world.product, 90)
        import_lines(world.source, [Call(account="carla")])

        text = words(page(staff, address(Xdr.objects.get())))

        assert "From allowance 1 min 30 s of Minutes" in text
        assert "120 used, 90 of them from the allowance" in text
