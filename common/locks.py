"""PostgreSQL advisory locks, held to the end of a transaction: a pooler may stand in between."""

import hashlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress

from django.db import Error, connection


def lock_in_transaction(name: str, *parts: object) -> None:
    """Wait for, then hold, the lock named by `name` and `parts` until the transaction ends."""
    assert connection.in_atomic_block, "an advisory lock is only held inside a transaction"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock_key(name, *parts)])


def try_lock_in_transaction(name: str, *parts: object) -> bool:
    """Hold the lock until the transaction ends, unless somebody else holds it: then False."""
    assert connection.in_atomic_block, "an advisory lock is only held inside a transaction"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [lock_key(name, *parts)])
        row: tuple[bool] = cursor.fetchone()
    return row[0]


@contextmanager
def held_by_nobody_else(name: str, ids: Collection[int]) -> Iterator[set[int]]:
    """Hold the locks named by `name` and one of `ids` each while the block runs; which are held.

    Those that somebody else holds are left out at once. The locks are in a transaction of a
    connection of its own, so that the block commits what it likes, and the database gives them up
    when the process ends, however that ends.
    """
    own = connection.copy()
    keys = {lock_key(name, each): each for each in ids}
    try:
        own.set_autocommit(False)
        with own.cursor() as cursor:
            # It is idle on purpose, for as long as the work takes.
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            cursor.execute(
                "SELECT key FROM unnest(%s::bigint[]) AS key WHERE pg_try_advisory_xact_lock(key)",
                [list(keys)],
            )
            held = {keys[key] for (key,) in cursor.fetchall()}
        yield held
    finally:
        # PostgreSQL sees only later that a connection is closed: whoever comes next would find the
        # locks held.
        with suppress(Error):
            own.rollback()
        own.close()


def lock_key(name: str, *parts: object) -> int:
    """What PostgreSQL knows the lock by."""
    text = ":".join([name, *map(str, parts)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), signed=True)
