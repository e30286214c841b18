"""For load balancers and orchestrators: is the process alive, and can it do its work?"""

from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from redis import Redis, RedisError

from tenancy import row_security

BROKER_SECONDS = 2


class HealthMiddleware:
    """Answers `/healthz` and `/readyz` before anything looks at hosts, sessions or roles."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        answer = {"/healthz": healthz, "/readyz": readyz}.get(request.path_info)
        return answer() if answer else self.get_response(request)


def healthz() -> JsonResponse:
    """The process is alive; it asks nothing of anybody else."""
    return JsonResponse({"status": "alive"})


def readyz() -> JsonResponse:
    """Whether database, migrations and broker are there; 503 with the reasons if not."""
    reasons = {
        name: reason
        for name, check in (("database", _database), ("broker", _broker))
        if (reason := check())
    }
    if reasons:
        return JsonResponse({"status": "not ready", "reasons": reasons}, status=503)
    return JsonResponse({"status": "ready"})


def _database() -> str | None:
    try:
        with row_security.web_role():
            return None if _migrated() else "migrations are missing: run manage.py migrate"
    except DatabaseError as error:
        # Its text may name hosts and users; the log has it.
        connection.close()
        return f"unreachable ({type(error).__name__})"


def _migrated() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT app, name FROM django_migrations")
        applied = set(cursor.fetchall())
    return _known_migrations() <= applied


@cache
def _known_migrations() -> frozenset[tuple[str, str]]:
    """Those of this release; reading them from the disk takes a while."""
    return frozenset(MigrationExecutor(None).loader.graph.nodes)


def _broker() -> str | None:
    try:
        with Redis.from_url(
            settings.CELERY_BROKER_URL,
            socket_timeout=BROKER_SECONDS,
            socket_connect_timeout=BROKER_SECONDS,
        ) as broker:
            broker.ping()
    except RedisError as error:
        return f"unreachable ({type(error).__name__})"
    return None
