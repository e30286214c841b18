"""Import a month of xDRs without billing mode, then ask what it would have cost."""

import argparse
import json
import os
import resource
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.core.management import call_command

from benchmarks.imports.world import START, make_world, random_accounts, write_calls
from catalogue.models import RateTable
from cdr.models import Source, WhatIf
from cdr.services.chunks import rate_chunk
from cdr.services.intake import receive_file
from cdr.services.splitting import split_file
from cdr.services.what_ifs import answer_what_if, ask_what_if
from common.periods import Period
from resellers.models import BillingModeAssignment, Reseller

DAYS = 30
AT = datetime(2026, 11, 15, tzinfo=UTC)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--prefixes", type=int, default=60_000)
    parser.add_argument("--customers", type=int, default=2_000)
    options = parser.parse_args()
    call_command("migrate", verbosity=0)
    source = make_world(options.prefixes, options.customers)
    table = BillingModeAssignment.objects.get().rate_table
    BillingModeAssignment.objects.all().delete()
    path = options.folder / "calls.csv"
    accounts = random_accounts(options.lines, options.customers)
    write_calls(path, accounts, calls_per_second=options.lines / (DAYS - 1) / 86_400)
    import_calls(source, path)
    load = os.getloadavg()[0]
    figures = {"lines": options.lines, "prefixes_per_table": options.prefixes}
    figures |= {name: measured(table) for name in ("first", "again")}
    figures["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps(figures | {"load_before": round(load, 1)}, indent=2))


def import_calls(source: Source, path: Path) -> None:
    with path.open("rb") as content:
        file = receive_file(content=content, name=path.name, source=source, at=AT, actor_id=None)
    split_file(file_id=file.pk, at=AT)
    for chunk_id in file.chunks.order_by("number").values_list("pk", flat=True):
        rate_chunk(chunk_id=chunk_id, at=AT)


def measured(table: RateTable) -> dict[str, float]:
    first_day = START.date()
    question = ask_what_if(
        provider_id=table.provider_id,
        resellers=list(Reseller.objects.all()),
        rate_table=table,
        policy=BillingModeAssignment.Policy.PARENT_VENDORS_ONLY,
        period=Period(first_day, first_day + timedelta(days=DAYS)),
        at=AT,
        actor_id=None,
    )
    begin, computed = time.perf_counter(), time.process_time()
    assert answer_what_if(what_if_id=question.pk, clock=lambda: AT)
    seconds, cpu_seconds = time.perf_counter() - begin, time.process_time() - computed
    question = WhatIf.objects.get(pk=question.pk)
    assert question.xdr_count == question.resellers.get().leg_count
    return {
        "xdrs": question.xdr_count,
        "seconds": round(seconds, 1),
        "worker_cpu_seconds": round(cpu_seconds, 1),
    }
