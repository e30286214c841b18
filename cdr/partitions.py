"""The monthly partitions of xDRs, their legs and uses of allowances, by UTC month of the start."""

from collections.abc import Iterable
from datetime import date
from functools import partial

from django.db import connection, transaction

from cdr.models import RetiredMonth
from common.errors import DomainError
from common.locks import lock_in_transaction

PARTITIONED = ("cdr_xdr", "cdr_leg", "cdr_replacedleg", "cdr_allowanceuse")


_known: set[date] = set()
"""Months that have partitions, as this process saw them: to ask takes as long as to store one xDR.
Whoever finds none of a month that is gone since stores nothing, and begins anew with none known."""


class MonthRetired(DomainError):
    """The month's xDRs are in files, where a repeated one would not be recognised."""


def ensure_partitions(months: Iterable[date]) -> None:
    """Make the partitions of the given months (any day of each) that are not there yet.

    They belong to the transaction at hand; another that needs one waits for its end. A partition is
    made on its own and attached, which keeps nobody from reading or writing the others, and nobody
    but its owner may touch it directly: the locks of a provider's rows are on the parent. Web
    requests, which may change no table, have a function of the owner's do it.

    :raises MonthRetired: if a month was taken out of the database.
    """
    wanted = {day.replace(day=1) for day in months}
    if not _missing(wanted):
        return
    lock_partitions()
    missing = _missing(wanted)
    if retired := RetiredMonth.objects.filter(first_day__in=missing).first():
        raise MonthRetired(f"The xDRs of {retired} were taken out of the database.")
    for first_day in missing:
        _make(first_day)


def ensure_known_partitions(months: Iterable[date]) -> None:
    """As `ensure_partitions`, without asking for months that this process has seen before.

    :raises MonthRetired: if a month was taken out of the database.
    """
    unknown = {day.replace(day=1) for day in months} - _known
    if unknown:
        ensure_partitions(unknown)
        # What was made may be taken back with its transaction, and is known only afterwards.
        transaction.on_commit(partial(_known.update, unknown))


def forget_known_partitions() -> None:
    """Have every month be asked for again."""
    _known.clear()


def lock_partitions() -> None:
    """Have the transaction be the only one that makes or drops partitions."""
    lock_in_transaction("cdr.partitions")


def partition(parent: str, first_day: date) -> str:
    """The name of a table's partition of a month."""
    return f"{parent}_{first_day:%Y_%m}"


def months_stored() -> list[date]:
    """The first days of the months that have partitions, in order."""
    parent = PARTITIONED[0]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT to_date(right(relname, 7), 'YYYY_MM') FROM pg_inherits"
            " JOIN pg_class ON oid = inhrelid WHERE inhparent = %s::regclass ORDER BY 1",
            [parent],
        )
        return [first_day for (first_day,) in cursor.fetchall()]


def drop_partitions(first_day: date) -> None:
    """Take a month out of the database for good."""
    _known.discard(first_day)
    with connection.cursor() as cursor:
        for parent in PARTITIONED:
            cursor.execute(f"DROP TABLE {partition(parent, first_day)}")


def _missing(first_days: set[date]) -> list[date]:
    # Asked of pg_class itself: to_regclass() would answer again what it knew before the lock.
    names = {partition(PARTITIONED[-1], day): day for day in sorted(first_days)}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relname = ANY(%s)"
            " AND relnamespace = current_schema()::regnamespace",
            [list(names)],
        )
        found = {name for (name,) in cursor.fetchall()}
    return [day for name, day in names.items() if name not in found]


def _make(first_day: date) -> None:
    with connection.cursor() as cursor:
        for parent in PARTITIONED:
            cursor.execute("SELECT cdr_make_partition(%s, %s)", [parent, first_day])
