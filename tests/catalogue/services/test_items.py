from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from audit.models import Entry
from catalogue.models import Catalogue, CatalogueItem, Product
from catalogue.rules.items import (
    FactorRefused,
    MeteringUnavailable,
    PriceNeeded,
    PriceNotExact,
    RateTableNeeded,
    Terms,
)
from catalogue.rules.tiers import parse_tiers
from catalogue.services.catalogues import create_catalogue
from catalogue.services.items import (
    ItemExists,
    NothingToMultiply,
    RateTableDiffers,
    add_item,
    change_item,
    multiply_prices,
    remove_item,
)
from catalogue.services.publishing import publish_catalogue
from tests.factories import make_product, make_provider, make_rate_table
from tests.refusals import refused

AT = datetime(2026, 10, 1, 9, tzinfo=UTC)
MONTHLY = Terms(currency="EUR", price=Decimal("21.6"), price_period="MONTH")

pytestmark = pytest.mark.django_db


@pytest.fixture
def catalogue() -> Catalogue:
    provider = make_provider()
    return create_catalogue(provider_id=provider.pk, name="Gold", at=AT, actor_id=None)


@pytest.fixture
def fibre(catalogue: Catalogue) -> Product:
    return make_product(catalogue.provider, kind="RECURRING")


def add(catalogue: Catalogue, product: Product, terms: Terms) -> CatalogueItem:
    return add_item(catalogue=catalogue, product=product, terms=terms, at=AT, actor_id=None)


def prices(catalogue: Catalogue) -> list[Decimal | None]:
    return list(catalogue.items.order_by("pk").values_list("price", flat=True))


class TestAddItem:
    def test_puts_a_product_into_the_draft(self, catalogue: Catalogue, fibre: Product) -> None:
        terms = replace(MONTHLY, group="Internet", entry_proration=True, approval_required=True)

        item = add(catalogue, fibre, terms)

        item.refresh_from_db()
        assert (item.product, item.terms) == (fibre, terms)

    def test_sells_it_in_each_currency(self, catalogue: Catalogue, fibre: Product) -> None:
        add(catalogue, fibre, MONTHLY)

        add(catalogue, fibre, replace(MONTHLY, currency="USD", price=Decimal(25)))

        assert prices(catalogue) == [Decimal("21.6"), Decimal(25)]

    def test_sells_voice_by_a_rate_table(self, catalogue: Catalogue) -> None:
        voice = make_product(catalogue.provider)
        table = make_rate_table(voice)

        item = add(catalogue, voice, Terms(currency="EUR", rate_table_id=table.pk))

        assert (item.rate_table, item.price) == (table, None)

    def test_sells_a_metered_product_at_tiers_as_they_are_written_everywhere(
        self, catalogue: Catalogue
    ) -> None:
        storage = make_product(catalogue.provider, kind="METERED")
        terms = Terms(currency="EUR", tier_model="VOLUME", tiers="0 0.10\n100 0.050 2")

        item = add(catalogue, storage, terms)

        item.refresh_from_db()
        assert item.tiers == "0:0.1;100:0.05+2"
        assert item.metered_tiers == parse_tiers("VOLUME", "0:0.1;100:0.05+2")

    def test_refuses_the_same_item_twice(self, catalogue: Catalogue, fibre: Product) -> None:
        add(catalogue, fibre, MONTHLY)

        with refused(ItemExists):
            add(catalogue, fibre, replace(MONTHLY, price=Decimal(1)))

    def test_refuses_terms_of_another_kind(self, catalogue: Catalogue, fibre: Product) -> None:
        voice = make_product(catalogue.provider)

        with refused(PriceNeeded):
            add(catalogue, fibre, Terms(currency="EUR", rate_table_id=1))
        with refused(RateTableNeeded):
            add(catalogue, voice, MONTHLY)
        with refused(MeteringUnavailable, "metered hours"):
            add(catalogue, fibre, replace(MONTHLY, price_period="HOUR"))

    def test_refuses_a_rate_table_that_does_not_fit(self, catalogue: Catalogue) -> None:
        voice, messages = make_product(catalogue.provider), make_product(catalogue.provider)
        abroad = make_rate_table(make_product(make_provider()))

        for table in (
            make_rate_table(messages),
            make_rate_table(voice, currency="USD"),
            abroad,
        ):
            with refused(RateTableDiffers):
                add(catalogue, voice, Terms(currency="EUR", rate_table_id=table.pk))


class TestChangeItem:
    def test_records_what_changed(self, catalogue: Catalogue, fibre: Product) -> None:
        item = add(catalogue, fibre, MONTHLY)

        change_item(item=item, terms=replace(MONTHLY, price=Decimal(20)), at=AT, actor_id=None)

        entry = Entry.objects.get(action="catalogue_item.changed")
        assert entry.before == {"price": "21.60000000"}
        assert entry.after == {"price": "20"}

    def test_leaves_published_versions_alone(self, catalogue: Catalogue, fibre: Product) -> None:
        item = add(catalogue, fibre, MONTHLY)
        version = publish_catalogue(catalogue=catalogue, at=AT, actor_id=None)

        change_item(item=item, terms=replace(MONTHLY, price=Decimal(20)), at=AT, actor_id=None)

        assert version.items.get().price == Decimal("21.6")

    def test_refuses_a_currency_that_is_there(self, catalogue: Catalogue, fibre: Product) -> None:
        item = add(catalogue, fibre, MONTHLY)
        dollars = replace(MONTHLY, currency="USD")
        add(catalogue, fibre, dollars)

        with refused(ItemExists):
            change_item(item=item, terms=dollars, at=AT, actor_id=None)


class TestRemoveItem:
    def test_takes_it_out_of_the_next_version(self, catalogue: Catalogue, fibre: Product) -> None:
        item = add(catalogue, fibre, MONTHLY)

        remove_item(item=item, at=AT, actor_id=None)

        assert prices(catalogue) == []
        entry = Entry.objects.get(action="catalogue_item.removed")
        assert entry.before is not None
        assert entry.before["price"] == "21.60000000"


class TestMultiplyPrices:
    @pytest.fixture
    def filled(self, catalogue: Catalogue) -> Catalogue:
        provider = catalogue.provider
        for price, group in [("20", "Internet"), ("9.99", "Internet"), ("100", "Phone")]:
            product = make_product(provider, kind="RECURRING")
            add(catalogue, product, replace(MONTHLY, price=Decimal(price), group=group))
        voice = make_product(provider)
        table = make_rate_table(voice)
        add(catalogue, voice, Terms(currency="EUR", rate_table_id=table.pk, group="Phone"))
        return catalogue

    def test_of_the_whole_catalogue(self, filled: Catalogue) -> None:
        changed = multiply_prices(catalogue=filled, factor=Decimal("1.15"), at=AT, actor_id=None)

        assert len(changed) == 3
        assert prices(filled) == [Decimal(23), Decimal("11.4885"), Decimal(115), None]

    def test_multiplies_tiers_too(self, catalogue: Catalogue) -> None:
        storage = make_product(catalogue.provider, kind="METERED")
        terms = Terms(currency="EUR", tier_model="GRADUATED", tiers="0:0.10;100:0.05+2")
        item = add(catalogue, storage, terms)

        multiply_prices(catalogue=catalogue, factor=Decimal("1.5"), at=AT, actor_id=None)

        item.refresh_from_db()
        assert item.tiers == "0:0.15;100:0.075+3"

    def test_of_a_group(self, filled: Catalogue) -> None:
        multiply_prices(
            catalogue=filled, factor=Decimal("0.9"), group="Internet", at=AT, actor_id=None
        )

        assert prices(filled) == [Decimal(18), Decimal("8.991"), Decimal(100), None]

    def test_changes_all_or_none(self, filled: Catalogue) -> None:
        with refused(PriceNotExact):
            multiply_prices(catalogue=filled, factor=Decimal("1.0000001"), at=AT, actor_id=None)

    def test_refuses_what_is_no_multiplier(self, filled: Catalogue) -> None:
        with refused(FactorRefused):
            multiply_prices(catalogue=filled, factor=Decimal(0), at=AT, actor_id=None)

    def test_refuses_a_group_without_prices(self, filled: Catalogue) -> None:
        with refused(NothingToMultiply):
            multiply_prices(
                catalogue=filled, factor=Decimal(2), group="Nothing", at=AT, actor_id=None
            )
