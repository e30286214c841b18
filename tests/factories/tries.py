"""Work that really fails, and the time that passes between its tries."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, models

from common.tries import MOST_TRIES


def let_the_pause_pass(model: type[models.Model]) -> None:
    """As if the last failure of each row had been long ago."""
    model._default_manager.exclude(try_failed_at=None).update(try_failed_at=None)


def fail(model: type[models.Model], task: Callable[[], object], times: int = MOST_TRIES) -> None:
    """Do a task that always fails so many times; it raises until the last one gives it up."""
    for number in range(1, times + 1):
        let_the_pause_pass(model)
        if number < MOST_TRIES:
            with pytest.raises(Exception):  # noqa: B017, PT011 - whatever went wrong
                task()
        else:
            task()


@contextmanager
def refused(
    event: str,
    table: str,
    message: str = "out of order",
    *,
    when: str = "TRUE",
    code: str = "P0001",
) -> Iterator[None]:
    """The database refuses, for example, `INSERT` into a table while the block runs.

    With the error `code` it answers; 57014 is that of a statement that took too long.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = TG_ARGV[1]; END $$"
        )
        cursor.execute(
            f"CREATE TRIGGER refuse BEFORE {event} ON {table}"
            f" FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION refuse(%s, %s)",
            [message, code],
        )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TRIGGER refuse ON {table}")
            cursor.execute("DROP FUNCTION refuse()")
