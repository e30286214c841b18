"""Monthly partitions, made once however many ask, and closed to the web role."""

from contextlib import suppress
from datetime import date

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cdr.models import RetiredMonth
from cdr.partitions import (
    PARTITIONED,
    drop_partitions,
    ensure_known_partitions,
    ensure_partitions,
)
from cdr.services.races import run_in_transaction
from tenancy.row_security import acting_for, web_role
from tests.factories import make_provider
from tests.race import race

_USE = """
    INSERT INTO cdr_allowanceuse (provider_id, started_at, xdr_id, counter_id, volume)
    VALUES (1, '1999-04-09 12:00+00', 1, 1, 1)
"""


def partitions_of(parent: str) -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text, pg_get_expr(relpartbound, oid) FROM pg_inherits"
            " JOIN pg_class ON oid = inhrelid WHERE inhparent = %s::regclass"
            " AND relname LIKE %s ORDER BY 1",
            [parent, "%\\_1999\\_%"],
        )
        rows: list[tuple[str, str]] = cursor.fetchall()
    return rows


@pytest.mark.django_db
class TestEnsurePartitions:
    def test_makes_one_per_month_and_table(self) -> None:
        days = [date(1999, 12, 31), date(1999, 12, 1), date(1999, 11, 5)]

        ensure_partitions(days)
        ensure_partitions(days)

        for parent in PARTITIONED:
            assert partitions_of(parent) == [
                (
                    f"{parent}_1999_11",
                    "FOR VALUES FROM ('1999-11-01 00:00:00+00') TO ('1999-12-01 00:00:00+00')",
                ),
                (
                    f"{parent}_1999_12",
                    "FOR VALUES FROM ('1999-12-01 00:00:00+00') TO ('2000-01-01 00:00:00+00')",
                ),
            ]

    def test_are_refused_by_the_database_too_once_retired(self) -> None:
        RetiredMonth.objects.create(
            first_day=date(1999, 5, 1), folder="", manifest={}, retired_at=timezone.now()
        )

        with (
            pytest.raises(DatabaseError, match="1999-05-01 was taken out"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute("SELECT cdr_make_partition('cdr_xdr', '1999-05-01')")

        assert partitions_of("cdr_xdr") == []

    def test_lets_the_web_role_in_through_the_parent_only(self) -> None:
        ensure_partitions([date(1999, 1, 1)])
        provider = make_provider()

        with web_role(), acting_for(provider_id=provider.pk, user_id=None):
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM cdr_xdr")
            with (
                pytest.raises(DatabaseError, match="permission denied for table cdr_xdr_1999_01"),
                transaction.atomic(),
                connection.cursor() as cursor,
            ):
                cursor.execute("SELECT count(*) FROM cdr_xdr_1999_01")


@pytest.mark.django_db(transaction=True)
class TestKnownMonths:
    def test_are_asked_for_once_they_are_committed(self) -> None:
        month = date(1999, 3, 1)
        try:
            with suppress(ZeroDivisionError), transaction.atomic():
                ensure_known_partitions([month])
                raise ZeroDivisionError
            assert partitions_of("cdr_leg") == []
            with transaction.atomic():
                ensure_known_partitions([month])
            with transaction.atomic(), CaptureQueriesContext(connection) as asked:
                ensure_known_partitions([month])
            assert len(asked) == 0
            assert len(partitions_of("cdr_leg")) == 1
        finally:
            drop_partitions(month)

        with transaction.atomic():
            ensure_known_partitions([month])
        assert len(partitions_of("cdr_leg")) == 1
        drop_partitions(month)

    def test_are_asked_for_again_where_one_is_gone(self) -> None:
        month = date(1999, 4, 1)
        answers = []

        def store() -> None:
            ensure_known_partitions([month])
            with connection.cursor() as cursor:
                cursor.execute(_USE)
                answers.append(cursor.rowcount)

        run_in_transaction(store)
        with connection.cursor() as cursor:
            for parent in PARTITIONED:  # as a crash takes back what was not on disk
                cursor.execute(f"DROP TABLE {parent}_1999_04")
        run_in_transaction(store)

        assert answers == [1, 1]
        drop_partitions(month)


@pytest.mark.django_db(transaction=True)
class TestManyAtOnce:
    def test_make_it_once(self) -> None:
        def make() -> bool:
            with transaction.atomic():
                ensure_partitions([date(1999, 2, 1)])
            return True

        try:
            assert race(make, make, make) == [True] * 3
            assert len(partitions_of("cdr_leg")) == 1
        finally:
            with connection.cursor() as cursor:
                cursor.execute(
                    "DROP TABLE cdr_xdr_1999_02, cdr_leg_1999_02, cdr_replacedleg_1999_02"
                )
