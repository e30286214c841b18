from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.contrib.auth import authenticate

from audit.models import Entry
from common.scope import Scope
from tenancy import row_security, selectors, services
from tenancy.models import Membership, Provider, Role, User
from tenancy.rules.permissions import ALL_PERMISSIONS
from tenancy.services import Seller
from tests.factories import make_provider, make_staff, make_user

AT = datetime(2026, 10, 1, 9, tzinfo=UTC)
SELLER = Seller(
    name="Aurora Telecom GmbH",
    address="Hauptstrasse 1\n10115 Berlin",
    country="DE",
    tax_number="DE123456789",
    email="billing@aurora.example",
)
PASSWORD = "correct horse battery"

pytestmark = pytest.mark.django_db


def found(**changes: str) -> Provider:
    terms = {
        "slug": "aurora",
        "name": "Aurora Telecom",
        "currency": "EUR",
        "time_zone": "Europe/Berlin",
    }
    country = changes.pop("country", "DE")
    seller = Seller(**{**vars(SELLER), "country": country})
    return services.create_provider(**{**terms, **changes}, seller=seller, at=AT)


def role_of(provider: Provider, name: str) -> Role:
    return Role.objects.get(provider=provider, name=name)


class TestCreateProvider:
    def test_founds_it_with_seven_roles_and_a_seller(self) -> None:
        provider = found()

        scope = Scope.system(provider.pk)
        assert selectors.provider_by_slug("aurora") == provider
        assert [role.name for role in selectors.roles(scope)] == [
            "Accounts & Orders",
            "Admin",
            "Finance",
            "Marketing",
            "Product",
            "Read-only",
            "Service",
        ]
        assert set(role_of(provider, "Admin").permissions) == ALL_PERMISSIONS
        assert selectors.default_biller_entity(scope).name == "Aurora Telecom GmbH"

    def test_refuses_a_slug_in_use(self) -> None:
        found()

        with pytest.raises(services.SlugTaken, match="'aurora' already"):
            found(name="Another")

        assert Provider.objects.get().name == "Aurora Telecom"

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("slug", "Aurora"),
            ("slug", "aurora/../x"),
            ("slug", "-aurora"),
            ("slug", "a" * 41),
            ("slug", ""),
            ("currency", "eur"),
            ("currency", "EURO"),
            ("time_zone", "Berlin"),
            ("time_zone", "/etc/passwd"),
            ("country", "Germany"),
        ],
    )
    def test_refuses_terms_that_mean_nothing(self, field: str, value: str) -> None:
        with pytest.raises(services.ProviderRefused, match=f"'{value}' is not a"):
            found(**{field: value})

        assert not Provider.objects.exists()

    @pytest.mark.parametrize(
        ("seller", "message"),
        [
            (replace(SELLER, address=""), "Address: This field cannot be blank"),
            (replace(SELLER, email="billing"), "Email: Enter a valid email address"),
            (replace(SELLER, tax_number="1" * 41), "Tax number: .* at most 40 characters"),
        ],
    )
    def test_refuses_a_seller_that_no_invoice_can_name(self, seller: Seller, message: str) -> None:
        with pytest.raises(services.ProviderRefused, match=message):
            services.create_provider(
                slug="aurora",
                name="Aurora",
                currency="EUR",
                time_zone="Europe/Berlin",
                seller=seller,
                at=AT,
            )

        assert not Provider.objects.exists()

    @pytest.mark.parametrize("name", ["", "x" * 201])
    def test_refuses_a_name_that_cannot_be_kept(self, name: str) -> None:
        with pytest.raises(services.ProviderRefused, match="Name: "):
            found(name=name)

        assert not Provider.objects.exists()


class TestProviderBySlug:
    def test_names_the_providers_there_are_when_there_is_no_such_one(self) -> None:
        make_provider("borealis")
        make_provider("aurora")

        with pytest.raises(
            selectors.UnknownProvider,
            match=r"^There is no provider 'auroa'\. Providers: aurora, borealis\.$",
        ):
            selectors.provider_by_slug("auroa")


class TestCreateUser:
    def test_lets_them_sign_in_whatever_the_case_of_their_address(self) -> None:
        user = services.create_user(
            email="Admin@aurora.example", name="Ada", password=PASSWORD, at=AT
        )

        assert authenticate(email="admin@AURORA.example", password=PASSWORD) == user
        assert user.password.startswith("argon2$")

    def test_lets_nobody_in_without_a_password(self) -> None:
        user = services.create_user(email="a@aurora.example", name="", password=None, at=AT)

        assert not user.has_usable_password()
        assert authenticate(email="a@aurora.example", password="") is None

    def test_refuses_an_address_in_use_in_another_case(self) -> None:
        make_user("admin@aurora.example")

        with pytest.raises(services.EmailTaken):
            services.create_user(email="ADMIN@aurora.example", name="", password=PASSWORD, at=AT)

        assert User.objects.count() == 1

    @pytest.mark.parametrize(
        "email", ["", "admin", f"{'a' * 60}@{'b' * 62}.{'c' * 62}.{'d' * 62}.{'e' * 12}.org"]
    )
    def test_refuses_what_is_no_address(self, email: str) -> None:
        with pytest.raises(services.EmailRefused):
            services.create_user(email=email, name="", password=PASSWORD, at=AT)

        assert not User.objects.exists()

    def test_refuses_a_name_that_cannot_be_kept(self) -> None:
        with pytest.raises(services.NameRefused):
            services.create_user(email="a@b.example", name="x" * 201, password=PASSWORD, at=AT)

        assert not User.objects.exists()

    @pytest.mark.parametrize("password", ["short", "password1234", "zenith@aurora.example"])
    def test_refuses_a_password_that_is_easily_guessed(self, password: str) -> None:
        assert settings.AUTH_PASSWORD_VALIDATORS

        with pytest.raises(services.PasswordRefused):
            services.create_user(email="zenith@aurora.example", name="", password=password, at=AT)

        assert not User.objects.exists()


class TestCreateUserForAProvider:
    """As a web request does it, which sees the provider's people only."""

    def test_gives_someone_whom_the_provider_can_then_let_in(self) -> None:
        provider = make_provider("aurora")
        actor = make_staff(provider)
        role = Role.objects.get(provider=provider, name="Finance")

        with (
            row_security.web_role(),
            row_security.acting_for(provider_id=provider.pk, user_id=actor.pk),
        ):
            user = services.create_user(
                email="fay@aurora.example", name="Fay", password=PASSWORD, at=AT
            )
            services.grant_role(
                provider_id=provider.pk,
                user_id=user.pk,
                role_id=role.pk,
                at=AT,
                actor_id=actor.pk,
            )
            seen = set(User.objects.values_list("email", flat=True))

        assert seen == {actor.email, "fay@aurora.example"}

    def test_refuses_an_address_of_another_provider_and_shows_nothing_of_it(self) -> None:
        provider = make_provider("aurora")
        make_staff(make_provider("borealis"), email="bo@borealis.example")

        with (
            row_security.web_role(),
            row_security.acting_for(provider_id=provider.pk, user_id=None),
        ):
            with pytest.raises(services.EmailTaken):
                services.create_user(
                    email="bo@borealis.example", name="Bo", password=PASSWORD, at=AT
                )
            seen = User.objects.count()

        assert seen == 0
        assert User.objects.count() == 1


class TestGrantRole:
    @pytest.fixture(autouse=True)
    def two_providers(self) -> None:
        self.provider, self.other = make_provider(), make_provider()
        self.user = make_user()

    def grant(self, role: str, actor: User | None) -> Membership:
        return services.grant_role(
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
        with pytest.raises(services.PermissionNotHeld, match="Admin: you do not hold catalogue"):
            self.grant("Admin", make_staff(self.provider, "Finance"))

        assert not Membership.objects.filter(user=self.user).exists()

    def test_refuses_to_take_what_the_actor_does_not_hold(self) -> None:
        self.grant("Admin", None)

        with pytest.raises(services.PermissionNotHeld):
            self.grant("Read-only", make_staff(self.provider, "Read-only"))

        assert Membership.objects.get(user=self.user).role.name == "Admin"

    def test_refuses_staff_of_another_provider(self) -> None:
        with pytest.raises(services.PermissionNotHeld):
            self.grant("Read-only", make_staff(self.other, "Admin"))

        assert not Membership.objects.filter(user=self.user).exists()

    def test_finds_no_role_of_another_provider(self) -> None:
        with pytest.raises(Role.DoesNotExist):
            services.grant_role(
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

        role = services.define_role(
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

        with pytest.raises(services.PermissionNotHeld, match=r"do not hold settings\.write"):
            services.define_role(
                provider_id=provider.pk,
                name="Root",
                permissions=["money.read", "settings.write"],
                actor_id=make_staff(provider, "Finance").pk,
            )

        assert not Role.objects.filter(name="Root").exists()

    def test_refuses_codes_there_are_none_of(self) -> None:
        provider = make_provider()

        with pytest.raises(services.UnknownPermission, match=r"money\.print"):
            services.define_role(
                provider_id=provider.pk, name="Mint", permissions=["money.print"], actor_id=None
            )

        assert not Role.objects.filter(name="Mint").exists()

    def test_refuses_the_name_of_a_built_in_role_in_any_case(self) -> None:
        provider = make_provider()

        with pytest.raises(services.RoleNameTaken):
            services.define_role(
                provider_id=provider.pk, name="admin", permissions=[], actor_id=None
            )

        assert Role.objects.filter(provider=provider).count() == 7
