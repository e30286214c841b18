"""Reading rate imports, their rows, and the templates of rate files."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q

from catalogue.models import RateFileTemplate, RateImport, RateImportRow, RateTable, TimeProfile
from catalogue.rules.rate_row_classes import RowAction
from catalogue.rules.time_profiles import TimeProfile as Contained
from catalogue.rules.time_profiles import parse_time_profile
from common.scope import Scope
from tenancy.owned import ProviderQuerySet


def rate_imports(scope: Scope, table: RateTable) -> ProviderQuerySet[RateImport]:
    """The imports of a table with who sent and confirmed them, the newest first."""
    rows = RateImport.objects.visible_to(scope).filter(rate_table=table)
    return rows.select_related("received_by", "confirmed_by").order_by("-received_at", "-id")


def rate_import(scope: Scope, import_id: int) -> RateImport:
    """One import with its table.

    :raises RateImport.DoesNotExist: it is not in the scope.
    """
    rows = RateImport.objects.visible_to(scope).select_related(
        "rate_table__product", "received_by", "confirmed_by", "ended_by"
    )
    return rows.get(pk=import_id)


def rate_import_rows(scope: Scope, rate_import: RateImport) -> ProviderQuerySet[RateImportRow]:
    """What an import does, row by row: as in the file, then what the file does not have."""
    rows = RateImportRow.objects.visible_to(scope).filter(rate_import=rate_import)
    return rows.select_related("rate_import__rate_table").order_by("number")


@dataclass(frozen=True, slots=True)
class PastRates:
    """How many rates of an import begin or end in the past, and since when calls are concerned."""

    count: int
    since: datetime | None


def past_rates(scope: Scope, rate_import: RateImport, at: datetime) -> PastRates:
    """What an import writes that begins, or ends, before an instant."""
    rows = RateImportRow.objects.visible_to(scope).filter(rate_import=rate_import)
    adding = Q(action__in=[RowAction.INSERT, RowAction.REPLACE], effective_from__lt=at)
    closing = Q(action=RowAction.CLOSE, effective_to__lt=at)
    found = rows.aggregate(
        count=Count("number", filter=adding | closing),
        added=Min("effective_from", filter=adding),
        closed=Min("effective_to", filter=closing),
    )
    instants = [each for each in (found["added"], found["closed"]) if each is not None]
    return PastRates(found["count"], min(instants, default=None))


def rate_file_templates(scope: Scope) -> ProviderQuerySet[RateFileTemplate]:
    """How the files of vendors are laid out, by name."""
    return RateFileTemplate.objects.visible_to(scope).order_by("name", "pk")


def time_profile_ids(scope: Scope) -> dict[str | Contained, int]:
    """The ids of the provider's time profiles by name, and by what they contain."""
    found: dict[str | Contained, int] = {}
    for profile in TimeProfile.objects.visible_to(scope).order_by("-pk"):
        found[parse_time_profile(f"{profile.ranges} @{profile.weight}")] = profile.pk
        found[profile.name] = profile.pk
    return found
