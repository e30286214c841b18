"""Reading rate tables and their rates."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from catalogue.models import Rate, RateTable
from common.scope import Scope
from tenancy.owned import ProviderQuerySet

RATE_COLUMNS = (
    "rate_table_id",
    "id",
    "prefix",
    "destination",
    "effective_from",
    "effective_to",
    "rate",
    "initial_rate",
    "connection_fee",
    "minimum",
    "increment",
    "grace",
    "steps",
    "min_cost",
    "max_cost",
    "attempt_fee",
    "time_profile__ranges",
    "time_profile__weight",
    "policy",
    "tag",
    "origin_prefix",
    "min_digits",
    "max_digits",
    "status",
)
"""The order of the columns of `rate_rows`."""

NO_DIGITS_LIMIT = 1000
"""Stands for no bound of a number's length."""


def rate_tables(scope: Scope) -> ProviderQuerySet[RateTable]:
    """Rate tables with product and parent, by name."""
    rows = RateTable.objects.visible_to(scope).select_related("product", "parent")
    return rows.order_by("name", "pk")


def rate_table(scope: Scope, table_id: int) -> RateTable:
    """One rate table.

    :raises RateTable.DoesNotExist: it is not in the scope.
    """
    return rate_tables(scope).get(pk=table_id)


def rate(scope: Scope, rate_id: int) -> Rate:
    """One rate with its table and time profile.

    :raises Rate.DoesNotExist: it is not in the scope.
    """
    rows = Rate.objects.visible_to(scope).select_related("rate_table__product", "time_profile")
    return rows.get(pk=rate_id)


def in_force(rows: QuerySet[Rate], at: datetime) -> QuerySet[Rate]:
    """Those of the rates that are used at an instant: begun, and neither ended nor followed.

    One without an end is followed by the next of the same table for the same calls: of its prefix,
    tag and time profile, and of its policy, origin prefix and digit bounds.
    """
    following = _for_the_same_calls().filter(
        effective_from__gt=OuterRef("effective_from"), effective_from__lte=at
    )
    begun = rows.filter(effective_from__lte=at).exclude(status=Rate.Status.STASHED)
    is_last = Q(effective_to__isnull=True) & ~Exists(following)
    return begun.filter(Q(effective_to__gt=at) | is_last)


def next_start() -> Subquery:
    """In a query of rates, when the next of the same table for the same calls starts; or null."""
    following = _for_the_same_calls().filter(effective_from__gt=OuterRef("effective_from"))
    return Subquery(following.order_by("effective_from").values("effective_from")[:1])


def with_ends(rows: QuerySet[Rate]) -> QuerySet[Rate]:
    """The rates with `ends_at`: their own end, else the start of the one that follows; or None."""
    return rows.annotate(ends_at=Coalesce("effective_to", next_start()))


def rate_history(scope: Scope, table: RateTable, prefix: str) -> QuerySet[Rate]:
    """Every rate of a prefix in a table, the latest first, with `ends_at`.

    `rate_before` is the price of the one before it for the same calls; None for the first.
    """
    before = _for_the_same_calls().filter(effective_from__lt=OuterRef("effective_from"))
    before = before.order_by("-effective_from", "-pk")
    rows = Rate.objects.visible_to(scope).filter(rate_table=table, prefix=prefix)
    rows = rows.select_related("rate_table", "time_profile")
    rows = rows.annotate(rate_before=Subquery(before.values("rate")[:1]))
    return with_ends(rows).order_by("-effective_from", "-pk")


def _for_the_same_calls() -> QuerySet[Rate]:
    """In a subquery, the rates of the outer one's table that take its place or it theirs."""
    rows = Rate.objects.exclude(status=Rate.Status.STASHED).filter(
        rate_table_id=OuterRef("rate_table_id"),
        prefix=OuterRef("prefix"),
        tag=OuterRef("tag"),
        policy=OuterRef("policy"),
        origin_prefix=OuterRef("origin_prefix"),
    )
    return rows.annotate(
        profile=Coalesce("time_profile_id", 0),
        least=Coalesce("min_digits", 0),
        most=Coalesce("max_digits", NO_DIGITS_LIMIT),
    ).filter(
        profile=Coalesce(OuterRef("time_profile_id"), 0),
        least=Coalesce(OuterRef("min_digits"), 0),
        most=Coalesce(OuterRef("max_digits"), NO_DIGITS_LIMIT),
    )


def rates(scope: Scope, table: RateTable) -> ProviderQuerySet[Rate]:
    """The rates of a table by prefix, the latest first."""
    rows = Rate.objects.visible_to(scope).filter(rate_table=table)
    return rows.order_by("prefix", "-effective_from", "-pk")


def rate_rows(scope: Scope, table_ids: Collection[int]) -> QuerySet[Rate, tuple[Any, ...]]:
    """All rates of the tables as plain tuples of `RATE_COLUMNS`, by table and id.

    For compiling: no objects are made, and `iterator()` streams them.
    """
    rows = Rate.objects.visible_to(scope).filter(rate_table_id__in=table_ids)
    return rows.order_by("rate_table_id", "pk").values_list(*RATE_COLUMNS)
