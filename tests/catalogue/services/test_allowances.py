from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from audit.models import Entry
from catalogue.models import (
    CatalogueItem,
    CatalogueItemAllowance,
    CatalogueVersionItemAllowance,
    Product,
)
from catalogue.rules.allowance_differences import AllowanceDifference
from catalogue.rules.allowances import Allowance, AllowanceRefused
from catalogue.rules.differences import DifferenceKind
from catalogue.rules.items import Terms
from catalogue.selectors.allowances import (
    unpublished_allowance_differences,
    version_allowance_differences,
)
from catalogue.services.allowances import (
    AllowanceNameTaken,
    add_allowance,
    change_allowance,
    remove_allowance,
)
from catalogue.services.catalogues import clone_catalogue, create_catalogue
from catalogue.services.items import add_item, remove_item
from catalogue.services.publishing import publish_catalogue
from common.scope import Scope
from tests.factories import make_product, make_provider
from tests.refusals import refused

AT = datetime(2026, 10, 1, 9, tzinfo=UTC)
MONTHLY = Terms(currency="EUR", price=Decimal("21.6"), price_period="MONTH")

pytestmark = pytest.mark.django_db


@pytest.fixture
def seat() -> CatalogueItem:
    provider = make_provider()
    catalogue = create_catalogue(provider_id=provider.pk, name="Gold", at=AT, actor_id=None)
    product = make_product(provider, kind="RECURRING", code="seat")
    return add_item(catalogue=catalogue, product=product, terms=MONTHLY, at=AT, actor_id=None)


@pytest.fixture
def calls(seat: CatalogueItem) -> Product:
    return make_product(seat.provider)


@pytest.fixture
def europe(calls: Product) -> Allowance:
    return Allowance(
        name="Europe",
        usage_product_id=calls.pk,
        volume=6_000,
        sharing="POOLED",
        priority=3,
        destinations=("44", "49"),
        rolls_over=True,
    )


def add(item: CatalogueItem, allowance: Allowance) -> CatalogueItemAllowance:
    return add_allowance(item=item, allowance=allowance, at=AT, actor_id=None)


def included(item: CatalogueItem) -> list[Allowance]:
    return [row.terms for row in CatalogueItemAllowance.objects.filter(item=item).order_by("pk")]


class TestAddAllowance:
    def test_keeps_all_of_its_terms(self, seat: CatalogueItem, europe: Allowance) -> None:
        row = add(seat, europe)

        assert included(seat) == [europe]
        entry = Entry.objects.get(action="allowance.added")
        assert (entry.object_id, entry.after) == (
            str(row.pk),
            {
                "item": "seat",
                "currency": "EUR",
                "name": "Europe",
                "usage_product_id": str(europe.usage_product_id),
                "volume": "6000",
                "sharing": "POOLED",
                "priority": "3",
                "destinations": "44, 49",
                "rolls_over": "True",
            },
        )

    def test_refuses_a_name_twice_in_any_case(self, seat: CatalogueItem, europe: Allowance) -> None:
        add(seat, europe)

        with refused(AllowanceNameTaken):
            add(seat, replace(europe, name="EUROPE"))

    def test_refuses_usage_of_another_providers_product(
        self, seat: CatalogueItem, europe: Allowance
    ) -> None:
        foreign = make_product(make_provider())

        with refused(AllowanceRefused):
            add(seat, replace(europe, usage_product_id=foreign.pk))

    @pytest.mark.parametrize(
        "changes", [{"name": "x" * 101}, {"sharing": "EVERYBODY"}, {"volume": 0}]
    )
    def test_refuses_what_it_cannot_keep(
        self, seat: CatalogueItem, europe: Allowance, changes: dict[str, Any]
    ) -> None:
        with refused(AllowanceRefused):
            add(seat, replace(europe, **changes))


class TestChangeAllowance:
    def test_records_what_is_new(self, seat: CatalogueItem, europe: Allowance) -> None:
        row = add(seat, europe)
        larger = replace(europe, volume=9_000, destinations=())

        change_allowance(row=row, allowance=larger, at=AT, actor_id=None)

        assert included(seat) == [larger]
        entry = Entry.objects.get(action="allowance.changed")
        assert entry.before == {"volume": "6000", "destinations": "44, 49"}
        assert entry.after == {"volume": "9000", "destinations": ""}

    def test_to_the_same_records_nothing(self, seat: CatalogueItem, europe: Allowance) -> None:
        row = add(seat, europe)

        change_allowance(row=row, allowance=europe, at=AT, actor_id=None)

        assert not Entry.objects.filter(action="allowance.changed").exists()

    def test_refuses_the_name_of_another(self, seat: CatalogueItem, europe: Allowance) -> None:
        add(seat, europe)
        world = add(seat, replace(europe, name="World"))

        with refused(AllowanceNameTaken):
            change_allowance(row=world, allowance=europe, at=AT, actor_id=None)


class TestRemoveAllowance:
    def test_leaves_versions_alone(self, seat: CatalogueItem, europe: Allowance) -> None:
        row = add(seat, europe)
        version = publish_catalogue(catalogue=seat.catalogue, at=AT, actor_id=None)

        remove_allowance(row=row, at=AT, actor_id=None)

        assert included(seat) == []
        assert [kept.terms for kept in version.items.get().allowances.all()] == [europe]
        assert Entry.objects.filter(action="allowance.removed").count() == 1

    def test_is_part_of_removing_the_item(self, seat: CatalogueItem, europe: Allowance) -> None:
        add(seat, europe)

        remove_item(item=seat, at=AT, actor_id=None)

        assert not CatalogueItemAllowance.objects.exists()
        entry = Entry.objects.get(action="catalogue_item.removed")
        assert entry.before is not None
        assert entry.before["allowances"] == "Europe"


class TestCopies:
    def test_of_a_draft_are_in_its_versions_and_clones(
        self, seat: CatalogueItem, europe: Allowance
    ) -> None:
        catalogue = seat.catalogue
        add(seat, europe)
        spare = make_product(seat.provider, kind="RECURRING")
        add_item(catalogue=catalogue, product=spare, terms=MONTHLY, at=AT, actor_id=None)

        publish_catalogue(catalogue=catalogue, at=AT, actor_id=None)
        clone = clone_catalogue(catalogue=catalogue, name="Silver", at=AT, actor_id=None)

        published = CatalogueVersionItemAllowance.objects.get()
        assert (published.item.product, published.terms) == (seat.product, europe)
        copied = CatalogueItemAllowance.objects.get(item__catalogue=clone)
        assert (copied.item.product, copied.terms) == (seat.product, europe)


class TestDifferences:
    def test_lead_from_version_to_version_and_to_the_draft(
        self, seat: CatalogueItem, europe: Allowance
    ) -> None:
        scope, catalogue = Scope.system(seat.provider_id), seat.catalogue
        first = publish_catalogue(catalogue=catalogue, at=AT, actor_id=None)
        row = add(seat, europe)
        key = (seat.product_id, "EUR")

        added = (AllowanceDifference(*key, DifferenceKind.ADDED, None, europe),)
        assert unpublished_allowance_differences(scope, catalogue) == added

        second = publish_catalogue(catalogue=catalogue, at=AT, actor_id=None)
        remove_allowance(row=row, at=AT, actor_id=None)

        assert version_allowance_differences(scope, first, second) == added
        assert unpublished_allowance_differences(scope, catalogue) == (
            AllowanceDifference(*key, DifferenceKind.REMOVED, europe, None),
        )
