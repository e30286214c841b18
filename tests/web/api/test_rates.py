"""Rate tables by the API, and what a call would cost that has not happened."""

from datetime import UTC, date, datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import pytest

from catalogue.rules.exchange_rates import ExchangeRateTerms
from catalogue.services.exchange_rates import enter_exchange_rates
from cdr.models import CustomerIdentifier, IdentifiedBy, Source
from customers.models import Customer
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

    def test_knows_the_customer_by_trunk_and_address(self, world: World) -> None:
        Source.objects.filter(pk=world.source.pk).update(
            identified_by=[IdentifiedBy.TRUNK, IdentifiedBy.IP]
        )
        factories.make_identifier(world.customer, "gate-1", CustomerIdentifier.Kind.TRUNK)
        factories.make_identifier(world.customer, "192.0.2.7", CustomerIdentifier.Kind.IP)

        for name, value in {"trunk": "gate-1", "caller_ip": "192.0.2.7"}.items():
            said = world.program.post("rating/quote", self.CALL | {name: value}).json()
            assert said["customer"] == {"kind": "customer", "id": world.customer.pk}

    def test_tells_amounts_in_the_currency_of_the_customer(self, world: World) -> None:
        Customer.objects.filter(pk=world.customer.pk).update(currency="USD")
        dollars = factories.make_rate_table(world.table.product, {"49": "0.06"}, currency="USD")
        Customer.objects.filter(pk=world.customer.pk).update(rate_table=dollars)
        day = date.fromisoformat(str(self.CALL["started_at"])[:10])
        enter_exchange_rates(
            provider_id=world.provider.pk,
            rates=[ExchangeRateTerms("EUR", "USD", day, Decimal("1.25"))],
            at=factories.LONG_AGO,
            actor_id=None,
        )

        asked = self.CALL | {"customer": world.customer.number}
        said = world.program.post("rating/quote", asked).json()

        assert [leg["equivalents"] for leg in said["legs"]] == [
            [
                {
                    "currency": "EUR",
                    "amount": "0.04800000",
                    "conversion": f"1 EUR = 1.25 USD on {day}",
                }
            ],
            [
                {
                    "currency": "USD",
                    "amount": "0.02500000",
                    "conversion": f"1 EUR = 1.25 USD on {day}",
                }
            ],
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
            {"caller_ip": "nowhere"},
        ],
    )
    def test_refuses_what_is_wrong_by_field(self, world: World, wrong: dict[str, Any]) -> None:
        answer = world.program.post("rating/quote", self.CALL | wrong)

        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert list(answer.json()["fields"]) == list(wrong)

    def test_names_the_source_that_there_is_not(self, world: World) -> None:
        answer = world.program.post("rating/quote", self.CALL | {"source": "nowhere"})

        assert answer.json()["fields"] == {"source": ["There is no source nowhere."]}

    def test_knows_nobody_of_another_provider(self, world: World) -> None:
        other = World("borealis")
        number = other.customer.number

        answer = world.program.post("rating/quote", self.CALL | {"customer": number})

        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
