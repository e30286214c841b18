"""Whether rates have priced anything yet."""

from django.db.models import Min, Q
from django.db.models.functions import Coalesce

from catalogue.models import Rate, RateImport, RateImportRow, RateTable
from catalogue.rules.rate_row_classes import RowAction
from cdr.models import Leg, ReplacedLeg
from cdr.selectors.affected_usage import ChangedPrefix
from common.scope import Scope


def is_import_used(scope: Scope, rate_import: RateImport) -> bool:
    """Whether a leg was priced by a rate that the import added or changed.

    Legs that were rated again since count too. A leg knows its regular rate; where the import
    brought additive rates, any leg of the table with something on top counts. A changed rate counts
    as used if it was before.
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
    if not rows.filter(policy=Rate.Policy.ADDITIVE).exists():
        return False
    tables = _with_children(scope, rate_import.rate_table_id)
    return legs.filter(rate_table__in=tables).exclude(additive_amount=0).exists()


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
