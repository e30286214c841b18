"""Background work that never comes to an end is given up, and not queued again for ever."""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import models
from django.db.models import F, QuerySet

MOST_TRIES = 5
GIVEN_UP = (
    "It was tried five times, and each time something unexpected went wrong, which the log of the"
    " workers tells. Nothing was changed. Try again, and if that does not help either, ask who runs"
    " this installation."
)

ResultT = TypeVar("ResultT")
_log = logging.getLogger(__name__)


class Tried(models.Model):
    """A row that waits for a worker; `try_count` is how often one has begun with it."""

    try_count = models.PositiveSmallIntegerField(default=0)

    class Meta:
        abstract = True


def tried(
    waiting: QuerySet[Any], *, work: Callable[[], ResultT], give_up: Callable[[str], object]
) -> ResultT | None:
    """Do the work that a row is `waiting` for; if it fails for the last time, `give_up`.

    A try counts when it begins, as some end with the worker. Until the last one fails, its error
    is raised, and a sweep finds the row again. `give_up` is told what to say to people; it leaves
    a row alone that waits no longer.
    """
    waiting.update(try_count=F("try_count") + 1)
    count = waiting.values_list("try_count", flat=True).first() or 0
    if count > MOST_TRIES:
        give_up(GIVEN_UP)
        return None
    try:
        return work()
    except Exception:
        if count < MOST_TRIES:
            raise
        _log.exception("given up after %s tries: %s", MOST_TRIES, waiting.model.__name__)
        give_up(GIVEN_UP)
        return None
