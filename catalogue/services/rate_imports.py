"""Rate files: what one would do to a table, and doing exactly that."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from audit.services import record
from catalogue.models import Rate, RateTable
from catalogue.rules.rate_files import (
    PlannedRow,
    RowClass,
    StoredRate,
    plan_rows,
    read_rate_file,
)
from catalogue.rules.rate_terms import RateTerms
from catalogue.services.rates import add_rates, with_destinations
from common.errors import DomainError

_COLUMNS = [field.name for field in fields(RateTerms)]
_BATCH_ROWS = 2000


class RateFileRefused(DomainError):
    """A line of the file is wrong: nothing of it is imported."""


class RateTableChanged(DomainError):
    """The table is not any more what the file was compared with."""


@dataclass(frozen=True)
class RateImport:
    """What a file does to a table of that revision, line by line."""

    revision: int
    rows: list[PlannedRow]

    @property
    def counts(self) -> Mapping[RowClass, int]:
        """Lines by class, those without any included."""
        counted = Counter(row.row_class for row in self.rows)
        return {row_class: counted[row_class] for row_class in RowClass}


def plan_rate_import(*, table: RateTable, text: str, default_start: datetime) -> RateImport:
    """What the file would do to the table as it is now; nothing is written.

    :raises RateFileUnreadable: it cannot be read at all; single wrong lines are in the answer.
    """
    lines = read_rate_file(text, zone=ZoneInfo(table.time_zone), default_start=default_start)
    prefixes = {line.prefix for line in lines}
    rates = Rate.objects.filter(provider_id=table.provider_id, rate_table=table).order_by("pk")
    stored = [
        StoredRate(pk, RateTerms(**dict(zip(_COLUMNS, values, strict=True))))
        for pk, *values in rates.values_list("pk", *_COLUMNS).iterator()
        if values[0] in prefixes
    ]
    return RateImport(table.revision, plan_rows(lines, stored))


@transaction.atomic
def import_rates(
    *,
    table: RateTable,
    text: str,
    default_start: datetime,
    revision: int,
    at: datetime,
    actor_id: int | None,
) -> RateImport:
    """Bring a file into a table as `plan_rate_import` said for that revision; all of it or nothing.

    A line with the start of a rate there is takes its place; others are added, and end the rate
    before them where they start. Unchanged lines write nothing.

    :raises RateTableChanged: the table has another revision now.
    :raises RateFileUnreadable: it cannot be read at all.
    :raises RateFileRefused: a line is wrong; the message names the first, with its column.
    :raises RateRefused: a line has no destination and the table's code deck knows none.
    """
    table = RateTable.objects.select_for_update(no_key=True).get(pk=table.pk)
    if table.revision != revision:
        raise RateTableChanged(
            f"{table} was changed since the file was compared with it: look at the dry run again."
        )
    planned = plan_rate_import(table=table, text=text, default_start=default_start)
    _refuse_errors(planned)
    writing = [row for row in planned.rows if row.writes]
    _change(table, [row for row in writing if row.replaces is not None])
    added = [row.line.terms for row in writing if row.replaces is None and row.line.terms]
    if added:
        add_rates(table=table, rates=added, at=at, actor_id=actor_id)
    record(
        provider_id=table.provider_id,
        action="rate_table.imported",
        changed=table,
        at=at,
        actor_id=actor_id,
        after={row_class.value: count for row_class, count in planned.counts.items()},
    )
    return planned


def _refuse_errors(planned: RateImport) -> None:
    wrong = [row.line for row in planned.rows if row.row_class is RowClass.ERROR]
    if wrong:
        first = wrong[0]
        place = f"line {first.number}" + (f", column {first.column}" if first.column else "")
        raise RateFileRefused(
            f"{len(wrong):,} of {len(planned.rows):,} lines are wrong; the first is {place}:"
            f" {first.error}. Nothing was imported."
        )


def _change(table: RateTable, rows: list[PlannedRow]) -> None:
    """Put the terms of lines in place of those of the rates with the same prefix and start."""
    terms = with_destinations(table, [row.line.terms for row in rows if row.line.terms])
    changed = [
        Rate(
            pk=row.replaces,
            provider_id=table.provider_id,
            rate_table=table,
            **{name: getattr(each, name) for name in _COLUMNS},
        )
        for row, each in zip(rows, terms, strict=True)
    ]
    if changed:
        Rate.objects.bulk_update(changed, _COLUMNS, batch_size=_BATCH_ROWS)
