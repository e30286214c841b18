"""What waits for the same thing, how much of it, since when, and what it is worth."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Sum

from catalogue.models import RateTable
from cdr.models import LegKind, PartyKind, Source, Suspense, SuspenseReason
from cdr.rules.mending import Choice
from cdr.selectors.suspense import chosen_suspense
from common.scope import Scope

AVERAGE_DAYS = 30
"""What a customer pays on average is looked up in as many days."""

# Sums by customer first, as only a customer that is known has an average price. An average is what
# all usage of a customer came to in its own currency, per unit of volume: nothing is known of the
# destination that has no rate.
_GROUPS = """
    WITH waits AS (
        SELECT s.reason, s.source_id, s.named_by, s.subject, s.rate_table_id, s.currency,
               CASE WHEN s.reason = %(unrated)s AND s.estimated_amount = 0
                    THEN s.customer_id END AS customer_id,
               count(*) AS row_count,
               count(*) FILTER (WHERE s.estimated_amount = 0) AS unpriced_count,
               sum(s.estimated_amount) AS amount, sum(s.volume) AS volume,
               min(coalesce(s.started_at, s.created_at)) AS oldest_at,
               max(coalesce(s.started_at, s.created_at)) AS newest_at
        FROM cdr_suspense s
        WHERE s.provider_id = %(provider)s AND s.state = %(open)s {narrowed}
        GROUP BY 1, 2, 3, 4, 5, 6, 7
    ), averages AS (
        SELECT u.payer_id AS customer_id, u.product_id, c.currency,
               sum(u.amount) / sum(u.volume) AS price
        FROM cdr_usagecharge u
        JOIN customers_customer c ON c.id = u.payer_id AND c.currency = u.currency
        WHERE u.provider_id = %(provider)s AND u.payer_kind = %(customers)s
          AND u.kind = %(customer_legs)s AND u.day >= %(since)s
          AND u.payer_id IN (SELECT w.customer_id FROM waits w)
        GROUP BY 1, 2, 3 HAVING sum(u.volume) > 0
    )
    SELECT w.reason, w.source_id, w.named_by, w.subject, w.rate_table_id,
           coalesce(a.currency, CASE WHEN w.amount <> 0 THEN w.currency ELSE '' END) AS worth_in,
           sum(w.row_count)::bigint AS row_count,
           sum(CASE WHEN a.price IS NULL THEN w.unpriced_count ELSE 0 END)::bigint,
           sum(w.amount) AS known_amount,
           coalesce(round(sum(w.volume * a.price), 8), 0) AS average_amount,
           min(w.oldest_at), max(w.newest_at)
    FROM waits w
    LEFT JOIN cdr_source o ON o.id = w.source_id
    LEFT JOIN averages a ON a.customer_id = w.customer_id AND a.product_id = o.product_id
    GROUP BY 1, 2, 3, 4, 5, 6
"""
_COUNTS = f"""
    SELECT g.reason, g.worth_in, sum(g.row_count)::bigint, sum(g.known_amount + g.average_amount)
    FROM ({_GROUPS}) g GROUP BY 1, 2 ORDER BY 1, 2
"""  # noqa: S608 - put together from constants


@dataclass(frozen=True)
class Worth:
    """What customers would pay, in a currency: by their rates, and beyond that by their average."""

    currency: str
    known_amount: Decimal
    average_amount: Decimal

    @property
    def amount(self) -> Decimal:
        """Both together."""
        return self.known_amount + self.average_amount


@dataclass(frozen=True)
class SuspenseGroup:
    """Open rows that wait for the same thing; of `unpriced_count` nobody can tell the worth.

    `oldest_at` and `newest_at` are when the xDRs started, or when lines came that tell no start.
    """

    reason: SuspenseReason
    source: Source
    named_by: str
    subject: str
    rate_table: RateTable | None
    row_count: int
    unpriced_count: int
    worth: Sequence[Worth]
    oldest_at: datetime
    newest_at: datetime

    @property
    def choice(self) -> Choice:
        """The rows of the group."""
        return Choice(
            reason=self.reason.value,
            source_id=self.source.pk,
            named_by=self.named_by,
            subject=self.subject,
            rate_table_id=self.rate_table.pk if self.rate_table else None,
        )


class _Row(NamedTuple):
    reason: str
    source_id: int
    named_by: str
    subject: str
    rate_table_id: int | None
    currency: str
    row_count: int
    unpriced_count: int
    known_amount: Decimal
    average_amount: Decimal
    oldest_at: datetime
    newest_at: datetime


_KEY = attrgetter("reason", "source_id", "named_by", "subject", "rate_table_id")


def suspense_groups(
    scope: Scope, today: date, *, reason: str = "", source_id: int | None = None
) -> list[SuspenseGroup]:
    """Open suspense by what it waits for, the most rows first; of a reason or source, if said."""
    rows = _rows(scope, today, reason, source_id)
    sources = Source.objects.visible_to(scope).in_bulk({row.source_id for row in rows})
    wanted = {row.rate_table_id for row in rows if row.rate_table_id is not None}
    tables = RateTable.objects.visible_to(scope).in_bulk(wanted)
    found = [
        _group(list(of_group), sources, tables)
        for _, of_group in groupby(sorted(rows, key=_ordered), key=_KEY)
    ]
    return sorted(found, key=lambda group: (-group.row_count, group.reason, group.subject))


def _ordered(row: _Row) -> tuple[object, ...]:
    *texts, table_id = _KEY(row)
    return *texts, table_id or 0, row.currency


def _group(
    rows: Sequence[_Row], sources: dict[int, Source], tables: dict[int, RateTable]
) -> SuspenseGroup:
    first = rows[0]
    return SuspenseGroup(
        reason=SuspenseReason(first.reason),
        source=sources[first.source_id],
        named_by=first.named_by,
        subject=first.subject,
        rate_table=None if first.rate_table_id is None else tables.get(first.rate_table_id),
        row_count=sum(row.row_count for row in rows),
        unpriced_count=sum(row.unpriced_count for row in rows),
        worth=_worth(rows),
        oldest_at=min(row.oldest_at for row in rows),
        newest_at=max(row.newest_at for row in rows),
    )


def _worth(rows: Iterable[_Row]) -> list[Worth]:
    """The worth of rows by currency; of what nobody can price there is none."""
    return _summed(
        Worth(row.currency, row.known_amount, row.average_amount) for row in rows if row.currency
    )


def chosen_worth(scope: Scope, choice: Choice) -> list[Worth]:
    """What customers would pay by their rates for the rows of a choice, by currency."""
    priced = chosen_suspense(scope, choice).exclude(estimated_amount=0)
    sums = priced.values_list("currency").annotate(amount=Sum("estimated_amount"))
    return [Worth(currency, amount, Decimal(0)) for currency, amount in sums.order_by("currency")]


def worth_of_groups(groups: Iterable[SuspenseGroup]) -> list[Worth]:
    """The worth of groups together, by currency."""
    return _summed(worth for group in groups for worth in group.worth)


def _summed(parts: Iterable[Worth]) -> list[Worth]:
    sums: dict[str, Worth] = {}
    for part in parts:
        before = sums.get(part.currency, Worth(part.currency, Decimal(0), Decimal(0)))
        known = before.known_amount + part.known_amount
        sums[part.currency] = Worth(
            part.currency, known, before.average_amount + part.average_amount
        )
    return [sums[currency] for currency in sorted(sums)]


@dataclass(frozen=True)
class SuspenseCount:
    """Open suspense of one reason; `estimated_amount` is what customers would pay, in `currency`.

    The currency is empty where nothing is known of the worth.
    """

    reason: SuspenseReason
    currency: str
    row_count: int
    estimated_amount: Decimal


def suspense_counts(scope: Scope, today: date) -> list[SuspenseCount]:
    """Open suspense by reason and currency; an xDR with two legs waiting is valued twice."""
    return [
        SuspenseCount(SuspenseReason(reason), currency, row_count, amount)
        for reason, currency, row_count, amount in _asked(_COUNTS, scope, today)
    ]


def _rows(scope: Scope, today: date, reason: str, source_id: int | None) -> list[_Row]:
    return [_Row(*row) for row in _asked(_GROUPS, scope, today, reason, source_id)]


def _asked(
    sql: str, scope: Scope, today: date, reason: str = "", source_id: int | None = None
) -> list[tuple[Any, ...]]:
    assert scope.sees_whole_provider, "suspense is none of a portal's business"
    narrowed = " AND s.reason = %(reason)s" if reason else ""
    if source_id is not None:
        narrowed += " AND s.source_id = %(source)s"
    parameters: dict[str, str | int | date | None] = {
        "provider": scope.provider_id,
        "open": Suspense.State.OPEN,
        "unrated": SuspenseReason.UNRATED_CUSTOMER,
        "customers": PartyKind.CUSTOMER.value,
        "customer_legs": LegKind.CUSTOMER.value,
        "since": today - timedelta(days=AVERAGE_DAYS),
        "reason": reason,
        "source": source_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql.format(narrowed=narrowed), parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
