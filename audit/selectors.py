"""Reading what was recorded."""

from collections.abc import Collection, Mapping

from django.db import connection
from django.db.models import Model, Q

from audit.models import Entry
from common.scope import Scope
from tenancy.owned import ProviderQuerySet

# From one value to the next along the index that begins with them, and not along all entries.
_VALUES = """
    WITH RECURSIVE found AS (
        SELECT min({column}) AS value FROM audit_entry WHERE provider_id = %s
        UNION ALL
        SELECT (SELECT min(e.{column}) FROM audit_entry e
                WHERE e.provider_id = %s AND e.{column} > found.value)
        FROM found WHERE found.value IS NOT NULL
    )
    SELECT value FROM found WHERE value IS NOT NULL
"""
_TYPES_OF_ACTIONS = """
    SELECT done.action, latest.object_type
    FROM unnest(%s) WITH ORDINALITY AS done (action, place)
    CROSS JOIN LATERAL (
        SELECT e.object_type FROM audit_entry e
        WHERE e.provider_id = %s AND e.action = done.action ORDER BY e.at DESC, e.id DESC LIMIT 1
    ) AS latest
    ORDER BY done.place
"""


def entries(scope: Scope) -> ProviderQuerySet[Entry]:
    """Everything that was recorded, with who did it; the latest first."""
    rows = Entry.objects.visible_to(scope).select_related("actor", "token")
    return rows.order_by("-at", "-pk")


def actions(scope: Scope) -> dict[str, str]:
    """What was done at any time, as `customer.activated`, in order; with what it was last done to.

    What somebody is shown is narrowed by that: one action is always done to the same type.
    """
    assert scope.sees_whole_provider
    with connection.cursor() as cursor:
        cursor.execute(_TYPES_OF_ACTIONS, [_values(scope, "action"), scope.provider_id])
        return dict(cursor.fetchall())


def object_types(scope: Scope) -> list[str]:
    """What it was done to, as `customers.customer`, in order."""
    return _values(scope, "object_type")


def _values(scope: Scope, column: str) -> list[str]:
    assert scope.sees_whole_provider
    with connection.cursor() as cursor:
        cursor.execute(_VALUES.format(column=column), [scope.provider_id, scope.provider_id])
        return [str(row[0]) for row in cursor.fetchall()]


def entries_about(
    scope: Scope, rows: Mapping[type[Model], Collection[int]]
) -> ProviderQuerySet[Entry]:
    """The entries about rows, given as ids by model, with their actors; the latest first."""
    return entries(scope).filter(_about(rows))


def own_entries(
    scope: Scope, rows: Mapping[type[Model], Collection[int]], actions: Collection[str]
) -> ProviderQuerySet[Entry]:
    """The entries of some actions about a customer's own rows; the latest first.

    Entries are tied to no customer: `rows` are those that selectors have shown to the scope.
    """
    found = Entry.objects.filter(_about(rows), provider_id=scope.provider_id, action__in=actions)
    return found.select_related("actor", "token").order_by("-at", "-pk")


def _about(rows: Mapping[type[Model], Collection[int]]) -> Q:
    about = Q(pk__in=[])
    for model, ids in rows.items():
        about |= Q(object_type=model._meta.label_lower, object_id__in=[str(pk) for pk in ids])
    return about
