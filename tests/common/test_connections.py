from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from common.connections import SharedConnection
from common.statements import fetch_rows


@pytest.fixture
def shared() -> Iterator[SharedConnection]:
    shared = SharedConnection()
    yield shared
    shared.close()


def backend() -> int:
    """The process of PostgreSQL that serves this thread."""
    [(pid,)] = fetch_rows("SELECT pg_backend_pid()", [])
    return int(pid)


def backend_within(shared: SharedConnection) -> int:
    with shared.used():
        return backend()


class TestASharedConnection:
    @pytest.mark.django_db(transaction=True)
    def test_serves_whichever_thread(self, shared: SharedConnection) -> None:
        with ThreadPoolExecutor(2) as threads:
            served_by = {*threads.map(backend_within, [shared] * 8), backend_within(shared)}

        assert len(served_by) == 1
        assert backend() not in served_by

    @pytest.mark.django_db(transaction=True)
    def test_gives_the_thread_its_own_back_after_a_failure(self, shared: SharedConnection) -> None:
        own = backend()

        with pytest.raises(ZeroDivisionError), shared.used(), transaction.atomic():
            raise ZeroDivisionError

        assert backend() == own
        assert not connection.in_atomic_block

    @pytest.mark.django_db(transaction=True)
    def test_is_opened_anew_once_it_is_broken(self, shared: SharedConnection) -> None:
        lost = backend_within(shared)
        fetch_rows("SELECT pg_terminate_backend(%s, 5000)", [lost])

        assert backend_within(shared) != lost

    @pytest.mark.django_db
    def test_is_not_used_inside_a_transaction(self, shared: SharedConnection) -> None:
        assert backend_within(shared) == backend()
