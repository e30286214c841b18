"""What Prometheus gets: exact figures of all providers, by its token only, of every web process."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.utils import ProgrammingError
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import DjangoAssertNumQueries

from billing.models import BillRun, BillRunItem
from cdr.models import Mending, Source, XdrFile
from cdr.rules.mending import Choice
from cdr.services.mending import ask_for_mending
from cdr.services.splitting import split_file
from common import clock
from common.broker import broker
from payments.models import WebhookEvent
from reports.selectors.given_up import GivenUp
from tenancy import row_security
from tenancy.models import Provider
from tests.cdr.worlds import make_world
from tests.factories import LONG_AGO, make_customer, make_provider, make_staff
from tests.factories.billing import OCTOBER
from tests.factories.cdr import Call, import_lines, receive
from tests.factories.given_up import one_of_each
from tests.workers import forget_queued_work

TOKEN = "a-token-of-more-than-thirty-two-characters"
LABELS = tuple[tuple[str, str], ...]


@pytest.fixture(autouse=True)
def _token(settings: Any, tmp_path: Any) -> Iterator[None]:
    settings.METRICS_TOKEN = TOKEN
    settings.XDR_FILES_DIR = tmp_path / "xdr_files"
    forget_queued_work()
    yield
    forget_queued_work()


def scrape(client: Client, token: str = TOKEN) -> dict[tuple[str, LABELS], float]:
    """Every sample by its name and labels."""
    response = client.get(
        "/metrics", headers={"Authorization": f"Bearer {token}", "Host": "10.0.0.7"}
    )
    assert response.status_code == 200, response.content
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(response.content.decode())
        for sample in family.samples
    }


def named(name: str, **labels: str) -> tuple[str, LABELS]:
    return f"tollgate_{name}", tuple(sorted(labels.items()))


def make_run(provider: Provider) -> BillRun:
    run = BillRun.objects.create(
        provider=provider,
        period_from=OCTOBER.from_date,
        period_to=OCTOBER.to_date,
        state=BillRun.State.CALCULATING,
        created_at=LONG_AGO,
    )
    for state in ("WAITING", "WAITING", "ESTIMATED"):
        customer = make_customer(provider)
        BillRunItem.objects.create(provider=provider, run=run, customer=customer, state=state)
    return run


def make_event(provider: Provider, event_id: str, state: str) -> None:
    WebhookEvent.objects.create(
        provider=provider,
        gateway="sandbox",
        event_id=event_id,
        body=b"{}",
        received_at=LONG_AGO,
        state=state,
    )


@pytest.mark.django_db
class TestMetrics:
    def test_count_the_lines_of_each_source_by_what_became_of_them(self, client: Client) -> None:
        one, other = make_world(), make_world()
        call = Call(account="carla")
        import_lines(
            one.source,
            [call, call, call.again(uuid="0", seconds=0), Call(account="nobody"), "junk"],
        )
        import_lines(other.source, [Call(account="carla")])

        found = scrape(client)

        def lines(source: Source) -> dict[str, float]:
            labels = {"provider": source.provider.slug, "source": source.slug}
            return {
                result: found[named("xdrs_total", **labels, result=result)]
                for result in ("rated", "zero", "duplicate", "suspended")
            }

        assert lines(one.source) == {"rated": 1, "zero": 1, "duplicate": 1, "suspended": 2}
        assert lines(other.source) == {"rated": 1, "zero": 0, "duplicate": 0, "suspended": 0}

    def test_tell_how_far_a_source_is_behind(self, client: Client) -> None:
        world, now = make_world(), clock.now()
        at = {"provider": world.provider.slug, "source": world.source.slug}
        for hours in (3, 2, 5):
            call = Call(account="carla", started_at=now - timedelta(hours=hours))
            import_lines(world.source, [call], at=now)
        receive(world.source, [Call(account="carla")], at=now - timedelta(minutes=20))
        receive(world.source, [Call(account="carla")], at=now - timedelta(minutes=10))

        found = scrape(client)

        assert found[named("xdr_lag_seconds", **at)] == pytest.approx(2 * 3600, abs=30)
        assert found[named("import_lag_seconds", **at)] == pytest.approx(20 * 60, abs=30)

    def test_expect_nothing_of_a_source_that_is_off_or_brought_nothing(
        self, client: Client
    ) -> None:
        world, silent = make_world(), make_world()
        import_lines(world.source, [Call(account="carla")])
        Source.objects.filter(pk=world.source.pk).update(is_enabled=False)

        found = scrape(client)

        assert not [key for key in found if key[0] == "tollgate_xdr_lag_seconds"]
        at = {"provider": silent.provider.slug, "source": silent.source.slug}
        assert found[named("import_lag_seconds", **at)] == 0

    def test_count_suspense_by_reason_and_what_waits(self, client: Client, settings: Any) -> None:
        settings.XDR_CHUNK_LINES = 1
        world = make_world()
        at = {"provider": world.provider.slug}
        import_lines(world.source, ["junk", Call(account="nobody"), Call(account="nobody")])
        ask_for_mending(
            provider_id=world.provider.pk,
            kind=Mending.Kind.RETRY,
            choice=Choice(),
            at=clock.now(),
            actor_id=None,
        )
        receive(world.source, [Call(account="carla")])
        split = receive(world.source, [Call(account="carla"), Call(account="carla")])
        split_file(file_id=split.pk, at=clock.now())
        failed = receive(world.source, [Call(account="carla"), "junk"])
        split_file(file_id=failed.pk, at=clock.now())
        XdrFile.objects.get(pk=failed.pk).mark_failed("gone")

        found = scrape(client)

        assert found[named("suspense", **at, reason="unknown_customer")] == 2
        assert found[named("suspense", **at, reason="unparsable")] == 1
        waiting = {
            dict(labels)["work"]: n for (name, labels), n in found.items() if "_work" in name
        }
        assert waiting == {"files": 1, "chunks": 2, "mendings": 1}

    def test_count_what_was_given_up_by_kind(self, client: Client) -> None:
        one, other = one_of_each(), one_of_each()

        found = scrape(client)

        for provider in (one, other):
            failed = {
                kind: named("work_failed", provider=provider.slug, work=kind) for kind in GivenUp
            }
            assert {kind: found[name] for kind, name in failed.items()} == dict.fromkeys(GivenUp, 1)

    def test_count_payers_of_bill_runs_and_messages_of_gateways(self, client: Client) -> None:
        provider = make_provider()
        run = make_run(provider)
        for event_id, state in (("1", "APPLIED"), ("2", "REFUSED"), ("3", "REFUSED")):
            make_event(provider, event_id, state)

        found = scrape(client)

        payers = {"provider": provider.slug, "run": str(run.pk)}
        assert found[named("bill_run_payers", **payers, state="waiting")] == 2
        assert found[named("bill_run_payers", **payers, state="estimated")] == 1
        messages = {"provider": provider.slug, "gateway": "sandbox"}
        assert found[named("gateway_messages", **messages, state="refused")] == 2
        assert found[named("gateway_messages", **messages, state="applied")] == 1

    def test_tell_how_long_each_queue_is(self, client: Client, settings: Any) -> None:
        settings.CELERY_KEY_PREFIX = "ours:"
        with broker() as connected:
            connected.rpush("ours:cdr", "one", "two")
            connected.rpush("cdr", "of another installation")
            connected.hset("ours:unacked", "tag", "taken")

        found = scrape(client)

        lengths = {
            dict(labels)["queue"]: n for (name, labels), n in found.items() if "_mess" in name
        }
        assert lengths == {"billing": 0, "cdr": 2, "default": 0, "documents": 0, "payments": 0}
        assert found[named("queue_taken")] == 1
        assert found[named("broker_up")] == 1

    def test_tell_of_the_database_without_the_broker(self, client: Client, settings: Any) -> None:
        world = make_world()
        settings.CELERY_BROKER_URL = "redis://:hunter2@127.0.0.1:1/0"

        found = scrape(client)

        assert found[named("broker_up")] == 0
        assert not [key for key in found if key[0].startswith("tollgate_queue")]
        at = {"provider": world.provider.slug, "source": world.source.slug}
        assert found[named("import_lag_seconds", **at)] == 0

    def test_ask_as_often_for_many_providers_as_for_one(
        self, client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for _ in range(4):
            import_lines(make_world().source, [Call(account="carla"), "junk"])

        with django_assert_max_num_queries(19):
            scrape(client)


@pytest.mark.django_db
class TestAccess:
    def test_is_nowhere_without_a_token_in_the_settings(
        self, client: Client, settings: Any
    ) -> None:
        settings.METRICS_TOKEN = ""

        for headers in ({}, {"Authorization": "Bearer "}):
            assert client.get("/metrics", headers=headers).status_code == 404

    @pytest.mark.parametrize(
        "shown", ["", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, "Bearer é"]
    )
    def test_is_refused_without_the_token(self, client: Client, shown: str) -> None:
        response = client.get("/metrics", headers={"Authorization": shown})

        assert (response.status_code, response.content) == (401, b"")
        assert response.headers["WWW-Authenticate"] == "Bearer"

    def test_is_refused_to_staff(self, client: Client) -> None:
        client.force_login(make_staff(make_provider()))

        assert client.get("/metrics").status_code == 401

    def test_takes_safe_methods_only(self, client: Client) -> None:
        response = client.post("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})

        assert response.status_code == 405


@pytest.mark.django_db
class TestTheMetricsRole:
    def asked(self, sql: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql)

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT name FROM tenancy_provider",
            "SELECT raw FROM cdr_suspense",
            "SELECT 1 FROM cdr_xdr",
            "SELECT 1 FROM cdr_usagecharge",
            "SELECT body FROM payments_webhookevent",
            "SELECT 1 FROM customers_customer",
            "SELECT content FROM billing_document",
            "SELECT recipient FROM billing_invoiceemail",
            "SELECT addresses FROM customers_ratenotification",
        ],
    )
    def test_sees_nothing_but_what_is_counted(self, sql: str) -> None:
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            row_security.metrics_role(),
        ):
            self.asked(sql)

    def test_writes_nothing(self) -> None:
        with (
            pytest.raises(Exception, match=r"read-only transaction|permission denied"),
            row_security.metrics_role(),
        ):
            self.asked("UPDATE cdr_source SET slug = 'other'")

    def test_shows_the_web_role_no_more_than_before(self) -> None:
        make_world()

        with row_security.web_role(), connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM cdr_source")
            assert cursor.fetchone() == (0,)
