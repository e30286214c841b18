import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.models import BillRun, BillRunItem
from cdr.models import Mending, Source, XdrChunk, XdrFile
from cdr.rules.mending import Choice
from cdr.services.mending import ask_for_mending
from cdr.services.splitting import split_file
from common import clock
from payments.models import WebhookEvent
from tenancy.models import Provider
from tests.cdr.worlds import World, make_world
from tests.factories import LONG_AGO, make_customer, make_source
from tests.factories.billing import OCTOBER
from tests.factories.cdr import Call, import_lines, receive
from tests.web.console.pages import as_role, page, query_count
from web.shared.writing import NONE

pytestmark = pytest.mark.django_db
PAGE, FIGURES = "/console/usage/metrics/", "/console/usage/metrics/figures/"
LINES_PER_CHUNK = 50_000
CHUNKS = 20_000


@pytest.fixture
def world(settings: Any, tmp_path: Path) -> World:
    settings.XDR_FILES_DIR = tmp_path / "xdr_files"
    return make_world()


@pytest.fixture
def service(world: World) -> Client:
    return as_role(world.provider, "Service")


def import_calls(world: World, count: int, *, at: datetime, source: Source | None = None) -> None:
    calls = [Call(account="carla", started_at=at - timedelta(minutes=5)) for _ in range(count)]
    import_lines(source or world.source, calls, at=at)


def cells(text: str, name: str) -> list[str]:
    """What the row of a source says, without tags."""
    row = next(row for row in re.findall(r"<tr>(.*?)</tr>", text, re.S) if name in row)
    found = re.findall(r"<td[^>]*>(.*?)</td>", row, re.S)
    return [re.sub(r"<[^>]+>", "", cell).strip() for cell in found]


def stats(text: str) -> dict[str, str]:
    return dict(re.findall(r"<dt>([^<]+)</dt>\s*<dd>([^<]+)</dd>", text))


def waiting(text: str) -> dict[str, str]:
    return dict(re.findall(r'<dt><a href="[^"]+">([^<]+)</a></dt><dd>([^<]+)</dd>', text))


class TestThePage:
    def test_tells_what_each_source_brought_and_how_far_behind_it_is(
        self, world: World, service: Client
    ) -> None:
        now = clock.now()
        other = make_source(world.product, default_vendor=world.vendor, name="Border")
        import_calls(world, 30, at=now - timedelta(minutes=2))
        import_calls(world, 4, at=now - timedelta(minutes=30))
        import_calls(world, 7, at=now - timedelta(hours=20))
        import_calls(world, 9, at=now - timedelta(hours=25))
        import_calls(world, 2, at=now - timedelta(hours=2), source=other)

        text = page(service, PAGE)

        assert cells(text, world.source.name)[2:] == ["7 min", "3", "34", "41", "0", NONE]
        assert cells(text, other.name)[2:] == ["2 h 5 min", "0", "0", "2", "0", NONE]
        assert stats(text) == {
            "Latest xDR": "7 min",
            "Oldest file waiting": "none",
            "New in the last hour": "34",
            "New in the last day": "43",
        }

    def test_counts_duplicates_as_nothing_new(self, world: World, service: Client) -> None:
        now = clock.now()
        call = Call(account="carla")
        import_lines(world.source, [call, call.again(uuid="2", seconds=0), "junk"], at=now)
        import_lines(world.source, [call, ""], at=now)

        assert cells(page(service, PAGE), world.source.name)[5] == "3"

    def test_tells_what_waits(self, world: World, service: Client, settings: Any) -> None:
        settings.XDR_CHUNK_LINES = 1
        now = clock.now()
        import_lines(world.source, [Call(account="nobody"), "junk"], at=now)
        ask_for_mending(
            provider_id=world.provider.pk,
            kind=Mending.Kind.RETRY,
            choice=Choice(),
            at=now,
            actor_id=None,
        )
        receive(world.source, [Call(account="carla")], at=now - timedelta(hours=3))
        split = receive(world.source, [Call(account="carla")] * 2, at=now - timedelta(days=3))
        split_file(file_id=split.pk, at=now)

        text = page(service, PAGE)

        assert waiting(text) == {
            "Files to cut into chunks": "1",
            "Chunks of files to rate": "2",
            "Mendings of suspense": "1",
            "Slices of re-ratings": "0",
        }
        assert cells(text, world.source.name)[6:] == ["2", "3 days"]
        assert stats(text)["Oldest file waiting"] == "3 days"

    def test_tells_of_bill_runs_and_gateways_to_who_sees_money(
        self, world: World, service: Client
    ) -> None:
        run_at_work(world.provider)
        WebhookEvent.objects.create(
            provider=world.provider,
            gateway="sandbox",
            event_id="evt_1",
            body=b"{}",
            state="REFUSED",
            received_at=LONG_AGO,
        )
        refused = "Messages of gateways that were refused"

        of_finance = page(as_role(world.provider, "Finance"), PAGE)
        of_service = page(service, PAGE)

        assert "1 of 3" in of_finance
        assert waiting(of_finance)[refused] == "1"
        assert "Bill runs at work" not in of_service
        assert refused not in of_service

    def test_draws_the_hours_and_the_suspense_with_their_figures(
        self, world: World, service: Client
    ) -> None:
        import_lines(world.source, [Call(account="carla"), "junk", "junk too"], at=clock.now())

        text = page(service, PAGE)

        assert text.count("<svg") >= 2
        hours, suspense = re.findall(r'<figure class="chart">(.*?)</figure>', text, re.S)
        counts = [
            cell for _, cell in re.findall(r"<tr><td>([^<]*)</td><td[^>]*>([^<]*)</td>", hours)
        ]
        assert len(counts) == 24
        assert (counts[-1], set(counts[:-1])) == ("3", {"0"})
        assert re.findall(r"<tr><td>([^<]*)</td><td[^>]*>([^<]*)</td>", suspense) == [
            ("Unparsable", "2")
        ]

    def test_tells_nothing_of_another_provider(self, world: World, service: Client) -> None:
        other = make_world()
        other.source.name = "Switch of the others"
        other.source.save()
        import_lines(other.source, [Call(account="carla"), "junk"], at=clock.now())
        run_at_work(other.provider)

        text = page(as_role(world.provider, "Finance"), PAGE)

        assert "Switch of the others" not in text
        assert "Bill runs at work" not in text
        assert stats(text)["New in the last day"] == "0"
        assert stats(text)["Latest xDR"] == "none yet"
        assert page(service, FIGURES).count("<tr>") == 2

    def test_says_what_to_do_before_there_is_a_source(self, world: World) -> None:
        Source.objects.filter(provider=world.provider).update(is_enabled=False)

        assert "Say where xDRs come from" in page(as_role(world.provider, "Service"), PAGE)

    def test_is_for_who_may_see_usage(self, world: World) -> None:
        for address in (PAGE, FIGURES):
            assert as_role(world.provider, "Marketing").get(address).status_code == 403

    def test_takes_safe_methods_only(self, service: Client) -> None:
        for address in (PAGE, FIGURES):
            assert service.post(address).status_code == 405


class TestTheFigures:
    def test_are_asked_for_again_for_half_an_hour(self, service: Client) -> None:
        assert f'hx-get="{FIGURES}?left=179"' in page(service, PAGE)
        assert f'hx-get="{FIGURES}?left=4"' in page(service, f"{FIGURES}?left=5")
        assert "hx-get" not in page(service, f"{FIGURES}?left=0")

    @pytest.mark.parametrize(
        "left", ["", "-1", "1e3", "²", pytest.param("9" * 5000, id="5000 digits"), "junk"]
    )
    def test_are_not_asked_for_again_for_ever(self, service: Client, left: str) -> None:
        assert "hx-get" not in page(service, f"{FIGURES}?left={left}")


class TestManyXdrs:
    """Chunks of a thousand million xDRs; of xDRs and legs themselves nothing is looked at."""

    @pytest.fixture
    def chunks(self, world: World) -> None:
        now = clock.now()
        file = XdrFile.objects.create(
            provider=world.provider,
            source=world.source,
            name="all.csv",
            sha256="0" * 64,
            size_bytes=1,
            state=XdrFile.State.DONE,
            received_at=LONG_AGO,
        )
        XdrChunk.objects.bulk_create(
            XdrChunk(
                provider=world.provider,
                file=file,
                source=world.source,
                number=number,
                first_line=number * LINES_PER_CHUNK,
                first_byte=0,
                byte_count=0,
                line_count=LINES_PER_CHUNK,
                rated_count=LINES_PER_CHUNK,
                state=XdrChunk.State.DONE,
                queued_at=LONG_AGO,
                finished_at=now - timedelta(minutes=30 * number),
                newest_started_at=now - timedelta(minutes=30 * number),
            )
            for number in range(CHUNKS)
        )
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE cdr_xdrchunk")

    def test_are_counted_by_indexes(self, chunks: None, service: Client) -> None:
        with CaptureQueriesContext(connection) as context:
            text = page(service, PAGE)

        asked = [query["sql"] for query in context if query["sql"].startswith("SELECT")]
        assert stats(text)["New in the last hour"] == f"{2 * LINES_PER_CHUNK:,}"
        assert not [sql for sql in asked if re.search(r'"cdr_(xdr|leg|usagecharge)"', sql)]
        of_chunks = [sql for sql in asked if '"cdr_xdrchunk"' in sql and "SELECT set_" not in sql]
        assert len(of_chunks) >= 4
        for sql in of_chunks:
            assert "Seq Scan on cdr_xdrchunk" not in plan(sql), plan(sql)

    def test_are_asked_about_as_often_as_few(self, world: World, service: Client) -> None:
        few = query_count(service, PAGE)
        for _ in range(3):
            import_calls(world, 1, at=clock.now(), source=make_source(world.product))

        assert query_count(service, PAGE) == few


def plan(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}".replace("%", "%%"))
        return "\n".join(row for (row,) in cursor.fetchall())


def run_at_work(provider: Provider) -> None:
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
