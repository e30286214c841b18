"""What two versions of a catalogue include of usage, compared."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import NamedTuple

from catalogue.rules.allowances import Allowance
from catalogue.rules.differences import DifferenceKind, FieldChange


class AllowanceKey(NamedTuple):
    """Which allowance: of which item, by product and currency, and its name without its case."""

    product_id: int
    currency: str
    name: str


@dataclass(frozen=True, slots=True)
class AllowanceDifference:
    """An allowance that two versions do not have in common; `changes` where both have one."""

    product_id: int
    currency: str
    kind: DifferenceKind
    before: Allowance | None
    after: Allowance | None
    changes: tuple[FieldChange, ...] = ()


def allowance_differences(
    older: Mapping[AllowanceKey, Allowance], newer: Mapping[AllowanceKey, Allowance]
) -> tuple[AllowanceDifference, ...]:
    """What leads from `older` to `newer`, by product id, currency and name."""
    found = []
    for key in sorted(older.keys() | newer.keys()):
        before, after = older.get(key), newer.get(key)
        if before is None or after is None:
            kind = DifferenceKind.ADDED if before is None else DifferenceKind.REMOVED
            changes: tuple[FieldChange, ...] = ()
        else:
            kind, changes = DifferenceKind.CHANGED, _changes(before, after)
            if not changes:
                continue
        found.append(
            AllowanceDifference(key.product_id, key.currency, kind, before, after, changes)
        )
    return tuple(found)


def _changes(before: Allowance, after: Allowance) -> tuple[FieldChange, ...]:
    return tuple(
        FieldChange(field.name, getattr(before, field.name), getattr(after, field.name))
        for field in fields(Allowance)
        if getattr(before, field.name) != getattr(after, field.name)
    )
