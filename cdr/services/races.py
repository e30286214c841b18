"""Running a transaction again that lost a race for the same rows."""

from collections.abc import Callable
from typing import TypeVar

from django.db import DatabaseError, transaction
from psycopg2 import errors

AnswerT = TypeVar("AnswerT")

_RUNS = 5
_LOST_RACES = (errors.UniqueViolation, errors.DeadlockDetected)


def run_in_transaction(work: Callable[[], AnswerT]) -> AnswerT:
    """The answer of `work`, done in one transaction.

    Two batches may store the same xDR at the same time: the unique index lets one of them pass, and
    the other, rolled back and run again, finds it stored. `work` must be safe to repeat.
    """
    for _ in range(_RUNS - 1):
        try:
            with transaction.atomic():
                return work()
        except DatabaseError as error:
            if not isinstance(error.__cause__, _LOST_RACES):
                raise
    with transaction.atomic():
        return work()
