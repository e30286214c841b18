"""Compare and import a large rate file in this process, as a worker does."""

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.core.management import call_command
from openpyxl import Workbook

from catalogue.importers.proposals import propose_layout
from catalogue.models import Product, ProductKind, Rate, RateImport, RateTable
from catalogue.rules.rate_layouts import Absent, ImportOptions
from catalogue.services.rate_files import path_of
from catalogue.services.rate_import_work import work_on_rate_import
from catalogue.services.rate_imports import confirm_import, receive_rate_file, start_comparing
from tenancy.models import Provider

AT = datetime(2026, 11, 1, tzinfo=UTC)
HEADINGS = (
    *("prefix", "destination", "rate", "effective_from", "minimum", "increment"),
    "connection_fee",
)
_BATCH_ROWS = 5_000


def main() -> None:
    """Print seconds and MiB of a dry run and an import as one JSON object."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--xlsx", action="store_true")
    asked = parser.parse_args()
    call_command("migrate", verbosity=0)
    table = _table(asked.rows)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("rates.xlsx" if asked.xlsx else "rates.csv")
        (_write_xlsx if asked.xlsx else _write_csv)(path, asked.rows)
        with path.open("rb") as file:
            rate_import = receive_rate_file(
                content=file, name=path.name, table=table, at=AT, actor_id=None
            )
    before_mib = _peak_mib()
    dry_run, dry_run_cpu = _timed(lambda: _compare(rate_import))
    imported, import_cpu = _timed(lambda: _import(rate_import))
    rate_import.refresh_from_db()
    print(
        json.dumps(
            {
                "rows": asked.rows,
                "file": "xlsx" if asked.xlsx else "csv",
                "file_bytes": rate_import.size_bytes,
                "classes": rate_import.counts,
                "state": rate_import.state,
                "rates_before": asked.rows // 2,
                "rates_after": Rate.objects.filter(rate_table=table).count(),
                "dry_run_seconds": round(dry_run, 1),
                "dry_run_cpu_seconds": round(dry_run_cpu, 1),
                "import_seconds": round(imported, 1),
                "import_cpu_seconds": round(import_cpu, 1),
                "peak_mib": _peak_mib(),
                "peak_mib_before": before_mib,
                "load": os.getloadavg()[0],
            }
        )
    )


def _rows(count: int) -> Iterator[tuple[object, ...]]:
    """Every second one is a rate that the table has, a tenth of these at another price."""
    for number in range(count):
        price = number % 9_000 + (1 if number % 20 == 0 else 0)
        yield (
            *(f"{1_000_000 + number}", f"Destination {number % 3_000}", f"0.{price:04}"),
            *("2026-12-01", 60, 1, "0.01"),
        )


def _write_csv(path: Path, count: int) -> None:
    with path.open("w") as file:
        file.write(",".join(HEADINGS) + "\n")
        file.writelines(",".join(map(str, row)) + "\n" for row in _rows(count))


def _write_xlsx(path: Path, count: int) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Rates")
    sheet.append(HEADINGS)
    for prefix, destination, price, start, *rest in _rows(count):
        sheet.append((int(str(prefix)), destination, float(str(price)), start, *rest))
    book.save(path)


def _table(rows: int) -> RateTable:
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
        name="Vendor",
        currency="EUR",
        time_zone="Europe/Berlin",
        created_at=AT,
    )
    Rate.objects.bulk_create(
        (
            Rate(
                provider=provider,
                rate_table=table,
                prefix=f"{1_000_000 + number}",
                destination=f"Destination {number % 3_000}",
                effective_from=AT - timedelta(days=300),
                rate=f"0.{number % 9_000:04}",
                minimum=60,
                connection_fee="0.01",
            )
            for number in range(0, rows, 2)
        ),
        batch_size=_BATCH_ROWS,
    )
    return table


def _timed(work: Callable[[], None]) -> tuple[float, float]:
    """Seconds, and those of this process alone: PostgreSQL's are not among them."""
    began, cpu_began = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - cpu_began


def _compare(rate_import: RateImport) -> None:
    start_comparing(
        rate_import=rate_import,
        layout=propose_layout(path_of(rate_import), {}).layout,
        options=ImportOptions(absent=Absent.CLOSE, close_at=AT + timedelta(days=30)),
        at=AT,
        actor_id=None,
    )
    work_on_rate_import(import_id=rate_import.pk, at=AT)


def _import(rate_import: RateImport) -> None:
    confirm_import(rate_import=rate_import, at=AT, actor_id=None)
    work_on_rate_import(import_id=rate_import.pk, at=AT)


def _peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
