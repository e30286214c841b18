"""Rate files on their way into a table, without a browser."""

from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from catalogue.importers.proposals import propose_layout
from catalogue.models import RateImport, RateTable
from catalogue.rules.rate_layouts import ImportOptions, Layout
from catalogue.services.rate_files import path_of
from catalogue.services.rate_import_work import work_on_rate_import
from catalogue.services.rate_imports import confirm_import, receive_rate_file, start_comparing

AT = datetime(2026, 6, 1, tzinfo=UTC)


def receive_rates(
    table: RateTable, content: str | bytes, name: str = "rates.csv", at: datetime = AT
) -> RateImport:
    encoded = content.encode() if isinstance(content, str) else content
    return receive_rate_file(content=BytesIO(encoded), name=name, table=table, at=at, actor_id=None)


def compare_rates(
    table: RateTable,
    content: str | bytes,
    name: str = "rates.csv",
    *,
    layout: Layout | None = None,
    at: datetime = AT,
    **options: Any,
) -> RateImport:
    """A file compared with the table, read as it seems to be; rates start at `AT` by default."""
    rate_import = receive_rates(table, content, name, at)
    defaults = {"effective_from": AT.isoformat(), **options.pop("defaults", {})}
    start_comparing(
        rate_import=rate_import,
        layout=layout or propose_layout(path_of(rate_import), {}).layout,
        options=ImportOptions(defaults=defaults, **options),
        at=at,
        actor_id=None,
    )
    return work(rate_import)


def import_rates(table: RateTable, content: str | bytes, **options: Any) -> RateImport:
    """A file imported, or stashed where the options say so."""
    return confirm(compare_rates(table, content, **options), options.get("at", AT))


def confirm(rate_import: RateImport, at: datetime = AT) -> RateImport:
    confirm_import(rate_import=rate_import, at=at, actor_id=None)
    return work(rate_import, at)


def work(rate_import: RateImport, at: datetime = AT) -> RateImport:
    """Do what the import waits for, as a worker does."""
    work_on_rate_import(import_id=rate_import.pk, at=at)
    return RateImport.objects.get(pk=rate_import.pk)
