"""What holds for every test. Their database and broker come from ``embedded.pytest_plugin``."""

import os
from collections.abc import Iterator

import hypothesis
import pytest
from django.db import connection, transaction
from django.db.backends.postgresql.operations import DatabaseOperations

# A slow machine is no failure; an example that failed is in the output, not in a directory.
hypothesis.settings.register_profile("tollgate", deadline=None, database=None)
# `HYPOTHESIS_PROFILE=thorough pytest --timeout=0 tests/cdr/rating`: thousands of examples each.
hypothesis.settings.register_profile("thorough", deadline=None, database=None, max_examples=5000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "tollgate"))

TABLES_REFUSING_TRUNCATE = """
    SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgtype & 32 <> 0 AND NOT tgisinternal
"""


@pytest.fixture(autouse=True, scope="session")
def flush_append_only_tables() -> Iterator[None]:
    """Let a test that commits be cleaned up after, though append-only tables refuse TRUNCATE."""
    flush = DatabaseOperations.execute_sql_flush

    @transaction.atomic
    def flush_all(operations: DatabaseOperations, sql_list: list[str]) -> None:
        with connection.cursor() as cursor:
            cursor.execute(TABLES_REFUSING_TRUNCATE)
            tables = [table for (table,) in cursor.fetchall()]
            for table in tables:
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            flush(operations, sql_list)
            for table in tables:
                cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "execute_sql_flush", flush_all)
        yield
