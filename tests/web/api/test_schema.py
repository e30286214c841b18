"""What the API says of itself: OpenAPI that holds, and a page for people."""

import warnings
from http import HTTPStatus
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from drf_spectacular.validation import validate_schema

from tests.web.list_pages import url_patterns
from web.api.endpoint import Endpoint
from web.api.schema import openapi

pytestmark = pytest.mark.django_db


class TestTheSchema:
    def test_is_whole_and_valid(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            call_command("spectacular", "--validate", "--fail-on-warn", stdout=StringIO())

    def test_is_open_api_3_1_for_everybody(self) -> None:
        answer = Client().get("/api/v1/schema/")

        assert answer.status_code == HTTPStatus.OK
        described = answer.json()
        assert described["openapi"].startswith("3.1")
        validate_schema(described)  # type: ignore[no-untyped-call]

    def test_has_every_route_in_it(self) -> None:
        routes = {
            str(pattern.name)
            for pattern in url_patterns()
            if issubclass(getattr(pattern.callback, "cls", object), Endpoint)
        }

        assert len(openapi()["paths"]) == len(routes - {"api_nowhere"})

    def test_names_the_scope_of_every_method(self) -> None:
        for path, methods in openapi()["paths"].items():
            for method, operation in methods.items():
                assert operation["security"][0]["token"], (path, method)
                assert "application/problem+json" in operation["responses"]["4XX"]["content"]
                names = [each["name"] for each in operation.get("parameters", [])]
                assert ("Idempotency-Key" in names) == (method == "post")


class TestTheReference:
    def test_shows_every_route_and_leads_to_what_it_is_made_of(self) -> None:
        answer = Client().get("/api/v1/")

        page = answer.content.decode()
        assert answer.status_code == HTTPStatus.OK
        for path, methods in openapi()["paths"].items():
            for method in methods:
                assert f"{method.upper()} {path}" in page
        for name in ("XdrIn", "XdrReceivedOut", "Problem"):
            assert f'href="#shape-{name}' in page or f'id="shape-{name}' in page
        assert "<script" not in page
        assert " style=" not in page


class TestEveryAddress:
    def test_below_the_api_is_a_route_that_asks_for_a_token(self) -> None:
        """The reference and its schema hold nothing of anybody's."""
        names = {
            str(pattern.name)
            for pattern in url_patterns()
            if str(pattern.name).startswith("api_")
            and not issubclass(getattr(pattern.callback, "cls", object), Endpoint)
        }

        assert names == {"api_reference", "api_schema"}
