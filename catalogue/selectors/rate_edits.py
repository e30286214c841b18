"""What an edit makes of many rates: as expressions of the database, and in figures."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import (
    Case,
    CharField,
    Count,
    DecimalField,
    Exists,
    F,
    Func,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.expressions import Combinable, RawSQL
from django.db.models.functions import Cast, Coalesce

from catalogue.models import Rate, RateBatchEdit, RateTable
from catalogue.rules.rate_edits import CALLS, PriceChange, PriceEdit, RateEdit
from catalogue.rules.rate_terms import AMOUNT_LIMIT, RateRefused
from catalogue.selectors.rate_tables import NO_DIGITS_LIMIT
from common.scope import Scope
from tenancy.owned import ProviderQuerySet

EXAMPLES = 8
_EXACT: "DecimalField[Decimal, Decimal]" = DecimalField(max_digits=60, decimal_places=20)
_ROUNDED = "round(%(expressions)s, 8)"
# `0:0.60/60;60:0.30/1`: of each step the price, between colon and slash, becomes another.
_STEPS = """(
    SELECT coalesce(string_agg(split_part(step, ':', 1) || ':' || trim_scale(round(
        split_part(split_part(step, ':', 2), '/', 1)::numeric * {factor} + {summand}, 8
    ))::text || '/' || split_part(step, '/', 2), ';' ORDER BY place), '')
    FROM (
        SELECT trim(step) AS step, place
        FROM unnest(string_to_array(%(expressions)s, ';')) WITH ORDINALITY AS s (step, place)
    ) AS steps
)"""
# Ends are those of `with_ends`: a rate's own, else the start of the next for the same calls.
_PLACED = """
    WITH chosen AS MATERIALIZED ({chosen}), places AS (
        SELECT DISTINCT r.rate_table_id, r.prefix FROM catalogue_rate r JOIN chosen USING (id)
    ), rates AS (
        SELECT r.id, r.effective_from, coalesce(r.effective_to,
            min(r.effective_from) FILTER (WHERE r.status <> 'stashed') OVER (
                PARTITION BY r.rate_table_id, r.prefix, r.tag, r.policy, r.origin_prefix,
                    coalesce(r.time_profile_id, 0), coalesce(r.min_digits, 0),
                    coalesce(r.max_digits, {most})
                ORDER BY r.effective_from GROUPS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
            )) AS ends_at
        FROM catalogue_rate r JOIN places USING (rate_table_id, prefix)
    )
    SELECT id, effective_from < %s, ends_at IS NULL OR ends_at > %s
    FROM rates JOIN chosen USING (id)
"""
_STEPS_FIT = r"^([0-9]{1,10}:-?[0-9]{1,10}(\.[0-9]{1,8})?/[0-9]{1,10}(;|$))*$"


@dataclass(frozen=True, slots=True)
class EditedRate:
    """A rate before and after."""

    prefix: str
    destination: str
    rate_before: Decimal
    rate_after: Decimal


@dataclass(frozen=True, slots=True)
class EditPreview:
    """What an edit would do: how many rates go on changed from its instant, are corrected
    themselves, or are left as they are over by then; the least and greatest of the new rates, how
    many of them are below zero, and examples.
    """

    continued_count: int
    corrected_count: int
    left_count: int
    least: Decimal | None
    greatest: Decimal | None
    negative_count: int
    steps_count: int
    changed_from: datetime | None
    examples: Sequence[EditedRate]


def rate_edits(scope: Scope) -> ProviderQuerySet[RateBatchEdit]:
    """Edits of many rates, the latest first."""
    rows = RateBatchEdit.objects.visible_to(scope).select_related("rate_table__product", "asked_by")
    return rows.order_by("-asked_at", "-pk")


def edits_of_table(scope: Scope, table: RateTable) -> ProviderQuerySet[RateBatchEdit]:
    """Edits of the table's rates, the latest first, without the ids of the rates."""
    return rate_edits(scope).filter(rate_table=table).defer("rate_ids")


def chosen_rates(table: RateTable, rate_ids: Collection[int]) -> QuerySet[Rate]:
    """Those of the table's rates with these ids, which are one parameter however many they are."""
    ids = RawSQL("SELECT unnest(%s::bigint[])", [list(rate_ids)])
    return Rate.objects.filter(
        provider_id=table.provider_id, rate_table=table, pk__in=ids
    ).order_by()


@dataclass(frozen=True, slots=True)
class Division:
    """The rates that go on changed from the edit's instant, those that are corrected, and how many
    are over by then.
    """

    continued_ids: Sequence[int]
    corrected_ids: Sequence[int]
    left_count: int

    @property
    def changed_ids(self) -> list[int]:
        """All that become something else."""
        return [*self.continued_ids, *self.corrected_ids]


def divided(table: RateTable, rate_ids: Collection[int], edit: RateEdit) -> Division:
    """What an edit does to each of the rates: worked out once for all of them."""
    rows = chosen_rates(table, rate_ids)
    start = edit.effective_from
    if start is None:
        return Division([], list(rows.values_list("pk", flat=True)), 0)
    chosen, parameters = rows.values("id").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            _PLACED.format(chosen=chosen, most=NO_DIGITS_LIMIT), [*parameters, start, start]
        )
        placed: list[tuple[int, bool, bool]] = cursor.fetchall()
    continued = [rate_id for rate_id, is_begun, lasts in placed if is_begun and lasts]
    corrected = [rate_id for rate_id, is_begun, _ in placed if not is_begun]
    return Division(continued, corrected, len(placed) - len(continued) - len(corrected))


def edited(edit: RateEdit) -> dict[str, Combinable]:
    """The expressions of the columns that the edit changes, by name."""
    after: dict[str, Combinable] = {}
    if edit.price is not None:
        after["rate"] = _price("rate", edit.price)
        if edit.price.change is not PriceChange.VALUE:
            after["initial_rate"] = _price("initial_rate", edit.price)
            after["steps"] = _steps(edit.price)
    for name, value in edit.values.items():
        column: Any = Rate._meta.get_field(name)
        # Cast, for a null has no type of its own.
        after[name] = Cast(Value(value, output_field=column), output_field=column)
    return after


def preview_edit(table: RateTable, rate_ids: Collection[int], edit: RateEdit) -> EditPreview:
    """What the edit would do to these rates of the table.

    :raises RateRefused: one of them would hold what no rate may; the column says which.
    """
    division = divided(table, rate_ids, edit)
    changed_ids = division.changed_ids
    after: Any = chosen_rates(table, changed_ids).annotate(
        **{f"new_{name}": value for name, value in _all(edit).items()}, begins=_begins(edit)
    )
    # A limit keeps PostgreSQL from working out each column again for each of the figures.
    found = after[: len(changed_ids)].aggregate(
        least=Min("new_rate"),
        greatest=Max("new_rate"),
        negative=Count("pk", filter=Q(new_rate__lt=0)),
        with_steps=Count("pk", filter=~Q(new_steps="")),
        earliest=Min("effective_from"),
        **{f"refused_{name}": Count("pk", filter=wrong) for name, (wrong, _) in _REFUSED.items()},
    )
    _refuse(found, edit)
    if edit.changes_calls:
        _check_one_each(table, rate_ids, after, edit)
    examples = after.order_by("prefix", "pk")
    return EditPreview(
        continued_count=len(division.continued_ids),
        corrected_count=len(division.corrected_ids),
        left_count=division.left_count,
        least=found["least"],
        greatest=found["greatest"],
        negative_count=found["negative"],
        steps_count=found["with_steps"],
        changed_from=edit.effective_from or found["earliest"],
        examples=[
            EditedRate(*row)
            for row in examples.values_list("prefix", "destination", "rate", "new_rate")[:EXAMPLES]
        ],
    )


def _refuse(found: Mapping[str, Any], edit: RateEdit) -> None:
    for name, (_, what) in _REFUSED.items():
        if count := found[f"refused_{name}"]:
            refused = edit.price.by if name == "by" and edit.price else edit.values.get(name)
            raise RateRefused(name, refused, f"{count:,} of the rates {what}")


# What no rate may be after the edit, by the field that is at fault.
_REFUSED: Mapping[str, tuple[Q, str]] = {
    "by": (
        Q(new_rate__gte=AMOUNT_LIMIT)
        | Q(new_rate__lte=-AMOUNT_LIMIT)
        | ~Q(new_steps__regex=_STEPS_FIT),
        f"would cost {AMOUNT_LIMIT:,f} or more",
    ),
    "min_cost": (Q(new_min_cost__gt=F("new_max_cost")), "would have a floor above its cap"),
    "min_digits": (
        Q(new_min_digits__gt=F("new_max_digits")),
        "would need more digits than it allows",
    ),
    "effective_to": (Q(new_effective_to__lte=F("begins")), "would end before it begins"),
}


def _all(edit: RateEdit) -> dict[str, Combinable]:
    """The new value of every column that is looked at, also of those that stay."""
    looked_at = ("rate", "steps", "min_cost", "max_cost", "effective_to", *CALLS)
    return {name: F(name) for name in looked_at} | edited(edit)


def _check_one_each(
    table: RateTable, rate_ids: Collection[int], after: Any, edit: RateEdit
) -> None:
    """:raises RateRefused: if two rates would be for the same calls from the same instant on."""
    placed = after.annotate(**_calls("new_"))
    repeated = placed.values("prefix", "begins", *_CALLS_KEY).annotate(count=Count("pk"))
    others = Rate.objects.filter(rate_table=table).exclude(
        pk__in=chosen_rates(table, rate_ids).values("pk")
    )
    same = others.annotate(**_calls("")).filter(
        prefix=OuterRef("prefix"),
        effective_from=OuterRef("begins"),
        **{name: OuterRef(name) for name in _CALLS_KEY},
    )
    if repeated.filter(count__gt=1).exists() or placed.filter(Exists(same)).exists():
        column = next(name for name in CALLS if name in edit.values)
        raise RateRefused(
            column, edit.values[column], "two rates would be for the same calls at the same time"
        )


def _begins(edit: RateEdit) -> Combinable:
    """Since when a rate is as the edit makes it."""
    start = edit.effective_from
    if start is None:
        return F("effective_from")
    return Case(When(effective_from__lt=start, then=Value(start)), default=F("effective_from"))


_CALLS_KEY = ("of_tag", "of_policy", "of_origin", "of_profile", "of_least", "of_most")


def _calls(before: str) -> dict[str, Combinable]:
    """For which calls a rate is, or after the edit would be, without a null."""
    return {
        "of_tag": F(f"{before}tag"),
        "of_policy": F(f"{before}policy"),
        "of_origin": F(f"{before}origin_prefix"),
        "of_profile": Coalesce(f"{before}time_profile_id", 0),
        "of_least": Coalesce(f"{before}min_digits", 0),
        "of_most": Coalesce(f"{before}max_digits", NO_DIGITS_LIMIT),
    }


def _price(name: str, edit: PriceEdit) -> Combinable:
    if edit.change is PriceChange.VALUE:
        return Value(edit.by, output_field=_EXACT)
    exact = F(name) * Value(edit.factor, output_field=_EXACT)
    exact += Value(edit.summand, output_field=_EXACT)
    return Func(exact, template=_ROUNDED, output_field=_EXACT)


def _steps(edit: PriceEdit) -> Combinable:
    moved = Func(
        F("steps"),
        template=_STEPS.format(factor=f"{edit.factor:f}", summand=f"({edit.summand:f})"),
        output_field=CharField(),
    )
    # Most rates have none, and are not taken apart.
    return Case(When(steps="", then=Value("")), default=moved)
