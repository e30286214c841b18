"""Running a transaction again that lost a race for the same rows, or a month it relied on."""

from collections.abc import Callable
from typing import TypeVar

from django.db import DatabaseError, transaction
from psycopg2 import errors

from cdr.partitions import forget_known_partitions

AnswerT = TypeVar("AnswerT")

_RUNS = 5
# A row without a partition violates a check as well.
_LOST_RACES = (errors.UniqueViolation, errors.DeadlockDetected, errors.CheckViolation)


def run_in_transaction(work: Callable[[], AnswerT]) -> AnswerT:
    """The answer of `work`, done in one transaction, and again if it lost a race."""
    return run_until_won(transaction.atomic(work))


def run_until_won(transact: Callable[[], AnswerT]) -> AnswerT:
    """The answer of `transact`, which opens a transaction of its own and is safe to repeat.

    Two batches may store the same xDR at the same time: the unique index lets one of them pass, and
    the other, rolled back and run again, finds it stored. A month may be gone that this process
    knew: retired by another, or made by a chunk that a crash of the server took back.
    """
    for _ in range(_RUNS - 1):
        try:
            return transact()
        except DatabaseError as error:
            if not isinstance(error.__cause__, _LOST_RACES):
                raise
            forget_known_partitions()
    return transact()
