"""Pages of a list by what comes before and after a row, as fast on the last page as on the first.

No page is counted and none is skipped: each begins behind the row where its neighbour ended, so
that an index on the order answers it whatever the size of the table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.exceptions import FieldDoesNotExist
from django.core.signing import BadSignature, Signer
from django.db.models import Model, Q, QuerySet

RowT = TypeVar("RowT", bound=Model)
_signer = Signer(salt="keyset")


@dataclass(frozen=True)
class Page(Generic[RowT]):
    """Some rows in order, with the cursors of the pages before and after; empty: there is none."""

    rows: list[RowT]
    before: str
    after: str


@dataclass(frozen=True)
class _Key:
    lookup: str
    is_descending: bool
    may_be_null: bool

    @property
    def reverse(self) -> "_Key":
        return _Key(self.lookup, not self.is_descending, self.may_be_null)

    @property
    def order(self) -> str:
        return f"-{self.lookup}" if self.is_descending else self.lookup


def ordering_of(rows: QuerySet[Any]) -> list[str]:
    """The lookups that a selector's queryset is ordered by."""
    ordering = list(rows.query.order_by)
    assert ordering, "a list is given an explicit order"
    assert all(isinstance(lookup, str) for lookup in ordering), "a list is ordered by lookups"
    return [str(lookup) for lookup in ordering]


def keyset_page(
    rows: QuerySet[RowT], *, ordering: Sequence[str], size: int, before: str = "", after: str = ""
) -> Page[RowT]:
    """The page before or after a cursor; without one (or with one that is none) the first.

    The last key is the primary key, added where `ordering` does not end with it.
    """
    keys = _keys(rows.model, ordering)
    if (values := _read(before, keys)) is not None:
        found = _fetch(rows, [key.reverse for key in keys], values, size + 1)
        shown = found[:size][::-1]
        return Page(
            shown,
            _cursor(shown[:1], keys) if len(found) > size else "",
            before and _cursor(shown[-1:], keys),
        )
    values = _read(after, keys)
    found = _fetch(rows, keys, values, size + 1)
    shown = found[:size]
    return Page(
        shown,
        before=_cursor(shown[:1], keys) if values is not None else "",
        after=_cursor(shown[-1:], keys) if len(found) > size else "",
    )


def _keys(model: type[Model], ordering: Sequence[str]) -> list[_Key]:
    keys = [_key(model, lookup) for lookup in ordering]
    primary_key = model._meta.pk
    assert primary_key is not None
    # Of a key of several columns the last tells the rows of a list apart: an xDR by its id, a row
    # of an import by its number.
    columns = getattr(primary_key, "field_names", (primary_key.name,))
    if keys[-1].lookup not in ("pk", columns[-1]):
        keys.append(_Key("pk", keys[-1].is_descending, may_be_null=False))
    return keys


def _key(model: type[Model], lookup: str) -> _Key:
    name = lookup.lstrip("-")
    return _Key(name, lookup.startswith("-"), _may_be_null(model, name))


def _may_be_null(model: type[Model], name: str) -> bool:
    if name == "pk":
        return False
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:  # of another model, or an annotation
        return True
    return bool(getattr(field, "null", True))


def _fetch(
    rows: QuerySet[RowT], keys: Sequence[_Key], values: Sequence[Any] | None, size: int
) -> list[RowT]:
    rows = rows.order_by(*(key.order for key in keys))
    if values is not None:
        rows = rows.filter(_behind(keys, values))
    return list(rows[:size])


def _behind(keys: Sequence[_Key], values: Sequence[Any]) -> Q:
    """Rows that come after the one with these values."""
    behind, same = Q(pk__in=[]), Q()
    for key, value in zip(keys, values, strict=True):
        behind |= same & _further(key, value)
        same &= Q(**{f"{key.lookup}__isnull": True}) if value is None else Q(**{key.lookup: value})
    if keys[0].may_be_null:
        return behind
    # Says what follows from the rest, so that PostgreSQL starts in the index where the page does.
    return (
        Q(**{f"{keys[0].lookup}__{'lte' if keys[0].is_descending else 'gte'}": values[0]}) & behind
    )


def _further(key: _Key, value: Any) -> Q:
    # PostgreSQL puts nulls last when it ascends and first when it descends.
    if value is None:
        return Q(**{f"{key.lookup}__isnull": False}) if key.is_descending else Q(pk__in=[])
    further = Q(**{f"{key.lookup}__{'lt' if key.is_descending else 'gt'}": value})
    if key.may_be_null and not key.is_descending:
        further |= Q(**{f"{key.lookup}__isnull": True})
    return further


def _cursor(rows: Sequence[Model], keys: Sequence[_Key]) -> str:
    if not rows:
        return ""
    values = [_value(rows[0], key.lookup) for key in keys]
    return _signer.sign_object([[key.order for key in keys], values])


def _read(cursor: str, keys: Sequence[_Key]) -> list[Any] | None:
    try:
        order, values = _signer.unsign_object(cursor)
    except BadSignature:
        return None
    return values if order == [key.order for key in keys] else None


def _value(row: Any, lookup: str) -> str | int | None:
    for name in lookup.split("__"):
        row = None if row is None else getattr(row, name)
    return row if row is None or isinstance(row, int) else str(row)
