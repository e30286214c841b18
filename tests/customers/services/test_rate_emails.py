"""E-mails of rate notices that always fail end, and the next notice tells what they would have."""

from datetime import UTC, datetime, timedelta

import environ
import pytest
from pytest_django import Settings

from catalogue.models import RateNotice, RateTable
from common.tries import MOST_TRIES
from customers import tasks
from customers.models import RateNotification
from customers.services.rate_notices import (
    prepare_rate_notice,
    queue_unfinished,
    request_rate_notice,
    send_rate_notice,
)
from tests.factories import make_customer, make_product, make_provider, make_rate_table
from tests.factories.tries import fail, refused
from tests.mail_server import mail_server

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 10, 10, 12, tzinfo=UTC)


@pytest.fixture
def table() -> RateTable:
    provider = make_provider()
    table = make_rate_table(make_product(provider), {"49": "0.05"}, time_zone="UTC")
    make_customer(provider, email="office@nordwind.example", rate_table=table)
    return table


def prepare(table: RateTable) -> RateNotice:
    csv = RateNotice.Format("csv")
    notice = request_rate_notice(table=table, format=csv, at=NOON, actor_id=None)
    prepare_rate_notice(notice_id=notice.pk, at=NOON)
    notice.refresh_from_db()
    return notice


class TestAnEmailThatAlwaysFails:
    def test_is_given_up_after_five_tries_and_told_by_the_next_notice(
        self, table: RateTable, settings: Settings
    ) -> None:
        with mail_server() as server:
            settings.EMAIL_URL = f"smtp://127.0.0.1:{server.port}"
            for name, value in environ.Env.email_url_config(settings.EMAIL_URL).items():
                setattr(settings, name, value)
            send_rate_notice(notice=prepare(table), at=NOON, actor_id=None)
            email = RateNotification.objects.get()

            with refused("UPDATE", "customers_ratenotification", when="NEW.state = 'SENT'"):
                fail(
                    RateNotification,
                    lambda: tasks.send_rate_notification(notification_id=email.pk),
                )
            swept = queue_unfinished(at=NOON + timedelta(days=1))
            tasks.send_rate_notification(notification_id=email.pk)

        email.refresh_from_db()
        assert (email.state, email.try_count, email.sent_at) == ("FAILED", MOST_TRIES, None)
        assert email.error == "It was tried five times. InternalError: out of order"
        assert (swept, len(server.received)) == (0, MOST_TRIES)
        assert prepare(table).recipient_count == 1
