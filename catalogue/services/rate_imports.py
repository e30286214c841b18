"""Rate imports as people drive them: received, compared, confirmed, thrown away.

The work itself is done by workers (`rate_comparing`, `rate_writing`); here it is asked for.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, BinaryIO

from django.db import transaction

from audit.services import record
from catalogue.importers.rate_files import is_workbook, sheet_names
from catalogue.importers.refusals import RateFileUnreadable
from catalogue.importers.texts import detect_encoding
from catalogue.models import RateImport, RateTable
from catalogue.rules.rate_layouts import Errors, ImportOptions, Layout
from catalogue.rules.rate_row_classes import RowAction, RowClass
from catalogue.services.rate_files import stored
from common.errors import DomainError
from common.jobs import enqueue
from common.locks import lock_in_transaction
from common.tries import start_anew

State = RateImport.State


class RateImportBusy(DomainError):
    """Another import of the table is being worked on."""


class RateImportInState(DomainError):
    """The import is in a state in which that cannot be done."""


class RateFileRefused(DomainError):
    """Rows of the file are wrong, and the import was to be refused then."""


class NothingToImport(DomainError):
    """The file changes nothing of the table."""


class RateTableChanged(DomainError):
    """The table is not any more what the file was compared with."""


def receive_rate_file(
    *, content: BinaryIO, name: str, table: RateTable, at: datetime, actor_id: int | None
) -> RateImport:
    """Keep a rate file for a table; how it is to be read is said next.

    :raises RateFileUnreadable: it is empty, too large, or neither text nor a workbook.
    """
    with stored(content) as file, transaction.atomic():
        _refuse_unreadable(name, file.path)
        rate_import = RateImport.objects.create(
            provider_id=table.provider_id,
            rate_table=table,
            name=name,
            sha256=file.sha256,
            size_bytes=file.size_bytes,
            stored_name=file.path.name,
            touched_at=at,
            received_at=at,
            received_by_id=actor_id,
        )
        _record("received", rate_import, at, actor_id, {"name": name, "sha256": file.sha256})
    return rate_import


def _refuse_unreadable(name: str, path: Any) -> None:
    if is_workbook(path):
        sheet_names(path)
    elif name.lower().endswith((".xlsx", ".xlsm", ".xls")):
        raise RateFileUnreadable(
            "The file is named as a workbook and is none: export it from the spreadsheet again."
        )
    else:
        detect_encoding(path)


@transaction.atomic
def start_comparing(
    *,
    rate_import: RateImport,
    layout: Layout,
    options: ImportOptions,
    at: datetime,
    actor_id: int | None,
) -> RateImport:
    """Have the file read as `layout` says and compared with the table as it is now.

    :raises RateImportInState: it was written, thrown away, or is being worked on.
    :raises RateImportBusy: another import of the table is.
    """
    rate_import = _locked(rate_import, State.RECEIVED, State.COMPARED, State.FAILED)
    rate_import.kept_layout, rate_import.kept_options = layout.as_json(), options.as_json()
    rate_import.counts, rate_import.revision = {}, None
    _start(rate_import, State.COMPARING, at)
    return rate_import


@transaction.atomic
def confirm_import(*, rate_import: RateImport, at: datetime, actor_id: int | None) -> RateImport:
    """Have an import written as it was compared, or the rates confirmed that it stashed.

    :raises RateImportInState: it was not compared, was written, or is being worked on.
    :raises RateFileRefused: rows are wrong and are not to be skipped.
    :raises NothingToImport: it would write nothing.
    :raises RateTableChanged: the table has another revision than that it was compared with.
    :raises RateImportBusy: another import of the table is being worked on.
    """
    rate_import = _locked(rate_import, State.COMPARED, State.STASHED)
    was_stashed = rate_import.state == State.STASHED
    if not was_stashed:
        _check_writable(rate_import)
    rate_import.confirmed_by_id = actor_id
    _start(rate_import, State.CONFIRMING if was_stashed else State.WRITING, at)
    _record("confirmed", rate_import, at, actor_id, rate_import.counts)
    return rate_import


def _check_writable(rate_import: RateImport) -> None:
    wrong = rate_import.count(RowClass.ERROR)
    if wrong and rate_import.options.errors is Errors.ABORT:
        raise RateFileRefused(
            f"{wrong:,} rows are wrong: mend the file and send it again, or choose to leave wrong"
            " rows out."
        )
    if not rate_import.rows.exclude(action=RowAction.NOTHING).exists():
        raise NothingToImport("The table says all of this already.")
    check_revision(rate_import)


def check_revision(rate_import: RateImport) -> None:
    """:raises RateTableChanged: the table was changed since the file was compared with it."""
    table = RateTable.objects.get(pk=rate_import.rate_table_id)
    if table.revision != rate_import.revision:
        raise RateTableChanged(
            f"{table} was changed since the file was compared with it: compare it again."
        )


@transaction.atomic
def discard_import(*, rate_import: RateImport, at: datetime, actor_id: int | None) -> RateImport:
    """Throw an import away; the rates that it stashed leave the table.

    :raises RateImportInState: it was confirmed or thrown away, or is being worked on.
    :raises RateImportBusy: it has stashed rates, and another import is being worked on.
    """
    rate_import = _locked(rate_import, State.RECEIVED, State.COMPARED, State.FAILED, State.STASHED)
    rate_import.ended_by_id = actor_id
    if rate_import.state == State.STASHED:
        _start(rate_import, State.DISCARDING, at)
    else:
        rate_import.state, rate_import.ended_at = State.DISCARDED, at
        rate_import.save()
    _record("discarded", rate_import, at, actor_id, {})
    return rate_import


@transaction.atomic
def start_undoing(*, rate_import: RateImport, at: datetime, actor_id: int | None) -> RateImport:
    """Mark an import as being undone; whoever knows what its rates were used for does the rest.

    :raises RateImportInState: it is not imported.
    :raises RateImportBusy: another import of the table is being worked on.
    """
    rate_import = _locked(rate_import, State.DONE)
    rate_import.ended_by_id = actor_id
    _claim(rate_import, State.UNDOING, at)
    _record("undo_asked", rate_import, at, actor_id, {})
    return rate_import


def _locked(rate_import: RateImport, *states: RateImport.State) -> RateImport:
    rate_import = RateImport.objects.select_for_update(no_key=True).get(pk=rate_import.pk)
    if rate_import.state not in states:
        raise RateImportInState(
            f"{rate_import} is {rate_import.get_state_display().lower()}: that cannot be done now."
        )
    return rate_import


def _start(rate_import: RateImport, state: RateImport.State, at: datetime) -> None:
    _claim(rate_import, state, at)
    enqueue("catalogue.work_on_rate_import", import_id=rate_import.pk)


def _claim(rate_import: RateImport, state: RateImport.State, at: datetime) -> None:
    """One import of a table at a time: their changes would overtake each other."""
    lock_in_transaction("rate_import", rate_import.rate_table_id)
    others = RateImport.objects.filter(
        rate_table_id=rate_import.rate_table_id, state__in=RateImport.WORKING
    )
    if other := others.exclude(pk=rate_import.pk).first():
        raise RateImportBusy(
            f"{other.name} is being worked on ({other.get_state_display().lower()}): wait until it"
            " is done."
        )
    rate_import.state, rate_import.error = state, ""
    rate_import.touched_at, rate_import.read_count = at, 0
    start_anew(rate_import)
    rate_import.save()


def _record(
    what: str,
    rate_import: RateImport,
    at: datetime,
    actor_id: int | None,
    after: Mapping[str, object],
) -> None:
    record(
        provider_id=rate_import.provider_id,
        action=f"rate_import.{what}",
        changed=rate_import,
        at=at,
        actor_id=actor_id,
        after={"rate_table": rate_import.rate_table_id, **after},
    )
