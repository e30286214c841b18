"""Starting in each mode, in a process of its own as settings are read once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAFE = {
    "TOLLGATE_MODE": "production",
    "SECRET_KEY": "0123456789abcdef" * 4,
    "ALLOWED_HOSTS": "billing.example.com,127.0.0.1",
    "PUBLIC_URL": "https://billing.example.com",
}
# Pages that are of no use where no mail is sent.
MAIL_PAGES = {
    "account_confirm_email",
    "account_reset_password",
    "account_reset_password_done",
    "sign_up",
    "sign_up_again",
    "sign_up_sent",
    "sign_up_terms",
}
URL_NAMES = (
    "from web.urls import urlpatterns as u; print(*[p.name for p in u if hasattr(p, 'name')])"
)
SETTINGS = (*SAFE, "DEBUG", "SANDBOX_GATEWAY", "EMAIL_URL", "METRICS_TOKEN")


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=inherited | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def shell(code: str, **environment: str) -> str:
    return manage("shell", "-v0", "-c", code, **environment).stdout.strip()


class TestProduction:
    def test_starts_with_safe_settings_and_no_warning(self) -> None:
        check = manage("check", "--deploy", "--fail-level", "WARNING", **SAFE)

        assert check.returncode == 0
        assert "no issues (0 silenced)" in check.stdout + check.stderr

    @pytest.mark.parametrize(
        ("unsafe", "reason"),
        [
            ({"SECRET_KEY": ""}, "SECRET_KEY must be set"),
            ({"SECRET_KEY": "short"}, "SECRET_KEY must be set, to a secret of at least 50"),
            ({"DEBUG": "1"}, "DEBUG must be off"),
            ({"SANDBOX_GATEWAY": "1"}, "SANDBOX_GATEWAY must be off"),
            ({"METRICS_TOKEN": "guess-me"}, "METRICS_TOKEN must have at least 32"),
            ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS must name"),
            ({"PUBLIC_URL": "http://billing.example.com"}, "PUBLIC_URL must be set"),
        ],
    )
    def test_refuses_to_start(self, unsafe: dict[str, str], reason: str) -> None:
        check = manage("check", **SAFE | unsafe)

        assert check.returncode != 0
        assert f"Refusing to start in production: {reason}" in check.stderr

    def test_refuses_to_start_with_the_settings_of_development(self) -> None:
        check = manage("check", TOLLGATE_MODE="production")

        assert check.returncode != 0
        for reason in ("SECRET_KEY", "ALLOWED_HOSTS", "PUBLIC_URL"):
            assert reason in check.stderr

    def test_offers_a_password_reset_and_sign_up_only_where_mail_is_sent(self) -> None:
        without = set(shell(URL_NAMES, **SAFE).split())
        with_mail = set(shell(URL_NAMES, **SAFE, EMAIL_URL="smtp://mail.example.com:25").split())

        assert with_mail - without == MAIL_PAGES
        assert not without & MAIL_PAGES


class TestAnUnknownMode:
    def test_is_refused(self) -> None:
        check = manage("check", TOLLGATE_MODE="prod")

        assert check.returncode != 0
        assert "TOLLGATE_MODE is 'prod'; set it to development, demo or production" in check.stderr
