from http import HTTPStatus

import pytest
from django.test import Client

from payments.models import WebhookEvent
from tenancy.models import Provider
from tests.factories import make_provider
from tests.factories.payouts import day
from tests.web.console.pages import as_role, page, query_count

pytestmark = pytest.mark.django_db
LIST = "/console/payments/messages/"


@pytest.fixture
def provider() -> Provider:
    return make_provider()


@pytest.fixture
def finance(provider: Provider) -> Client:
    return as_role(provider, "Finance")


def receive(provider: Provider, event_id: str, state: str = "REFUSED", outcome: str = "") -> None:
    WebhookEvent.objects.create(
        provider=provider,
        gateway="sandbox",
        event_id=event_id,
        body=b"{}",
        state=state,
        outcome=outcome,
        received_at=day(10, 5),
    )


class TestTheList:
    def test_says_what_became_of_each_message(self, finance: Client, provider: Provider) -> None:
        receive(provider, "evt_1", outcome="There is no order P-9.")
        receive(provider, "evt_2", "APPLIED", "Order P-1: succeeded.")
        receive(make_provider(), "evt_3")

        text = page(finance, LIST)

        assert "There is no order P-9." in text
        assert 'badge-wrong">Refused' in text
        assert 'badge-good">Applied' in text
        assert "evt_3" not in text

    def test_is_filtered_by_state_and_words(self, finance: Client, provider: Provider) -> None:
        receive(provider, "evt_1", outcome="There is no order P-9.")
        receive(provider, "evt_2", "APPLIED", "Order P-1: succeeded.")

        refused = page(finance, f"{LIST}?state=REFUSED&format=csv").splitlines()
        of_order = page(finance, f"{LIST}?q=P-1&format=csv").splitlines()

        assert [row.split(",")[0] for row in refused[1:]] == ["evt_1"]
        assert [row.split(",")[0] for row in of_order[1:]] == ["evt_2"]

    def test_is_not_for_who_sees_no_money(self, provider: Provider) -> None:
        answer = as_role(provider, "Product").get(LIST)

        assert answer.status_code == HTTPStatus.FORBIDDEN

    def test_is_only_read(self, finance: Client) -> None:
        assert finance.post(LIST).status_code == HTTPStatus.METHOD_NOT_ALLOWED

    def test_asks_the_database_as_often_for_many(self, finance: Client, provider: Provider) -> None:
        receive(provider, "evt_0")
        few = query_count(finance, LIST)
        for number in range(1, 6):
            receive(provider, f"evt_{number}")

        assert query_count(finance, LIST) == few
