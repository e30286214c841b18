"""Background work that always fails is given up, and not queued again for ever.

Healthy work never is, however often its message comes: only who ended without success counts.
docs/adr/0016-tries.md says how that is known.
"""

import logging
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import Error, connection, models, transaction
from django.db.models import QuerySet

from common.errors import DomainError
from common.locks import held_by_nobody_else

MOST_TRIES = 5
PAUSE = timedelta(minutes=1)
"""For so long after a try has failed there is no other: an outage shall not use all of them up."""
GIVEN_UP = (
    "It was tried five times, and each time something unexpected went wrong, which the log of the"
    " workers tells. Nothing was changed. Try again, and if that does not help either, ask who runs"
    " this installation."
)
KILLED = "The worker ended in the middle of it."
UNTRIED: dict[str, Any] = {
    "try_count": 0,
    "try_began_at": None,
    "try_failed_at": None,
    "try_error": "",
}
"""The fields of a row whose work is asked for anew, or has succeeded."""
_ERROR_CHARACTERS = 300

ResultT = TypeVar("ResultT")
_log = logging.getLogger(__name__)


class Tried(models.Model):
    """A row that waits for a worker, and the tries at it that ended without success.

    `try_began_at` is when the try began that is at work, or was when its process was killed.
    `try_error` says of the last one what went wrong, without what it was about.
    """

    try_count = models.PositiveSmallIntegerField(default=0, db_default=0)
    try_began_at = models.DateTimeField(null=True)
    try_failed_at = models.DateTimeField(null=True)
    try_error = models.TextField(blank=True, default="", db_default="")

    class Meta:
        abstract = True


def tried(
    waiting: QuerySet[Any],
    *,
    clock: Callable[[], datetime],
    work: Callable[[], ResultT],
    give_up: Callable[[str], object],
) -> ResultT | None:
    """Do the work that one row is `waiting` for; if it fails for the last time, `give_up`.

    Nothing is done while somebody else is at it, and in the pause after a failure: a sweep finds
    the row again. Until the last one fails, its error is raised. `give_up` is told what to say to
    people; it leaves a row alone that waits no longer.
    """
    pk = waiting.values_list("pk", flat=True).first()
    if pk is None:
        return None
    with held_by_nobody_else(lock_name(waiting.model), [pk]) as held:
        if not held or not _begin(waiting, give_up, clock()):
            return None
        try:
            answer = work()
        except Exception as error:
            # Without the database nothing is written: the mark tells the next one, without a pause.
            if not close_if_lost() and _failed(waiting.model, pk, error, give_up, clock()):
                return None
            raise
        _succeeded(waiting.model, pk)
        return answer


def start_anew(row: Tried) -> None:
    """Forget the tries of a row, which the caller saves: its work is asked for once more."""
    for name, value in UNTRIED.items():
        setattr(row, name, value)


def close_if_lost() -> bool:
    """After a failure: whether the connection was lost with the work; what follows gets another."""
    if connection.in_atomic_block or not connection.errors_occurred or connection.is_usable():
        return False
    connection.close()
    return True


def lock_name(model: type[models.Model]) -> str:
    """The lock that says who is at work on rows of a model."""
    return f"try:{model._meta.db_table}"


def told(error: BaseException) -> str:
    """An error for people who run the provider: its class and what it says, not of what.

    Values may be personal: what is quoted, numbers of five digits and more, and addresses of mail
    are left out, and so are the details of the database, which show whole rows.
    """
    said = str(error)
    if isinstance(error, DomainError):
        return said
    diagnosis = getattr(error.__cause__, "diag", None) if isinstance(error, Error) else None
    said = (diagnosis and diagnosis.message_primary) or said
    # PostgreSQL puts names of constraints and columns into double quotes, and values it could not
    # read behind a colon.
    lines = re.sub(r': ".*', ": “…”", said, flags=re.DOTALL).strip().splitlines()
    line = re.sub(r"'[^']*'|\S+@\S+|\+?\d{5,}", "…", lines[0]) if lines else ""
    return f"{type(error).__name__}: {line}"[:_ERROR_CHARACTERS].rstrip(": ")


@transaction.atomic
def _begin(waiting: QuerySet[Any], give_up: Callable[[str], object], at: datetime) -> bool:
    """Mark a row as tried; False if it is not to be now. Who holds the lock is the only one here.

    A mark that is there was left by a process that was killed: its lock is free.
    """
    row = waiting.values("pk", *UNTRIED).first()
    if row is None:
        return False
    rows = _rows(waiting.model, row["pk"])
    if row["try_failed_at"] is not None and at < row["try_failed_at"] + PAUSE:
        return False
    if row["try_began_at"] is not None:
        row["try_count"] += 1
        row["try_error"] = KILLED
    is_over = row["try_count"] >= MOST_TRIES
    rows.update(
        try_count=row["try_count"],
        try_error=row["try_error"],
        try_began_at=None if is_over else at,
    )
    if is_over:
        _log.error("given up after %s tries: %s %s", MOST_TRIES, waiting.model.__name__, row["pk"])
        give_up(GIVEN_UP)
        return False
    # A mark that is lost with the server is a death that does not count.
    _wait_for_no_disk()
    return True


@transaction.atomic
def _succeeded(model: type[models.Model], pk: int) -> None:
    _rows(model, pk).filter(try_began_at__isnull=False).update(**UNTRIED)
    # A mark that comes back with the server is on a row that waits no longer.
    _wait_for_no_disk()


def _wait_for_no_disk() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")


@transaction.atomic
def _failed(
    model: type[models.Model],
    pk: int,
    error: Exception,
    give_up: Callable[[str], object],
    at: datetime,
) -> bool:
    """Count a failure; whether it was the last, and the work is given up."""
    rows = _rows(model, pk)
    row = rows.select_for_update(no_key=True).filter(try_began_at__isnull=False)
    count = row.values_list("try_count", flat=True).first()
    if count is None:
        return False
    rows.update(try_count=count + 1, try_began_at=None, try_failed_at=at, try_error=told(error))
    if count + 1 < MOST_TRIES:
        return False
    _log.exception("given up after %s tries: %s %s", MOST_TRIES, model.__name__, pk)
    give_up(GIVEN_UP)
    return True


def _rows(model: type[models.Model], pk: int) -> QuerySet[Any]:
    rows: QuerySet[Any] = model._default_manager.filter(pk=pk)
    return rows
