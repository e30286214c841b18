import pytest
from django.test import Client

from tenancy.models import Membership, Provider, Role
from tenancy.rules.permissions import AREAS
from tests.factories import make_provider, make_staff
from tests.web.console.pages import as_role, confirm, page, query_count, refused

pytestmark = pytest.mark.django_db
ROLES = "/console/settings/roles/"
NOTHING = dict.fromkeys(AREAS, "-")


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora")


@pytest.fixture
def client(provider: Provider) -> Client:
    return as_role(provider, "Admin")


@pytest.fixture
def cashier(provider: Provider) -> Role:
    return Role.objects.create(
        provider=provider, name="Cashier", permissions=["money.list", "money.read"]
    )


class TestTheList:
    def test_shows_built_in_roles_and_own_ones(self, client: Client, cashier: Role) -> None:
        shown = page(client, ROLES)

        assert "Accounts &amp; Orders" in shown
        assert "Cashier" in shown
        assert "Your own" in shown

    def test_asks_the_database_as_often_for_many(self, client: Client, provider: Provider) -> None:
        few = query_count(client, ROLES)
        for number in range(8):
            Role.objects.create(provider=provider, name=f"Role {number}", permissions=[])

        assert query_count(client, ROLES) == few


class TestARole:
    def test_shows_its_permission_codes_and_who_has_it(
        self, client: Client, provider: Provider
    ) -> None:
        make_staff(provider, "Finance", email="fay@aurora.example")
        role = Role.objects.get(provider=provider, name="Finance")

        shown = page(client, f"{ROLES}{role.pk}/")

        assert "<code>payouts.write</code>" in shown
        assert "<code>catalogue.write</code>" not in shown
        assert "fay@aurora.example" in shown

    def test_is_added(self, client: Client, provider: Provider) -> None:
        client.post(f"{ROLES}new/", NOTHING | {"name": "Cashier", "money": "W", "invoices": "R"})

        role = Role.objects.get(provider=provider, is_built_in=False)
        assert role.name == "Cashier"
        assert role.permissions == [
            "invoices.list",
            "invoices.read",
            "money.list",
            "money.read",
            "money.write",
        ]

    @pytest.mark.parametrize(
        ("name", "says"),
        [("", "This field is required"), ("finance", "There is a role finance already")],
    )
    def test_is_refused_a_wrong_name(
        self, client: Client, provider: Provider, name: str, says: str
    ) -> None:
        said = refused(client, f"{ROLES}new/", **NOTHING | {"name": name, "money": "W"})

        assert says in said
        assert '<option value="W" selected>' in said
        assert not Role.objects.filter(provider=provider, is_built_in=False).exists()

    def test_gets_nothing_that_who_adds_it_does_not_hold(self, provider: Provider) -> None:
        user = make_staff(provider, "Read-only")
        door = Role.objects.create(provider=provider, name="Door", permissions=["settings.write"])
        Membership.objects.filter(user=user).update(role=door)
        client = Client()
        client.force_login(user)

        said = refused(client, f"{ROLES}new/", **NOTHING | {"name": "Root", "money": "R"})

        assert "you do not hold money.list, money.read" in said
        assert not Role.objects.filter(provider=provider, name="Root").exists()

    def test_is_changed(self, client: Client, cashier: Role) -> None:
        shown = page(client, f"{ROLES}{cashier.pk}/edit/")
        client.post(f"{ROLES}{cashier.pk}/edit/", NOTHING | {"name": "Till", "money": "L"})

        cashier.refresh_from_db()
        assert 'value="Cashier"' in shown
        assert (cashier.name, cashier.permissions) == ("Till", ["money.list"])

    def test_stays_as_it_is_where_it_is_built_in(self, client: Client, provider: Provider) -> None:
        role = Role.objects.get(provider=provider, name="Read-only")

        assert "built in" in refused(
            client, f"{ROLES}{role.pk}/edit/", **NOTHING | {"name": "Till"}
        )
        assert "built in" in refused(client, f"{ROLES}{role.pk}/delete/", _confirmed="1")
        assert Role.objects.get(pk=role.pk).name == "Read-only"

    def test_is_deleted_while_nobody_has_it(self, client: Client, cashier: Role) -> None:
        confirm(client, f"{ROLES}{cashier.pk}/delete/")

        assert not Role.objects.filter(pk=cashier.pk).exists()

    def test_is_kept_while_somebody_has_it(
        self, client: Client, provider: Provider, cashier: Role
    ) -> None:
        Membership.objects.filter(user=make_staff(provider, "Finance")).update(role=cashier)

        assert "1 of your staff" in refused(client, f"{ROLES}{cashier.pk}/delete/", _confirmed="1")
        assert Role.objects.filter(pk=cashier.pk).exists()

    def test_of_another_provider_is_not_found(self, client: Client) -> None:
        foreign = Role.objects.create(provider=make_provider(), name="Till", permissions=[])

        for step in ("", "edit/", "delete/"):
            assert client.get(f"{ROLES}{foreign.pk}/{step}").status_code == 404
        assert client.post(f"{ROLES}{foreign.pk}/delete/", {"_confirmed": "1"}).status_code == 404
        assert Role.objects.filter(pk=foreign.pk).exists()
