"""Background work by name, sent when the transaction commits."""

from datetime import datetime

from celery import current_app
from django.db import transaction


def enqueue(name: str, *, not_before: datetime | None = None, **arguments: object) -> None:
    """Send task `name` with keyword `arguments` (JSON values: ids, not objects) after commit.

    Workers keep it back until `not_before`, which is at most some minutes away.

    The broker may lose it, or be out of reach: what was committed stays, the failure is logged, and
    the app's sweep finds the work again.
    """
    transaction.on_commit(
        lambda: current_app.send_task(name, kwargs=arguments, eta=not_before), robust=True
    )
