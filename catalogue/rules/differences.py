"""What changed between two versions of a catalogue."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum

from catalogue.rules.items import Terms


class DifferenceKind(StrEnum):
    """What became of an item."""

    ADDED = "ADDED"
    REMOVED = "REMOVED"
    CHANGED = "CHANGED"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of an item's terms, before and after."""

    field: str
    before: object
    after: object


@dataclass(frozen=True, slots=True)
class ItemDifference:
    """One item, named by product and currency, that two versions do not have in common.

    `before` and `after` are its terms in the versions that have it.
    """

    product_id: int
    currency: str
    kind: DifferenceKind
    before: Terms | None
    after: Terms | None
    changes: tuple[FieldChange, ...] = ()


def differences(
    older: Mapping[tuple[int, str], Terms], newer: Mapping[tuple[int, str], Terms]
) -> tuple[ItemDifference, ...]:
    """What leads from `older` to `newer`, both by product id and currency, in that order."""
    found = []
    for key in sorted(older.keys() | newer.keys()):
        before, after = older.get(key), newer.get(key)
        if before is None:
            found.append(ItemDifference(*key, DifferenceKind.ADDED, None, after))
        elif after is None:
            found.append(ItemDifference(*key, DifferenceKind.REMOVED, before, None))
        elif before != after:
            changes = _changes(before, after)
            found.append(ItemDifference(*key, DifferenceKind.CHANGED, before, after, changes))
    return tuple(found)


def _changes(before: Terms, after: Terms) -> tuple[FieldChange, ...]:
    return tuple(
        FieldChange(field.name, getattr(before, field.name), getattr(after, field.name))
        for field in fields(Terms)
        if getattr(before, field.name) != getattr(after, field.name)
    )
