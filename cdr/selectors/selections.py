"""The xDRs of a selection, as SQL: what is counted, read and rated again is the same everywhere."""
# ruff: noqa: S608 - statements are put together from this module's own constants only

from collections.abc import Iterator, Sequence
from typing import Any

from cdr.models import ReratingMove, Suspense
from cdr.rules.parties import Party
from cdr.rules.rerating import Selection
from cdr.rules.suspense import Suspended
from cdr.selectors.stored_xdrs import Condition
from common.scope import Scope

_WAITING_FOR_RATES = [
    str(reason)
    for reason in (
        Suspended.UNRATED_CUSTOMER,
        Suspended.UNRATED_VENDOR,
        Suspended.RESELLER_UNRATED,
        Suspended.BLOCKED,
        Suspended.OVERFLOW,
    )
]
_LEGS = (
    "x.id IN (SELECT l.xdr_id FROM cdr_leg l"
    " WHERE l.provider_id = %s AND l.started_at >= %s AND l.started_at <= %s AND {})"
)
_SUSPENSE = (
    "x.id IN (SELECT s.xdr_id FROM cdr_suspense s"
    " WHERE s.provider_id = %s AND s.started_at >= %s AND s.started_at <= %s"
    f" AND s.state = '{Suspense.State.OPEN}' AND s.reason = ANY(%s))"
)
_OF_RESELLER = (
    "EXISTS (SELECT FROM cdr_usagecharge u WHERE u.id = l.usage_charge_id AND ("
    f"u.payer_kind = {Party.RESELLER:d} AND u.payer_id = %s"
    f" OR u.payee_kind = {Party.RESELLER:d} AND u.payee_id = %s))"
)
_OF_BRANCH = (
    "x.customer_id IN (SELECT c.id FROM customers_customer c"
    " WHERE c.provider_id = %s AND c.reseller_id = ANY(%s))"
)
# Each way by its index; what both find is there once.
_THEIRS = (
    "(x.started_at, x.id) IN (SELECT y.started_at, y.id FROM cdr_xdr y"
    " WHERE y.provider_id = %s AND y.customer_id = ANY(%s) AND {} UNION ALL"
    " SELECT m.started_at, m.xdr_id FROM cdr_reratingmove m"
    " WHERE m.rerating_id = %s AND m.customer_id = ANY(%s))"
)
_NOT_MOVED = (
    "NOT EXISTS (SELECT FROM cdr_reratingmove m WHERE m.rerating_id = %s"
    " AND m.started_at = x.started_at AND m.xdr_id = x.id)"
)


def selected(scope: Scope, selection: Selection) -> Condition:
    """The condition that an xDR `x` of the provider is one of the selection."""
    during = [scope.provider_id, selection.started_from, selection.started_to]
    parts: list[tuple[str, Sequence[Any]]] = [between(selection, "x.started_at", "x.id")]
    for column in ("customer_id", "vendor_id", "source_id"):
        if (chosen := getattr(selection, column)) is not None:
            parts.append((f"x.{column} = %s", [chosen]))
    parts += _of_customers(scope, selection)
    if selection.prefixes:
        patterns = [f"{prefix}%" for prefix in selection.prefixes]
        parts.append(("x.normalised_number LIKE ANY(%s)", [patterns]))
    if selection.reseller_id is not None:
        own = [selection.reseller_id] * 2
        branch = [scope.provider_id, list(selection.reseller_ids)]
        either = f"({_OF_BRANCH} OR {_LEGS.format(_OF_RESELLER)})"
        parts.append((either, [*branch, *during, *own]))
    if selection.rate_table_ids:
        either = f"({_LEGS.format('l.rate_table_id = ANY(%s)')} OR {_SUSPENSE})"
        tables = list(selection.rate_table_ids)
        parts.append((either, [*during, tables, *during, _WAITING_FOR_RATES]))
    if selection.suspense_reason:
        parts.append((_SUSPENSE, [*during, [selection.suspense_reason]]))
    return Condition(
        " AND ".join(sql for sql, _ in parts), [value for _, values in parts for value in values]
    )


def _of_customers(scope: Scope, selection: Selection) -> Iterator[tuple[str, Sequence[Any]]]:
    if selection.customer_ids:
        ids = list(selection.customer_ids)
        moves = ReratingMove.objects.visible_to(scope).filter(customer_id__in=ids)
        if selection.moved_by and moves.filter(rerating_id=selection.moved_by).exists():
            during, instants = between(selection, "y.started_at", "y.id")
            values = [scope.provider_id, ids, *instants, selection.moved_by, ids]
            yield _THEIRS.format(during), values
        else:  # each would be looked for among all that started with it
            yield "x.customer_id = ANY(%s)", [ids]
    if selection.without_customer_ids:
        ids = list(selection.without_customer_ids)
        yield "(x.customer_id IS NULL OR x.customer_id <> ALL(%s))", [ids]
        yield _NOT_MOVED, [selection.moved_by]


def between(selection: Selection, started_at: str, xdr_id: str) -> tuple[str, Sequence[Any]]:
    """The condition on two columns that they are in the selection's time, and its parameters."""
    first, end = selection.places
    if not first.xdr_id and not end.xdr_id:
        instants = [first.started_at, end.started_at]
        return f"{started_at} >= %s AND {started_at} < %s", instants
    # Rows are compared as the order of places is; instants alone tell which partitions to read.
    place = f"({started_at}, {xdr_id})"
    sql = (
        f"{started_at} >= %s AND {started_at} <= %s AND {place} >= (%s, %s) AND {place} < (%s, %s)"
    )
    return sql, [first.started_at, end.started_at, *first, *end]


def legs_selected(scope: Scope, selection: Selection) -> Condition:
    """The condition that a leg `l` is one of an xDR of the selection."""
    during = Condition(*between(selection, "l.started_at", "l.xdr_id"))
    if selection.is_all_of_its_time:
        return during
    of_xdr = selected(scope, selection)
    return Condition(
        f"{during.sql} AND EXISTS (SELECT FROM cdr_xdr x"
        " WHERE x.provider_id = l.provider_id AND x.started_at = l.started_at"
        f" AND x.id = l.xdr_id AND {of_xdr.sql})",
        [*during.parameters, *of_xdr.parameters],
    )
