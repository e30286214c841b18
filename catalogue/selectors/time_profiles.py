"""Reading time profiles, and which rates are for their hours."""

from dataclasses import dataclass

from django.db.models import Count

from catalogue.models import Rate, RateTable, TimeProfile
from common.scope import Scope
from tenancy.owned import ProviderQuerySet


@dataclass(frozen=True)
class TableUse:
    """A rate table with the number of its rates that are for the hours of a profile."""

    table: RateTable
    rate_count: int


def time_profiles(scope: Scope) -> ProviderQuerySet[TimeProfile]:
    """Time profiles by name."""
    return TimeProfile.objects.visible_to(scope).order_by("name", "pk")


def time_profile(scope: Scope, profile_id: int) -> TimeProfile:
    """One time profile.

    :raises TimeProfile.DoesNotExist: it is not in the scope.
    """
    return TimeProfile.objects.visible_to(scope).get(pk=profile_id)


def rates_of_profile(scope: Scope, profile: TimeProfile) -> ProviderQuerySet[Rate]:
    """The rates that are for the profile's hours, of all tables."""
    rows = Rate.objects.visible_to(scope).filter(time_profile=profile)
    return rows.select_related("rate_table").order_by("rate_table_id", "prefix", "pk")


def tables_of_profile(scope: Scope, profile: TimeProfile) -> list[TableUse]:
    """The rate tables with rates of the profile, by name."""
    counted = (
        Rate.objects.visible_to(scope)
        .filter(time_profile=profile)
        .values("rate_table_id")
        .annotate(rate_count=Count("pk"))
    )
    counts = dict(counted.values_list("rate_table_id", "rate_count"))
    tables = RateTable.objects.visible_to(scope).filter(pk__in=counts)
    return [TableUse(table, counts[table.pk]) for table in tables.order_by("name", "pk")]
