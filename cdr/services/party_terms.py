"""Reading who is who and who pays at which table, for the xDRs of one batch."""

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
_NAMED = """
    SELECT kind, value, customer_id, subscription_id, tags FROM cdr_customeridentifier
    WHERE provider_id = %(provider_id)s
"""
# Networks by an index of their own, which is empty where there are none; nothing else is cast.
_NAMED_AMONG = f"""
    {_NAMED} AND kind = ANY(%(kinds)s) AND value = ANY(%(among)s)
    UNION ALL {_NAMED} AND kind = 'IP' AND value LIKE '%%/%%'
        AND CASE WHEN kind = 'IP' THEN value::inet >>= ANY(%(addresses)s::inet[]) END
"""
_PARENTS = "SELECT id, parent_id FROM resellers_reseller WHERE provider_id = %s"
_VENDORS = """
    SELECT id, name, owner_id, rate_table_id FROM resellers_vendor WHERE provider_id = %s
"""
_CUSTOMERS_OF = """
    SELECT id, reseller_id, currency, rate_table_id, coalesce(custom_catalogue_id,
        (SELECT id FROM catalogue_catalogue WHERE provider_id = %s AND is_default))
    FROM customers_customer WHERE provider_id = %s AND id = ANY(%s)
"""
_MODES = """
    SELECT reseller_id, rate_table_id, policy, internal_rate_table_id, valid_from, valid_to
    FROM resellers_billingmodeassignment
    WHERE provider_id = %s AND product_id = %s AND valid_from <= %s
      AND (valid_to IS NULL OR valid_to > %s)
"""
_VERSIONS = """
    SELECT v.catalogue_id, v.effective_at, v.number, i.currency, i.rate_table_id
    FROM catalogue_catalogueversion v
    LEFT JOIN catalogue_catalogueversionitem i
      ON i.version_id = v.id AND i.product_id = %s AND i.rate_table_id IS NOT NULL
    WHERE v.provider_id = %s AND v.catalogue_id = ANY(%s) AND v.effective_at <= %s
    ORDER BY v.catalogue_id, v.effective_at, v.number
"""
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
        kind: pl.DataFrame(rows, schema=_IDENTIFIERS, orient="row")
        for kind, rows in by_kind.items()
    }


def party_terms(
    source: SourceTerms, *, customer_ids: Sequence[int], first: int, last: int
) -> Terms:
    """The terms of the customers for calls that started from `first` to `last` (microseconds)."""
    span = _Span(from_microseconds(first), from_microseconds(last))
    parents = fetch_rows(_PARENTS, [source.provider_id])
    vendors = fetch_rows(_VENDORS, [source.provider_id])
    customers, lists = _customers(source.provider_id, customer_ids)
    modes = _billing_modes(source, span)
    versions = _versions(source, lists, span)
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


def _customers(
    provider_id: int, customer_ids: Sequence[int]
) -> tuple[pl.DataFrame, list[_PriceList]]:
    """The customers with the number of each one's price list, and the price lists."""
    numbers: dict[_PriceList, int] = {}
    rows = []
    # One array parameter: an IN list of thousands takes longer to write than to answer.
    found = fetch_rows(_CUSTOMERS_OF, [provider_id, provider_id, list(customer_ids)])
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


def _billing_modes(source: SourceTerms, span: _Span) -> _BillingModes:
    rows = fetch_rows(_MODES, [source.provider_id, source.product_id, span.last, span.first])
    return _BillingModes([_Assignment(*row) for row in rows])


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


def _versions(source: SourceTerms, lists: Sequence[_PriceList], span: _Span) -> _Versions:
    catalogue_ids = {entry.catalogue_id for entry in lists if isinstance(entry, _Catalogued)}
    rows = fetch_rows(
        _VERSIONS, [source.product_id, source.provider_id, sorted(catalogue_ids), span.last]
    )
    by_catalogue: dict[int, list[tuple[datetime, dict[str, int]]]] = {}
    for (catalogue_id, effective_at, _), items in groupby(rows, key=itemgetter(0, 1, 2)):
        tables = {currency: table_id for *_, currency, table_id in items if table_id}
        by_catalogue.setdefault(catalogue_id, []).append((effective_at, tables))
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
