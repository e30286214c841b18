"""Rate tables by the API, and what a call would cost that has not happened."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import pytest

from tests import factories
from tests.web.api.world import World

pytestmark = pytest.mark.django_db


class TestRateTables:
    def test_are_listed_by_name_and_shown(self, world: World) -> None:
        listed = world.program.get("rate-tables").json()["results"]

        assert {row["id"] for row in listed} >= {world.table.pk}
        shown = world.program.get(f"rate-tables/{world.table.pk}").json()
        assert shown in listed
        assert (shown["name"], shown["currency"]) == (world.table.name, "EUR")


class TestRates:
    def test_are_listed_exactly(self, world: World) -> None:
        (rate,) = world.program.get(f"rate-tables/{world.table.pk}/rates").json()["results"]

        assert (rate["prefix"], rate["rate"], rate["status"]) == ("49", "0.05000000", "active")
        assert (rate["effective_from"], rate["effective_to"]) == ("2026-01-01T00:00:00Z", None)

    def test_are_narrowed(self, world: World) -> None:
        factories.make_rate(world.table, "4930")
        factories.make_rate(world.table, "33", effective_from=datetime(2027, 1, 1, tzinfo=UTC))

        def prefixes(**query: Any) -> list[str]:
            page = world.program.get(f"rate-tables/{world.table.pk}/rates", **query).json()
            return [rate["prefix"] for rate in page["results"]]

        assert prefixes() == ["33", "49", "4930"]
        assert prefixes(prefix="49") == ["49", "4930"]
        assert prefixes(at="2026-06-01T00:00:00Z") == ["49", "4930"]
        assert prefixes(status="blocked") == []

    def test_page_by_cursor(self, world: World) -> None:
        for number in range(4):
            factories.make_rate(world.table, f"49{number}")
        path = f"rate-tables/{world.table.pk}/rates"

        first = world.program.get(path, limit=3).json()
        second = world.program.client.get(first["next"], headers=world.program.headers).json()

        seen = [rate["prefix"] for page in (first, second) for rate in page["results"]]
        assert seen == ["49", "490", "491", "492", "493"]
        assert second["next"] is None


class TestAQuote:
    CALL = {
        "source": "api",
        "destination_number": "+493012345",
        "started_at": "2026-11-01T12:00:00Z",
        "volume": 60,
    }

    def test_prices_every_leg_and_says_why(self, world: World) -> None:
        asked = self.CALL | {"customer": world.customer.number}

        answer = world.program.post("rating/quote", asked)

        assert answer.status_code == HTTPStatus.OK
        said = answer.json()
        assert said["normalised_number"] == "493012345"
        assert said["customer"] == {"kind": "customer", "id": world.customer.pk}
        assert [(leg["kind"], leg["amount"], leg["is_due"]) for leg in said["legs"]] == [
            ("customer", "0.05000000", True),
            ("vendor", "0.02000000", True),
        ]
        assert said["legs"][0]["candidates"][0]["prefix"] == "49"
        assert [(each["amount"], each["currency"]) for each in said["margins"]] == [
            ("0.03000000", "EUR")
        ]

    def test_says_why_the_call_would_wait(self, world: World) -> None:
        said = world.program.post("rating/quote", self.CALL).json()

        assert said["trouble"]["reason"] == "unknown_customer"
        assert said["customer"] is None

    @pytest.mark.parametrize(
        "wrong",
        [
            {"volume": -1},
            {"started_at": "soon"},
            {"source": "nowhere"},
            {"customer": 999_999},
            {"vendor": 999_999},
            {"destination_number": ""},
        ],
    )
    def test_refuses_what_is_wrong_by_field(self, world: World, wrong: dict[str, Any]) -> None:
        answer = world.program.post("rating/quote", self.CALL | wrong)

        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert list(answer.json()["fields"]) == list(wrong)

    def test_knows_nobody_of_another_provider(self, world: World) -> None:
        other = World("borealis")
        number = other.customer.number

        answer = world.program.post("rating/quote", self.CALL | {"customer": number})

        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
