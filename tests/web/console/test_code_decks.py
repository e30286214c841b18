from http import HTTPStatus
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from catalogue.models import CodeDeck, RateTable, Relabelling
from catalogue.services.relabelling import relabel_rates
from common import clock
from tenancy.models import Provider
from tests.factories import make_product, make_provider, make_rate_table, make_staff

pytestmark = pytest.mark.django_db
DECKS = "/console/code-decks/"
FILE = "prefix,destination\n44,United Kingdom\n447,UK mobile\n"


@pytest.fixture
def provider() -> Provider:
    return make_provider()


@pytest.fixture
def staff(client: Client, provider: Provider) -> Client:
    client.force_login(make_staff(provider))
    return client


@pytest.fixture
def deck(staff: Client) -> CodeDeck:
    staff.post(f"{DECKS}new/", {"name": "World", "file": sent(FILE)})
    return CodeDeck.objects.get()


@pytest.fixture
def table(provider: Provider) -> RateTable:
    return make_rate_table(make_product(provider), {"4477": "0.05", "1": "0.01"}, name="Retail")


def sent(text: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("deck.csv", text.encode())


def error(response: Any, field: str) -> str:
    assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    return str(response.context["form"].errors[field][0])


class TestDecks:
    def test_are_added_from_a_file_or_empty(self, staff: Client, deck: CodeDeck) -> None:
        staff.post(f"{DECKS}new/", {"name": "Empty"})

        text = staff.get(f"{DECKS}?format=csv").content.decode()

        assert text == "Code deck,Prefixes\nEmpty,0\nWorld,2\n"

    def test_keep_a_name_that_is_taken(self, staff: Client, deck: CodeDeck) -> None:
        response = staff.post(f"{DECKS}new/", {"name": "world"})

        assert "already" in error(response, "name")

    def test_take_no_file_with_a_wrong_line(self, staff: Client) -> None:
        response = staff.post(f"{DECKS}new/", {"name": "World", "file": sent(f"{FILE}x,X\n")})

        assert "Line 4" in error(response, "file")
        assert not CodeDeck.objects.exists()

    def test_are_deleted_after_asking(self, staff: Client, deck: CodeDeck) -> None:
        staff.get(f"{DECKS}{deck.pk}/delete/")
        assert CodeDeck.objects.exists()
        staff.post(f"{DECKS}{deck.pk}/delete/", {"_confirmed": "1"})
        assert not CodeDeck.objects.exists()


class TestEntries:
    def test_are_searched_and_exported(self, staff: Client, deck: CodeDeck) -> None:
        text = staff.get(f"{DECKS}{deck.pk}/?destination=mobile&format=csv").content.decode()

        assert text == "Prefix,Destination\n447,UK mobile\n"

    def test_come_from_the_list_as_a_file_again(self, staff: Client, deck: CodeDeck) -> None:
        text = staff.get(f"{DECKS}{deck.pk}/?format=csv").content.decode()

        staff.post(f"{DECKS}{deck.pk}/import/", {"file": sent(text)})

        assert "2 were there already" in staff.get(f"{DECKS}{deck.pk}/").content.decode()

    def test_are_added_changed_and_deleted(self, staff: Client, deck: CodeDeck) -> None:
        staff.post(f"{DECKS}{deck.pk}/new/", {"prefix": "49", "destination": "Germany"})
        entry = deck.entries.get(prefix="49")
        url = f"{DECKS}entries/{entry.pk}/"

        staff.post(f"{url}change/", {"prefix": "491", "destination": "Mobile"})
        entry.refresh_from_db()
        assert (entry.prefix, entry.destination) == ("491", "Mobile")
        staff.post(f"{url}delete/", {"_confirmed": "1"})
        assert deck.entries.count() == 2

    @pytest.mark.parametrize(
        ("prefix", "why"), [("44", "an entry of 44 already"), ("4x", "A prefix is one to 15")]
    )
    def test_have_a_prefix_of_their_own(
        self, staff: Client, deck: CodeDeck, prefix: str, why: str
    ) -> None:
        response = staff.post(f"{DECKS}{deck.pk}/new/", {"prefix": prefix, "destination": "X"})

        assert why in error(response, "prefix")
        assert deck.entries.count() == 2


class TestTheNamesOfATable:
    def test_come_from_the_deck_once_agreed_to(
        self, staff: Client, deck: CodeDeck, table: RateTable
    ) -> None:
        of_table = f"/console/rate-tables/{table.pk}/"

        response = staff.post(f"{of_table}code-deck/", {"code_deck": deck.pk})
        assert response.headers["Location"] == f"{of_table}names/"
        page = staff.get(f"{of_table}names/").content.decode()
        assert "Rename the destinations of 1 rates of Retail" in page
        assert "UK mobile" in page
        assert not Relabelling.objects.exists()

        response = staff.post(f"{of_table}names/", {"_confirmed": "1"})
        run = Relabelling.objects.get()
        assert "Renaming the rates" in staff.get(response.headers["Location"]).content.decode()
        relabel_rates(relabelling_id=run.pk, at=clock.now())
        assert "Rates renamed" in staff.get(response.headers["Location"]).content.decode()
        assert table.rates.get(prefix="4477").destination == "UK mobile"

    def test_stay_without_a_deck(self, staff: Client, table: RateTable) -> None:
        url = f"/console/rate-tables/{table.pk}/names/"

        response = staff.post(url, {"_confirmed": "1"})

        assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "has no code deck" in response.content.decode()

    def test_come_from_no_deck_of_another_provider(
        self, staff: Client, deck: CodeDeck, table: RateTable
    ) -> None:
        other = CodeDeck.objects.create(provider=make_provider(), name="Elsewhere")

        response = staff.post(
            f"/console/rate-tables/{table.pk}/code-deck/", {"code_deck": other.pk}
        )

        assert error(response, "code_deck")
        table.refresh_from_db()
        assert table.code_deck is None
