from datetime import UTC, datetime
from typing import Any

import pytest

from catalogue.models import Product, RateTable
from catalogue.services.rate_tables import (
    ParentTableCircular,
    ParentTableDiffers,
    RateTableNameTaken,
    RateTableRefused,
    change_parent_table,
    create_rate_table,
)
from tests.factories import make_product, make_provider, make_rate_table
from tests.race import race
from tests.refusals import refused

AT = datetime(2026, 10, 1, 9, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def create(product: Product, name: str = "Retail", **fields: Any) -> RateTable:
    terms = {"currency": "EUR", "time_zone": "Europe/Berlin", **fields}
    return create_rate_table(
        provider_id=product.provider_id, name=name, product=product, at=AT, actor_id=None, **terms
    )


class TestCreateRateTable:
    def test_rounds_half_up_to_six_decimals_by_default(self) -> None:
        table = create(make_product(make_provider()))

        table.refresh_from_db()
        assert (table.rounding, table.decimals) == ("half_up", 6)
        assert (table.increment_base, table.boundary) == ("after_minimum", "start")
        assert table.revision == 1

    def test_may_be_searched_before_a_parent(self) -> None:
        product = make_product(make_provider())
        parent = create(product, "Default")

        assert create(product, "Custom", parent=parent).parent == parent

    @pytest.mark.parametrize(
        "terms",
        [
            {"name": ""},
            {"name": "x" * 201},
            {"currency": "eur"},
            {"currency": "EURO"},
            {"time_zone": "Europe/Atlantis"},
            {"decimals": 9},
            {"decimals": -1},
        ],
    )
    def test_refuses_what_no_table_has(self, terms: dict[str, Any]) -> None:
        product = make_product(make_provider())

        with refused(RateTableRefused):
            create(product, **terms)

    def test_refuses_a_product_without_usage(self) -> None:
        product = make_product(make_provider(), kind="RECURRING")

        with refused(RateTableRefused, "no usage to rate"):
            create(product)

    def test_refuses_a_name_that_reads_the_same(self) -> None:
        product = make_product(make_provider())
        create(product, "Retail")

        with refused(RateTableNameTaken):
            create(product, "RETAIL")

    def test_refuses_a_parent_in_another_currency(self) -> None:
        product = make_product(make_provider())
        dollars = create(product, "Dollars", currency="USD")

        with refused(ParentTableDiffers, "must rate"):
            create(product, "Euros", parent=dollars)

    def test_refuses_a_parent_for_another_product(self) -> None:
        provider = make_provider()
        calls, messages = make_product(provider), make_product(provider)
        parent = create(messages, "Messages")

        with refused(ParentTableDiffers):
            create(calls, "Calls", parent=parent)


class TestChangeParentTable:
    def test_searches_another_table_and_grows_the_revision(self) -> None:
        product = make_product(make_provider())
        child, parent = create(product, "Child"), create(product, "Parent")

        changed = change_parent_table(table=child, parent=parent, at=AT, actor_id=None)

        assert (changed.parent, changed.revision) == (parent, 2)

    def test_may_leave_a_table_without_one(self) -> None:
        product = make_product(make_provider())
        child = create(product, "Child", parent=create(product, "Parent"))

        assert change_parent_table(table=child, parent=None, at=AT, actor_id=None).parent is None

    def test_refuses_a_circle_of_any_length(self) -> None:
        product = make_product(make_provider())
        top = create(product, "Top")
        middle = create(product, "Middle", parent=top)
        bottom = create(product, "Bottom", parent=middle)

        for parent in (top, middle, bottom):
            with refused(ParentTableCircular):
                change_parent_table(table=top, parent=parent, at=AT, actor_id=None)

    def test_refuses_a_parent_in_another_currency(self) -> None:
        product = make_product(make_provider())
        euros, dollars = create(product, "Euros"), create(product, "Dollars", currency="USD")

        with refused(ParentTableDiffers):
            change_parent_table(table=euros, parent=dollars, at=AT, actor_id=None)


@pytest.mark.django_db(transaction=True)
class TestTwoChangesOfParents:
    def test_close_no_circle(self) -> None:
        product = make_product(make_provider())
        one, other = make_rate_table(product), make_rate_table(product)

        outcomes = race(
            lambda: change_parent_table(table=one, parent=other, at=AT, actor_id=None),
            lambda: change_parent_table(table=other, parent=one, at=AT, actor_id=None),
        )

        assert sorted(type(outcome).__name__ for outcome in outcomes) == [
            "ParentTableCircular",
            "RateTable",
        ]
        assert RateTable.objects.filter(parent__isnull=True).count() == 1
