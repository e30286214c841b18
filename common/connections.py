"""A connection to the database besides those that threads have of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper


class SharedConnection:
    """One that the threads of a process use in turn, for work that each of them may have.

    PostgreSQL reads the catalogue and plans anew for each connection, which takes as long as the
    work itself where that lasts milliseconds. With fifty connections, each at work once a second,
    what it keeps for them is out of the processor's caches, too.
    """

    def __init__(self) -> None:
        self._kept: BaseDatabaseWrapper | None = None
        self._turn = Lock()

    @contextmanager
    def used(self) -> Iterator[None]:
        """Within, it is the connection of this thread, which waits for its turn.

        Not inside a transaction: what was done so far is seen by the thread's own only.
        """
        if connection.in_atomic_block:
            yield
            return
        with self._turn:
            own = connections[DEFAULT_DB_ALIAS]
            connections[DEFAULT_DB_ALIAS] = self._usable()
            try:
                yield
            finally:
                connections[DEFAULT_DB_ALIAS] = own

    def _usable(self) -> BaseDatabaseWrapper:
        if self._kept is None:
            self._kept = connections.create_connection(DEFAULT_DB_ALIAS)
            self._kept.inc_thread_sharing()
        # As at the beginning of a request: one that is too old, or broken, is opened anew.
        self._kept.close_if_unusable_or_obsolete()
        return self._kept

    def close(self) -> None:
        """Let go of it; whoever uses it next opens another."""
        with self._turn:
            if self._kept is not None:
                self._kept.close()
