"""Rates of a table, one at a time or thousands at once."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields, replace
from datetime import datetime

from django.db import transaction

from audit.services import record, record_change
from catalogue.models import CodeDeckEntry, Rate, RateTable
from catalogue.rules.destinations import destination_of
from catalogue.rules.rate_terms import RateRefused, RateTerms
from catalogue.services.seen import check_seen, written
from common.errors import DomainError

_BATCH_ROWS = 2000
_COLUMNS = [field.name for field in fields(RateTerms)]


class RateAlreadyEnded(DomainError):
    """The rate is over by the time it was to be closed."""


@transaction.atomic
def add_rates(
    *, table: RateTable, rates: Iterable[RateTerms], at: datetime, actor_id: int | None
) -> list[Rate]:
    """Add rates to a table in a few statements, as one change; all or none.

    A rate without a destination gets that of the table's code deck.

    :raises RateRefused: if the code deck does not know the destination of a prefix.
    """
    table = RateTable.objects.select_for_update(no_key=True).get(pk=table.pk)
    terms = with_destinations(table, list(rates))
    rows = [
        Rate(
            provider_id=table.provider_id,
            rate_table=table,
            # Not `asdict`, whose deep copies take longer than the insert.
            **{name: getattr(each, name) for name in _COLUMNS},
        )
        for each in terms
    ]
    added = Rate.objects.bulk_create(rows, batch_size=_BATCH_ROWS)
    record(
        provider_id=table.provider_id,
        action="rate_table.rates_added",
        changed=table,
        at=at,
        actor_id=actor_id,
        after={"rates": len(added)},
    )
    return added


@transaction.atomic
def add_rate(*, table: RateTable, terms: RateTerms, at: datetime, actor_id: int | None) -> Rate:
    """Add one rate to a table.

    :raises RateRefused: if it has no destination and the code deck knows none.
    """
    table = RateTable.objects.select_for_update(no_key=True).get(pk=table.pk)
    (terms,) = with_destinations(table, [terms])
    values = asdict(terms)
    rate = Rate.objects.create(provider_id=table.provider_id, rate_table=table, **values)
    record(
        provider_id=table.provider_id,
        action="rate.added",
        changed=rate,
        at=at,
        actor_id=actor_id,
        after=values,
    )
    return rate


@transaction.atomic
def change_rate(
    *,
    rate: Rate,
    terms: RateTerms,
    seen: Mapping[str, str] | None = None,
    at: datetime,
    actor_id: int | None,
) -> Rate:
    """Replace every column of a rate by `terms`; `seen` are those that somebody has decided by.

    Calls that were rated before keep their cost until they are rated again.

    :raises ChangedMeanwhile: unless the rate is as it was `seen`.
    :raises RateRefused: if it has no destination and the code deck knows none.
    """
    rate = _locked(rate)
    before = {column: getattr(rate, column) for column in _COLUMNS}
    if seen is not None:
        check_seen("rate", seen, written_terms(before), written_terms(asdict(terms)))
    (terms,) = with_destinations(rate.rate_table, [terms])
    after = asdict(terms)
    changed = [column for column in after if before[column] != after[column]]
    if not changed:
        return rate
    for column in changed:
        setattr(rate, column, after[column])
    rate.save(update_fields=changed)
    record_change(
        provider_id=rate.provider_id,
        action="rate.changed",
        changed=rate,
        at=at,
        actor_id=actor_id,
        before=before,
        after=after,
    )
    return rate


def written_terms(terms: Mapping[str, object]) -> dict[str, str]:
    """Every column of a rate as text, by which what somebody saw is compared with what is."""
    return written({column: terms[column] for column in _COLUMNS})


@transaction.atomic
def close_rate(*, rate: Rate, effective_to: datetime, at: datetime, actor_id: int | None) -> Rate:
    """End a rate at `effective_to`, the first instant it no longer applies to.

    :raises RateAlreadyEnded: if it ends before that anyway.
    :raises RateRefused: if it starts only then.
    """
    rate = _locked(rate)
    if rate.effective_to is not None and rate.effective_to <= effective_to:
        raise RateAlreadyEnded(f"The rate of {rate.prefix} ends at {rate.effective_to} already.")
    if effective_to <= rate.effective_from:
        raise RateRefused(
            "effective_to", effective_to, f"not after the start {rate.effective_from}"
        )
    before, rate.effective_to = rate.effective_to, effective_to
    rate.save(update_fields=["effective_to"])
    record(
        provider_id=rate.provider_id,
        action="rate.closed",
        changed=rate,
        at=at,
        actor_id=actor_id,
        before={"effective_to": before},
        after={"effective_to": effective_to},
    )
    return rate


def _locked(rate: Rate) -> Rate:
    # The table first, as everywhere: a trigger writes its revision when a rate changes.
    table = RateTable.objects.select_for_update(no_key=True).get(pk=rate.rate_table_id)
    rate = Rate.objects.select_for_update(no_key=True).get(pk=rate.pk)
    rate.rate_table = table
    return rate


def with_destinations(table: RateTable, rates: list[RateTerms]) -> list[RateTerms]:
    """The terms, those without a destination with that of the table's code deck.

    :raises RateRefused: if the code deck does not know the destination of a prefix.
    """
    if all(each.destination for each in rates):
        return rates
    entries = CodeDeckEntry.objects.filter(code_deck_id=table.code_deck_id)
    deck = dict(entries.values_list("prefix", "destination"))
    return [each if each.destination else _with_destination(each, deck) for each in rates]


def _with_destination(terms: RateTerms, deck: dict[str, str]) -> RateTerms:
    destination = destination_of(terms.prefix, deck)
    if destination is None:
        raise RateRefused(
            "destination", "", f"name it: the table's code deck has none for '{terms.prefix}'"
        )
    return replace(terms, destination=destination)
