from datetime import UTC, date, datetime
from http import HTTPStatus

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from customers.models import Customer
from resellers.models import Reseller
from subscriptions.models import Subscription
from tests.factories import make_code, make_customer, make_provider, make_reseller, make_team_member
from tests.factories.billing import make_usage
from tests.factories.payments import make_invoice
from tests.factories.subscriptions import make_offer, make_subscription
from tests.web.reseller_portal.pages import page, words_of

pytestmark = pytest.mark.django_db
IN_OCTOBER = datetime(2026, 10, 5, 12, tzinfo=UTC)
MONEY_WORDS = ("EUR", "€", "invoice", "balance", "price", "payment", "charge", "catalogue")


def numbers(client: Client, query: str) -> list[str]:
    """The numbers of the customers in the file of a filtered list."""
    response = client.get(f"/reseller/customers/?format=csv&{query}")
    return [line.split(",")[0] for line in response.content.decode().splitlines()[1:]]


class TestTheListOfCustomers:
    def test_has_exactly_those_onboarded_with_ones_codes(
        self, viewer: Client, meridian: Reseller
    ) -> None:
        provider = meridian.provider
        make_customer(provider, meridian, number=12)
        make_customer(provider, meridian, number=11, state=Customer.State.TERMINATED)
        make_customer(provider, make_reseller(provider, meridian), number=13)
        make_customer(provider, make_reseller(provider), number=14)
        make_customer(provider, number=15)
        foreign = make_reseller(make_provider())
        make_customer(foreign.provider, foreign, number=16)

        assert numbers(viewer, "") == ["11", "12"]

    def test_tells_what_a_reseller_may_know_and_nothing_of_money(
        self, viewer: Client, meridian: Reseller
    ) -> None:
        customer = make_customer(
            meridian.provider,
            meridian,
            number=4711,
            organisation="Söhne",
            first_name="Nora",
            last_name="Nord",
            active_since=datetime(2026, 3, 1, 8, tzinfo=UTC),
        )
        make_team_member(customer, last_login=datetime(2026, 9, 1, 8, tzinfo=UTC))
        make_team_member(customer, last_login=datetime(2026, 9, 2, 8, tzinfo=UTC))
        item = make_offer(meridian.provider)
        make_subscription(customer, item, date(2026, 3, 1))
        make_subscription(customer, item, date(2026, 3, 1), state=Subscription.State.ENDING)
        make_subscription(customer, item, date(2026, 3, 1), state=Subscription.State.ENDED)
        make_subscription(customer, item, date(2026, 3, 1), state=Subscription.State.REQUESTED)
        make_invoice(customer, "77.00", issued_at=IN_OCTOBER)

        file = viewer.get("/reseller/customers/?format=csv").content.decode()

        assert file.splitlines() == [
            "Number,Name,Organisation,State,Active since,Subscriptions,Last login",
            "4711,Nora Nord,Söhne,Active,2026-03-01T09:00:00+01:00,2,2026-09-02T10:00:00+02:00",
        ]
        shown = words_of(viewer, "/reseller/customers/")
        assert "4711 Nora Nord Söhne Active" in shown
        assert [word for word in MONEY_WORDS if word in shown] == []

    def test_is_searched_and_filtered(self, viewer: Client, meridian: Reseller) -> None:
        provider = meridian.provider
        march = datetime(2026, 3, 10, 8, tzinfo=UTC)
        make_customer(provider, meridian, number=1, organisation="Nordwind", active_since=march)
        make_customer(
            provider,
            meridian,
            number=2,
            last_name="Südfrau",
            state=Customer.State.TERMINATED,
            active_since=datetime(2026, 4, 10, 8, tzinfo=UTC),
        )
        spring = make_code(meridian, "SPRING")
        make_customer(
            provider,
            meridian,
            number=3,
            reseller_code=spring,
            state=Customer.State.DRAFT,
            active_since=None,
        )

        assert numbers(viewer, "q=nordw") == ["1"]
        assert numbers(viewer, "q=südfrau") == ["2"]
        assert numbers(viewer, "state=TERMINATED") == ["2"]
        assert numbers(viewer, f"code={spring.pk}") == ["3"]
        assert numbers(viewer, "since=2026-04-01") == ["2"]
        assert numbers(viewer, "until=2026-03-10") == ["1"]
        assert numbers(viewer, "sort=-number") == ["3", "2", "1"]

    def test_does_not_filter_by_the_code_of_another(
        self, viewer: Client, meridian: Reseller
    ) -> None:
        make_customer(meridian.provider, meridian)
        other = make_code(make_reseller(meridian.provider), "ZENITH")

        text = words_of(viewer, f"/reseller/customers/?code={other.pk}")

        assert "Select a valid choice" in text
        assert "ZENITH" not in text

    def test_asks_as_many_queries_for_many_as_for_one(
        self,
        viewer: Client,
        meridian: Reseller,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for _ in range(20):
            make_team_member(make_customer(meridian.provider, meridian))

        with django_assert_max_num_queries(40):
            page(viewer, "/reseller/customers/")

    def test_says_what_will_be_there(self, viewer: Client) -> None:
        assert "No customers yet" in page(viewer, "/reseller/customers/")


class TestACustomer:
    def test_shows_how_to_reach_it_and_nothing_of_money(
        self, viewer: Client, meridian: Reseller
    ) -> None:
        customer = make_customer(
            meridian.provider,
            meridian,
            number=4711,
            email="nora@nord.example",
            phone="+49 30 123",
            tax_number="DE123",
            state=Customer.State.TERMINATED,
        )
        make_invoice(customer, "77.00", issued_at=IN_OCTOBER)
        make_usage(customer, "30.00", destination="Atlantis")

        text = words_of(viewer, f"/reseller/customers/{customer.pk}/")

        assert "E-mail nora@nord.example Phone +49 30 123" in text
        assert "Address Nebenstrasse 2 10117 Berlin DE" in text
        assert "Number 4711 Code MERIDIAN" in text
        assert "Subscriptions 0 Last login never" in text
        assert "Terminated" in text
        told = [word for word in (*MONEY_WORDS, "77.00", "Atlantis", "DE123") if word in text]
        assert told == []

    def test_of_anybody_else_is_not_found(self, viewer: Client, meridian: Reseller) -> None:
        provider = meridian.provider
        foreign = make_reseller(make_provider())
        others = [
            make_customer(provider),
            make_customer(provider, make_reseller(provider)),
            make_customer(provider, make_reseller(provider, meridian)),
            make_customer(foreign.provider, foreign),
        ]

        answers = {viewer.get(f"/reseller/customers/{row.pk}/").status_code for row in others}

        assert answers == {HTTPStatus.NOT_FOUND}
