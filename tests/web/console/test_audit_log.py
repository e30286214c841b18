from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import Model
from django.test import Client

from audit.services import record
from payments.models import Payment
from tenancy.models import Provider, User
from tests.factories import make_customer, make_provider, make_reseller, make_staff
from tests.web.console.pages import as_role, page, query_count

pytestmark = pytest.mark.django_db
LOG = "/console/settings/audit-log/"
AT = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora")


@pytest.fixture
def actor(provider: Provider) -> User:
    return make_staff(provider, email="ada@aurora.example")


@pytest.fixture
def client(actor: User) -> Client:
    client = Client()
    client.force_login(actor)
    return client


class TestTheList:
    def test_shows_who_did_what_to_what_and_leads_there(
        self, client: Client, provider: Provider, actor: User
    ) -> None:
        customer = make_customer(provider)
        record(
            provider_id=provider.pk,
            action="customer.state_changed",
            changed=customer,
            at=AT,
            actor_id=actor.pk,
            before={"state": "DRAFT", "is_billable": False, "phone": ""},
            after={"state": "ACTIVE", "is_billable": True, "phone": ""},
        )

        shown = page(client, f"{LOG}?what=customer.state_changed")

        assert "ada@aurora.example" in shown
        assert "state: Draft → Active" in shown
        assert "is billable: no → yes" in shown
        assert '<option value="customer.state_changed" selected>customer: state changed' in shown
        assert "phone:" not in shown
        assert f'<a href="/console/customers/{customer.pk}/">Customer {customer.pk}</a>' in shown

    def test_shows_nothing_of_another_provider(self, client: Client) -> None:
        other = make_provider()
        record(
            provider_id=other.pk,
            action="reseller.moved",
            changed=make_reseller(other),
            at=AT,
            actor_id=None,
        )

        assert "reseller: moved" not in page(client, LOG)

    def test_shows_nothing_that_the_role_does_not_read(
        self, client: Client, provider: Provider
    ) -> None:
        changed: list[Model] = [make_customer(provider), make_reseller(provider), provider]
        for row in [*changed, Payment(pk=1)]:
            record(
                provider_id=provider.pk,
                action=f"{row._meta.model_name}.tried",
                changed=row,
                at=AT,
                actor_id=None,
                after={"amount": "12.50"},
            )

        # Product lists customers, reads resellers and settings, and sees no payments.
        shown = page(as_role(provider, "Product"), LOG)

        assert "reseller: tried</td>" in shown
        assert "provider: tried</td>" in shown
        assert "customer: tried</td>" not in shown
        assert "payment: tried</td>" not in shown
        assert "payments.payment" not in shown
        assert '<option value="reseller.tried">' in shown
        assert "customer.tried" not in shown
        assert "payment.tried" not in shown
        assert "payment: tried</td>" in page(client, LOG)

    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            ("", ["c", "b", "a"]),
            ("who=ADA", ["c", "a"]),
            ("what=thing.b", ["b"]),
            ("about=resellers.reseller", ["c"]),
            ("since=2026-11-01", ["c", "b"]),
            ("until=2026-10-31", ["a"]),
            ("who=nobody", []),
        ],
    )
    def test_is_filtered_and_taken_away_as_csv(
        self, client: Client, provider: Provider, actor: User, asked: str, found: list[str]
    ) -> None:
        things: list[tuple[str, Model, int | None]] = [
            ("a", make_customer(provider), actor.pk),
            ("b", make_customer(provider), None),
            ("c", make_reseller(provider), actor.pk),
        ]
        for hour, (name, row, actor_id) in enumerate(things):
            record(
                provider_id=provider.pk,
                action=f"thing.{name}",
                changed=row,
                at=AT - timedelta(hours=1) + timedelta(hours=hour),
                actor_id=actor_id,
                after={"name": name},
            )

        answer = client.get(f"{LOG}?format=csv&{asked}").content.decode()

        lines = [line for line in answer.splitlines()[1:] if "thing" in line]
        assert [line.rsplit(" ", 1)[-1] for line in lines] == found

    def test_finds_the_number_of_what_it_is_about(self, client: Client, provider: Provider) -> None:
        customers = [make_customer(provider) for _ in range(2)]
        for customer in customers:
            record(
                provider_id=provider.pk,
                action=f"thing.{customer.number}",
                changed=customer,
                at=AT,
                actor_id=None,
            )

        answer = client.get(f"{LOG}?format=csv&q={customers[0].pk}&about=customers.customer")

        assert f"thing.{customers[0].number}" in answer.content.decode()
        assert f"thing.{customers[1].number}" not in answer.content.decode()

    def test_asks_the_database_as_often_for_many(
        self, client: Client, provider: Provider, actor: User
    ) -> None:
        few = query_count(client, LOG)
        for _ in range(8):
            record(
                provider_id=provider.pk,
                action="customer.created",
                changed=make_customer(provider),
                at=AT,
                actor_id=actor.pk,
            )

        assert query_count(client, LOG) == few

    def test_is_not_for_who_may_not_read_settings(self, provider: Provider) -> None:
        assert as_role(provider, "Read-only").get(LOG).status_code == 403
