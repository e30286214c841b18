import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.celery import ALL_QUEUES

REPOSITORY = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = sorted(name for name, service in SERVICES.items() if service.get("image") == "tollgate")
# Metabase unpacks itself at every start.
HARDENED = sorted(SERVICES.keys() - {"metabase"})


class TestServices:
    def test_are_the_application_and_what_it_needs(self) -> None:
        assert OURS == [
            "beat",
            "migrate",
            "web",
            "worker-billing",
            "worker-cdr",
            "worker-default",
            "worker-documents",
            "worker-payments",
        ]
        assert SERVICES.keys() - OURS == {"postgres", "valkey", "mailpit", "metabase"}
        assert SERVICES["metabase"]["profiles"] == ["metabase"]
        assert SERVICES["postgres"]["image"].startswith("postgres:18")

    @pytest.mark.parametrize("name", OURS)
    def test_of_ours_run_as_nobody_special(self, name: str) -> None:
        assert SERVICES[name]["user"] == "10001:10001"

    @pytest.mark.parametrize("name", HARDENED)
    def test_can_change_nothing_but_their_volumes(self, name: str) -> None:
        service = SERVICES[name]

        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "cap_add" not in service
        assert service["security_opt"] == ["no-new-privileges:true"]

    @pytest.mark.parametrize("name", sorted(SERVICES.keys() - {"migrate", "metabase"}))
    def test_that_go_on_are_checked_for_health_and_started_again(self, name: str) -> None:
        assert SERVICES[name]["healthcheck"]["test"]
        assert SERVICES[name]["restart"] == "unless-stopped"

    @pytest.mark.parametrize("name", sorted(SERVICES))
    def test_are_published_to_the_machine_itself_only(self, name: str) -> None:
        for port in SERVICES[name].get("ports", []):
            assert port.startswith("127.0.0.1:")

    @pytest.mark.parametrize("name", sorted(set(OURS) - {"migrate"}))
    def test_wait_for_the_migrations(self, name: str) -> None:
        migrated = SERVICES[name]["depends_on"]["migrate"]["condition"]

        assert migrated == "service_completed_successfully"

    def test_use_only_volumes_that_are_declared(self) -> None:
        mounted = {
            volume.split(":")[0]
            for service in SERVICES.values()
            for volume in service.get("volumes", [])
        }

        named = {volume for volume in mounted if not volume.startswith(".")}
        assert named == COMPOSE["volumes"].keys()
        assert all((REPOSITORY / volume).is_file() for volume in mounted - named)


class TestWorkers:
    def test_serve_every_queue_once(self) -> None:
        served = [
            service["command"][service["command"].index("-Q") + 1]
            for name, service in SERVICES.items()
            if name.startswith("worker-")
        ]

        assert sorted(served) == sorted(ALL_QUEUES)


class TestSecrets:
    @pytest.mark.parametrize("name", OURS)
    def test_none_but_the_web_connects_as_the_web(self, name: str) -> None:
        login = SERVICES[name]["environment"]["DATABASE_URL"].split(":")[1].removeprefix("//")

        assert login == ("tollgate_web_login" if name == "web" else "tollgate")

    @pytest.mark.parametrize("name", OURS)
    def test_production_is_on(self, name: str) -> None:
        assert SERVICES[name]["environment"]["TOLLGATE_MODE"] == "production"

    def test_come_from_the_environment_and_have_no_defaults(self) -> None:
        text = (REPOSITORY / "docker-compose.yml").read_text()

        variables = set(re.findall(r"(?<!\$)\$\{(\w+):\?\}", text))

        assert len(re.findall(r"(?<!\$)\$\{", text)) == len(re.findall(r"\$\{\w+:\?\}", text))
        example = (REPOSITORY / ".env.example").read_text()
        assert variables == set(re.findall(r"^(\w+)=", example, re.MULTILINE))
        filled = dict(re.findall(r"^(\w+)=(.+)$", example, re.MULTILINE))
        assert filled.keys() == {"ALLOWED_HOSTS", "PUBLIC_URL"}


class TestImage:
    def test_is_built_from_the_locked_packages_and_runs_unprivileged(self) -> None:
        lines = (REPOSITORY / "Dockerfile").read_text().splitlines()

        final = lines[max(n for n, line in enumerate(lines) if line.startswith("FROM")) :]
        assert "USER 10001:10001" in final
        assert any("--require-hashes -r /tmp/base.txt" in line for line in lines)
        assert not any("dev.txt" in line for line in lines)

    def test_holds_every_package_of_the_application_and_no_tests(self) -> None:
        patterns = (REPOSITORY / ".dockerignore").read_text().splitlines()
        taken = {pattern.removeprefix("!") for pattern in patterns if pattern.startswith("!")}

        packages = {path.parent.name for path in REPOSITORY.glob("*/__init__.py")}
        assert packages - taken == packages & {"tests", "benchmarks"}
        assert {"manage.py", "static", "templates"} <= taken
