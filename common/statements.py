"""Statements written out: where a hundred calls a second wait, Django takes longer to put one
together (0.5 ms and more, 2026-11-22) than PostgreSQL to answer it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import connection

_held: ContextVar[list[str] | None] = ContextVar("held statements", default=None)
"""What goes with the next statement; None where each is sent by itself."""


def execute(sql: str, parameters: Sequence[Any] | Mapping[str, Any]) -> None:
    """Have a statement done that answers nothing; at the latest with the next, `sent_together`."""
    held = _held.get()
    with connection.cursor() as cursor:
        if held is None:
            cursor.execute(sql, parameters)
        else:
            held.append(cursor.mogrify(sql, parameters).decode())


def fetch_rows(sql: str, parameters: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """All rows that a statement answers."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


@contextmanager
def sent_together() -> Iterator[None]:
    """Send what `execute` has done along with the next statement of whatever kind, in their order.

    Each time that something is sent, PostgreSQL and who waits for it are woken, on a machine at
    work after others. One that fails raises where it is sent: to be used in a transaction that any
    failure ends. What is left is sent at the end, save where an exception ends it.
    """
    assert connection.in_atomic_block
    assert _held.get() is None
    held: list[str] = []
    token = _held.set(held)
    try:
        with connection.execute_wrapper(_send_with_held):
            yield
            if held:
                with connection.cursor() as cursor:
                    cursor.execute(held.pop())
    finally:
        _held.reset(token)


def _send_with_held(
    send: Callable[..., Any], sql: str, parameters: Any, many: bool, context: dict[str, Any]
) -> Any:
    held = _held.get()
    if not held:
        return send(sql, parameters, many, context)
    assert not many, "statements that are sent together are single ones"
    statements = [*held, context["cursor"].mogrify(sql, parameters).decode()]
    held.clear()
    return send(";\n".join(statements), None, many, context)
