"""Write a large rate table into files, tell its changes, and rename its rates, as a worker does."""

import argparse
import json
import os
import resource
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.core.management import call_command
from django.db import connection

from catalogue.models import Product, ProductKind, RateExport, RateNotice, RateTable
from catalogue.services.code_decks import create_code_deck
from catalogue.services.rate_exports import request_rate_export, write_rate_export
from catalogue.services.rate_tables import change_code_deck
from catalogue.services.relabelling import relabel_rates, request_relabelling
from customers.models import Customer, RateNotification
from customers.services.rate_notices import prepare_rate_notice, request_rate_notice
from tenancy.models import Provider

AT = datetime(2026, 11, 1, tzinfo=UTC)
_RATES = """
    INSERT INTO catalogue_rate (provider_id, rate_table_id, prefix, destination, effective_from,
        rate, connection_fee, minimum, increment, grace, steps, attempt_fee, policy, tag,
        origin_prefix, status)
    SELECT %s, %s, (1000000 + n)::text, 'Destination ' || n / 10 %% 3000, %s,
        (CASE WHEN n %% 20 < 10 THEN 100 ELSE n END %% 9000) / 10000.0, 0.01, 60, 1, 0, '', 0,
        'regular', '', '', 'active'
    FROM generate_series(0, %s - 1) AS n
"""


def main() -> None:
    """Print seconds and MiB of each step as one JSON object."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--rates", type=int, default=400_000)
    parser.add_argument("--skip-xlsx", action="store_true")
    asked = parser.parse_args()
    call_command("migrate", verbosity=0)
    table = _table(asked.rates)
    steps = [_timed("csv, a row for each prefix", lambda: _export(table, "csv", "rows"))]
    steps.append(_timed("csv, ranges", lambda: _export(table, "csv", "ranges")))
    if not asked.skip_xlsx:
        steps.append(_timed("xlsx, a row for each prefix", lambda: _export(table, "xlsx", "rows")))
    steps.append(_timed("first notice", lambda: _notice(table)))
    RateNotification.objects.update(state="SENT", sent_at=AT)
    RateNotice.objects.update(state="SENT", sent_at=AT)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE catalogue_rate SET rate = rate + 1 WHERE prefix LIKE '%7'")
    steps.append(_timed("second notice", lambda: _notice(table)))
    steps.append(_timed("renaming", lambda: _rename(table)))
    print(json.dumps({"rates": asked.rates, "steps": steps, "load": os.getloadavg()[0]}))


def _timed(name: str, work: Callable[[], int]) -> dict[str, object]:
    began, processor = time.perf_counter(), time.process_time()
    size = work()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {
        "step": name,
        "result": size,
        "seconds": round(time.perf_counter() - began, 1),
        "processor_seconds": round(time.process_time() - processor, 1),
        "peak_mib": peak,
    }


def _export(table: RateTable, format: str, layout: str) -> int:
    """Bytes of the file."""
    export = request_rate_export(
        table=table,
        format=RateExport.Format(format),
        prefix_layout=RateExport.PrefixLayout(layout),
        in_force_at=None,
        at=AT,
        actor_id=None,
    )
    write_rate_export(export_id=export.pk, at=AT)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT length(content) FROM catalogue_rateexport WHERE id = %s", [export.pk]
        )
        return int(cursor.fetchone()[0])


def _notice(table: RateTable) -> int:
    """Changes that are told."""
    notice = request_rate_notice(table=table, format=RateNotice.Format.CSV, at=AT, actor_id=None)
    prepare_rate_notice(notice_id=notice.pk, at=AT)
    return sum(notice.files.values_list("changes", flat=True).get().values())


def _rename(table: RateTable) -> int:
    """Rates that have another name."""
    run = request_relabelling(table=table, at=AT, actor_id=None)
    return relabel_rates(relabelling_id=run.pk, at=AT)


def _table(rates: int) -> RateTable:
    provider = Provider.objects.create(
        slug="bench", name="Bench", currency="EUR", time_zone="Europe/Berlin", created_at=AT
    )
    product = Product.objects.create(
        provider=provider,
        code="voice",
        name="Voice",
        kind=ProductKind.VOICE,
        rating_unit="minute",
        volume_unit="second",
    )
    table = RateTable.objects.create(
        provider=provider,
        product=product,
        name="Retail",
        currency="EUR",
        time_zone="Europe/Berlin",
        created_at=AT,
    )
    with connection.cursor() as cursor:
        cursor.execute(_RATES, [provider.pk, table.pk, AT - timedelta(days=300), rates])
    Customer.objects.create(
        provider=provider,
        number=1,
        organisation="Nordwind",
        email="office@example.com",
        currency="EUR",
        state=Customer.State.ACTIVE,
        channel=Customer.Channel.CONSOLE,
        rate_table=table,
        created_at=AT,
    )
    deck = create_code_deck(
        provider_id=provider.pk,
        name="World",
        destinations={f"{1_000 + number}": f"Country {number}" for number in range(9_000)},
        at=AT,
        actor_id=None,
    )
    return change_code_deck(table=table, code_deck=deck, at=AT, actor_id=None)
