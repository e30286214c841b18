"""The second lock alone: what PostgreSQL shows the web role, asked in plain SQL."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, models, transaction
from django.db.utils import InternalError, ProgrammingError

from common.postgres import WEB_ROLE
from tenancy import row_security
from tenancy.models import Membership, Provider, Role, User
from tenancy.owned import ProviderOwned
from tests.factories import make_customer, make_provider, make_staff, make_team_member

OWNED = sorted(
    (model for model in apps.get_models() if issubclass(model, ProviderOwned)),
    key=lambda model: model._meta.label,
)
# Values for columns that are part of a primary key and so cannot be empty.
KEY_VALUES = {
    "timestamp with time zone": "'2026-10-01'",
    "bigint": "{provider_id}",
    "smallint": "1",
    "integer": "1",
    "uuid": "gen_random_uuid()",
}
# The seller, who stands on every document.
SHOWN_TO_EVERY_RESELLER = {"tenancy_billerentity", "tenancy_logo"}
pytestmark = pytest.mark.django_db


def rows(sql: str, *parameters: str | int) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters or None)
        return list(cursor.fetchall())


def changed(sql: str, *parameters: str | int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters or None)
        return int(cursor.rowcount)


def strip_rules(table: str) -> None:
    """Leave of the table's rules only its tenancy lock, so that any row will do for the test."""
    for (name,) in rows(
        "SELECT conname FROM pg_constraint"
        " WHERE conrelid = %s::regclass AND contype IN ('c', 'f', 'u', 'x')",
        table,
    ):
        changed(f'ALTER TABLE {table} DROP CONSTRAINT IF EXISTS "{name}" CASCADE')
    for (name,) in rows(
        "SELECT indexrelid::regclass FROM pg_index"
        " WHERE indrelid = %s::regclass AND indisunique AND NOT indisprimary",
        table,
    ):
        changed(f"DROP INDEX {name}")
    for (column,) in rows(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
        " AND NOT attisdropped AND attnotnull AND attidentity = '' AND attnum <> ALL (SELECT"
        " unnest(conkey) FROM pg_constraint WHERE conrelid = attrelid AND contype = 'p')",
        table,
    ):
        changed(f'ALTER TABLE {table} ALTER COLUMN "{column}" DROP NOT NULL')
    changed(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    if rows("SELECT 1 FROM pg_partitioned_table WHERE partrelid = %s::regclass", table):
        changed(f"CREATE TABLE {table}_anywhen PARTITION OF {table} DEFAULT")


def insert(table: str, provider_id: int) -> None:
    """A row with nothing in it but its key and its provider."""
    keys = rows(
        "SELECT a.attname, format_type(a.atttypid, NULL) FROM pg_attribute a"
        " JOIN pg_constraint c ON c.conrelid = a.attrelid AND a.attnum = ANY (c.conkey)"
        " WHERE c.conrelid = %s::regclass AND c.contype = 'p' AND a.attidentity = ''"
        " AND a.attname <> 'provider_id'",
        table,
    )
    columns = ", ".join(["provider_id", *(f'"{name}"' for name, _ in keys)])
    values = ", ".join([str(provider_id), *(KEY_VALUES[str(kind)] for _, kind in keys)])
    values = values.format(provider_id=provider_id)
    changed(f"INSERT INTO {table} ({columns}) VALUES ({values})")


@pytest.fixture
def two_providers() -> tuple[Provider, Provider]:
    return make_provider("aurora"), make_provider("borealis")


@pytest.mark.parametrize("model", OWNED, ids=lambda model: model._meta.label)
class TestATableUnderTheWebRole:
    @pytest.fixture
    def table(
        self, model: type[models.Model], two_providers: tuple[Provider, Provider]
    ) -> Iterator[str]:
        """The model's table with one row of each provider, seen by a request for the first."""
        mine, other = two_providers
        table = model._meta.db_table
        rows("SELECT 1")
        connection.check_constraints()
        strip_rules(table)
        changed(f"DELETE FROM {table}")
        insert(table, mine.pk)
        insert(table, other.pk)
        with row_security.web_role(), row_security.acting_for(provider_id=mine.pk, user_id=None):
            yield table
        connection.set_rollback(False)

    def test_shows_only_the_rows_of_the_provider(
        self, table: str, two_providers: tuple[Provider, Provider]
    ) -> None:
        assert rows(f"SELECT provider_id FROM {table}") == [(two_providers[0].pk,)]
        assert rows(f"SELECT 1 FROM {table} WHERE provider_id = %s", two_providers[1].pk) == []

    def test_refuses_a_row_of_another_provider(
        self, table: str, two_providers: tuple[Provider, Provider]
    ) -> None:
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            insert(table, two_providers[1].pk)

    def test_changes_only_the_rows_of_the_provider(self, table: str) -> None:
        assert changed(f"UPDATE {table} SET provider_id = provider_id") == 1

    def test_refuses_to_give_a_row_away(
        self, table: str, two_providers: tuple[Provider, Provider]
    ) -> None:
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            changed(f"UPDATE {table} SET provider_id = %s", two_providers[1].pk)

    def test_removes_only_the_rows_of_the_provider(
        self, table: str, two_providers: tuple[Provider, Provider]
    ) -> None:
        assert changed(f"DELETE FROM {table}") == 1

        changed("SET LOCAL ROLE NONE")
        assert rows(f"SELECT provider_id FROM {table}") == [(two_providers[1].pk,)]

    def test_shows_nothing_while_no_provider_is_known(self, table: str) -> None:
        changed("SELECT set_config('app.provider_id', '', true)")

        assert rows(f"SELECT 1 FROM {table}") == []

    def test_shows_a_reseller_no_row_that_nothing_ties_to_it(self, table: str) -> None:
        changed("SELECT set_config('app.reseller_id', '4711', true)")

        shown = rows(f"SELECT provider_id FROM {table}")
        assert len(shown) == (table in SHOWN_TO_EVERY_RESELLER)
        assert changed(f"UPDATE {table} SET provider_id = provider_id") == 0
        assert changed(f"DELETE FROM {table}") == 0

    def test_refuses_a_row_from_a_reseller(
        self, table: str, two_providers: tuple[Provider, Provider]
    ) -> None:
        changed("SELECT set_config('app.reseller_id', '4711', true)")

        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            insert(table, two_providers[0].pk)


class TestTheWebRole:
    def test_cannot_bypass_row_security_log_in_or_own_a_table(self) -> None:
        assert rows(
            "SELECT rolbypassrls, rolsuper, rolcanlogin, rolcreaterole, rolinherit"
            " FROM pg_roles WHERE rolname = %s",
            WEB_ROLE,
        ) == [(False, False, False, False, True)]
        assert (
            rows(
                "SELECT relname FROM pg_class WHERE relowner = %s::regrole"
                " UNION SELECT rolname FROM pg_roles r JOIN pg_auth_members m ON m.roleid = r.oid"
                " WHERE m.member = %s::regrole",
                WEB_ROLE,
                WEB_ROLE,
            )
            == []
        )

    def test_cannot_switch_row_security_off(self, two_providers: tuple[Provider, Provider]) -> None:
        with row_security.web_role():
            changed("SET LOCAL row_security = off")
            with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
                rows("SELECT 1 FROM tenancy_role")
            changed("SET LOCAL row_security = on")
            with pytest.raises(ProgrammingError, match="must be owner"), transaction.atomic():
                changed("ALTER TABLE tenancy_role DISABLE ROW LEVEL SECURITY")
            with pytest.raises(ProgrammingError, match="must be owner"), transaction.atomic():
                changed("DROP POLICY own_provider ON tenancy_role")

    def test_cannot_empty_a_table(self) -> None:
        for model in OWNED:
            with (
                row_security.web_role(),
                pytest.raises(ProgrammingError, match="permission denied"),
                transaction.atomic(),
            ):
                changed(f"TRUNCATE {model._meta.db_table}")

    def test_sees_only_the_provider_it_acts_for(
        self, two_providers: tuple[Provider, Provider]
    ) -> None:
        mine, _ = two_providers
        with row_security.web_role():
            assert rows("SELECT slug FROM tenancy_provider") == []
            with row_security.acting_for(provider_id=mine.pk, user_id=None):
                assert rows("SELECT slug FROM tenancy_provider") == [("aurora",)]
                assert changed("UPDATE tenancy_provider SET name = name") == 1
                with (
                    pytest.raises(ProgrammingError, match="permission denied"),
                    transaction.atomic(),
                ):
                    changed("DELETE FROM tenancy_provider")

    def test_sees_only_people_of_the_provider_it_acts_for(
        self, two_providers: tuple[Provider, Provider]
    ) -> None:
        mine, other = two_providers
        make_staff(mine, email="admin@aurora.example")
        make_team_member(make_customer(mine), email="customer@aurora.example")
        make_staff(other, email="admin@borealis.example")
        make_team_member(make_customer(other), email="customer@borealis.example")

        with row_security.web_role(), row_security.acting_for(provider_id=mine.pk, user_id=None):
            seen = rows("SELECT email FROM tenancy_user ORDER BY email")

        assert seen == [("admin@aurora.example",), ("customer@aurora.example",)]


class TestSigningIn:
    """Before a provider is known: people, and the user's own memberships, to look at only."""

    @pytest.fixture
    def user(self, two_providers: tuple[Provider, Provider]) -> User:
        """Works for both providers; each has other staff too."""
        user = make_staff(two_providers[0])
        role = Role.objects.get(provider=two_providers[1], name="Read-only")
        Membership.objects.create(
            provider=two_providers[1], user=user, role=role, created_at=user.created_at
        )
        for provider in two_providers:
            make_staff(provider)
        return user

    def test_shows_a_stranger_no_membership(self, user: User) -> None:
        with row_security.web_role():
            assert rows("SELECT 1 FROM tenancy_membership") == []
            assert rows("SELECT 1 FROM tenancy_role") == []
            assert len(rows("SELECT 1 FROM tenancy_user")) == 3

    def test_shows_a_user_their_own_memberships_only(self, user: User) -> None:
        with row_security.web_role():
            row_security.introduce(user.pk)

            assert rows("SELECT DISTINCT user_id FROM tenancy_membership") == [(user.pk,)]
            assert len(rows("SELECT 1 FROM tenancy_membership")) == 2

    def test_lets_nobody_change_a_membership(self, user: User) -> None:
        with row_security.web_role():
            row_security.introduce(user.pk)

            assert changed("UPDATE tenancy_membership SET role_id = role_id") == 0
            assert changed("DELETE FROM tenancy_membership") == 0

    def test_ends_when_a_provider_is_known(
        self, user: User, two_providers: tuple[Provider, Provider]
    ) -> None:
        with row_security.web_role():
            row_security.introduce(user.pk)
            with row_security.acting_for(provider_id=two_providers[0].pk, user_id=user.pk):
                seen = rows("SELECT DISTINCT provider_id FROM tenancy_membership")

        assert seen == [(two_providers[0].pk,)]


class TestTheReadOnlySavepoint:
    def test_refuses_every_write_and_lifts_afterwards(
        self, two_providers: tuple[Provider, Provider]
    ) -> None:
        mine, _ = two_providers
        customer = make_customer(mine, organisation="Before")
        with row_security.web_role():
            with row_security.acting_for(provider_id=mine.pk, user_id=None, read_only=True):
                for sql in (
                    "UPDATE customers_customer SET organisation = 'After'",
                    "DELETE FROM customers_customer",
                    "INSERT INTO django_session VALUES ('key', '', now())",
                    "SELECT 1 FROM customers_customer FOR UPDATE",
                ):
                    with (
                        pytest.raises(InternalError, match="read-only transaction"),
                        transaction.atomic(),
                    ):
                        changed(sql)
                assert rows("SELECT organisation FROM customers_customer") == [("Before",)]
            with row_security.acting_for(provider_id=mine.pk, user_id=None):
                assert changed("UPDATE customers_customer SET organisation = 'After'") == 1

        customer.refresh_from_db()
        assert customer.organisation == "After"

    def test_cannot_be_lifted_from_inside(self, two_providers: tuple[Provider, Provider]) -> None:
        with (
            row_security.web_role(),
            row_security.acting_for(provider_id=two_providers[0].pk, user_id=None, read_only=True),
            pytest.raises(DatabaseError, match="read-write mode"),
            transaction.atomic(),
        ):
            changed("SET LOCAL transaction_read_only = off")

    def test_lifts_after_a_failure_too(self, two_providers: tuple[Provider, Provider]) -> None:
        mine, _ = two_providers
        with row_security.web_role():
            with (
                pytest.raises(ZeroDivisionError),
                row_security.acting_for(provider_id=mine.pk, user_id=None, read_only=True),
            ):
                raise ZeroDivisionError
            assert rows(
                "SELECT current_setting('app.phase'), current_setting('app.provider_id')"
            ) == [("sign_in", "")]
            with row_security.acting_for(provider_id=mine.pk, user_id=None):
                assert changed("UPDATE tenancy_provider SET name = name") == 1


@pytest.mark.django_db(transaction=True)
class TestWhatIsLocalToTheTransaction:
    STATE = (
        "SELECT current_user = session_user,"
        " coalesce(current_setting('app.provider_id', true), ''),"
        " coalesce(current_setting('app.phase', true), ''),"
        " coalesce(current_setting('app.user_id', true), ''),"
        " coalesce(current_setting('app.reseller_id', true), '')"
    )
    NOTHING = [(True, "", "", "", "")]

    def test_ends_with_its_commit(self) -> None:
        provider = make_provider()

        with (
            row_security.web_role(),
            row_security.acting_for(provider_id=provider.pk, user_id=7, reseller_id=8),
        ):
            assert rows(self.STATE) == [(False, str(provider.pk), "", "7", "8")]

        assert rows(self.STATE) == self.NOTHING

    def test_ends_with_its_rollback(self) -> None:
        provider = make_provider()

        with (
            pytest.raises(ZeroDivisionError),
            row_security.web_role(),
            row_security.acting_for(provider_id=provider.pk, user_id=7, reseller_id=8),
        ):
            raise ZeroDivisionError

        assert rows(self.STATE) == self.NOTHING
