"""What the message broker holds, and whether it is there."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from celery import current_app
from django.conf import settings
from redis import Redis

ANSWERS_WITHIN_SECONDS = 2
_UNACKNOWLEDGED = "unacked"
"""The hash in which Celery keeps the messages that workers have taken and not done yet."""


@dataclass(frozen=True)
class Queues:
    """Messages that wait, by queue, and those that workers have taken and not done yet."""

    waiting: dict[str, int]
    taken_count: int


@contextmanager
def broker() -> Iterator[Redis]:
    """A connection that does not wait for long.

    :raises redis.RedisError: it is out of reach.
    """
    with Redis.from_url(
        settings.CELERY_BROKER_URL,
        socket_timeout=ANSWERS_WITHIN_SECONDS,
        socket_connect_timeout=ANSWERS_WITHIN_SECONDS,
    ) as connection:
        yield connection


def queues() -> Queues:
    """Every queue of the installation with its length.

    :raises redis.RedisError: the broker is out of reach.
    """
    conf, prefix = current_app.conf, settings.CELERY_KEY_PREFIX
    routed = {route["queue"] for route in conf.task_routes.values()}
    names = sorted({conf.task_default_queue, *routed})
    with broker() as connection, connection.pipeline(transaction=False) as asked:
        for name in names:
            asked.llen(f"{prefix}{name}")
        asked.hlen(f"{prefix}{_UNACKNOWLEDGED}")
        *lengths, taken = asked.execute()
    return Queues(dict(zip(names, lengths, strict=True)), taken)
