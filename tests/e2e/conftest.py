"""A real browser on a real server, on the test database."""

import os
import shutil
from collections.abc import Callable, Iterator

import environ
import pytest
from celery import current_app
from playwright.sync_api import Browser, expect, sync_playwright
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from tenancy.models import User
from tests.e2e.background import Background, Calendar
from tests.e2e.visits import PATIENCE, Visit
from tests.e2e.world import OCTOBER_5
from tests.mail_server import MailServer, mail_server

CHROMIUM = os.environ.get("CHROMIUM", "") or shutil.which("chromium")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the whole run; without any, these tests are skipped."""
    if not CHROMIUM:
        pytest.skip("There is no chromium here; install it, or name it in CHROMIUM")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright keeps a loop running, whence Django takes every query here for an async one.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        expect.set_options(timeout=PATIENCE)
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture
def visit(
    browser: Browser, live_server: LiveServer, settings: Settings
) -> Iterator[Callable[..., Visit]]:
    """`visit(user)` opens a browser window for a user, or for a stranger (`visit()`).

    Options are those of a window: `visit(user, java_script_enabled=False)`.
    """
    settings.CSRF_TRUSTED_ORIGINS = [live_server.url]
    settings.PUBLIC_URL = live_server.url
    windows: list[Visit] = []

    def begin(user: User | None = None, **options: object) -> Visit:
        windows.append(Visit(browser, live_server.url, user, **options))
        return windows[-1]

    yield begin
    for window in windows:
        window.close()


@pytest.fixture
def calendar(monkeypatch: pytest.MonkeyPatch) -> Calendar:
    """Stories begin on 5 October 2026, at eleven in Berlin."""
    return Calendar(OCTOBER_5, monkeypatch)


@pytest.fixture
def background(calendar: Calendar) -> Iterator[Background]:
    with current_app.connection_for_read() as connection:
        yield Background(connection, calendar)


@pytest.fixture
def mail(settings: Settings) -> Iterator[MailServer]:
    """The mail that is sent."""
    with mail_server() as server:
        settings.EMAIL_URL = f"smtp://127.0.0.1:{server.port}"
        for name, value in environ.Env.email_url_config(settings.EMAIL_URL).items():
            setattr(settings, name, value)
        yield server
