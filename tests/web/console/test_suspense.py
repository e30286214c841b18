import csv
import io
from http import HTTPStatus

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from cdr.models import Suspense, Xdr
from cdr.services.retries import retry_asked
from common.clock import now
from tests.cdr.worlds import World, make_world
from tests.factories import make_billing_mode, make_identifier, make_rate_table, make_staff
from tests.factories.cdr import Call, import_lines

pytestmark = pytest.mark.django_db
SUSPENSE = "/console/usage/suspense/"


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def staff(client: Client, world: World) -> Client:
    client.force_login(make_staff(world.provider))
    return client


def page(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == HTTPStatus.OK
    return response.content.decode()


def as_role(world: World, role: str) -> Client:
    client = Client()
    client.force_login(make_staff(world.provider, role))
    return client


def asked() -> int:
    return Suspense.objects.filter(retry_asked_at__isnull=False).count()


class TestTheList:
    def test_counts_what_waits_by_reason_with_its_value(self, staff: Client, world: World) -> None:
        make_billing_mode(world.sub, make_rate_table(world.product))
        import_lines(world.source, [Call(account="carla"), Call(account="carla"), "junk"])
        import_lines(make_world().source, ["junk of others"])

        text = page(staff, SUSPENSE)

        assert "0.20" in text
        assert '<a href="?reason=reseller_unrated">Reseller Unrated</a>' in text
        # Three rows, one reason to try again, and the menu.
        assert text.count(f'<a href="{SUSPENSE}') == 5
        assert "junk of others" not in text

    def test_states_no_value_where_no_rate_is_known(self, staff: Client, world: World) -> None:
        world.default_table().rates.update(status="stashed")
        import_lines(world.source, [Call(account="carla")])

        listed = page(staff, SUSPENSE)
        row = page(staff, f"{SUSPENSE}{Suspense.objects.get(reason='unrated_customer').pk}/")

        assert "Unrated Customer" in listed
        assert "0.00" not in listed
        assert "no rate known" in row

    def test_is_filtered_by_reason_customer_and_file(self, staff: Client, world: World) -> None:
        make_billing_mode(world.sub, make_rate_table(world.product))
        file = import_lines(world.source, [Call(account="carla"), "junk"])
        import_lines(world.source, ["rubbish"])

        def reasons(query: str) -> list[str]:
            response = staff.get(f"{SUSPENSE}?format=csv&{query}")
            rows = csv.DictReader(io.StringIO(response.content.decode()))
            return [row["Reason"] for row in rows]

        assert reasons("reason=unparsable") == ["Unparsable", "Unparsable"]
        assert reasons(f"customer={world.carla.number}") == ["Reseller Unrated"]
        assert reasons(f"file={file.pk}&reason=unparsable") == ["Unparsable"]

    def test_says_so_where_nothing_waits(self, staff: Client) -> None:
        assert "Nothing waits" in page(staff, SUSPENSE)

    def test_costs_as_many_statements_for_fifty_rows_as_for_one(
        self,
        staff: Client,
        world: World,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        import_lines(world.source, [Call(account=f"x{n}") for n in range(50)])

        with django_assert_max_num_queries(45):
            page(staff, SUSPENSE)


class TestTryingAReasonAgain:
    PATH = f"{SUSPENSE}unknown_customer/try-again/"

    def test_asks_first_then_leaves_it_to_a_worker(self, staff: Client, world: World) -> None:
        import_lines(world.source, [Call(account="new"), Call(account="nobody"), "junk"])
        make_identifier(world.carla, "new")

        question = page(staff, self.PATH)
        assert "Waiting" in question
        assert asked() == 0
        response = staff.post(self.PATH, {"_confirmed": "1"})

        assert response.headers["Location"] == SUSPENSE
        assert asked() == 2
        assert "2 being tried again" in page(staff, SUSPENSE)
        retry_asked(provider_id=world.provider.pk, at=now())
        assert asked() == 0
        assert Xdr.objects.get(account_code="new").customer == world.carla

    def test_is_not_for_lines_that_cannot_be_read(self, staff: Client, world: World) -> None:
        for reason in ("unparsable", "weather"):
            answer = staff.get(f"{SUSPENSE}{reason}/try-again/")
            assert answer.status_code == HTTPStatus.NOT_FOUND

    def test_is_for_those_who_may_change_usage(self, world: World) -> None:
        import_lines(world.source, [Call(account="new")])

        answer = as_role(world, "Finance").post(self.PATH, {"_confirmed": "1"})

        assert answer.status_code == HTTPStatus.FORBIDDEN
        assert asked() == 0


class TestARow:
    def test_shows_the_line_and_what_to_do(self, staff: Client, world: World) -> None:
        import_lines(world.source, [Call(account="new", uuid="abc-1")])

        text = page(staff, f"{SUSPENSE}{Suspense.objects.get().pk}/")

        assert "abc-1" in text
        assert "Give the account code or number to a customer" in text
        assert "/console/usage/xdrs/" in text

    def test_is_tried_again_by_itself(self, staff: Client, world: World) -> None:
        import_lines(world.source, [Call(account="new"), Call(account="nobody")])
        row = Suspense.objects.order_by("pk").first()
        assert row is not None

        staff.post(f"{SUSPENSE}{row.pk}/retry/")

        assert asked() == 1
        text = page(staff, f"{SUSPENSE}{row.pk}/")
        assert "It is being tried again" in text
        assert "/retry/" not in text

    def test_of_another_provider_is_not_there(self, staff: Client) -> None:
        import_lines(make_world().source, [Call(account="new")])
        row = Suspense.objects.get()

        answers = [staff.get(f"{SUSPENSE}{row.pk}/"), staff.post(f"{SUSPENSE}{row.pk}/retry/")]

        assert [answer.status_code for answer in answers] == [404, 404]
        assert asked() == 0


class TestACorrection:
    def test_is_read_at_once_and_rated_by_a_worker(self, staff: Client, world: World) -> None:
        import_lines(world.source, ["junk"])
        row = Suspense.objects.get()
        line = Call(account="carla").line

        response = staff.post(f"{SUSPENSE}{row.pk}/correct/", {"raw": line})

        assert response.headers["Location"] == f"{SUSPENSE}{row.pk}/"
        row.refresh_from_db()
        assert (row.correction, row.raw, row.state) == (line, "junk", Suspense.State.OPEN)
        retry_asked(provider_id=world.provider.pk, at=now())
        row.refresh_from_db()
        assert (row.state, row.retry_asked_at) == (Suspense.State.RESOLVED, None)
        assert Xdr.objects.get().customer == world.carla

    def test_that_cannot_be_read_either_is_refused_with_what_was_typed(
        self, staff: Client, world: World
    ) -> None:
        import_lines(world.source, ["junk"])
        row = Suspense.objects.get()

        response = staff.post(f"{SUSPENSE}{row.pk}/correct/", {"raw": "more junk"})

        assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        text = response.content.decode()
        assert "Line 1 as corrected:" in text
        assert "more junk</textarea>" in text
        row.refresh_from_db()
        assert (row.correction, row.retry_asked_at) == ("", None)
