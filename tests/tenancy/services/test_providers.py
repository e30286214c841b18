from dataclasses import replace
from datetime import UTC, datetime

import pytest

from common.scope import Scope
from tenancy import selectors
from tenancy.models import Provider, Role
from tenancy.rules.permissions import ALL_PERMISSIONS
from tenancy.services import providers
from tenancy.services.providers import Seller

AT = datetime(2026, 10, 1, 9, tzinfo=UTC)
SELLER = Seller(
    name="Aurora Telecom GmbH",
    address="Hauptstrasse 1\n10115 Berlin",
    country="DE",
    tax_number="DE123456789",
    email="billing@aurora.example",
)

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
    return providers.create_provider(**{**terms, **changes}, seller=seller, at=AT)


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
        admin = Role.objects.get(provider=provider, name="Admin")
        assert set(admin.permissions) == ALL_PERMISSIONS
        assert selectors.default_biller_entity(scope).name == "Aurora Telecom GmbH"

    def test_refuses_a_slug_in_use(self) -> None:
        found()

        with pytest.raises(providers.SlugTaken, match="'aurora' already"):
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
            ("time_zone", "localtime"),
            ("country", "Germany"),
        ],
    )
    def test_refuses_terms_that_mean_nothing(self, field: str, value: str) -> None:
        with pytest.raises(providers.ProviderRefused, match=f"'{value}' is not a"):
            found(**{field: value})

        assert not Provider.objects.exists()

    @pytest.mark.parametrize(
        ("seller", "message"),
        [
            (replace(SELLER, address=" \n"), "Address: This field cannot be blank"),
            (replace(SELLER, email="billing"), "Email: Enter a valid email address"),
            (replace(SELLER, tax_number="1" * 41), "Tax number: .* at most 40 characters"),
        ],
    )
    def test_refuses_a_seller_that_no_invoice_can_name(self, seller: Seller, message: str) -> None:
        with pytest.raises(providers.ProviderRefused, match=message):
            providers.create_provider(
                slug="aurora",
                name="Aurora",
                currency="EUR",
                time_zone="Europe/Berlin",
                seller=seller,
                at=AT,
            )

        assert not Provider.objects.exists()

    @pytest.mark.parametrize("name", ["", " \t", "x" * 201])
    def test_refuses_a_name_that_cannot_be_kept(self, name: str) -> None:
        with pytest.raises(providers.ProviderRefused, match="Name: "):
            found(name=name)

        assert not Provider.objects.exists()
