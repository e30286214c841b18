from datetime import UTC, datetime

import pytest

from audit.models import Entry
from common.scope import Scope
from tenancy import selectors
from tenancy.models import Membership, Provider, Role, User
from tenancy.services import roles
from tests.factories import make_provider, make_staff, make_user

AT = datetime(2026, 10, 1, 9, tzinfo=UTC)
PASSWORD = "correct horse battery"

pytestmark = pytest.mark.django_db


def role_of(provider: Provider, name: str) -> Role:
    return Role.objects.get(provider=provider, name=name)


class TestGrantRole:
    @pytest.fixture(autouse=True)
    def two_providers(self) -> None:
        self.provider, self.other = make_provider(), make_provider()
        self.user = make_user()

    def grant(self, role: str, actor: User | None) -> Membership:
        return roles.grant_role(
            provider_id=self.provider.pk,
            user_id=self.user.pk,
            role_id=role_of(self.provider, role).pk,
            at=AT,
            actor_id=actor.pk if actor else None,
        )

    def test_gives_a_role_the_actor_holds_all_of(self) -> None:
        membership = self.grant("Finance", make_staff(self.provider, "Admin"))

        assert membership.role.name == "Finance"
        assert list(selectors.staff(Scope.system(self.provider.pk)).filter(user=self.user)) == [
            membership
        ]

    def test_replaces_the_role_they_had(self) -> None:
        self.grant("Finance", None)

        self.grant("Read-only", make_staff(self.provider, "Admin"))

        assert Membership.objects.get(user=self.user).role.name == "Read-only"

    def test_refuses_what_the_actor_does_not_hold(self) -> None:
        with pytest.raises(roles.PermissionNotHeld, match="Admin: you do not hold catalogue"):
            self.grant("Admin", make_staff(self.provider, "Finance"))

        assert not Membership.objects.filter(user=self.user).exists()

    def test_refuses_to_take_what_the_actor_does_not_hold(self) -> None:
        self.grant("Admin", None)

        with pytest.raises(roles.PermissionNotHeld):
            self.grant("Read-only", make_staff(self.provider, "Read-only"))

        assert Membership.objects.get(user=self.user).role.name == "Admin"

    def test_refuses_staff_of_another_provider(self) -> None:
        with pytest.raises(roles.PermissionNotHeld):
            self.grant("Read-only", make_staff(self.other, "Admin"))

        assert not Membership.objects.filter(user=self.user).exists()

    def test_finds_no_role_of_another_provider(self) -> None:
        with pytest.raises(Role.DoesNotExist):
            roles.grant_role(
                provider_id=self.provider.pk,
                user_id=self.user.pk,
                role_id=role_of(self.other, "Read-only").pk,
                at=AT,
                actor_id=None,
            )

        assert not Membership.objects.filter(user=self.user).exists()

    def test_is_audited_with_who_did_it_and_what_changed(self) -> None:
        actor = make_staff(self.provider, "Admin")
        self.grant("Finance", actor)

        self.grant("Read-only", actor)

        entry = Entry.objects.filter(action="membership.changed").get()
        assert entry.provider == self.provider
        assert entry.actor == actor
        assert entry.object_type == "tenancy.membership"
        assert entry.before is not None
        assert entry.before["role_id"] == role_of(self.provider, "Finance").pk
        assert entry.after is not None
        assert entry.after["role_id"] == role_of(self.provider, "Read-only").pk


class TestDefineRole:
    def test_adds_a_role_to_the_provider(self) -> None:
        provider = make_provider()
        actor = make_staff(provider, "Finance")

        role = roles.define_role(
            provider_id=provider.pk,
            name="Cashier",
            permissions=["money.write", "money.read"],
            actor_id=actor.pk,
        )

        assert role in selectors.roles(Scope.system(provider.pk))
        assert role.permissions == ["money.read", "money.write"]
        assert not role.is_built_in
        assert Entry.objects.get(action="role.created").actor == actor

    def test_refuses_codes_the_actor_does_not_hold(self) -> None:
        provider = make_provider()

        with pytest.raises(roles.PermissionNotHeld, match=r"do not hold settings\.write"):
            roles.define_role(
                provider_id=provider.pk,
                name="Root",
                permissions=["money.read", "settings.write"],
                actor_id=make_staff(provider, "Finance").pk,
            )

        assert not Role.objects.filter(name="Root").exists()

    def test_refuses_codes_there_are_none_of(self) -> None:
        provider = make_provider()

        with pytest.raises(roles.UnknownPermission, match=r"money\.print"):
            roles.define_role(
                provider_id=provider.pk, name="Mint", permissions=["money.print"], actor_id=None
            )

        assert not Role.objects.filter(name="Mint").exists()

    def test_refuses_the_name_of_a_built_in_role_in_any_case(self) -> None:
        provider = make_provider()

        with pytest.raises(roles.RoleNameTaken):
            roles.define_role(provider_id=provider.pk, name="admin", permissions=[], actor_id=None)

        assert Role.objects.filter(provider=provider).count() == 7
