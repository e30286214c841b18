"""Writing the rates of a table into a file, in the background."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from catalogue.models import Rate, RateExport, RateImport, RateTable
from catalogue.rules.rate_lines import COLUMNS, PrefixLayout
from catalogue.selectors.rate_exports import IMPORT_COLUMNS, import_lines, rate_lines
from catalogue.selectors.rate_tables import in_force
from common.csv_files import Cell
from common.jobs import enqueue
from common.scope import Scope
from common.table_files import table_file

KEPT_DAYS = 7
_LOST_AFTER = timedelta(minutes=15)
_SWEPT_AT_ONCE = 100


@transaction.atomic
def request_rate_export(
    *,
    table: RateTable,
    format: RateExport.Format,
    prefix_layout: RateExport.PrefixLayout,
    in_force_at: datetime | None,
    at: datetime,
    actor_id: int | None,
) -> RateExport:
    """Have a worker write the rates of a table, or those in force at an instant, into a file."""
    rates = Rate.objects.filter(provider_id=table.provider_id, rate_table=table)
    export = RateExport.objects.create(
        provider_id=table.provider_id,
        rate_table=table,
        format=format,
        prefix_layout=prefix_layout,
        at=in_force_at,
        rate_count=(rates if in_force_at is None else in_force(rates, in_force_at)).count(),
        requested_at=at,
        requested_by_id=actor_id,
    )
    enqueue("catalogue.write_rate_export", export_id=export.pk)
    return export


@transaction.atomic
def request_import_file(
    *, rate_import: RateImport, format: RateExport.Format, at: datetime, actor_id: int | None
) -> RateExport:
    """Have a worker write what an import does, all rows of it, into a file."""
    export = RateExport.objects.create(
        provider_id=rate_import.provider_id,
        rate_table_id=rate_import.rate_table_id,
        rate_import=rate_import,
        format=format,
        prefix_layout=RateExport.PrefixLayout.ROWS,
        rate_count=sum(rate_import.counts.values()),
        requested_at=at,
        requested_by_id=actor_id,
    )
    enqueue("catalogue.write_rate_export", export_id=export.pk)
    return export


def write_rate_export(*, export_id: int, at: datetime) -> bool:
    """Write the file that was asked for; whether it was. One that is written is left alone.

    Nothing is kept until all of it is written: a worker that dies begins anew, and of two that
    write it the second finds it written.
    """
    rows = RateExport.objects.select_related("rate_table", "rate_import")
    export = rows.defer("content").get(pk=export_id)
    if export.state != RateExport.State.QUEUED:
        return False

    def on_rates(done: int) -> None:
        RateExport.objects.filter(pk=export_id).update(done_count=done)

    columns, lines = _lines(export, on_rates)
    content = table_file(export.format, "Rates", columns, lines)
    with transaction.atomic():
        locked = RateExport.objects.select_for_update(no_key=True).defer("content")
        export = locked.get(pk=export_id)
        if export.state != RateExport.State.QUEUED:
            return False
        export.mark_done(content, export.rate_count, at)
        export.save(update_fields=["state", "content", "done_count", "done_at"])
    return True


def give_up_rate_export(*, export_id: int, at: datetime) -> None:
    """Leave a file unwritten that cannot be written; somebody may ask for it again."""
    RateExport.objects.filter(pk=export_id, state=RateExport.State.QUEUED).update(
        state=RateExport.State.FAILED, done_at=at
    )


def sweep_rate_exports(*, at: datetime) -> int:
    """Queue files whose worker was lost, and empty those that are older than a week; how many."""
    RateExport.objects.filter(
        content__isnull=False, done_at__lt=at - timedelta(days=KEPT_DAYS)
    ).update(content=None)
    waiting = RateExport.objects.filter(
        state=RateExport.State.QUEUED, requested_at__lt=at - _LOST_AFTER
    )
    ids = list(waiting.order_by("pk").values_list("pk", flat=True)[:_SWEPT_AT_ONCE])
    for export_id in ids:
        enqueue("catalogue.write_rate_export", export_id=export_id)
    return len(ids)


def _lines(
    export: RateExport, on_rates: Callable[[int], None]
) -> tuple[Sequence[str], Iterator[Sequence[Cell]]]:
    scope = Scope.system(export.provider_id)
    if export.rate_import is not None:
        return IMPORT_COLUMNS, import_lines(scope, export.rate_import, on_rates=on_rates)
    layout = PrefixLayout(export.prefix_layout)
    lines = rate_lines(scope, export.rate_table, at=export.at, layout=layout, on_rates=on_rates)
    return COLUMNS, lines
