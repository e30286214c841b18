"""Reading who is who and who pays at which table, for the xDRs of one batch."""

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cdr.models import IdentifiedBy
from cdr.rating.terms import NO_TABLE, Terms, VendorTerms
from cdr.rules.addresses import is_address
from cdr.rules.instants import from_microseconds, to_microseconds
from cdr.rules.parties import PROVIDER_ID
from cdr.rules.routes import BillingMode, InternalCalls, ResellerTree
from cdr.services.sources import SourceTerms
from common.statements import fetch_rows

_IDENTIFIERS = {
    "value": pl.String,
    "customer_id": pl.Int64,
    "subscription_id": pl.Int64,
    "tags": pl.String,
}
_NOBODY_NAMED = pl.DataFrame(schema=_IDENTIFIERS)
_NAMED = """
    SELECT kind, value, customer_id, subscription_id, tags FROM cdr_customeridentifier
    WHERE provider_id = %(provider_id)s
"""
_NAMED_AMONG = """
    SELECT * FROM cdr_named_customers(
        %(provider_id)s, %(kinds)s::text[], %(among)s::text[], %(addresses)s::inet[])
"""
# One array parameter: an IN list of thousands takes longer to write than to answer.
_TERMS = "SELECT * FROM cdr_party_terms(%s, %s, %s::bigint[], %s, %s)"
_CUSTOMERS = {"customer_id": pl.Int64, "reseller_id": pl.Int64, "price_list": pl.Int64}


class _Span(NamedTuple):
    """The first and the last start of the batch."""

    first: datetime
    last: datetime


class _Catalogued(NamedTuple):
    """The price list of the customers of a catalogue who pay in a currency."""

    catalogue_id: int
    currency: str


class _Overridden(NamedTuple):
    """The price list of the customers who have a rate table of their own."""

    rate_table_id: int


_PriceList: TypeAlias = _Catalogued | _Overridden


def identifiers(provider_id: int, among: Collection[str] | None = None) -> dict[str, pl.DataFrame]:
    """What names customers of the provider, by kind: value, customer_id, subscription_id and tags.

    The last two are null for none. Only those `among` some values, where they are given, and the
    networks that hold one of these.
    """
    named = fetch_rows(
        _NAMED if among is None else _NAMED_AMONG,
        {
            "provider_id": provider_id,
            "kinds": [str(kind) for kind in IdentifiedBy],
            "among": list(among or ()),
            "addresses": [text for text in among or () if is_address(text)],
        },
    )
    by_kind: dict[str, list[tuple[Any, ...]]] = {kind: [] for kind in IdentifiedBy}
    for kind, *names, tags in named:
        by_kind[kind].append((*names, tags or None))
    return {
        kind: pl.DataFrame(rows, schema=_IDENTIFIERS, orient="row") if rows else _NOBODY_NAMED
        for kind, rows in by_kind.items()
    }


def party_terms(
    source: SourceTerms, *, customer_ids: Sequence[int], first: int, last: int
) -> Terms:
    """The terms of the customers for calls that started from `first` to `last` (microseconds)."""
    span = _Span(from_microseconds(first), from_microseconds(last))
    asked = [source.provider_id, source.product_id, list(customer_ids), *span]
    (found,) = fetch_rows(_TERMS, asked)
    parents, vendors, of_customers, assignments, items = map(_rows, found)
    customers, lists = _customers(of_customers)
    modes = _billing_modes(assignments)
    versions = _versions(items)
    changes = [*modes.changes(span), *versions.changes(span)]
    cuts = sorted({to_microseconds(change) for change in changes})
    begins = [span.first, *(from_microseconds(cut) for cut in cuts)]
    return Terms(
        tree=ResellerTree({pk: parent_id or PROVIDER_ID for pk, parent_id in parents}),
        vendors={
            pk: VendorTerms(name, owner_id or PROVIDER_ID, table_id)
            for pk, name, owner_id, table_id in vendors
        },
        customers=customers,
        cuts=np.array(cuts, dtype=np.int64),
        modes=tuple(modes.at(begin) for begin in begins),
        price_lists=_price_lists(lists, versions, begins),
        allows_foreign_vendors=source.allows_foreign_vendors,
        is_metered=source.is_metered,
    )


def _rows(encoded: str | None) -> list[list[Any]]:
    rows: list[list[Any]] = json.loads(encoded or "[]")
    return rows


def _customers(found: Iterable[list[Any]]) -> tuple[pl.DataFrame, list[_PriceList]]:
    """The customers with the number of each one's price list, and the price lists."""
    numbers: dict[_PriceList, int] = {}
    rows = []
    for pk, reseller_id, currency, table_id, catalogue_id in found:
        price_list: _PriceList = (
            _Overridden(table_id) if table_id else _Catalogued(catalogue_id or 0, currency)
        )
        number = numbers.setdefault(price_list, len(numbers))
        rows.append((pk, reseller_id or PROVIDER_ID, number))
    return pl.DataFrame(rows, schema=_CUSTOMERS, orient="row"), list(numbers)


class _Assignment(NamedTuple):
    reseller_id: int
    rate_table_id: int
    policy: str
    internal_rate_table_id: int | None
    valid_from: datetime
    valid_to: datetime | None


class _BillingModes(NamedTuple):
    """Assignments that touch the span."""

    assignments: list[_Assignment]

    def changes(self, span: _Span) -> list[datetime]:
        """The instants inside the span at which one begins or ends."""
        instants = [instant for a in self.assignments for instant in (a.valid_from, a.valid_to)]
        return _inside(span, instants)

    def at(self, instant: datetime) -> dict[int, BillingMode]:
        """The billing mode of every reseller for which it is on."""
        return {
            assignment.reseller_id: BillingMode(
                assignment.rate_table_id,
                InternalCalls(assignment.policy),
                assignment.internal_rate_table_id,
            )
            for assignment in self.assignments
            if assignment.valid_from <= instant
            and (assignment.valid_to is None or instant < assignment.valid_to)
        }


def _billing_modes(rows: Iterable[list[Any]]) -> _BillingModes:
    return _BillingModes(
        [
            _Assignment(
                reseller_id,
                table_id,
                policy,
                internal_table_id,
                from_microseconds(valid_from),
                None if valid_to is None else from_microseconds(valid_to),
            )
            for reseller_id, table_id, policy, internal_table_id, valid_from, valid_to in rows
        ]
    )


class _Versions(NamedTuple):
    """Per catalogue its versions by effective instant, each with its rate table by currency."""

    by_catalogue: dict[int, list[tuple[datetime, dict[str, int]]]]

    def changes(self, span: _Span) -> list[datetime]:
        """The instants inside the span at which a version takes effect."""
        return _inside(span, [begin for rows in self.by_catalogue.values() for begin, _ in rows])

    def table_at(self, price_list: _Catalogued, instant: datetime) -> int:
        """The rate table in effect; NO_TABLE where no version or none of its items gives one."""
        table_id = NO_TABLE
        for begin, tables in self.by_catalogue.get(price_list.catalogue_id, []):
            if begin <= instant:
                table_id = tables.get(price_list.currency, NO_TABLE)
        return table_id


def _versions(rows: Iterable[list[Any]]) -> _Versions:
    by_catalogue: dict[int, list[tuple[datetime, dict[str, int]]]] = {}
    for (catalogue_id, effective_at, _), items in groupby(rows, key=itemgetter(0, 1, 2)):
        tables = {currency: table_id for *_, currency, table_id in items if table_id}
        since = from_microseconds(effective_at)
        by_catalogue.setdefault(catalogue_id, []).append((since, tables))
    return _Versions(by_catalogue)


def _price_lists(
    lists: Sequence[_PriceList], versions: _Versions, begins: Sequence[datetime]
) -> NDArray[np.int64]:
    tables = [
        [
            entry.rate_table_id
            if isinstance(entry, _Overridden)
            else versions.table_at(entry, begin)
            for begin in begins
        ]
        for entry in lists
    ]
    return np.array(tables, dtype=np.int64).reshape(len(lists), len(begins))


def _inside(span: _Span, instants: Iterable[datetime | None]) -> list[datetime]:
    """Those after the first start up to the last: where a batch is to be cut."""
    return [instant for instant in instants if instant and span.first < instant <= span.last]
