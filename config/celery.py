"""The Celery application: workers start with ``celery -A config worker``."""

import os

from celery import Celery
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Read by Polars once, when it is first imported. Workers scale by processes, one a core: threads of
# theirs would only wait for each other. Memory is kept from one chunk of xDRs for the next: giving
# it back and asking for it again took a seventh of a worker's time (2026-11-22).
os.environ.setdefault("POLARS_MAX_THREADS", "1")
os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:10000,muzzy_decay_ms:-1")

# A task's queue is the first word of its name; workers of a queue scale on their own. Rendering
# has one too, or ten thousand PDFs of one bill run would stand in the way of the next run.
QUEUES = ("cdr", "billing", "payments")
DOCUMENTS_QUEUE = "documents"
DEFAULT_QUEUE = "default"
ALL_QUEUES = (*QUEUES, DOCUMENTS_QUEUE, DEFAULT_QUEUE)

# Redis gives a task to another worker after this long without an acknowledgement, as if its
# worker had died. Longer than any single unit of work; sweeps find lost work sooner than that.
VISIBILITY_SECONDS = 900


def configuration() -> dict[str, object]:
    """What the settings do not decide; ``CELERY_…`` settings override it."""
    shared = {"global_keyprefix": settings.CELERY_KEY_PREFIX}
    return {
        "accept_content": ["json"],
        "task_serializer": "json",
        "result_serializer": "json",
        "timezone": "UTC",
        # A task is done when it ended, not when it was fetched: repeating one is always safe.
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "worker_prefetch_multiplier": 1,
        "task_default_queue": DEFAULT_QUEUE,
        "task_routes": {
            "*.render_*": {"queue": DOCUMENTS_QUEUE},
            **{f"{queue}.*": {"queue": queue} for queue in QUEUES},
        },
        "broker_transport_options": {"visibility_timeout": VISIBILITY_SECONDS, **shared},
        "result_backend_transport_options": shared,
        "broker_connection_retry_on_startup": True,
        "beat_schedule_filename": str(settings.VAR_DIR / "beat-schedule"),
    }


app = Celery("tollgate")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.add_defaults(configuration)
app.autodiscover_tasks()
