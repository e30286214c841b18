from datetime import UTC, datetime

import pytest

from audit.models import Entry
from catalogue.models import Catalogue
from catalogue.services.catalogues import disable_catalogue
from customers.models import Customer
from customers.services.catalogues import (
    CatalogueNotAssignable,
    CustomerHasCatalogue,
    assign_catalogue,
    clear_catalogue,
)
from tests.factories import make_catalogue, make_customer, make_provider
from tests.refusals import refused

AT = datetime(2026, 10, 1, 9, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer() -> Customer:
    return make_customer(make_provider())


def custom(customer: Customer, name: str) -> Catalogue:
    return make_catalogue(customer.provider, name=name).catalogue


def assign(customer: Customer, catalogue: Catalogue, replace: bool = False) -> Customer:
    return assign_catalogue(
        customer=customer, catalogue=catalogue, replace=replace, at=AT, actor_id=None
    )


class TestAssignCatalogue:
    def test_links_a_custom_catalogue(self, customer: Customer) -> None:
        gold = custom(customer, "Gold")

        assert assign(customer, gold).custom_catalogue == gold

    def test_moves_the_link_in_one_step_when_told_to(self, customer: Customer) -> None:
        gold, silver = custom(customer, "Gold"), custom(customer, "Silver")
        assign(customer, gold)

        with refused(CustomerHasCatalogue, "Gold"):
            assign(customer, silver)

        assert assign(customer, silver, replace=True).custom_catalogue == silver
        entry = Entry.objects.order_by("pk").last()
        assert entry is not None
        assert (entry.before, entry.after) == ({"catalogue": "Gold"}, {"catalogue": "Silver"})

    def test_changes_nothing_where_it_is_linked_already(self, customer: Customer) -> None:
        gold = custom(customer, "Gold")
        assign(customer, gold)

        assign(customer, gold)

        assert Entry.objects.count() == 1

    def test_refuses_a_disabled_catalogue(self, customer: Customer) -> None:
        gold = custom(customer, "Gold")
        disable_catalogue(catalogue=gold, at=AT, actor_id=None)

        with refused(CatalogueNotAssignable, "disabled"):
            assign(customer, gold)

    def test_refuses_the_default_catalogue(self, customer: Customer) -> None:
        default = make_catalogue(customer.provider, is_default=True).catalogue

        with refused(CatalogueNotAssignable, "default"):
            assign(customer, default)


class TestClearCatalogue:
    def test_leaves_the_default_one(self, customer: Customer) -> None:
        assign(customer, custom(customer, "Gold"))

        cleared = clear_catalogue(customer=customer, at=AT, actor_id=None)

        cleared.refresh_from_db()
        assert cleared.custom_catalogue is None
        entry = Entry.objects.order_by("pk").last()
        assert entry is not None
        assert (entry.before, entry.after) == ({"catalogue": "Gold"}, {"catalogue": None})

    def test_leaves_no_trace_where_there_was_none(self, customer: Customer) -> None:
        clear_catalogue(customer=customer, at=AT, actor_id=None)

        assert not Entry.objects.exists()
