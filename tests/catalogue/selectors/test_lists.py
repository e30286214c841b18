from datetime import UTC, datetime
from decimal import Decimal

import pytest

from catalogue import selectors
from catalogue.models import TimeProfile
from common.scope import Scope, Surface
from tests.factories import (
    LONG_AGO,
    make_catalogue,
    make_customer,
    make_product,
    make_provider,
    make_rate,
    make_rate_table,
    make_reseller,
)

AT = datetime(2026, 10, 1, 9, tzinfo=UTC)

pytestmark = pytest.mark.django_db


class TestRateRows:
    def test_are_tuples_in_the_documented_order(self) -> None:
        provider = make_provider()
        table = make_rate_table(make_product(provider))
        nights = TimeProfile.objects.create(
            provider=provider, name="Nights", ranges="Mon-Sun 00:00-06:00", weight=20
        )
        rate = make_rate(table, "44", time_profile=nights, initial_rate=Decimal("0.1"), minimum=30)

        (row,) = selectors.rate_rows(Scope.system(provider.pk), [table.pk])

        columns = dict(zip(selectors.RATE_COLUMNS, row, strict=True))
        assert columns["rate_table_id"] == table.pk
        assert columns["id"] == rate.pk
        assert (columns["prefix"], columns["effective_from"]) == ("44", LONG_AGO)
        assert (columns["rate"], columns["initial_rate"]) == (Decimal("0.05"), Decimal("0.1"))
        assert (columns["minimum"], columns["increment"]) == (30, 1)
        assert columns["time_profile__ranges"] == "Mon-Sun 00:00-06:00"
        assert columns["time_profile__weight"] == 20

    def test_are_those_of_the_tables_asked_for_and_of_the_provider(self) -> None:
        aurora, borealis = make_provider(), make_provider()
        product = make_product(aurora)
        wanted, also = make_rate_table(product, {"1": "0.1", "2": "0.2"}), make_rate_table(product)
        other = make_rate_table(product, {"3": "0.3"})
        foreign = make_rate_table(make_product(borealis), {"4": "0.4"})
        make_rate(also, "5")

        rows = selectors.rate_rows(Scope.system(aurora.pk), [wanted.pk, also.pk, foreign.pk])

        assert [(row[0], row[2]) for row in rows] == [
            (wanted.pk, "1"),
            (wanted.pk, "2"),
            (also.pk, "5"),
        ]
        assert other.pk not in {row[0] for row in rows}


class TestLists:
    def test_show_staff_what_is_the_providers(self) -> None:
        aurora, borealis = make_provider(), make_provider()
        product = make_product(aurora, name="Voice")
        table = make_rate_table(product, {"44": "0.05"})
        make_rate_table(make_product(borealis))
        version = make_catalogue(
            aurora, [{"product": product, "rate_table": table}], is_default=True
        )
        make_catalogue(borealis)
        scope = Scope(provider_id=aurora.pk, surface=Surface.CONSOLE)

        assert list(selectors.products(scope)) == [product]
        assert list(selectors.rate_tables(scope)) == [table]
        assert list(selectors.catalogues(scope)) == [version.catalogue]
        assert selectors.default_catalogue(scope) == version.catalogue
        assert [rate.prefix for rate in selectors.rates(scope, table)] == ["44"]
        assert [item.product for item in selectors.version_items(scope, version)] == [product]

    def test_show_portals_nothing(self) -> None:
        provider = make_provider()
        product = make_product(provider)
        table = make_rate_table(product, {"44": "0.05"})
        version = make_catalogue(provider, [{"product": product, "rate_table": table}])
        reseller = make_reseller(provider)
        customer = make_customer(provider, reseller)
        portals = [
            Scope(
                provider_id=provider.pk,
                surface=Surface.RESELLER_PORTAL,
                reseller_id=reseller.pk,
            ),
            Scope(provider_id=provider.pk, surface=Surface.ACCOUNT_CENTRE, customer_id=customer.pk),
        ]

        for scope in portals:
            assert not selectors.products(scope).exists()
            assert not selectors.rate_tables(scope).exists()
            assert not selectors.catalogues(scope).exists()
            assert not selectors.rates(scope, table).exists()
            assert not selectors.rate_rows(scope, [table.pk]).exists()
            assert not selectors.versions(scope, version.catalogue).exists()
            assert not selectors.version_items(scope, version).exists()
