import pytest
from django.apps import apps
from django.db import connection, models

from cdr.models import RetiredMonth
from common.postgres import METRICS_ROLE, WEB_ROLE
from tenancy.models import Provider, User
from tenancy.owned import ProviderOwned
from tests.architecture.source import STACK

MODELS = [model for model in apps.get_models() if model._meta.app_label in STACK]
# The tenant itself, and people, who may belong to several providers, have policies of their own;
# which months are stored is the same for all.
NOT_OWNED: set[type[models.Model]] = {Provider, User, RetiredMonth}
# What the web role uses without row-level security: it holds nothing of a provider.
OPEN_TABLES = {
    "django_session",
    "django_content_type",
    "django_migrations",
    RetiredMonth._meta.db_table,
}
# Tells the id that belongs to one exact slug, for gateways' messages, and nothing else.
ACTING_AS_OWNER = {
    "payments_provider_id",
    # Tells what the token with the hash of one exact secret says.
    "tenancy_token",
    # Makes the month of a partitioned table of this app's, where it is missing.
    "cdr_make_partition",
    # Tell a reseller's request the ids of what it sees, and everybody else nothing.
    "resellers_seen_branch",
    "resellers_opens",
    "resellers_in_billing_mode",
    "customers_seen_by_reseller",
    "billing_settlements_seen",
    "payouts_seen_statements",
    "payouts_stated_customers",
    "payouts_stated_invoices",
    "payouts_stated_credit_notes",
    "payouts_stated_allocations",
}
# What the metrics are counted by: keys, states, instants and counts, and the slugs that label them.
COUNTED_COLUMNS = {
    *("id", "provider_id", "source_id", "file_id", "chunk_id", "rerating_id", "run_id"),
    *("invoice_id", "credit_note_id", "rate_table_id", "notice_id"),
    *("try_count", "recipient_count"),
    *("slug", "gateway", "state", "reason", "is_enabled"),
    *("received_at", "newest_started_at"),
    *("rated_count", "zero_count", "duplicate_count", "suspended_count"),
}
# `provider_id = CURRENT_PROVIDER`, the way PostgreSQL writes it.
OWN_PROVIDER = (
    "(provider_id = (NULLIF(current_setting('app.provider_id'::text, true), ''::text))::bigint)"
)
RESELLER = "(NULLIF(current_setting('app.reseller_id'::text, true), ''::text))::bigint"
NO_RESELLER = f'SELECT CASE WHEN ({RESELLER} IS NULL) THEN true ELSE NULL::boolean END AS "case"'
OWNED = [model for model in MODELS if model not in NOT_OWNED]

pytestmark = pytest.mark.django_db


def column(sql: str, *parameters: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters or None)
        return [str(row[0]) for row in cursor.fetchall()]


@pytest.mark.parametrize("model", OWNED, ids=lambda model: model._meta.label)
class TestATableOfAProvider:
    def test_names_its_provider_in_every_row(self, model: type[models.Model]) -> None:
        assert issubclass(model, ProviderOwned)
        field = model._meta.get_field("provider")
        assert not field.null
        assert column(
            "SELECT attnotnull FROM pg_attribute"
            " WHERE attrelid = %s::regclass AND attname = 'provider_id'",
            model._meta.db_table,
        ) == ["True"]

    def test_has_row_level_security_on(self, model: type[models.Model]) -> None:
        assert column(
            "SELECT relrowsecurity FROM pg_class WHERE oid = %s::regclass", model._meta.db_table
        ) == ["True"]

    def test_shows_and_takes_rows_of_the_current_provider_only(
        self, model: type[models.Model]
    ) -> None:
        """One policy for all commands, which ends where a reseller asks."""
        policies = column(
            "SELECT policyname || qual || coalesce(with_check, '') FROM pg_policies"
            " WHERE tablename = %s AND cmd <> 'SELECT'",
            model._meta.db_table,
        )
        assert [" ".join(policy.split()) for policy in policies] == [
            f"own_provider({OWN_PROVIDER} AND (( {NO_RESELLER}) IS NOT NULL))"
        ]

    def test_shows_people_their_membership_and_resellers_rows_of_their_provider(
        self, model: type[models.Model]
    ) -> None:
        """Any other policy shows rows only: to who signs in, or where a reseller asks.

        What is counted for the metrics is another role's.
        """
        shown = column(
            "SELECT qual FROM pg_policies"
            " WHERE tablename = %s AND cmd = 'SELECT' AND policyname <> 'own_user'"
            " AND NOT %s = ANY (roles)",
            model._meta.db_table,
            METRICS_ROLE,
        )
        for condition in shown:
            conjuncts = " ".join(condition.split())
            assert conjuncts.startswith(f"({OWN_PROVIDER} AND (( SELECT {RESELLER}")
            assert " IS NOT NULL) AND " in conjuncts

    def test_can_be_read_by_the_web_role(self, model: type[models.Model]) -> None:
        assert column(
            "SELECT has_table_privilege(%s, %s, 'SELECT')", WEB_ROLE, model._meta.db_table
        ) == ["True"]


class TestTheDatabase:
    def test_opens_nothing_to_the_web_role_without_row_level_security(self) -> None:
        """Partitions neither: their parents' policies would not hold for them."""
        unlocked = column(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relrowsecurity"
            " AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
            " AND has_table_privilege(%s, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')",
            WEB_ROLE,
        )

        assert set(unlocked) == OPEN_TABLES

    def test_shows_the_metrics_columns_that_are_counted_and_nothing_else(self) -> None:
        found = column(
            "SELECT table_name || '.' || column_name FROM information_schema.column_privileges"
            " WHERE grantee = %s AND table_schema = 'public' ORDER BY 1",
            METRICS_ROLE,
        )

        assert {name.rpartition(".")[2] for name in found} <= COUNTED_COLUMNS
        assert column(
            "SELECT DISTINCT privilege_type FROM information_schema.column_privileges"
            " WHERE grantee = %s AND table_schema = 'public'",
            METRICS_ROLE,
        ) == ["SELECT"]

    def test_gives_the_web_role_no_other_function_that_acts_as_its_owner(self) -> None:
        found = column(
            "SELECT proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
            " WHERE prosecdef AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
        )

        assert set(found) == ACTING_AS_OWNER


class TestTheModels:
    def test_refer_down_the_stack_only(self) -> None:
        upward = {
            f"{model._meta.label}.{field.name} -> {field.related_model._meta.label}"
            for model in MODELS
            for field in model._meta.local_fields
            if isinstance(field, models.ForeignKey)
            and isinstance(field.related_model, type)
            and field.related_model in MODELS
            and STACK.index(field.related_model._meta.app_label)
            < STACK.index(model._meta.app_label)
        }

        assert upward == set()

    def test_keep_money_exact(self) -> None:
        inexact = {
            f"{model._meta.label}.{field.name}"
            for model in MODELS
            for field in model._meta.local_fields
            if isinstance(field, models.FloatField)
        }

        assert inexact == set()

    def test_write_choices_as_sentences_are_written(self) -> None:
        capitalised = {
            f"{model._meta.label}.{field.name}: {label}"
            for model in MODELS
            for field in model._meta.local_fields
            for value, label in field.flatchoices
            # What Django makes of a name where the choice has no label: Part Paid.
            if "_" in str(value) and str(label) == str(value).replace("_", " ").title()
        }

        assert capitalised == set()
