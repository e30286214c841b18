"""Background work at the time of a story, one task after the other.

What a browser shows between two tasks is thereby certain, and a story of weeks takes seconds. The
queues are the broker's own, as are the tasks; `tests/workers.py` has the worker of a real process.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import current_app
from kombu import Connection
from kombu.message import Message

from common import clock
from config.celery import ALL_QUEUES
from tests.workers import forget_queued_work


class Calendar:
    """The clock of pages and tasks, which stands still until the story goes on."""

    def __init__(self, present: datetime, patch: pytest.MonkeyPatch) -> None:
        self.present = present
        patch.setattr(clock, "datetime", self)

    def now(self, zone: object = UTC) -> datetime:
        """The present, as `datetime.now` says it."""
        return self.present

    def go_to(self, present: datetime) -> None:
        self.present = present

    def go_on(self, **time: float) -> None:
        """By minutes, hours or days."""
        self.present += timedelta(**time)


class Background:
    """The one worker there is; it works when it is told to."""

    def __init__(self, connection: Connection, calendar: Calendar) -> None:
        self._channel: Any = connection.default_channel  # typed without what it can
        self._calendar = calendar
        self._kept_back: list[Message] = []
        current_app.loader.import_default_modules()
        forget_queued_work()

    def do_one(self) -> str:
        """Do one task that is due; its name, or nothing where none is left."""
        message = self._next()
        if message is None:
            return ""
        name = str(message.headers["task"])
        _, arguments, _ = message.payload
        current_app.tasks[name].apply(kwargs=arguments, throw=True)
        message.ack()
        return name

    def do_all(self) -> list[str]:
        """Do all that is due, and what comes of it; the names of the tasks."""
        return list(iter(self.do_one, ""))

    def sweep(self, name: str) -> None:
        """Run a task that the clock would have run, and do what it finds."""
        current_app.tasks[name].apply(throw=True)
        self.do_all()

    def _next(self) -> Message | None:
        while message := self._take():
            if _not_before(message) <= self._calendar.present:
                return message
            self._kept_back.append(message)
        for message in self._kept_back:
            if _not_before(message) <= self._calendar.present:
                self._kept_back.remove(message)
                return message
        return None

    def _take(self) -> Message | None:
        found = (self._channel.basic_get(queue) for queue in ALL_QUEUES)
        return next((message for message in found if message is not None), None)


def _not_before(message: Message) -> datetime:
    eta = message.headers["eta"]
    return datetime.fromisoformat(eta) if eta else datetime.min.replace(tzinfo=UTC)
