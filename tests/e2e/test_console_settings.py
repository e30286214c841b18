"""Settings in a browser: how the pages look."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from billing.services.brand import change_brand
from billing.services.providers import change_provider
from resellers.models import ResellerModule
from tenancy.models import Membership, Provider, Role, User
from tests.e2e.visits import Visit
from tests.factories import (
    make_biller_entity,
    make_code,
    make_customer,
    make_provider,
    make_reseller,
    make_staff,
    make_tax_profile,
    make_team_member,
)
from tests.factories.pictures import make_picture

pytestmark = pytest.mark.django_db(transaction=True)
AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
Visits = Callable[..., Visit]


@pytest.fixture
def provider() -> Provider:
    return make_provider("aurora", name="Aurora Telecom")


@pytest.fixture
def admin(provider: Provider) -> User:
    return make_staff(
        provider, email="ada@aurora.example", name="Ada Adler", password="correct horse battery"
    )


class TestTheLooks:
    def test_of_users_and_roles(self, visit: Visits, provider: Provider, admin: User) -> None:
        make_staff(provider, "Finance", email="fay@aurora.example", name="Fay Finch")
        gone = make_staff(provider, "Service", email="sam@aurora.example", is_active=False)
        gone_id = Membership.objects.get(user=gone).pk
        own = Role.objects.create(
            provider=provider, name="Cashier", permissions=["money.list", "money.read"]
        )
        finance = Role.objects.get(provider=provider, name="Finance")
        window = visit(admin)

        window.look_at("/console/settings/users/", "console-users")
        window.look_at("/console/settings/users/invite/", "console-user-invite")
        window.look_at(f"/console/settings/users/{gone_id}/", "console-user")
        window.look_at(f"/console/settings/users/{gone_id}/role/", "console-user-role")
        window.look_at("/console/settings/roles/", "console-roles")
        window.look_at(f"/console/settings/roles/{finance.pk}/", "console-role")
        window.look_at(f"/console/settings/roles/{own.pk}/edit/", "console-role-edit")

    def test_of_the_provider_and_its_documents(
        self, visit: Visits, provider: Provider, admin: User
    ) -> None:
        entity = make_biller_entity(
            provider,
            name="Aurora Austria GmbH",
            is_default=False,
            registration="FN 123456 a, Handelsgericht Wien",
            bank_details="IBAN AT61 1904 3002 3457 3201\nBIC BKAUATWW",
        )
        make_tax_profile(provider, "19", "5.5")
        ResellerModule.objects.filter(provider=provider).update(
            default_code=make_code(make_reseller(provider, organisation="Meridian"), "MAIN")
        )
        of_it = f"/console/settings/biller-entities/{entity.pk}/"
        window = visit(admin)

        window.look_at("/console/settings/", "console-provider")
        window.look_at("/console/settings/edit/", "console-provider-edit")
        window.look_at("/console/settings/biller-entities/", "console-biller-entities")
        window.look_at(of_it, "console-biller-entity")
        window.look_at(f"{of_it}edit/", "console-biller-entity-edit")
        window.look_at(f"{of_it}numbers/INVOICE/", "console-series-edit")
        window.look_at("/console/settings/taxes/", "console-taxes")
        window.look_at("/console/settings/taxes/new/", "console-tax-create")
        window.look_at("/console/settings/resellers/", "console-reseller-module")
        window.look_at("/console/settings/resellers/edit/", "console-reseller-module-edit")

    def test_of_the_audit_log(self, visit: Visits, provider: Provider, admin: User) -> None:
        change_provider(
            provider_id=provider.pk,
            name="Aurora Telecom",
            currency="USD",
            time_zone="America/New_York",
            at=AT,
            actor_id=admin.pk,
        )
        window = visit(admin)

        window.look_at("/console/settings/audit-log/", "console-audit-log")

    def test_of_the_brand(self, visit: Visits, provider: Provider, admin: User) -> None:
        change_brand(
            provider_id=provider.pk,
            accent_colour="#0b6e4f",
            picture=make_picture(),
            at=AT,
            actor_id=admin.pk,
        )
        customer = make_team_member(make_customer(provider))
        window = visit(admin)

        window.look_at("/console/settings/brand/", "console-brand")
        window.look_at("/console/settings/brand/edit/", "console-brand-edit")
        visit(customer).look_at("/account/", "account-centre-branded")
        visit().look_at("/sign-in/aurora/", "provider-sign-in")
        visit().look_at("/sign-up/aurora/", "sign-up-branded")
