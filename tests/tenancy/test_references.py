"""Composite foreign keys: no role at all can tie a row to another provider's row."""

from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models, transaction
from django.db.utils import IntegrityError

from customers.models import Customer
from tenancy.models import BillerEntity, Provider
from tenancy.owned import ProviderOwned
from tests.factories import make_customer, make_provider

OWNED = [model for model in apps.get_models() if issubclass(model, ProviderOwned)]
KEPT_OTHERWISE = {
    # One statement fills it from the provider's own usage charges, see the model.
    ("billing_billedusage", "usage_charge_id"),
    # Rows by the hundred thousand, written by the workers of one import.
    ("catalogue_rateimportrow", "rate_import_id"),
    ("catalogue_rateimportrow", "time_profile_id"),
    # Checked by a trigger once per statement, and tested with usage.
    ("cdr_usagecharge", "chunk_id"),
    ("cdr_usagecharge", "rerating_id"),
    ("cdr_usagecharge", "product_id"),
}

pytestmark = pytest.mark.django_db


def rows(sql: str, *parameters: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters or None)
        return list(cursor.fetchall())


@pytest.fixture
def two_providers() -> tuple[Provider, Provider]:
    return make_provider("aurora"), make_provider("borealis")


class TestReferences:
    def test_across_providers_are_refused_to_the_owner_of_the_tables_too(
        self, two_providers: tuple[Provider, Provider]
    ) -> None:
        mine, other = two_providers
        customer = make_customer(mine)
        foreign = BillerEntity.objects.get(provider=other)

        with (
            transaction.atomic(),
            pytest.raises(IntegrityError, match="biller_entity_id_same_provider"),
            transaction.atomic(),
        ):
            point_at(customer, foreign)

        customer.refresh_from_db()
        assert customer.biller_entity is None

    def test_inside_one_provider_are_kept(self, two_providers: tuple[Provider, Provider]) -> None:
        mine, _ = two_providers
        customer = make_customer(mine)

        point_at(customer, BillerEntity.objects.get(provider=mine))

        customer.refresh_from_db()
        assert customer.biller_entity is not None

    def test_are_guarded_wherever_one_owned_row_points_at_another(self) -> None:
        expected = {
            (model._meta.db_table, field.column)
            for model in OWNED
            for field in model._meta.local_fields
            if isinstance(field, models.ForeignKey)
            and field.related_model in OWNED
            and not is_partitioned(field.related_model)
            and not is_partitioned(model)
        }

        found = rows(
            "SELECT conrelid::regclass::text, attname FROM pg_constraint"
            " JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY (conkey)"
            " WHERE contype = 'f' AND cardinality(conkey) = 2 AND attname <> 'provider_id'"
        )
        assert expected - set(found) == KEPT_OTHERWISE


def point_at(customer: Customer, biller_entity: BillerEntity) -> None:
    Customer.objects.filter(pk=customer.pk).update(biller_entity=biller_entity)
    connection.check_constraints()


def is_partitioned(model: Any) -> bool:
    return bool(
        rows(
            "SELECT 1 FROM pg_partitioned_table WHERE partrelid = %s::regclass",
            model._meta.db_table,
        )
    )
