"""Bringing the names of a code deck into a rate table, without touching prices or dates."""

from datetime import datetime, timedelta

from django.db import connection, transaction

from audit.services import record
from catalogue.models import RateTable, Relabelling
from catalogue.selectors.code_decks import NAMED
from common.errors import DomainError
from common.jobs import enqueue

# Younger ones are left to the task that was queued with them.
_QUEUED_FOR = timedelta(minutes=5)
_SWEPT_AT_ONCE = 100


class NoCodeDeck(DomainError):
    """The rate table has no code deck to take names from."""


@transaction.atomic
def request_relabelling(*, table: RateTable, at: datetime, actor_id: int | None) -> Relabelling:
    """Have a worker give the rates of a table the destinations that its code deck has now.

    :raises NoCodeDeck: if it has none.
    """
    table = RateTable.objects.select_for_update(no_key=True).get(pk=table.pk)
    if table.code_deck_id is None:
        raise NoCodeDeck(f"{table} has no code deck; choose one first.")
    run = Relabelling.objects.create(
        provider_id=table.provider_id,
        rate_table=table,
        code_deck_id=table.code_deck_id,
        requested_at=at,
        requested_by_id=actor_id,
    )
    enqueue("catalogue.relabel_rates", relabelling_id=run.pk)
    return run


@transaction.atomic
def relabel_rates(*, relabelling_id: int, at: datetime) -> int:
    """Do what was requested, as one statement; how many rates were renamed.

    Rates whose prefix the deck does not know keep their destination. What is done is left alone,
    and what went away with its deck.
    """
    run = Relabelling.objects.filter(pk=relabelling_id).first()
    if run is None:
        return 0
    # The table first, as everywhere: a trigger writes its revision when rates change.
    table = RateTable.objects.select_for_update(no_key=True).get(pk=run.rate_table_id)
    run = Relabelling.objects.select_for_update(no_key=True).get(pk=relabelling_id)
    if run.state != Relabelling.State.QUEUED:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE catalogue_rate r SET destination = named.destination FROM ({NAMED}) named"  # noqa: S608 - of constants
            " WHERE named.id = r.id AND named.destination <> r.destination",
            {"deck": run.code_deck_id, "table": table.pk, "provider": run.provider_id},
        )
        count: int = cursor.rowcount
    run.mark_done(count, at)
    run.save(update_fields=["state", "renamed_count", "done_at"])
    record(
        provider_id=run.provider_id,
        action="rate_table.relabelled",
        changed=table,
        at=at,
        actor_id=run.requested_by_id,
        after={"code_deck": run.code_deck, "rates": count},
    )
    return count


def give_up_relabelling(*, relabelling_id: int, at: datetime) -> None:
    """Leave names as they are that cannot be brought in; somebody may ask for it again."""
    Relabelling.objects.filter(pk=relabelling_id, state=Relabelling.State.QUEUED).update(
        state=Relabelling.State.FAILED, done_at=at
    )


def queue_unfinished(*, at: datetime) -> int:
    """Queue relabellings whose task was lost, the oldest first; how many."""
    waiting = Relabelling.objects.filter(
        state=Relabelling.State.QUEUED, requested_at__lt=at - _QUEUED_FOR
    )
    ids = list(waiting.order_by("pk").values_list("pk", flat=True)[:_SWEPT_AT_ONCE])
    for relabelling_id in ids:
        enqueue("catalogue.relabel_rates", relabelling_id=relabelling_id)
    return len(ids)
