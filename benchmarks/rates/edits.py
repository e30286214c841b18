"""Review edits of all rates of a table, as a request does."""

import argparse
import json
import os
import time
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from django.core.management import call_command
from django.db import connection

from benchmarks.rates.exports import AT, rate_table
from catalogue.models import RateTable
from catalogue.rules.rate_edits import PriceChange, PriceEdit, RateEdit
from catalogue.selectors.rate_edits import preview_edit

_EDITS = {
    "price from a date": RateEdit(
        effective_from=AT + timedelta(days=9), price=PriceEdit(PriceChange.PERCENT, Decimal(5))
    ),
    "tag from a date": RateEdit(effective_from=AT + timedelta(days=9), values={"tag": "vip"}),
    "correction": RateEdit(values={"minimum": 30}),
}


def main() -> None:
    """Print processor seconds of each review as one JSON object."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--rates", type=int, default=60_000)
    asked = parser.parse_args()
    call_command("migrate", verbosity=0)
    table = rate_table(asked.rates)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    reviews = {name: _measured(table, edit) for name, edit in _EDITS.items()}
    print(json.dumps({"rates": asked.rates, "reviews": reviews, "load": os.getloadavg()[0]}))


def _measured(table: RateTable, edit: RateEdit) -> dict[str, float]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    began, processor, of_database = time.perf_counter(), time.process_time(), _seconds(backend)
    preview_edit(table, list(table.rates.values_list("pk", flat=True)), edit)
    return {
        "seconds": round(time.perf_counter() - began, 2),
        "processor_seconds": round(time.process_time() - processor, 2),
        "database_processor_seconds": round(_seconds(backend) - of_database, 2),
    }


def _seconds(pid: int) -> float:
    """Processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
