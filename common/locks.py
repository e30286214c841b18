"""PostgreSQL advisory locks, held to the end of the transaction."""

import hashlib

from django.db import connection


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


def lock_key(name: str, *parts: object) -> int:
    """What PostgreSQL knows the lock by."""
    text = ":".join([name, *map(str, parts)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), signed=True)
