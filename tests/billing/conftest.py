"""What every test of billing can use."""

from typing import Any

import pytest
from celery import current_app


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """The tasks that would go to the broker, with their arguments; none of them is done."""
    tasks: list[tuple[str, dict[str, Any]]] = []

    def send(name: str, kwargs: dict[str, Any], **_: object) -> None:
        tasks.append((name, kwargs))

    monkeypatch.setattr(current_app, "send_task", send)
    return tasks
