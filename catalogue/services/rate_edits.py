"""Changing many rates at once: asked for by somebody, made by a worker in a few statements."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F, QuerySet, Value

from audit.services import record
from catalogue.models import Rate, RateBatchEdit, RateTable
from catalogue.rules.rate_edits import RateEdit, read, written
from catalogue.rules.rate_terms import RateRefused, RateTerms
from catalogue.selectors.rate_edits import chosen_rates, divided, edited, preview_edit
from catalogue.selectors.rate_tables import next_start, with_ends
from common.errors import DomainError
from common.jobs import enqueue

PATIENCE = timedelta(minutes=5)
"""After which an edit that is not made is taken for lost."""

_COPIED = ("provider_id", "rate_table_id", *RateTerms.__dataclass_fields__)


class NoRatesChosen(DomainError):
    """An edit of no rates, or of none that it would change."""


class RatesChanged(DomainError):
    """The table is not any more what the edit was asked for."""


@transaction.atomic
def ask_for_rate_edit(
    *,
    table: RateTable,
    rate_ids: Collection[int],
    edit: RateEdit,
    at: datetime,
    actor_id: int | None,
) -> RateBatchEdit:
    """Have a worker change these rates of the table, all or none, and leave the others alone.

    :raises NoRatesChosen: none of them is the table's, or all are over by the edit's instant.
    :raises RateRefused: one of them would hold what no rate may.
    """
    table = RateTable.objects.select_for_update(no_key=True).get(pk=table.pk)
    found = preview_edit(table, rate_ids, edit)
    if not found.continued_count + found.corrected_count:
        raise NoRatesChosen("None of the rates would change: choose rates that last that long.")
    asked = RateBatchEdit.objects.create(
        provider_id=table.provider_id,
        rate_table=table,
        rate_ids=list(rate_ids),
        edit=written(edit),
        revision=table.revision,
        asked_at=at,
        asked_by_id=actor_id,
    )
    enqueue("catalogue.edit_rates", edit_id=asked.pk)
    return asked


def make_rate_edit(*, edit_id: int, at: datetime) -> None:
    """Make an edit that was asked for, in one transaction; one that is made already stays so.

    An edit that cannot be made any more is kept as failed, with the reason.
    """
    try:
        with transaction.atomic():
            _make(edit_id, at)
    except (RatesChanged, RateRefused) as refusal:
        give_up_rate_edit(edit_id=edit_id, error=str(refusal), at=at)


def give_up_rate_edit(*, edit_id: int, error: str, at: datetime) -> None:
    """Keep an edit as failed, with the reason; one that is made stays so."""
    waiting = RateBatchEdit.objects.filter(pk=edit_id, state=RateBatchEdit.State.WAITING)
    waiting.update(state=RateBatchEdit.State.FAILED, error=error, finished_at=at)


def requeue_lost_edits(*, at: datetime) -> int:
    """Queue again the edits that were asked for longer ago than PATIENCE; returns how many."""
    lost = RateBatchEdit.objects.filter(
        state=RateBatchEdit.State.WAITING, asked_at__lte=at - PATIENCE
    )
    edit_ids = list(lost.order_by("pk").values_list("pk", flat=True))
    for edit_id in edit_ids:
        enqueue("catalogue.edit_rates", edit_id=edit_id)
    return len(edit_ids)


def _make(edit_id: int, at: datetime) -> None:
    # The table first, as everywhere: a trigger writes its revision when a rate changes.
    table_id = RateBatchEdit.objects.values_list("rate_table_id", flat=True).get(pk=edit_id)
    table = RateTable.objects.select_for_update(no_key=True).get(pk=table_id)
    asked = RateBatchEdit.objects.select_for_update(no_key=True).get(pk=edit_id)
    if asked.state != RateBatchEdit.State.WAITING:
        return
    if table.revision != asked.revision:
        raise RatesChanged(f"{table} was changed since you chose its rates: choose them again.")
    edit = read(asked.edit)
    found = preview_edit(table, asked.rate_ids, edit)
    rows = chosen_rates(table, asked.rate_ids)
    if edit.changes_calls:
        _write_ends(table, rows)
    division = divided(table, asked.rate_ids, edit)
    continued, corrected = division.continued_ids, division.corrected_ids
    _continue(chosen_rates(table, continued), edit)
    chosen_rates(table, corrected).update(**edited(edit))
    asked.state, asked.finished_at = RateBatchEdit.State.DONE, at
    asked.rate_ids = [*continued, *corrected]
    asked.changed_from = found.changed_from
    asked.continued_count, asked.corrected_count = len(continued), len(corrected)
    asked.left_count = found.left_count
    asked.save()
    record(
        provider_id=table.provider_id,
        action="rate_table.rates_edited",
        changed=table,
        at=at,
        actor_id=asked.asked_by_id,
        after={
            "edit": asked.pk,
            "effective_from": edit.effective_from,
            "price": edit.price and f"{edit.price.change.value} {edit.price.by:f}",
            **edit.values,
            "rates_continued": len(continued),
            "rates_corrected": len(corrected),
            "rates_left": found.left_count,
        },
    )


def _write_ends(table: RateTable, rows: QuerySet[Rate]) -> None:
    """Give rates that end because another follows that end for good.

    When what follows is for other calls, they end as before all the same.
    """
    prefixes = rows.order_by().values("prefix")
    open_ended = Rate.objects.filter(
        rate_table=table, prefix__in=prefixes, effective_to__isnull=True
    ).exclude(status=Rate.Status.STASHED)
    ended: Any = with_ends(open_ended)
    followed = ended.filter(ends_at__isnull=False)
    Rate.objects.filter(pk__in=followed.values("pk")).update(effective_to=next_start())


def _continue(rows: QuerySet[Rate], edit: RateEdit) -> None:
    """Add what becomes of the rates at the edit's instant, and end them there."""
    start = edit.effective_from
    if start is None:
        return
    after = {**edited(edit), "effective_from": Value(start)}
    columns = [after.get(name, F(name)) for name in _COPIED]
    sql, params = rows.values_list(*columns).query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO catalogue_rate ({', '.join(_COPIED)}) {sql}",
            params,
        )
    rows.update(effective_to=start)
