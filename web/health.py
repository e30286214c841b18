"""For what looks after the installation: is the process alive, can it work, what does it do?"""

from collections.abc import Callable
from functools import cache

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from redis import RedisError

from common.broker import broker
from tenancy import row_security
from web.metrics import metrics


class HealthMiddleware:
    """Answers `/healthz`, `/readyz` and `/metrics` before anything looks at hosts or sessions."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        answer = ANSWERS.get(request.path_info)
        return answer(request) if answer else self.get_response(request)


def healthz(_: HttpRequest) -> JsonResponse:
    """The process is alive; it asks nothing of anybody else."""
    return JsonResponse({"status": "alive"})


def readyz(_: HttpRequest) -> JsonResponse:
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
        with broker() as connected:
            connected.ping()
    except RedisError as error:
        return f"unreachable ({type(error).__name__})"
    return None


ANSWERS: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    "/healthz": healthz,
    "/readyz": readyz,
    "/metrics": metrics,
}
