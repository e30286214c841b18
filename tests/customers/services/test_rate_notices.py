import csv
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Any

import environ
import pytest
from openpyxl import load_workbook
from pytest_django import Settings

from audit.models import Entry
from catalogue.models import RateNotice, RateTable
from catalogue.rules.rate_terms import RateTerms
from catalogue.services.rates import change_rate, close_rate
from common.table_files import file_pieces
from customers.models import Customer, RateNotification
from customers.services.rate_emails import send_rate_notification
from customers.services.rate_notices import (
    COLUMNS,
    NoMailServer,
    NoticeNotPrepared,
    NoticeOpen,
    NoticeOutdated,
    discard_rate_notice,
    prepare_rate_notice,
    queue_unfinished,
    request_rate_notice,
    send_rate_notice,
)
from tenancy.models import Provider
from tests.factories import (
    LONG_AGO,
    make_billing_mode,
    make_catalogue,
    make_customer,
    make_product,
    make_provider,
    make_rate,
    make_rate_table,
    make_reseller,
    make_reseller_user,
    make_team_member,
    make_time_profile,
)
from tests.mail_server import MailServer, mail_server
from tests.refusals import refused

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 10, 10, 12, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)
JANUARY = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.fixture
def provider() -> Provider:
    return make_provider(name="Aurora Telecom")


@pytest.fixture
def table(provider: Provider) -> RateTable:
    rates: dict[str, Any] = {"49": "0.05", "44": {"rate": Decimal("-0.01"), "destination": "=UK"}}
    return make_rate_table(make_product(provider), rates, time_zone="UTC")


@pytest.fixture
def customer(provider: Provider, table: RateTable) -> Customer:
    return make_customer(
        provider, organisation="Nordwind", email="office@nordwind.example", rate_table=table
    )


@pytest.fixture
def server(settings: Settings) -> Iterator[MailServer]:
    with mail_server() as server:
        settings.EMAIL_URL = f"smtp://127.0.0.1:{server.port}"
        for name, value in environ.Env.email_url_config(settings.EMAIL_URL).items():
            setattr(settings, name, value)
        yield server


def prepare(table: RateTable, at: datetime = NOON, format: str = "csv") -> RateNotice:
    notice = request_rate_notice(
        table=table, format=RateNotice.Format(format), at=at, actor_id=None
    )
    prepare_rate_notice(notice_id=notice.pk, at=at)
    notice.refresh_from_db()
    return notice


def send(notice: RateNotice, at: datetime = NOON) -> None:
    send_rate_notice(notice=notice, at=at, actor_id=None)
    for notification in notice.notifications.filter(state="QUEUED").order_by("pk"):
        send_rate_notification(notification_id=notification.pk, at=at)


def lines(notice: RateNotice) -> list[tuple[str, str, str, str]]:
    """Change, prefix, rate before and rate of the notice's only file."""
    content = told(notice)
    rows = csv.DictReader(StringIO(content))
    return [(row["change"], row["prefix"], row["rate_before"], row["rate"]) for row in rows]


def told(notice: RateNotice) -> str:
    """The text of the notice's only file."""
    kept = bytes(notice.files.get().content)
    return b"".join(file_pieces(notice.format, kept)).decode()


def recipients(notice: RateNotice) -> list[str]:
    rows = notice.notifications.order_by("pk")
    return [str(row.customer or row.reseller) for row in rows]


def change(table: RateTable, prefix: str, **columns: Any) -> None:
    rate = table.rates.get(prefix=prefix)
    values = {name: getattr(rate, name) for name in RateTerms.__dataclass_fields__}
    change_rate(rate=rate, terms=RateTerms(**values | columns), at=NOON, actor_id=None)


class TestWhoIsTold:
    def test_are_customers_who_pay_by_the_table(self, provider: Provider, table: RateTable) -> None:
        product = table.product
        other = make_rate_table(product)
        make_catalogue(provider, [{"product": product, "rate_table": table}], is_default=True)
        custom = make_catalogue(provider, [{"product": product, "rate_table": other}]).catalogue
        make_customer(provider, organisation="By catalogue")
        make_customer(provider, organisation="Own table", rate_table=table)
        make_customer(provider, organisation="Other table", rate_table=other)
        make_customer(provider, organisation="Other catalogue", custom_catalogue=custom)
        make_customer(provider, organisation="Other currency", currency="USD")
        make_customer(provider, organisation="Gone", state="TERMINATED")
        make_customer(make_provider(), organisation="Elsewhere")

        assert recipients(prepare(table)) == ["By catalogue", "Own table"]

    def test_are_told_at_their_address_and_that_of_billing_members(
        self, table: RateTable, customer: Customer
    ) -> None:
        make_team_member(customer, "BILLING", email="books@nordwind.example")
        make_team_member(customer, "TECHNICAL", email="tech@nordwind.example")

        notification = prepare(table).notifications.get()

        assert notification.addresses == ["office@nordwind.example", "books@nordwind.example"]

    def test_are_resellers_in_billing_mode(self, provider: Provider, table: RateTable) -> None:
        reseller = make_reseller(provider, organisation="Meridian", email="rates@meridian.example")
        make_reseller_user(reseller, email="mia@meridian.example")
        make_billing_mode(reseller, table)
        ended = make_reseller(provider)
        make_billing_mode(ended, table, valid_to=NOON)

        notification = prepare(table).notifications.get()

        assert str(notification.reseller) == "Meridian"
        assert notification.addresses == ["rates@meridian.example", "mia@meridian.example"]


class TestWhatIsTold:
    def test_is_everything_the_first_time(self, table: RateTable, customer: Customer) -> None:
        notice = prepare(table)

        assert lines(notice) == [("new", "44", "", "-0.01"), ("new", "49", "", "0.05")]
        content = told(notice)
        assert tuple(content.split("\n")[0].split(",")) == COLUMNS
        assert "'=UK" in content

    def test_is_what_changed_since_the_last_time(
        self, table: RateTable, customer: Customer, server: MailServer
    ) -> None:
        send(prepare(table))
        change(table, "49", rate=Decimal("0.06"))
        close_rate(rate=table.rates.get(prefix="44"), effective_to=DECEMBER, at=NOON, actor_id=None)
        make_rate(table, "1", rate=Decimal("0.01"), effective_from=DECEMBER)
        make_rate(table, "33", status="stashed")

        assert lines(prepare(table)) == [
            ("new", "1", "", "0.01"),
            ("closed", "44", "-0.01", ""),
            ("increased", "49", "0.05", "0.06"),
        ]

    def test_is_nothing_where_nothing_changed(
        self, table: RateTable, customer: Customer, server: MailServer
    ) -> None:
        send(prepare(table))

        notice = prepare(table, NOON + timedelta(days=90))

        assert (notice.recipient_count, notice.unchanged_count) == (0, 1)
        assert not notice.notifications.exists()

    def test_is_all_to_a_newcomer_and_the_difference_to_the_others(
        self, provider: Provider, table: RateTable, customer: Customer, server: MailServer
    ) -> None:
        send(prepare(table))
        change(table, "49", rate=Decimal("0.04"))
        make_customer(provider, organisation="Newcomer", rate_table=table)

        files = prepare(table).files.order_by("pk")

        assert sorted((file.since is None, file.changes) for file in files) == [
            (False, {"decreased": 1}),
            (True, {"new": 2}),
        ]

    def test_holds_what_the_table_takes_from_its_parent(
        self, provider: Provider, table: RateTable
    ) -> None:
        child = make_rate_table(table.product, {"49": "0.03"}, parent=table)
        make_customer(provider, rate_table=child)

        assert lines(prepare(child)) == [("new", "44", "", "-0.01"), ("new", "49", "", "0.03")]

    def test_holds_the_parent_s_rate_until_that_of_the_table_begins(
        self, provider: Provider, table: RateTable
    ) -> None:
        child = make_rate_table(table.product, {}, parent=table)
        make_rate(child, "49", effective_from=DECEMBER, effective_to=JANUARY, rate="0.03")
        make_customer(provider, rate_table=child)

        content = told(prepare(child))
        rows = [row for row in csv.DictReader(StringIO(content)) if row["prefix"] == "49"]
        assert [(row["rate"], row["since"][:10], row["effective_to"][:10]) for row in rows] == [
            ("0.05", "2026-01-01", "2026-12-01"),
            ("0.03", "2026-12-01", "2027-01-01"),
            ("0.05", "2027-01-01", ""),
        ]

    def test_leaves_out_hours_of_the_parent_that_the_table_always_hides(
        self, provider: Provider, table: RateTable
    ) -> None:
        weekend = make_time_profile(provider, "Sat,Sun 00:00-24:00")
        make_rate(table, "49", effective_from=LONG_AGO, rate="0.01", time_profile_id=weekend.pk)
        child = make_rate_table(table.product, {"49": "0.03"}, parent=table)
        make_customer(provider, rate_table=child)

        assert lines(prepare(child)) == [("new", "44", "", "-0.01"), ("new", "49", "", "0.03")]

    def test_is_told_again_where_the_mail_failed(
        self, table: RateTable, customer: Customer, settings: Settings
    ) -> None:
        with mail_server(refuses=True) as refusing:
            settings.EMAIL_URL = f"smtp://127.0.0.1:{refusing.port}"
            for name, value in environ.Env.email_url_config(settings.EMAIL_URL).items():
                setattr(settings, name, value)
            send(prepare(table))

        failed = RateNotification.objects.get()
        assert failed.state == "FAILED"
        assert "SMTPRecipientsRefused" in failed.error
        assert len(lines(prepare(table))) == 2


class TestSending:
    def test_mails_the_file_to_every_recipient(
        self, table: RateTable, customer: Customer, server: MailServer
    ) -> None:
        notice = prepare(table)

        send(notice, NOON + timedelta(hours=1))

        [(addresses, message)] = server.received
        [attachment] = message.iter_attachments()
        body = message.get_body()
        assert addresses == ["office@nordwind.example"]
        assert message["Subject"] == f"Rates of {table.product} from Aurora Telecom"
        assert body is not None
        assert "New: 2" in body.get_content()
        assert attachment.get_filename() == notice.files.get().name
        kept = told(notice)
        assert attachment.get_content().replace("\r\n", "\n") == kept  # as mail writes lines
        notification = RateNotification.objects.get()
        assert (notification.state, notification.sent_at) == ("SENT", NOON + timedelta(hours=1))
        assert Entry.objects.get(action="rate_table.notice_sent").after == {
            "notice": str(notice.pk),
            "recipients": "1",
        }

    def test_mails_a_spreadsheet_where_that_was_asked_for(
        self, table: RateTable, customer: Customer, server: MailServer
    ) -> None:
        send(prepare(table, format="xlsx"))

        [attachment] = server.received[0][1].iter_attachments()
        sheet = load_workbook(BytesIO(attachment.get_content())).active
        assert sheet is not None
        assert [cell.value for cell in sheet[2]][:6] == [
            *("new", "44", "=UK", LONG_AGO.isoformat(), None, -0.01),
        ]
        assert sheet["C2"].data_type == "s"

    def test_tells_nobody_twice(
        self, table: RateTable, customer: Customer, server: MailServer
    ) -> None:
        notice = prepare(table)
        send(notice)

        with refused(NoticeNotPrepared):
            send_rate_notice(notice=notice, at=NOON, actor_id=None)
        notification = RateNotification.objects.get()
        assert not send_rate_notification(notification_id=notification.pk, at=NOON)

        assert len(server.received) == 1

    def test_is_refused_after_the_table_changed(
        self, table: RateTable, customer: Customer, server: MailServer
    ) -> None:
        notice = prepare(table)
        change(table, "49", rate=Decimal("0.06"))

        with refused(NoticeOutdated):
            send_rate_notice(notice=notice, at=NOON, actor_id=None)

    def test_is_refused_where_somebody_was_told_meanwhile(
        self, table: RateTable, customer: Customer, server: MailServer
    ) -> None:
        first = prepare(table)
        RateNotice.objects.filter(pk=first.pk).update(state="DISCARDED")
        second = prepare(table)
        RateNotice.objects.filter(pk=second.pk).update(state="DISCARDED")
        RateNotice.objects.filter(pk=first.pk).update(state="PREPARED")
        send(first)
        RateNotice.objects.filter(pk=second.pk).update(state="PREPARED")

        with refused(NoticeOutdated):
            send_rate_notice(notice=second, at=NOON, actor_id=None)

    def test_needs_a_mail_server(
        self, table: RateTable, customer: Customer, settings: Settings
    ) -> None:
        settings.EMAIL_URL = ""
        notice = prepare(table)

        with refused(NoMailServer):
            send_rate_notice(notice=notice, at=NOON, actor_id=None)


class TestPreparing:
    def test_is_done_once(self, table: RateTable, customer: Customer) -> None:
        notice = prepare(table)

        assert prepare_rate_notice(notice_id=notice.pk, at=NOON) == 0

        assert notice.notifications.count() == 1

    def test_waits_for_the_notice_before(self, table: RateTable, customer: Customer) -> None:
        prepare(table)

        with refused(NoticeOpen):
            request_rate_notice(table=table, format=RateNotice.Format.CSV, at=NOON, actor_id=None)


class TestDiscarding:
    def test_leaves_it_to_the_next_notice_to_tell(
        self, table: RateTable, customer: Customer
    ) -> None:
        notice = prepare(table)

        discard_rate_notice(notice=notice, at=NOON, actor_id=None)

        notice.refresh_from_db()
        assert (notice.state, notice.files.count(), notice.notifications.count()) == (
            "DISCARDED",
            0,
            0,
        )
        assert len(lines(prepare(table))) == 2
        with refused(NoticeNotPrepared):
            discard_rate_notice(notice=notice, at=NOON, actor_id=None)


class TestTheSweep:
    def test_queues_what_was_forgotten(
        self, table: RateTable, customer: Customer, server: MailServer
    ) -> None:
        notice = request_rate_notice(
            table=table, format=RateNotice.Format.CSV, at=NOON, actor_id=None
        )
        assert queue_unfinished(at=NOON + timedelta(minutes=4)) == 0
        assert queue_unfinished(at=NOON + timedelta(minutes=6)) == 1

        prepare_rate_notice(notice_id=notice.pk, at=NOON)
        assert queue_unfinished(at=NOON + timedelta(minutes=6)) == 0
        send_rate_notice(notice=notice, at=NOON, actor_id=None)
        assert queue_unfinished(at=NOON + timedelta(minutes=6)) == 1
        send_rate_notification(notification_id=RateNotification.objects.get().pk, at=NOON)
        assert queue_unfinished(at=NOON + timedelta(minutes=6)) == 0
