"""The engines of this checkout, as the settings see them: addresses, never a start."""

from pathlib import Path

from embedded.postgres import PostgresEngine
from embedded.valkey import ValkeyEngine

# Everything a checkout keeps while it runs, and loses by ``make clean``.
ROOT = Path(__file__).resolve().parents[1] / "var"

# Stands in for an engine that was never started: commands that need none work, and others fail
# with a message that names the cure.
NOT_STARTED = "engines-not-started.run-make-migrate.invalid"

postgres = PostgresEngine(ROOT)
valkey = ValkeyEngine(ROOT)


def database_url() -> str:
    """URL of the embedded PostgreSQL; unreachable until it was started once."""
    return postgres.url or f"postgres://tollgate@{NOT_STARTED}:5432/tollgate"


def redis_url() -> str:
    """URL of the embedded Valkey, database 0; unreachable until it was started once."""
    return valkey.url or f"redis://{NOT_STARTED}:6379/0"
