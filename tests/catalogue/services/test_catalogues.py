from datetime import UTC, datetime
from decimal import Decimal

import pytest

from catalogue.models import Catalogue, CatalogueItem
from catalogue.rules.items import Terms
from catalogue.services.catalogues import (
    CatalogueNameRefused,
    CatalogueNameTaken,
    CatalogueStateUnchanged,
    DefaultCatalogueExists,
    DefaultCatalogueNeeded,
    clone_catalogue,
    create_catalogue,
    disable_catalogue,
    enable_catalogue,
)
from catalogue.services.items import add_item, change_item
from tenancy.models import Provider
from tests.factories import make_customer, make_product, make_provider
from tests.race import race
from tests.refusals import refused

AT = datetime(2026, 10, 1, 9, tzinfo=UTC)
MONTHLY = Terms(currency="EUR", price=Decimal("21.6"), price_period="MONTH", group="Internet")

pytestmark = pytest.mark.django_db


def create(provider: Provider, name: str = "Gold", is_default: bool = False) -> Catalogue:
    return create_catalogue(
        provider_id=provider.pk, name=name, is_default=is_default, at=AT, actor_id=None
    )


class TestCreateCatalogue:
    def test_makes_one_default_and_any_number_of_custom_ones(self) -> None:
        provider = make_provider()

        made = [create(provider, "Standard", True), create(provider, "Gold"), create(provider, "B")]

        assert [catalogue.is_default for catalogue in made] == [True, False, False]
        assert all(catalogue.is_enabled for catalogue in made)

    def test_refuses_a_second_default(self) -> None:
        provider = make_provider()
        create(provider, "Standard", True)

        with refused(DefaultCatalogueExists):
            create(provider, "Other", True)

    def test_lets_every_provider_have_its_default(self) -> None:
        aurora, borealis = make_provider(), make_provider()
        create(aurora, "Standard", True)

        assert create(borealis, "Standard", True).provider == borealis

    def test_refuses_a_name_that_reads_the_same(self) -> None:
        provider = make_provider()
        create(provider, "Gold")

        with refused(CatalogueNameTaken):
            create(provider, "GOLD")

    @pytest.mark.parametrize("name", ["", "x" * 101])
    def test_refuses_a_name_that_cannot_be_kept(self, name: str) -> None:
        provider = make_provider()

        with refused(CatalogueNameRefused, match="^Name: "):
            create(provider, name)


class TestCloneCatalogue:
    def test_copies_items_and_prices_but_not_customers(self) -> None:
        provider = make_provider()
        original = create(provider)
        product = make_product(provider, kind="RECURRING")
        item = add_item(catalogue=original, product=product, terms=MONTHLY, at=AT, actor_id=None)
        make_customer(provider, custom_catalogue=original)

        clone = clone_catalogue(catalogue=original, name="Silver", at=AT, actor_id=None)

        (copied,) = CatalogueItem.objects.filter(catalogue=clone)
        assert (copied.product, copied.terms) == (product, MONTHLY)
        assert copied.pk != item.pk
        assert clone.customers.count() == 0

    def test_is_changed_without_the_original(self) -> None:
        provider = make_provider()
        original = create(provider)
        product = make_product(provider, kind="RECURRING")
        item = add_item(catalogue=original, product=product, terms=MONTHLY, at=AT, actor_id=None)
        clone = clone_catalogue(catalogue=original, name="Silver", at=AT, actor_id=None)

        dearer = Terms(currency="EUR", price=Decimal(30), price_period="MONTH")
        copied = CatalogueItem.objects.get(catalogue=clone)
        change_item(item=copied, terms=dearer, at=AT, actor_id=None)

        item.refresh_from_db()
        assert item.price == Decimal("21.6")

    def test_refuses_a_name_in_use(self) -> None:
        provider = make_provider()
        original = create(provider)

        with refused(CatalogueNameTaken):
            clone_catalogue(catalogue=original, name="gold", at=AT, actor_id=None)


class TestDisableCatalogue:
    def test_may_be_taken_back(self) -> None:
        catalogue = create(make_provider())

        disabled = disable_catalogue(catalogue=catalogue, at=AT, actor_id=None)
        assert not disabled.is_enabled

        enabled = enable_catalogue(catalogue=catalogue, at=AT, actor_id=None)
        assert enabled.is_enabled

    def test_keeps_its_customers(self) -> None:
        provider = make_provider()
        catalogue = create(provider)
        customer = make_customer(provider, custom_catalogue=catalogue)

        disable_catalogue(catalogue=catalogue, at=AT, actor_id=None)

        customer.refresh_from_db()
        assert customer.custom_catalogue == catalogue

    def test_refuses_the_default_one(self) -> None:
        catalogue = create(make_provider(), "Standard", True)

        with refused(DefaultCatalogueNeeded):
            disable_catalogue(catalogue=catalogue, at=AT, actor_id=None)

    def test_refuses_to_do_it_twice(self) -> None:
        catalogue = create(make_provider())

        with refused(CatalogueStateUnchanged):
            enable_catalogue(catalogue=catalogue, at=AT, actor_id=None)


@pytest.mark.django_db(transaction=True)
class TestTwoDefaultsAtOnce:
    def test_leave_one(self) -> None:
        provider = make_provider()

        outcomes = race(
            lambda: create(provider, "One", True), lambda: create(provider, "Other", True)
        )

        assert sorted(type(outcome).__name__ for outcome in outcomes) == [
            "Catalogue",
            "DefaultCatalogueExists",
        ]
        assert Catalogue.objects.filter(is_default=True).count() == 1
