"""Taking old months of xDRs out of the database into files, and bringing them back."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from cdr.models import Rerating, RetiredMonth, Suspense
from cdr.partitions import (
    PARTITIONED,
    drop_partitions,
    ensure_partitions,
    lock_partitions,
    months_stored,
    partition,
)
from cdr.services.archives import ArchiveDamaged, read_table, sync, write_table
from common.errors import DomainError
from common.periods import month

MANIFEST = "manifest.json"
_FORMAT = 1
_AT_WORK = (
    Rerating.State.PLANNING,
    Rerating.State.MEASURING,
    Rerating.State.MEASURED,
    Rerating.State.APPLYING,
)


class MonthNotOver(DomainError):
    """The month still runs."""


class MonthNotStored(DomainError):
    """The database holds no xDRs of the month."""


class EarlierMonthStored(DomainError):
    """Months go in order: what started before the last that went is too old to be rated."""


class MonthStillNeeded(DomainError):
    """Something of the month waits for somebody, or is being rated again."""


class FolderRefused(DomainError):
    """The folder holds a month already, or files cannot be written to it."""


class MonthNotRetired(DomainError):
    """The files hold no month that was taken out of this database."""


class MonthStored(DomainError):
    """The database holds xDRs of the month already."""


def make_partitions_ahead(*, at: datetime, count: int) -> None:
    """The partitions of the running month and of the `count` that follow."""
    days = [at.date().replace(day=1)]
    for _ in range(count):
        days.append(month(days[-1].year, days[-1].month).to_date)
    with transaction.atomic():
        ensure_partitions(days)


@transaction.atomic
def retire_month(*, first_day: date, folder: Path, at: datetime) -> RetiredMonth:
    """Write a month's xDRs and legs to Parquet files in `folder`, and take them out.

    Before anything is taken out, the files are safe on disk, read back and compared with the
    tables. Until the end the month can be read, but not written to. All providers' xDRs go: they
    share a month.

    :raises MonthNotOver: while the month lasts.
    :raises MonthNotStored: if there is nothing of the month.
    :raises EarlierMonthStored: if there is something of a month before it.
    :raises MonthStillNeeded: if suspense of it is open, or a re-rating of it is not over.
    :raises FolderRefused: if it holds a month already, whosever, or cannot be written to.
    :raises ArchiveDamaged: if the files do not give back what was written.
    """
    lock_partitions()
    _check_retirable(first_day, at)
    tables = {parent: partition(parent, first_day) for parent in PARTITIONED}
    with connection.cursor() as cursor:
        # Whoever writes to them waits for the end, and then finds the month gone.
        cursor.execute(f"LOCK TABLE {', '.join(tables.values())} IN SHARE MODE")
    # Only now: who was writing when the lock was asked for may have left something waiting.
    _check_not_needed(first_day)
    with _writing_to(folder):
        manifest = _write_month(first_day, tables, folder, at)
    drop_partitions(first_day)
    return RetiredMonth.objects.create(
        first_day=first_day, folder=str(folder), manifest=manifest, retired_at=at
    )


@transaction.atomic
def restore_month(*, folder: Path) -> date:
    """Bring a month back that `retire_month` wrote to `folder`; its first day.

    :raises MonthNotRetired: if the folder is not that of a month taken out of this database.
    :raises MonthStored: if the database holds something of the month.
    :raises ArchiveDamaged: if a file is missing or not what was written.
    :raises FolderRefused: if it cannot be written to: rows pass through a text file there.
    """
    lock_partitions()
    manifest, first_day = _read_manifest(folder)
    if first_day in months_stored():
        raise MonthStored(f"The database holds xDRs of {manifest['month']} already.")
    row = RetiredMonth.objects.select_for_update().filter(first_day=first_day).first()
    if row is None or row.manifest != manifest:
        raise MonthNotRetired(
            f"{folder} holds {manifest['month']}, which was not taken out of this database so."
        )
    row.delete()
    ensure_partitions([first_day])
    with _writing_to(folder):
        for parent, entry in manifest["tables"].items():
            read_table(partition(parent, first_day), folder, entry)
    return first_day


def _check_retirable(first_day: date, at: datetime) -> None:
    ends = month(first_day.year, first_day.month).to_date
    name = f"{first_day:%Y-%m}"
    if ends > at.date():
        raise MonthNotOver(f"{name} is not over.")
    stored = months_stored()
    if first_day not in stored:
        raise MonthNotStored(f"The database holds no xDRs of {name}.")
    if earlier := [day for day in stored if day < first_day]:
        raise EarlierMonthStored(f"{earlier[0]:%Y-%m} is stored still; retire it first.")


def _check_not_needed(starts: date) -> None:
    ends = month(starts.year, starts.month).to_date
    name = f"{starts:%Y-%m}"
    within = {"started_at__gte": f"{starts} 00:00Z", "started_at__lt": f"{ends} 00:00Z"}
    if waiting := Suspense.objects.filter(state=Suspense.State.OPEN, **within).count():
        raise MonthStillNeeded(f"{waiting} of {name} wait in suspense; resolve them first.")
    before, after = within["started_at__lt"], within["started_at__gte"]
    # Slices of customers with allowances may reach beyond what was chosen.
    open_ones = Rerating.objects.filter(
        Q(started_from__lt=before, started_to__gt=after)
        | Q(slices__started_from__lt=before, slices__started_to__gt=after),
        state__in=_AT_WORK,
    )
    if rerating := open_ones.order_by("pk").first():
        raise MonthStillNeeded(
            f"Re-rating {rerating.pk} is about {name} and not over; apply or discard it first."
        )


@contextmanager
def _writing_to(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = error.strerror or error
        raise FolderRefused(
            f"{folder} cannot be written to: {why}. Nothing was changed."
        ) from error


def _write_month(
    first_day: date, tables: Mapping[str, str], folder: Path, at: datetime
) -> dict[str, Any]:
    """Write the tables that hold a month, and what tells whether the files are whole."""
    if (folder / MANIFEST).exists():
        raise FolderRefused(
            f"{folder} holds a month already, which is never overwritten: name another folder, or"
            " move it away."
        )
    folder.mkdir(parents=True, exist_ok=True)
    manifest: dict[str, Any] = {
        "format": _FORMAT,
        "month": f"{first_day:%Y-%m}",
        "retired_at": at.isoformat(),
        "tables": {
            parent: write_table(table, folder / f"{parent}.parquet")
            for parent, table in tables.items()
        },
    }
    for parent, entry in manifest["tables"].items():
        _compare(tables[parent], folder, entry)
    _write_manifest(folder, manifest)
    return manifest


def _compare(table: str, folder: Path, entry: dict[str, Any]) -> None:
    """Read a file back into a table that nobody else sees."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE read_back (LIKE {table}) ON COMMIT DROP")
        read_table("read_back", folder, entry)
        cursor.execute("DROP TABLE read_back")


def _write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Last, and at once: a folder with a manifest is whole, and outlasts a loss of power."""
    partial = folder / f"{MANIFEST}.partial"
    partial.write_text(json.dumps(manifest, indent=2) + "\n")
    sync(partial)
    os.replace(partial, folder / MANIFEST)
    sync(folder)
    sync(folder.parent)


def _read_manifest(folder: Path) -> tuple[dict[str, Any], date]:
    """What a folder says of itself, and the first day of its month."""
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text())
    except OSError as error:
        raise ArchiveDamaged(
            f"{path} cannot be read: {error.strerror}. Name the folder of a month, such as"
            " /archive/2024-10."
        ) from error
    except ValueError as error:
        raise ArchiveDamaged(f"{path} is not JSON: {error}.") from error
    try:
        first_day = date.fromisoformat(f"{manifest['month']}-01")
        if manifest["format"] == _FORMAT and manifest["tables"]:
            return manifest, first_day
    except (LookupError, TypeError, ValueError):
        pass
    raise ArchiveDamaged(f"{path} is not a manifest that this version understands.")
