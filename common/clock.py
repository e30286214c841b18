"""The one place that reads the clock; only commands, tasks and web pages call it."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)
