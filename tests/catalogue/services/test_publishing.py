from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from audit.models import Entry
from catalogue.models import Catalogue, CatalogueVersion, CatalogueVersionItemAllowance
from catalogue.rules.differences import DifferenceKind, FieldChange, ItemDifference
from catalogue.rules.items import Terms
from catalogue.selectors import version_at, version_differences, versions
from catalogue.services.catalogues import create_catalogue, disable_catalogue
from catalogue.services.items import add_item, change_item
from catalogue.services.publishing import (
    CatalogueDisabled,
    CatalogueEmpty,
    EffectiveInThePast,
    publish_catalogue,
)
from common.scope import Scope
from tests.factories import make_product, make_provider, make_staff
from tests.factories.catalogue import make_allowance
from tests.race import race
from tests.refusals import refused

AT = datetime(2026, 10, 1, 9, tzinfo=UTC)
LATER = AT + timedelta(days=30)
MONTHLY = Terms(currency="EUR", price=Decimal("21.6"), price_period="MONTH")

pytestmark = pytest.mark.django_db


def filled_catalogue() -> Catalogue:
    provider = make_provider()
    catalogue = create_catalogue(provider_id=provider.pk, name="Gold", at=AT, actor_id=None)
    product = make_product(provider, kind="RECURRING")
    add_item(catalogue=catalogue, product=product, terms=MONTHLY, at=AT, actor_id=None)
    return catalogue


def publish(catalogue: Catalogue, effective_at: datetime | None = None) -> CatalogueVersion:
    return publish_catalogue(catalogue=catalogue, effective_at=effective_at, at=AT, actor_id=None)


class TestPublishCatalogue:
    def test_makes_numbered_versions_of_the_draft(self) -> None:
        catalogue = filled_catalogue()
        admin = make_staff(catalogue.provider)

        first = publish_catalogue(catalogue=catalogue, at=AT, actor_id=admin.pk)
        second = publish(catalogue, LATER)

        assert (first.number, first.effective_at, first.published_by) == (1, AT, admin)
        assert (second.number, second.published_at, second.effective_at) == (2, AT, LATER)
        assert [item.terms for item in second.items.all()] == [MONTHLY]
        entry = Entry.objects.filter(action="catalogue.published").order_by("pk")[0]
        assert entry.after == {"version": "1", "effective_at": str(AT), "items": "1"}

    def test_makes_what_the_database_never_changes(self) -> None:
        version = publish(filled_catalogue())

        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            version.items.update(price=1)
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            CatalogueVersion.objects.filter(pk=version.pk).update(number=7)

        assert version.items.get().price == Decimal("21.6")

    @pytest.mark.parametrize("change", ["update", "delete"])
    def test_makes_allowances_the_database_never_changes(self, change: str) -> None:
        version = publish(filled_catalogue())
        calls = make_product(version.provider)
        allowance = make_allowance(version.items.get(), calls)
        rows = CatalogueVersionItemAllowance.objects.filter(pk=allowance.pk)

        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            rows.update(volume=1) if change == "update" else rows.delete()

        assert rows.get().volume == 6_000

    def test_refuses_an_empty_draft(self) -> None:
        provider = make_provider()
        empty = create_catalogue(provider_id=provider.pk, name="Gold", at=AT, actor_id=None)

        with refused(CatalogueEmpty):
            publish(empty)

    def test_refuses_a_disabled_catalogue(self) -> None:
        catalogue = filled_catalogue()
        disable_catalogue(catalogue=catalogue, at=AT, actor_id=None)

        with refused(CatalogueDisabled):
            publish(catalogue)

    def test_refuses_to_take_effect_in_the_past(self) -> None:
        catalogue = filled_catalogue()

        with refused(EffectiveInThePast):
            publish(catalogue, AT - timedelta(microseconds=1))


class TestVersionAt:
    def test_is_the_last_to_take_effect_until_then(self) -> None:
        catalogue = filled_catalogue()
        now, future = publish(catalogue), publish(catalogue, LATER)
        scope = Scope.system(catalogue.provider_id)

        def at(instant: datetime) -> CatalogueVersion | None:
            return version_at(scope, catalogue.pk, instant)

        assert at(AT - timedelta(microseconds=1)) is None
        assert at(AT) == now
        assert at(LATER - timedelta(microseconds=1)) == now
        assert at(LATER) == future

    def test_is_the_one_published_last_of_two_at_the_same_instant(self) -> None:
        catalogue = filled_catalogue()
        publish(catalogue)
        corrected = publish(catalogue)

        assert version_at(Scope.system(catalogue.provider_id), catalogue.pk, AT) == corrected

    def test_is_none_for_another_provider(self) -> None:
        catalogue = filled_catalogue()
        publish(catalogue)

        assert version_at(Scope.system(make_provider().pk), catalogue.pk, AT) is None


class TestVersionDifferences:
    def test_tell_what_the_newer_version_changed(self) -> None:
        catalogue = filled_catalogue()
        scope = Scope.system(catalogue.provider_id)
        item = catalogue.items.get()
        older = publish(catalogue)
        change_item(item=item, terms=replace(MONTHLY, price=Decimal(20)), at=AT, actor_id=None)
        setup = make_product(catalogue.provider, kind="ONE_TIME")
        once = Terms(currency="EUR", price=Decimal(50))
        add_item(catalogue=catalogue, product=setup, terms=once, at=AT, actor_id=None)
        newer = publish(catalogue)

        assert version_differences(scope, older, newer) == (
            ItemDifference(
                item.product_id,
                "EUR",
                DifferenceKind.CHANGED,
                MONTHLY,
                replace(MONTHLY, price=Decimal(20)),
                (FieldChange("price", Decimal("21.6"), Decimal(20)),),
            ),
            ItemDifference(setup.pk, "EUR", DifferenceKind.ADDED, None, once),
        )


@pytest.mark.django_db(transaction=True)
class TestTwoPublicationsAtOnce:
    def test_take_two_numbers(self) -> None:
        catalogue = filled_catalogue()

        race(lambda: publish(catalogue), lambda: publish(catalogue))

        scope = Scope.system(catalogue.provider_id)
        assert [version.number for version in versions(scope, catalogue)] == [2, 1]
