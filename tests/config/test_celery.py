import pytest
from celery import current_app
from django.conf import settings

from config import celery_app
from config.celery import VISIBILITY_SECONDS


class TestCeleryApp:
    @pytest.mark.parametrize(
        ("name", "queue"),
        [
            ("cdr.import_chunk", "cdr"),
            ("billing.bill_customer", "billing"),
            ("payments.receive_webhook", "payments"),
            ("billing.render_documents", "documents"),
            ("payouts.render_statement", "documents"),
            ("payouts.prepare", "default"),
            ("cdrs", "default"),
        ],
    )
    def test_sends_a_task_to_the_queue_its_name_tells(self, name: str, queue: str) -> None:
        assert celery_app.amqp.router.route({}, name)["queue"].name == queue

    def test_is_the_one_tasks_are_sent_through(self) -> None:
        assert current_app.main == "tollgate"
        assert current_app.conf.broker_url == settings.REDIS_URL

    def test_loses_nothing_with_a_worker(self) -> None:
        conf = celery_app.conf

        assert conf.task_acks_late
        assert conf.task_reject_on_worker_lost
        assert conf.worker_prefetch_multiplier == 1
        assert conf.broker_transport_options == {
            "visibility_timeout": VISIBILITY_SECONDS,
            "global_keyprefix": settings.CELERY_KEY_PREFIX,
        }

    def test_speaks_json_only(self) -> None:
        conf = celery_app.conf

        assert conf.accept_content == ["json"]
        assert conf.task_serializer == conf.result_serializer == "json"
