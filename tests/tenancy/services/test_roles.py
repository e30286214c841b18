import pytest

from audit.models import Entry
from common.scope import Scope
from tenancy import selectors
from tenancy.models import Membership, Provider, Role
from tenancy.services import roles
from tests.factories import make_provider, make_staff

pytestmark = pytest.mark.django_db


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

    @pytest.mark.parametrize("name", ["", "x" * 61])
    def test_refuses_a_name_that_cannot_be_kept(self, name: str) -> None:
        provider = make_provider()

        with pytest.raises(roles.RoleNameRefused, match="Name: "):
            roles.define_role(provider_id=provider.pk, name=name, permissions=[], actor_id=None)

        assert Role.objects.filter(provider=provider).count() == 7


def own_role(provider: Provider, *permissions: str) -> Role:
    return Role.objects.create(provider=provider, name="Cashier", permissions=list(permissions))


class TestRedefineRole:
    def test_changes_name_and_permissions(self) -> None:
        provider = make_provider()
        role, actor = own_role(provider, "money.read"), make_staff(provider)

        roles.redefine_role(
            role=role, name="Till", permissions=["money.write", "money.list"], actor_id=actor.pk
        )

        role.refresh_from_db()
        assert (role.name, role.permissions) == ("Till", ["money.list", "money.write"])
        entry = Entry.objects.get(action="role.changed")
        assert (entry.provider, entry.actor) == (provider, actor)

    def test_refuses_a_built_in_role(self) -> None:
        provider = make_provider()
        role = Role.objects.get(provider=provider, name="Read-only")

        with pytest.raises(roles.RoleBuiltIn):
            roles.redefine_role(role=role, name="Nothing", permissions=[], actor_id=None)

        role.refresh_from_db()
        assert role.name == "Read-only"

    @pytest.mark.parametrize(
        ("held", "wanted"), [("settings.write", "money.read"), ("money.read", "settings.write")]
    )
    def test_refuses_to_grant_or_take_what_the_actor_does_not_hold(
        self, held: str, wanted: str
    ) -> None:
        provider = make_provider()
        role = own_role(provider, held)

        with pytest.raises(roles.PermissionNotHeld, match=r"settings\.write"):
            roles.redefine_role(
                role=role,
                name="Till",
                permissions=[wanted],
                actor_id=make_staff(provider, "Finance").pk,
            )

        role.refresh_from_db()
        assert role.permissions == [held]

    def test_refuses_what_somebody_held_whose_access_was_withdrawn(self) -> None:
        provider = make_provider()
        role = own_role(provider, "money.read")

        with pytest.raises(roles.PermissionNotHeld):
            roles.redefine_role(
                role=role,
                name="Till",
                permissions=["money.read"],
                actor_id=make_staff(provider, is_active=False).pk,
            )

    def test_refuses_the_name_of_another_role_but_not_its_own(self) -> None:
        provider = make_provider()
        role = own_role(provider)

        with pytest.raises(roles.RoleNameTaken):
            roles.redefine_role(role=role, name="FINANCE", permissions=[], actor_id=None)
        roles.redefine_role(role=role, name="CASHIER", permissions=[], actor_id=None)

        role.refresh_from_db()
        assert role.name == "CASHIER"


class TestDeleteRole:
    def test_removes_a_role_that_nobody_has(self) -> None:
        provider = make_provider()
        role, actor = own_role(provider), make_staff(provider)

        roles.delete_role(role=role, actor_id=actor.pk)

        assert not Role.objects.filter(pk=role.pk).exists()
        assert Entry.objects.get(action="role.removed").actor == actor

    def test_refuses_a_role_that_somebody_has(self) -> None:
        provider = make_provider()
        role = own_role(provider)
        Membership.objects.filter(user=make_staff(provider)).update(role=role)

        with pytest.raises(roles.RoleInUse, match="1 of your staff"):
            roles.delete_role(role=role, actor_id=None)

        assert Role.objects.filter(pk=role.pk).exists()

    def test_refuses_a_built_in_role(self) -> None:
        role = Role.objects.get(provider=make_provider(), name="Read-only")

        with pytest.raises(roles.RoleBuiltIn):
            roles.delete_role(role=role, actor_id=None)

        assert Role.objects.filter(pk=role.pk).exists()

    def test_refuses_a_role_that_holds_more_than_the_actor(self) -> None:
        provider = make_provider()
        role = own_role(provider, "settings.write")

        with pytest.raises(roles.PermissionNotHeld):
            roles.delete_role(role=role, actor_id=make_staff(provider, "Finance").pk)

        assert Role.objects.filter(pk=role.pk).exists()
