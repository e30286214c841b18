"""Comparing a received file with its table: the dry run, done by a worker."""

from collections import Counter
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import polars as pl
from django.db import transaction
from django.db.models.functions import Now

from catalogue.importers.rate_files import is_workbook, read_cells
from catalogue.importers.rate_values import read_rates
from catalogue.importers.refusals import RateFileUnreadable
from catalogue.models import CodeDeckEntry, RateImport, RateTable
from catalogue.rules.rate_cells import CellReader
from catalogue.rules.rate_row_classes import compare
from catalogue.selectors.rate_imports import time_profile_ids
from catalogue.services.rate_columns import RATE_COLUMNS, keep_rows, stored_rates
from catalogue.services.rate_files import path_of
from common.scope import Scope

State = RateImport.State


def compare_rate_import(*, rate_import: RateImport) -> None:
    """Read the file, class every row and keep them; a file that cannot be read is FAILED.

    Nothing of the table is written. All rows are kept in one transaction, which finds out first
    whether somebody else has done it meanwhile: repeating it changes nothing.
    """
    try:
        rows = _read(rate_import)
    except (RateFileUnreadable, OSError) as error:
        _fail(rate_import, str(error))
        return
    with transaction.atomic():
        table = RateTable.objects.get(pk=rate_import.rate_table_id)
        locked = RateImport.objects.select_for_update(no_key=True).get(pk=rate_import.pk)
        asked = locked.kept_layout, locked.kept_options
        if locked.state != State.COMPARING or asked != (
            rate_import.kept_layout,
            rate_import.kept_options,
        ):
            return
        locked.rows.all().delete()
        locked.counts = dict(_kept(locked, rows))
        locked.revision, locked.state = table.revision, State.COMPARED
        locked.save()


def _kept(rate_import: RateImport, rows: pl.DataFrame) -> Counter[str]:
    counts: Counter[str] = Counter()
    for frame in _compared(rate_import, rows):
        keep_rows(rate_import, frame)
        counts.update(dict(frame["row_class"].value_counts().iter_rows()))
    return counts


def _compared(rate_import: RateImport, rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    return compare(rows, stored_rates(rate_import.rate_table_id), rate_import.options)


def _read(rate_import: RateImport) -> pl.DataFrame:
    layout = rate_import.layout
    assert layout is not None, "a file is compared when somebody said how to read it"

    def tell(count: int) -> None:
        # By the database's clock: it tells a sweep how long ago this was.
        RateImport.objects.filter(pk=rate_import.pk).update(read_count=count, touched_at=Now())

    table = rate_import.rate_table
    deck = CodeDeckEntry.objects.filter(code_deck_id=table.code_deck_id)
    reader = CellReader(
        ZoneInfo(table.time_zone),
        layout.date_format,
        layout.decimal_comma,
        time_profile_ids(Scope.system(table.provider_id)),
        is_csv=not is_workbook(path_of(rate_import)),
    )
    cells = read_cells(path_of(rate_import), layout, on_rows=tell)
    return read_rates(
        cells, reader, rate_import.options, dict(deck.values_list("prefix", "destination"))
    )


@transaction.atomic
def _fail(rate_import: RateImport, error: str) -> None:
    locked = RateImport.objects.select_for_update(no_key=True).get(pk=rate_import.pk)
    if locked.state == State.COMPARING:
        locked.state, locked.error = State.FAILED, error
        locked.save()


def changed_since(rate_import: RateImport, rows: pl.DataFrame) -> bool:
    """Whether the rows of a stashed import would do something else to the table as it is now."""
    said = ["row_class", "action", "target_id"]
    of_file = rows.filter(pl.col("line").is_not_null())
    frames = list(_compared(rate_import, of_file.drop("row_class", "action", "target_id")))
    now = pl.concat(frames, how="vertical")
    absent = pl.col("line").is_null()
    # A rate is ended or stashed as the row has it: one that was corrected since would be lost.
    columns = [*said, *RATE_COLUMNS]
    missing_now = now.filter(absent).select(columns).sort("target_id")
    missing_then = rows.filter(absent).select(columns).sort("target_id")
    return not (
        missing_now.equals(missing_then)
        and now.filter(~absent)
        .select("number", *said)
        .sort("number")
        .equals(of_file.select("number", *said).sort("number"))
    )
