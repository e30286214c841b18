"""Work whose database session is killed before any one of its statements."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import psycopg2
from django.db import DatabaseError, connection

_MOST_STATEMENTS = 500
_KILL = "SELECT pg_terminate_backend(%s, 5000)"


class _Killing:
    """Has the server end the session before its `nth` statement."""

    def __init__(self, nth: int) -> None:
        self.left = nth
        self.has_killed = False

    def __call__(self, execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        self.left -= 1
        if self.left == 0:
            self.has_killed = True
            _kill_session()
        return execute(sql, params, many, context)


def kill_at_every_statement(work: Callable[[], object], *, check: Callable[[], None]) -> int:
    """Do the work again and again, killed before its first statement, its second, and so on.

    What is left each time is for `check` to look at; the last time nothing is killed. Returns how
    many times it was.
    """
    for nth in range(1, _MOST_STATEMENTS):
        killing = _Killing(nth)
        with ExitStack() as stack:
            stack.callback(connection.close)
            stack.enter_context(connection.execute_wrapper(killing))
            try:
                work()
            except DatabaseError:
                assert killing.has_killed
        if not killing.has_killed:
            return nth - 1
        check()
    raise AssertionError(f"more than {_MOST_STATEMENTS} statements")


def _kill_session() -> None:
    session = connection.connection.info.backend_pid
    with psycopg2.connect(**connection.get_connection_params()) as other, other.cursor() as cursor:
        cursor.execute(_KILL, [session])
    other.close()
