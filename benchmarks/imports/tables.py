"""Emptying what imports write."""

from django.db import connection

RATED = ("cdr_xdr", "cdr_leg", "cdr_usagecharge", "cdr_allowanceuse", "cdr_allowancecounter")
RECEIVED = ("cdr_suspense", "cdr_xdrchunk", "cdr_xdrfile")


def empty_all() -> None:
    """Forget every file and what came of it."""
    _truncate(*RATED, *RECEIVED)


def empty_rated() -> None:
    """Forget what came of the files, and keep the chunks."""
    _truncate(*RATED)


def checkpoint() -> None:
    """Have everything written, so that what is measured pays for itself alone."""
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")


def _truncate(*tables: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE cdr_usagecharge DISABLE TRIGGER USER")
        cursor.execute(f"TRUNCATE {', '.join(tables)} CASCADE")
        cursor.execute("ALTER TABLE cdr_usagecharge ENABLE TRIGGER USER")
