"""What holds for every test. Their database and broker come from ``embedded.pytest_plugin``."""

import os
from collections.abc import Iterator
from importlib import import_module

import hypothesis
import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.management.commands import flush
from django.db import connection, transaction
from django.db.backends.postgresql.operations import DatabaseOperations
from django.test import override_settings

# A slow machine is no failure; an example that failed is in the output, not in a directory.
hypothesis.settings.register_profile("tollgate", deadline=None, database=None)
# `HYPOTHESIS_PROFILE=thorough pytest --timeout=0 tests/cdr/rating`: thousands of examples each.
hypothesis.settings.register_profile("thorough", deadline=None, database=None, max_examples=5000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "tollgate"))

# Append-only tables among them, which refuse to lose a row.
GUARDED_TABLES = "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal"
MADE_BY_DJANGO = {"django_content_type", "auth_permission"}


@pytest.fixture(autouse=True, scope="session")
def find_static_files_when_asked() -> Iterator[None]:
    """Every new `Client` loads the middleware, and one that lists all files first takes 50 ms."""
    with override_settings(WHITENOISE_AUTOREFRESH=True):
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """A database that somebody is connected to cannot be dropped."""
    yield
    import_module("web.api.v1.receiving").rating_connection.close()


@pytest.fixture(autouse=True, scope="session")
def hash_passwords_at_once() -> Iterator[None]:
    """By Argon2 as ever, but not at the 100 MiB and the quarter of a second that guessing costs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Argon2PasswordHasher, "time_cost", 1)
        patch.setattr(Argon2PasswordHasher, "memory_cost", 64)  # KiB, by eight lanes
        yield


@pytest.fixture(autouse=True, scope="session")
def flush_what_has_rows() -> Iterator[None]:
    """Clean up after a test that commits by emptying the few tables that it wrote to.

    TRUNCATE makes new files for all of them and their indexes, and append-only tables refuse it.
    What Django makes after migrating is the same in every database, hence kept.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", lambda *_, **__: list(_tables()))
        patch.setattr(DatabaseOperations, "execute_sql_flush", _empty)
        patch.setattr(flush, "emit_post_migrate_signal", lambda *_: None)
        yield


def _tables() -> set[str]:
    return set(connection.introspection.django_table_names(only_existing=True)) - MADE_BY_DJANGO


@transaction.atomic
def _empty(operations: DatabaseOperations, tables: list[str]) -> None:
    quoted = {table: operations.quote_name(table) for table in tables}
    filled = " UNION ALL ".join(
        f"SELECT '{table}' WHERE EXISTS (SELECT FROM {name})" for table, name in quoted.items()
    )
    with connection.cursor() as cursor:
        # Waits for what a server's thread is still writing.
        cursor.execute(f"LOCK TABLE {', '.join(quoted.values())} IN EXCLUSIVE MODE")
        cursor.execute(filled)
        names = [quoted[table] for (table,) in cursor.fetchall()]
        cursor.execute(GUARDED_TABLES)
        guarded = {quoted[table] for (table,) in cursor.fetchall() if table in quoted} & {*names}
        for name in guarded:
            cursor.execute(f"ALTER TABLE {name} DISABLE TRIGGER USER")
        if names:  # in one statement, at whose end nothing refers to what is gone
            deletions = (f"_{n} AS (DELETE FROM {name})" for n, name in enumerate(names))
            cursor.execute(f"WITH {', '.join(deletions)} SELECT")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for name in guarded:
            cursor.execute(f"ALTER TABLE {name} ENABLE TRIGGER USER")
