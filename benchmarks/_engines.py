"""Embedded engines of a benchmark's own, fsync on, thrown away after it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embedded.postgres import PostgresEngine
from embedded.valkey import ValkeyEngine


@contextmanager
def engines(folder: Path) -> Iterator[dict[str, str]]:
    """The environment by which processes find them."""
    folder.chmod(0o711)  # the account PostgreSQL runs as must get at its own directory
    postgres, valkey = PostgresEngine(folder), ValkeyEngine(folder)
    try:
        postgres.start()
        valkey.start()
        yield {
            "DATABASE_URL": postgres.url,
            "REDIS_URL": valkey.url,
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }
    finally:
        postgres.destroy()
        valkey.destroy()
