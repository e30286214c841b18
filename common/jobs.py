"""Background work by name, sent when the transaction commits."""

from celery import current_app
from django.db import transaction


def enqueue(name: str, **arguments: object) -> None:
    """Send task `name` with keyword `arguments` (JSON values: ids, not objects) after commit.

    The broker may lose it, or be out of reach: what was committed stays, the failure is logged, and
    the app's sweep finds the work again.
    """
    transaction.on_commit(lambda: current_app.send_task(name, kwargs=arguments), robust=True)
