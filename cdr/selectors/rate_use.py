"""Whether rates have priced anything yet."""

from datetime import timedelta

from django.db import connection
from django.db.models import Count, Max, Min, Q
from django.db.models.functions import Coalesce

from catalogue.models import Rate, RateImport, RateImportRow, RateTable
from catalogue.rules.rate_row_classes import RowAction
from catalogue.rules.units import seconds_per_unit
from cdr.models import Leg, ReplacedLeg
from cdr.rating.splitting import LONGEST_SPLIT
from cdr.selectors.affected_usage import ChangedPrefix
from common.scope import Scope

# A leg knows the first of its rates. Where a table splits, others of them price what comes after an
# instant at which the rate changes: one that begins while the call lasts, or one for certain hours.
_PRICED_A_TAIL = """
    WITH brought AS MATERIALIZED (
        SELECT DISTINCT prefix, effective_from, coalesce(effective_to, 'infinity') AS effective_to,
            time_profile_id IS NOT NULL AS is_by_hours
        FROM catalogue_rateimportrow
        WHERE rate_import_id = %(import)s AND action = ANY(%(actions)s) AND status <> 'stashed'
    ), used AS (
        SELECT l.started_at, l.xdr_id, l.rate_table_id FROM cdr_leg l
        WHERE l.provider_id = %(provider)s AND l.rate_table_id = ANY(%(tables)s)
            AND l.started_at BETWEEN %(earliest)s AND %(latest)s
        UNION ALL
        SELECT l.started_at, l.xdr_id, l.rate_table_id FROM cdr_replacedleg l
        WHERE l.provider_id = %(provider)s AND l.rate_table_id = ANY(%(tables)s)
            AND l.started_at BETWEEN %(earliest)s AND %(latest)s
    ), lasting AS MATERIALIZED (
        SELECT DISTINCT x.normalised_number AS number, x.started_at,
            x.started_at + x.volume * split.unit * interval '1 second' AS ended_at
        FROM used
        JOIN unnest(%(tables)s, %(units)s) AS split (id, unit) ON split.id = used.rate_table_id
        JOIN cdr_xdr x ON x.provider_id = %(provider)s AND x.started_at = used.started_at
            AND x.id = used.xdr_id
        WHERE x.started_at BETWEEN %(earliest)s AND %(latest)s
            AND x.started_at + x.volume * split.unit * interval '1 second' > %(first)s
    )
    SELECT EXISTS (
        SELECT FROM lasting
        CROSS JOIN generate_series(0, 15) AS length
        JOIN brought ON brought.prefix = left(lasting.number, length)
            AND length(brought.prefix) = length
        WHERE lasting.ended_at > brought.effective_from
            AND lasting.started_at < brought.effective_to
            AND (lasting.started_at < brought.effective_from OR brought.is_by_hours)
    )
"""


def is_import_used(scope: Scope, rate_import: RateImport) -> bool:
    """Whether a leg was priced by a rate that the import added or changed.

    Legs that were rated again since count too. A leg knows its regular rate; where the import
    brought additive rates, any leg of the table with something on top counts. A changed rate counts
    as used if it was before, and one of a table that splits calls if a call that it fits may have
    lasted into it.
    """
    rows = rate_import.rows.filter(action__in=[RowAction.INSERT, RowAction.REPLACE])
    first = rows.aggregate(first=Min("effective_from"))["first"]
    if first is None:
        return False
    legs = Leg.objects.visible_to(scope).filter(started_at__gte=first)
    replaced = ReplacedLeg.objects.visible_to(scope).filter(started_at__gte=first)
    rates = rows.values(used=Coalesce("target_id", "rate_id"))
    if legs.filter(rate_id__in=rates).exists() or replaced.filter(rate_id__in=rates).exists():
        return True
    if _may_have_priced_a_tail(scope, rate_import):
        return True
    if not rows.filter(policy=Rate.Policy.ADDITIVE).exists():
        return False
    tables = _with_children(scope, rate_import.rate_table_id)
    return legs.filter(rate_table__in=tables).exclude(additive_amount=0).exists()


def _may_have_priced_a_tail(scope: Scope, rate_import: RateImport) -> bool:
    tables = RateTable.objects.visible_to(scope).filter(
        pk__in=_with_children(scope, rate_import.rate_table_id), boundary=RateTable.Boundary.SPLIT
    )
    units = {
        table_id: seconds_per_unit(unit)
        for table_id, unit in tables.values_list("pk", "product__volume_unit")
    }
    if not units:
        return False
    actions = [RowAction.INSERT.value, RowAction.REPLACE.value]
    rows = rate_import.rows.filter(action__in=actions)
    said = rows.aggregate(
        first=Min("effective_from"),
        last=Max("effective_from"),
        by_hours=Count("number", filter=Q(time_profile__isnull=False)),
    )
    asked = {
        "import": rate_import.pk,
        "provider": rate_import.provider_id,
        "actions": actions,
        "tables": list(units),
        "units": list(units.values()),
        "first": said["first"],
        "earliest": said["first"] - timedelta(seconds=LONGEST_SPLIT),
        "latest": "infinity" if said["by_hours"] else said["last"],
    }
    with connection.cursor() as cursor:
        cursor.execute(_PRICED_A_TAIL, asked)
        return bool(cursor.fetchone()[0])


def prefixes_of_import(scope: Scope, rate_import: RateImport) -> list[ChangedPrefix]:
    """The prefixes of the rates that an import wrote to begin or to end in the past."""
    rows = RateImportRow.objects.visible_to(scope).filter(rate_import=rate_import)
    written_at = rate_import.written_at
    adding = Q(action__in=[RowAction.INSERT, RowAction.REPLACE], effective_from__lt=written_at)
    closing = Q(action=RowAction.CLOSE, effective_to__lt=written_at)
    found = rows.filter(adding | closing).values_list("prefix", "tag", "origin_prefix", "policy")
    return [
        ChangedPrefix(prefix, bool(tag or origin or policy == Rate.Policy.ADDITIVE))
        for prefix, tag, origin, policy in found.distinct()
    ]


def _with_children(scope: Scope, table_id: int) -> set[int]:
    """The table and all that are searched before it."""
    found, waiting = {table_id}, {table_id}
    while waiting:
        children = RateTable.objects.visible_to(scope).filter(parent_id__in=waiting)
        waiting = set(children.values_list("pk", flat=True)) - found
        found |= waiting
    return found
