"""Settings in a browser: how the pages look."""

from collections.abc import Callable

import pytest

from tenancy.models import Membership, Provider, Role, User
from tests.e2e.visits import Visit
from tests.factories import make_provider, make_staff

pytestmark = pytest.mark.django_db(transaction=True)
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
