import pytest
from django.test import Client

from billing.models import NumberSeries
from tenancy.models import BillerEntity, Provider
from tests.factories import make_biller_entity, make_provider
from tests.web.console.pages import as_role, confirm, page, query_count, refused

pytestmark = pytest.mark.django_db
ENTITIES = "/console/settings/biller-entities/"
SENT = {
    "name": "Aurora Austria GmbH",
    "address": "Ring 1\n1010 Wien",
    "country": "at",
    "tax_number": "ATU12345678",
    "email": "billing@aurora.at",
    "credit_days": "30",
    "rounding": "HALF_EVEN",
    "rounding_scope": "INVOICE",
}


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora", name="Aurora")


@pytest.fixture
def entity(provider: Provider) -> BillerEntity:
    return make_biller_entity(provider, name="Second GmbH", is_default=False)


@pytest.fixture
def client(provider: Provider) -> Client:
    return as_role(provider, "Admin")


class TestTheList:
    def test_shows_the_providers_own(self, client: Client, entity: BillerEntity) -> None:
        make_provider(name="Borealis")

        shown = page(client, ENTITIES)

        assert "Aurora GmbH" in shown
        assert "Second GmbH" in shown
        assert "Borealis" not in shown

    def test_asks_the_database_as_often_for_many(self, client: Client, provider: Provider) -> None:
        few = query_count(client, ENTITIES)
        for _ in range(5):
            make_biller_entity(provider, is_default=False)

        assert query_count(client, ENTITIES) == few


class TestABillerEntity:
    def test_is_added(self, client: Client, provider: Provider) -> None:
        sent = client.post(f"{ENTITIES}new/", SENT)

        entity = BillerEntity.objects.get(provider=provider, is_default=False)
        assert (entity.country, entity.rounding, entity.rounding_scope, entity.credit_days) == (
            "AT",
            "HALF_EVEN",
            "INVOICE",
            30,
        )
        assert "ATU12345678" in page(client, sent["Location"])

    @pytest.mark.parametrize(
        ("field", "value", "says"),
        [
            ("address", "", "This field is required"),
            ("country", "Austria", "at most 2 characters"),
            ("email", "billing", "Enter a valid email address"),
            ("credit_days", "-1", "greater than or equal to 0"),
        ],
    )
    def test_is_refused_what_no_invoice_can_print(
        self, client: Client, provider: Provider, field: str, value: str, says: str
    ) -> None:
        said = refused(client, f"{ENTITIES}new/", **SENT | {field: value})

        assert says in said
        assert "Aurora Austria GmbH" in said
        assert BillerEntity.objects.filter(provider=provider).count() == 1

    def test_is_edited(self, client: Client, entity: BillerEntity) -> None:
        shown = page(client, f"{ENTITIES}{entity.pk}/edit/")
        client.post(f"{ENTITIES}{entity.pk}/edit/", SENT)

        entity.refresh_from_db()
        assert 'value="Second GmbH"' in shown
        assert (entity.name, entity.credit_days) == ("Aurora Austria GmbH", 30)

    def test_becomes_the_default(self, client: Client, entity: BillerEntity) -> None:
        client.post(f"{ENTITIES}{entity.pk}/default/")
        was_default = BillerEntity.objects.get(pk=entity.pk).is_default

        confirm(client, f"{ENTITIES}{entity.pk}/default/")

        assert not was_default
        assert BillerEntity.objects.get(provider=entity.provider, is_default=True) == entity

    def test_of_another_provider_is_not_found(self, client: Client) -> None:
        foreign = make_biller_entity(make_provider(), name="Foreign", is_default=False)
        pages = [f"{ENTITIES}{foreign.pk}/{step}" for step in ("", "edit/", "default/")]

        assert {client.get(path).status_code for path in pages} == {404}
        assert client.post(pages[1], SENT).status_code == 404
        foreign.refresh_from_db()
        assert foreign.name == "Foreign"


class TestItsNumbers:
    def test_are_shown_and_changed(self, client: Client, entity: BillerEntity) -> None:
        before = page(client, f"{ENTITIES}{entity.pk}/")
        client.post(
            f"{ENTITIES}{entity.pk}/numbers/INVOICE/",
            {"pattern": "A{year}-{number:04}", "next_number": "812"},
        )

        assert "next INV-20" in before
        assert "<code>A{year}-{number:04}</code>" in page(client, f"{ENTITIES}{entity.pk}/")
        series = NumberSeries.objects.get(biller_entity=entity)
        assert (series.kind, series.next_number) == ("INVOICE", 812)

    @pytest.mark.parametrize(
        ("sent", "says"),
        [
            ({"pattern": "INV", "next_number": "1"}, "is no pattern"),
            ({"pattern": "CN-{year}-{number:06}", "next_number": "1"}, "make them differ"),
            ({"pattern": "A{number}", "next_number": "0"}, "greater than or equal to 1"),
            ({"pattern": "A{number}", "next_number": "7"}, "The next number is 9"),
        ],
    )
    def test_are_refused_what_makes_gaps_or_the_same_twice(
        self, client: Client, entity: BillerEntity, sent: dict[str, str], says: str
    ) -> None:
        NumberSeries.objects.create(
            provider=entity.provider,
            biller_entity=entity,
            kind="INVOICE",
            pattern="INV-{number}",
            next_number=9,
        )

        said = refused(client, f"{ENTITIES}{entity.pk}/numbers/INVOICE/", **sent)

        assert says in said
        assert NumberSeries.objects.get().pattern == "INV-{number}"

    def test_of_no_kind_are_not_found(self, client: Client, entity: BillerEntity) -> None:
        assert client.get(f"{ENTITIES}{entity.pk}/numbers/LETTER/").status_code == 404
