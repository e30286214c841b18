"""The counters of allowances as the database has them: read, opened, locked and written."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from django.db import connection

from cdr.models import AllowanceCounter
from cdr.rating.allowances import Counter, linked, period_of
from cdr.rules.allowances import Counted, Sharing
from cdr.services.sources import SourceTerms

_OPEN = """
    INSERT INTO cdr_allowancecounter (provider_id, product_id, customer_id, subscription_id, key,
        name, sharing, month, granted_volume, rolled_volume, used_volume)
    SELECT %s, %s, customer_id, subscription_id, key, name, sharing, month, granted, 0, 0
    FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::date[],
                %s::bigint[])
        AS n(customer_id, subscription_id, key, name, sharing, month, granted)
    ORDER BY month, customer_id, key
    ON CONFLICT DO NOTHING
"""
_READ = """
    SELECT c.month, c.customer_id, c.key, c.id, c.granted_volume, c.rolled_volume, c.used_volume
    FROM unnest(%s::date[], %s::bigint[], %s::text[]) AS w(month, customer_id, key)
    JOIN cdr_allowancecounter c ON c.provider_id = %s AND c.customer_id = w.customer_id
        AND c.month = w.month AND c.key = w.key
"""
_LOCK = f"{_READ} ORDER BY c.month, c.customer_id, c.key FOR NO KEY UPDATE OF c"
_WRITE = """
    UPDATE cdr_allowancecounter c
    SET granted_volume = w.granted, rolled_volume = w.rolled, used_volume = w.used
    FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
        AS w(id, granted, rolled, used)
    WHERE c.id = w.id
"""

_Place = tuple[date, int, str]


@dataclass(frozen=True, slots=True)
class KnownCounter:
    """A counter by the subscriptions of today, and its id and state as stored.

    `id` is negative, and of this batch only, where none is stored yet.
    """

    id: int
    counter: Counter
    stored: Counted


@dataclass(frozen=True, slots=True)
class CountedAgain:
    """A counter and what is to be stored of it."""

    known: KnownCounter
    now: Counted


def read_counters(
    source: SourceTerms, wanted: Sequence[Counter], *, also: Collection[int] = ()
) -> list[KnownCounter]:
    """The counters as they are now; nothing is locked, nor opened.

    With them those of `also` some ids, and those of the following months, where volume rolls over.
    """
    places = _places(source, wanted, also)
    return _joined(wanted, _read(_READ, source, places))


def hold_counters(
    source: SourceTerms, wanted: Sequence[Counter], *, also: Collection[int] = ()
) -> list[KnownCounter]:
    """As `read_counters`, but opened where they are not there yet, and locked.

    They are until the transaction ends.
    """
    places = _places(source, wanted, also)
    known = _read(_READ, source, places)
    _open(source, [each for each in wanted if each.lock_order not in known])
    stored = _read(_LOCK, source, places)
    if any(each.rolls_over for each in wanted):
        # Who was waited for may have opened the following month, which that did not see.
        stored = _read(_LOCK, source, places)
    return _joined(wanted, stored)


def write_counters(counters: Iterable[CountedAgain]) -> None:
    """Store the states of counters where they are others than before."""
    rows = [
        (each.known.id, each.now.granted, each.now.rolled_in, each.now.used)
        for each in counters
        if each.now != each.known.stored
    ]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_WRITE, [list(column) for column in zip(*rows, strict=True)])


def _places(source: SourceTerms, wanted: Sequence[Counter], also: Collection[int]) -> list[_Place]:
    """The counters, and those of the following months where they roll over, in lock order."""
    places = {each.lock_order for each in wanted}
    places |= {_following(each) for each in wanted if each.rolls_over}
    if also:
        rows = AllowanceCounter.objects.filter(provider_id=source.provider_id, pk__in=also)
        places |= set(rows.values_list("month", "customer_id", "key"))
    return sorted(places)


def _following(counter: Counter) -> _Place:
    return period_of(counter.month).to_date, counter.customer_id, counter.key


def _read(
    query: str, source: SourceTerms, places: Sequence[_Place]
) -> dict[_Place, tuple[int, Counted]]:
    if not places:
        return {}
    columns = [list(column) for column in zip(*places, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(query, [*columns, source.provider_id])
        rows = cursor.fetchall()
    return {row[:3]: (row[3], Counted(*row[4:])) for row in rows}


def _open(source: SourceTerms, missing: Sequence[Counter]) -> None:
    if not missing:
        return
    rows = []
    for each in missing:
        oldest = each.entitlements[0]
        is_pool = oldest.sharing is Sharing.POOLED
        subscription_id = None if is_pool else oldest.subscription_id
        named = each.key, oldest.name, str(oldest.sharing)
        rows.append((each.customer_id, subscription_id, *named, each.month, each.counted.granted))
    columns = [list(column) for column in zip(*rows, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, [source.provider_id, source.product_id, *columns])


def _joined(
    wanted: Sequence[Counter], stored: Mapping[_Place, tuple[int, Counted]]
) -> list[KnownCounter]:
    """The wanted ones with what was used of them, and what else is stored, each with its links."""
    rolling = {(each.customer_id, each.key) for each in wanted if each.rolls_over}
    counters, known = list(wanted), {each.lock_order for each in wanted}
    for place, (_, counted) in stored.items():
        if place not in known:
            first_day, customer_id, key = place
            rolls_over = (customer_id, key) in rolling
            counters.append(Counter(key, customer_id, first_day, rolls_over, (), counted))
    found = []
    for number, each in enumerate(linked(counters), start=1):
        pk, was = stored.get(each.lock_order, (-number, Counted(each.counted.granted)))
        by_now = replace(each, counted=replace(was, granted=each.counted.granted))
        found.append(KnownCounter(pk, by_now, was))
    return found
