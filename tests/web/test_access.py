"""The middleware that binds a request to its provider, with views made to try it."""

from collections.abc import Callable

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import Client
from django.urls import path
from pytest_django import DjangoAssertNumQueries, Settings

from common.postgres import WEB_ROLE
from config.urls import urlpatterns as real_urls
from customers.models import Customer
from tenancy.models import Provider, Role
from tests.factories import (
    make_customer,
    make_provider,
    make_reseller,
    make_reseller_user,
    make_staff,
    make_team_member,
)


def tell(request: HttpRequest) -> HttpResponse:
    """Who the database thinks is asking, and what it shows without any selector."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_user, current_setting('app.provider_id'),"
            " current_setting('app.user_id'), current_setting('transaction_read_only')"
        )
        row = cursor.fetchone()
    owners = Role.objects.values_list("provider_id", flat=True).distinct()
    return HttpResponse(" ".join([*row, ",".join(map(str, owners)) or "-"]))


def failing(error: Exception) -> Callable[[HttpRequest], HttpResponse]:
    def write_and_fail(request: HttpRequest) -> HttpResponse:
        Role.objects.update(permissions=["changed"])
        request.session["touched"] = True
        raise error

    return write_and_fail


def write(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(Customer.objects.update(phone="1")))


def stream(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(role.name for role in Role.objects.all())


urlpatterns = [
    *real_urls,
    path("tell/", tell),
    path("write/", write),
    path("stream/", stream),
    path("crash/", failing(ZeroDivisionError())),
    path("missing/", failing(Http404())),
    path("forbidden/", failing(PermissionDenied())),
]


@pytest.fixture(autouse=True)
def with_these_views(settings: Settings) -> None:
    settings.ROOT_URLCONF = __name__


@pytest.fixture
def provider() -> Provider:
    make_provider("borealis")
    return make_provider("aurora")


@pytest.mark.django_db
class TestARequest:
    def test_of_a_stranger_sees_no_provider(self, client: Client, provider: Provider) -> None:
        assert client.get("/tell/").content.decode() == f"{WEB_ROLE}   off -"

    def test_of_staff_sees_their_provider_only(self, client: Client, provider: Provider) -> None:
        user = make_staff(provider)
        client.force_login(user)

        assert client.get("/tell/").content.decode() == (
            f"{WEB_ROLE} {provider.pk} {user.pk} off {provider.pk}"
        )

    def test_of_a_customer_sees_their_provider_only(
        self, client: Client, provider: Provider
    ) -> None:
        user = make_team_member(make_customer(provider))
        client.force_login(user)

        assert client.get("/tell/").content.decode() == (
            f"{WEB_ROLE} {provider.pk} {user.pk} off {provider.pk}"
        )

    def test_of_a_reseller_is_read_only_and_sees_no_row_that_is_not_shown_to_it(
        self, client: Client, provider: Provider
    ) -> None:
        reseller = make_reseller(provider)
        customer = make_customer(provider, reseller)
        user = make_reseller_user(reseller)
        client.force_login(user)
        client.raise_request_exception = False

        assert client.get("/tell/").content.decode() == (f"{WEB_ROLE} {provider.pk} {user.pk} on -")
        assert client.get("/write/").status_code == 500
        customer.refresh_from_db()
        assert customer.phone == ""

    def test_reaches_no_row_of_another_provider_even_without_a_selector(
        self, client: Client, provider: Provider
    ) -> None:
        mine, other = make_customer(provider), make_customer(make_provider())
        client.force_login(make_staff(provider))

        assert client.get("/write/").content == b"1"

        mine.refresh_from_db()
        other.refresh_from_db()
        assert (mine.phone, other.phone) == ("1", "")

    @pytest.mark.parametrize(
        ("page", "status"), [("crash", 500), ("missing", 404), ("forbidden", 403)]
    )
    def test_that_fails_has_written_nothing(
        self, client: Client, provider: Provider, page: str, status: int
    ) -> None:
        client.force_login(make_staff(provider))
        client.raise_request_exception = False

        response = client.get(f"/{page}/")

        assert response.status_code == status
        assert "Traceback" not in response.content.decode()
        assert not Role.objects.filter(permissions=["changed"]).exists()
        assert client.get("/tell/").status_code == 200

    def test_of_a_stranger_that_fails_keeps_only_their_session(
        self, client: Client, provider: Provider
    ) -> None:
        response = client.get("/missing/")

        assert response.status_code == 404
        assert client.session["touched"] is True

    def test_leaves_the_connection_as_it_was(self, client: Client, provider: Provider) -> None:
        client.force_login(make_staff(provider))
        client.raise_request_exception = False
        for page in ("tell", "crash", "missing"):
            client.get(f"/{page}/")

            with connection.cursor() as cursor:
                cursor.execute("SELECT current_user = session_user")
                assert cursor.fetchone() == (True,)

    def test_may_not_stream_what_it_reads(self, client: Client, provider: Provider) -> None:
        client.force_login(make_staff(provider))

        with pytest.raises(AssertionError, match="outside the web role"):
            client.get("/stream/")

    def test_to_the_console_costs_a_fixed_number_of_statements(
        self,
        client: Client,
        provider: Provider,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        client.force_login(make_staff(provider))

        with django_assert_max_num_queries(23):
            client.get("/console/reports/")


@pytest.mark.django_db(transaction=True)
class TestACommittedRequest:
    """The same with real transactions, as in production."""

    def test_keeps_what_it_wrote_and_nothing_of_its_role(self, client: Client) -> None:
        provider = make_provider("aurora")
        customer = make_customer(provider)
        client.force_login(make_staff(provider))

        assert client.get("/write/").content == b"1"

        customer.refresh_from_db()
        assert customer.phone == "1"
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT current_user = session_user, current_setting('app.provider_id', true)"
            )
            assert cursor.fetchone() == (True, "")

    def test_that_fails_keeps_nothing(self, client: Client) -> None:
        client.force_login(make_staff(make_provider("aurora")))
        client.raise_request_exception = False

        assert client.get("/crash/").status_code == 500

        assert not Role.objects.filter(permissions=["changed"]).exists()
