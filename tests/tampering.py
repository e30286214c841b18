"""Changing rows behind the database's back, as only the owner of the tables can."""

from django.db import connection


def tamper(table: str, sql: str) -> None:
    """Run `sql` while the triggers that guard `table` are off."""
    connection.check_constraints()
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(sql)
        connection.check_constraints()
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
