"""Writing a compared import into its table, and taking it back, by statements over all rows.

The rows of the import are the journal: what each wrote, and what stood there before.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from audit.services import record
from catalogue.models import RateImport, RateTable
from catalogue.services.rate_columns import RATE_COLUMNS, compared_rows
from catalogue.services.rate_comparing import changed_since
from catalogue.services.rate_imports import RateTableChanged, check_revision
from common.errors import DomainError

State = RateImport.State

_PARTS = {
    "columns": ", ".join(RATE_COLUMNS),
    "of_row": ", ".join(f"w.{name}" for name in RATE_COLUMNS),
    "stashed": ", ".join(f"w.{name}" for name in RATE_COLUMNS).replace("w.status", "'stashed'"),
    "of_rate": ", ".join(f"r.{name}" for name in RATE_COLUMNS),
    "of_before": ", ".join(f"b.{name}" for name in RATE_COLUMNS),
    "rows": "catalogue_rateimportrow w",
    "own": "w.rate_import_id = %(import)s AND w.action = ANY(%(actions)s)",
}
_TOUCHING = ("replace", "close", "stash")


_INSERT = """
    INSERT INTO catalogue_rate (id, provider_id, rate_table_id, {columns})
    SELECT w.rate_id, w.provider_id, %(table)s, {of_row} FROM {rows} WHERE {own} ORDER BY w.number
"""
_STASH = _INSERT.replace("{of_row}", "{stashed}")
_CONFIRM = """
    UPDATE catalogue_rate r SET status = w.status FROM {rows} WHERE {own} AND r.id = w.rate_id
"""
_REMEMBER = """
    UPDATE {rows} SET before = to_jsonb(r) FROM catalogue_rate r WHERE {own} AND r.id = w.target_id
"""
_CHANGE = """
    UPDATE catalogue_rate r SET ({columns}) = ROW({of_row}) FROM {rows}
    WHERE {own} AND r.id = w.target_id
"""
_REMOVE = "DELETE FROM catalogue_rate r USING {rows} WHERE {own} AND r.id = w.rate_id"
_RESTORE = """
    UPDATE catalogue_rate r SET ({columns}) = ROW({of_before})
    FROM {rows}, jsonb_populate_record(NULL::catalogue_rate, w.before) b
    WHERE {own} AND r.id = w.target_id
"""
_NOT_AS_WRITTEN = """
    SELECT w.prefix FROM {rows}
    LEFT JOIN catalogue_rate r ON r.id = coalesce(w.target_id, w.rate_id)
    WHERE {own} AND ROW({of_rate}) IS DISTINCT FROM ROW({of_row}) ORDER BY w.number LIMIT 1
"""
_NOT_AS_STASHED = _NOT_AS_WRITTEN.replace("coalesce(w.target_id, w.rate_id)", "w.rate_id").replace(
    "{of_row}", "{stashed}"
)
_NOT_STASHED = """
    SELECT w.prefix FROM {rows} JOIN catalogue_rate r ON r.id = w.rate_id
    WHERE {own} AND r.status <> 'stashed' ORDER BY w.number LIMIT 1
"""


class RatesChangedSince(DomainError):
    """Rates of the import are not any more as it left them."""


@transaction.atomic
def write_rate_import(*, rate_import: RateImport, at: datetime) -> None:
    """Write every row as it was compared, or, where it says so, stash the rates it adds.

    In one transaction; one that was written is left alone. If the table was changed since, nothing
    is written and the import waits to be compared again.
    """
    locked = _locked(rate_import, State.WRITING)
    if locked is None:
        return
    try:
        check_revision(locked)
    except RateTableChanged as refusal:
        _back(locked, State.COMPARED, refusal)
        return
    if locked.options.stash:
        _run(_STASH, locked, ["insert", "replace"])
        _end(locked, State.STASHED, at, "stashed")
    else:
        _run(_REMEMBER, locked, _TOUCHING)
        _run(_CHANGE, locked, _TOUCHING)
        _run(_INSERT, locked, ["insert"])
        _end(locked, State.DONE, at, "written")


@transaction.atomic
def confirm_stashed(*, rate_import: RateImport, at: datetime) -> None:
    """Bring what an import stashed into force, as it was compared.

    Where its rows would do something else to the table as it is now, or its rates are not as it
    stashed them, nothing is written and it stays stashed.
    """
    locked = _locked(rate_import, State.CONFIRMING)
    if locked is None:
        return
    try:
        check_as_written(locked, is_stashed=True)
        if changed_since(locked, compared_rows(locked)):
            raise RateTableChanged(
                f"{locked.rate_table} was changed so that the file would do something else to it:"
                " throw the stashed rates away and import the file again."
            )
    except (RatesChangedSince, RateTableChanged) as refusal:
        _back(locked, State.STASHED, refusal)
        return
    _run(_REMEMBER, locked, _TOUCHING)
    _run(_CHANGE, locked, _TOUCHING)
    _run(_REMOVE, locked, ["replace"])
    _run(_CONFIRM, locked, ["insert"])
    _end(locked, State.DONE, at, "written")


@transaction.atomic
def discard_stashed(*, rate_import: RateImport, at: datetime) -> None:
    """Take the rates that an import stashed out of the table, if all are stashed still.

    What else became of them, such as another name, does not count: no call was priced by them.
    """
    locked = _locked(rate_import, State.DISCARDING)
    if locked is None:
        return
    if in_force := _run(_NOT_STASHED, locked, ["insert", "replace"]):
        prefix = in_force[0][0] or "any number"
        refusal = RatesChangedSince(
            f"The rate of {prefix} was brought into force since: stash it again first."
        )
        _back(locked, State.STASHED, refusal)
        return
    _run(_REMOVE, locked, ["insert", "replace"])
    locked.ended_at = at
    _end(locked, State.DISCARDED, at, "stash_discarded")


def undo_rates(*, rate_import: RateImport, at: datetime) -> None:
    """Remove what a locked import added and put back what it replaced, closed or stashed.

    :raises RatesChangedSince: a rate is not as the import left it.
    """
    check_as_written(rate_import, is_stashed=False)
    _run(_REMOVE, rate_import, ["insert"])
    _run(_RESTORE, rate_import, _TOUCHING)
    rate_import.ended_at = at
    _end(rate_import, State.UNDONE, at, "undone")


def refuse_undoing(*, rate_import: RateImport, refusal: DomainError) -> None:
    """Leave a locked import imported, and say why."""
    _back(rate_import, State.DONE, refusal)


def lock_for_undoing(rate_import: RateImport) -> RateImport | None:
    """The import and its table, locked against all who rate by it; None if it is not to be undone.

    Batches that are being rated hold their tables; this waits for them.
    """
    return _locked(rate_import, State.UNDOING)


def check_as_written(rate_import: RateImport, *, is_stashed: bool) -> None:
    """:raises RatesChangedSince: unless all rates are as the import left them."""
    if is_stashed:
        changed = _run(_NOT_AS_STASHED, rate_import, ["insert", "replace"])
    else:
        changed = _run(_NOT_AS_WRITTEN, rate_import, ["insert", *_TOUCHING])
    if changed:
        prefix = changed[0][0] or "any number"
        raise RatesChangedSince(
            f"The rate of {prefix} was changed or closed after the import, perhaps by another one:"
            " take that back first."
        )


def _locked(rate_import: RateImport, state: RateImport.State) -> RateImport | None:
    """The import, its table locked first as everywhere, if it still is to be worked on."""
    RateTable.objects.select_for_update(no_key=state != State.UNDOING).get(
        pk=rate_import.rate_table_id
    )
    locked = RateImport.objects.select_for_update(no_key=True).get(pk=rate_import.pk)
    return locked if locked.state == state else None


def _run(sql: str, rate_import: RateImport, actions: Sequence[str]) -> list[tuple[str, ...]]:
    """Run a statement over the rows of an import with these actions."""
    parameters: dict[str, Any] = {
        "import": rate_import.pk,
        "table": rate_import.rate_table_id,
        "actions": list(actions),
    }
    with connection.cursor() as cursor:
        cursor.execute(sql.format(**_PARTS), parameters)
        return cursor.fetchall() if cursor.description else []


def _back(rate_import: RateImport, state: RateImport.State, refusal: DomainError) -> None:
    rate_import.state, rate_import.error = state, str(refusal)
    rate_import.save()


def _end(rate_import: RateImport, state: RateImport.State, at: datetime, what: str) -> None:
    rate_import.state = state
    if state in (State.DONE, State.STASHED):
        rate_import.written_at = at
    rate_import.save()
    record(
        provider_id=rate_import.provider_id,
        action=f"rate_import.{what}",
        changed=rate_import,
        at=at,
        actor_id=rate_import.ended_by_id or rate_import.confirmed_by_id,
        after={"rate_table": rate_import.rate_table_id, **rate_import.counts},
    )
