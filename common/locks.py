"""PostgreSQL advisory locks, held to the end of the transaction."""

import hashlib

from django.db import connection


def lock_in_transaction(name: str, *parts: object) -> None:
    """Wait for, then hold, the lock named by `name` and `parts` until the transaction ends."""
    assert connection.in_atomic_block, "an advisory lock is only held inside a transaction"
    text = ":".join([name, *map(str, parts)])
    key = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])
