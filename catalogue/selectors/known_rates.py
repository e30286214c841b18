"""The rates of a table as people who pay by it are told them."""

import csv
import gzip
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from heapq import merge
from io import BytesIO, TextIOWrapper
from itertools import groupby
from sys import intern
from typing import Any

from django.db.models import Q

from catalogue.models import Rate, RateTable
from catalogue.rules.rate_changes import KnownRate, rates_in_chain
from catalogue.selectors.rate_tables import in_force
from catalogue.selectors.rates_at import table_chain
from common.scope import Scope

KEYS = ("prefix", "tag", "time_profile_id", "origin_prefix", "policy", "min_digits", "max_digits")
TERMS = (
    *("destination", "rate", "initial_rate", "connection_fee", "minimum", "increment", "grace"),
    *("steps", "min_cost", "max_cost", "attempt_fee", "hours", "status"),
)
_ROWS_AT_ONCE = 5000
_STORED = (
    *("rate_table_id", "time_profile__ranges", "time_profile__weight"),
    *("effective_from", "effective_to", *KEYS, *(name for name in TERMS if name != "hours")),
)


def table_revisions(scope: Scope, table: RateTable) -> list[list[int]]:
    """The revisions of a table and its parents, which change whenever one of its rates does."""
    chain = table_chain(scope, table)
    rows = RateTable.objects.visible_to(scope).filter(pk__in=chain)
    return [[pk, revision] for pk, revision in rows.order_by("pk").values_list("pk", "revision")]


def known_rates(scope: Scope, table: RateTable, at: datetime) -> Iterator[KnownRate]:
    """The rates that are in force at an instant or begin later, of the table and its parents.

    A parent's is told for the time in which no nearer table has one for the same calls, as
    `rates_in_chain` says. Stashed ones are not. They come prefix by prefix, and are streamed.
    """
    chain = table_chain(scope, table)
    rows = Rate.objects.visible_to(scope).filter(rate_table_id__in=chain)
    later = Q(effective_from__gt=at) & ~Q(status=Rate.Status.STASHED)
    current, coming = (
        found.order_by("prefix").values_list(*_STORED).iterator(_ROWS_AT_ONCE)
        for found in (in_force(rows, at), rows.filter(later))
    )
    for _, of_prefix in groupby(merge(current, coming, key=_prefix), key=_prefix):
        tables: list[list[KnownRate]] = [[] for _ in chain]
        for table_id, ranges, weight, *columns in of_prefix:
            hours = f"{ranges} @{weight}" if ranges else ""
            tables[chain.index(table_id)].append(_known(columns, hours))
        yield from rates_in_chain(tables, at)


def _prefix(row: Sequence[Any]) -> str:
    return str(row[_STORED.index("prefix")])


def packed_rates(rates: Iterable[KnownRate]) -> tuple[int, bytes]:
    """How many rates there are, and what is kept of them for `unpacked_rates`, in their order."""
    count, content = 0, BytesIO()
    with gzip.GzipFile(fileobj=content, mode="wb", compresslevel=6, mtime=0) as packed:
        text = TextIOWrapper(packed, encoding="utf-8", newline="")
        writer = csv.writer(text)
        for count, rate in enumerate(rates, start=1):  # noqa: B007 - the last one is returned
            ends_at = rate.ends_at.isoformat() if rate.ends_at else ""
            terms = (rate.terms[name] for name in TERMS)
            writer.writerow([rate.starts_at.isoformat(), ends_at, *rate.key, *terms])
        text.flush()
    return count, content.getvalue()


def unpacked_rates(content: bytes) -> Iterator[KnownRate]:
    """The rates that were packed."""
    with gzip.open(BytesIO(content), "rt", encoding="utf-8", newline="") as text:
        for starts_at, ends_at, *cells in csv.reader(text):
            yield KnownRate(
                key=tuple(map(intern, cells[: len(KEYS)])),
                starts_at=datetime.fromisoformat(starts_at),
                ends_at=datetime.fromisoformat(ends_at) if ends_at else None,
                terms=dict(zip(TERMS, map(intern, cells[len(KEYS) :]), strict=True)),
            )


def _known(columns: Sequence[Any], hours: str) -> KnownRate:
    starts_at, ends_at, *values = columns
    texts = [_text(value) for value in values]
    named = dict(zip((*KEYS, *(name for name in TERMS if name != "hours")), texts, strict=True))
    return KnownRate(
        key=tuple(named[name] for name in KEYS),
        starts_at=starts_at.astimezone(UTC),
        ends_at=ends_at and ends_at.astimezone(UTC),
        terms={name: hours if name == "hours" else named[name] for name in TERMS},
    )


def _text(value: Any) -> str:
    if value is None:
        return ""
    text = f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)
    return intern(text)  # most repeat: 400,000 rates have some thousand different texts
