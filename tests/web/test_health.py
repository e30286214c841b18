import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings


def readiness(client: Client) -> tuple[int, dict[str, Any]]:
    response = client.get("/readyz", headers={"Host": "10.0.0.7"})
    return response.status_code, json.loads(response.content)


class TestHealthz:
    def test_answers_without_a_database_or_a_known_host(self, client: Client) -> None:
        response = client.get("/healthz", headers={"Host": "10.0.0.7"})

        assert response.status_code == 200
        assert json.loads(response.content) == {"status": "alive"}


@pytest.mark.django_db
class TestReadyz:
    def test_says_ready_when_everything_is_there(
        self, client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_max_num_queries(12):
            assert readiness(client) == (200, {"status": "ready"})

    def test_names_missing_migrations(self, client: Client) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM django_migrations WHERE app = 'ledger'")

        status, answer = readiness(client)

        assert status == 503
        assert answer["reasons"] == {"database": "migrations are missing: run manage.py migrate"}

    def test_names_a_broker_out_of_reach_and_none_of_its_secrets(
        self, client: Client, settings: Settings
    ) -> None:
        settings.CELERY_BROKER_URL = "redis://:hunter2@127.0.0.1:1/0"

        status, answer = readiness(client)

        assert status == 503
        assert answer == {
            "status": "not ready",
            "reasons": {"broker": "unreachable (ConnectionError)"},
        }
