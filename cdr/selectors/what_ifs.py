"""Reading what billing mode would have cost, and what was really paid."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Model, Q, QuerySet, Sum

from cdr.models import LegKind, PartyKind, Source, UsageCharge, WhatIf, WhatIfMargin, WhatIfReseller
from cdr.selectors.parties import PartyKey, parties
from common.periods import Period
from common.scope import Scope
from customers.models import Customer
from resellers.selectors import reseller_tree
from tenancy.owned import ProviderQuerySet


@dataclass(frozen=True)
class Paid:
    """Legs that a reseller pays a payee, and what they come to."""

    leg_count: int
    amount: Decimal


@dataclass(frozen=True)
class ShownMargin:
    """A margin with the party it is of."""

    party: Model | None
    margin: WhatIfMargin


def what_ifs(scope: Scope) -> ProviderQuerySet[WhatIf]:
    """The questions asked, the latest first."""
    rows = WhatIf.objects.visible_to(scope).select_related("rate_table__product", "asked_by")
    return rows.order_by("-asked_at", "-pk")


def what_if(scope: Scope, what_if_id: int) -> WhatIf:
    """One question.

    :raises WhatIf.DoesNotExist: it is not in the scope.
    """
    return what_ifs(scope).select_related("internal_rate_table").get(pk=what_if_id)


def resellers_asked_about(scope: Scope, question: WhatIf) -> ProviderQuerySet[WhatIfReseller]:
    """The resellers of a question with their parents, by number."""
    rows = WhatIfReseller.objects.visible_to(scope).filter(what_if=question)
    return rows.select_related("reseller__parent").order_by("reseller__number", "pk")


def margins_of(scope: Scope, question: WhatIf) -> list[ShownMargin]:
    """The margins that would differ, those that would fall most first."""
    rows = list(WhatIfMargin.objects.visible_to(scope).filter(what_if=question))
    known = parties(scope, {(row.party_kind, row.party_id) for row in rows})
    rows.sort(key=lambda row: (row.currency, row.shift_amount, row.pk))
    return [ShownMargin(known.get((row.party_kind, row.party_id)), row) for row in rows]


def customers_of_branches(scope: Scope, reseller_ids: Collection[int]) -> list[int]:
    """The customers whose calls the resellers could have to pay for: theirs and those below."""
    tree = reseller_tree(scope)
    below = {found for pk in reseller_ids for found in (pk, *tree.descendants(pk))}
    rows = Customer.objects.visible_to(scope).filter(reseller__in=below)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def sources_of_product(scope: Scope, product_id: int) -> list[int]:
    """The sources whose xDRs are of the product."""
    rows = Source.objects.visible_to(scope).filter(product_id=product_id)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def paid_by_resellers(
    scope: Scope, product_id: int, period: Period, reseller_ids: Collection[int]
) -> Mapping[tuple[int, PartyKey, str], Paid]:
    """What resellers paid for a product in a period, by payer, payee and currency."""
    rows = _charges(scope, product_id, period).filter(
        kind=LegKind.RESELLER, payer_id__in=reseller_ids
    )
    sums = rows.values_list("payer_id", "payee_kind", "payee_id", "currency").annotate(
        Sum("call_count"), Sum("amount")
    )
    return {
        (payer_id, (payee_kind, payee_id), currency): Paid(count, amount)
        for payer_id, payee_kind, payee_id, currency, count, amount in sums
    }


def margins(
    scope: Scope, product_id: int, period: Period, keys: Collection[PartyKey]
) -> dict[tuple[PartyKey, str], Decimal]:
    """What parties were paid for a product in a period less what they paid, by currency."""
    found: dict[tuple[PartyKey, str], Decimal] = {}
    resellers = [pk for kind, pk in keys if kind == PartyKind.RESELLER]
    for side, sign in (("payee", 1), ("payer", -1)):
        asked = Q(**{f"{side}_kind": PartyKind.RESELLER, f"{side}_id__in": resellers})
        if (int(PartyKind.PROVIDER), 0) in keys:
            asked |= Q(**{f"{side}_kind": PartyKind.PROVIDER})
        rows = _charges(scope, product_id, period).filter(asked)
        sums = rows.values_list(f"{side}_kind", f"{side}_id", "currency").annotate(Sum("amount"))
        for kind, pk, currency, amount in sums:
            key = (kind, pk), currency
            found[key] = found.get(key, Decimal(0)) + sign * amount
    return found


def _charges(scope: Scope, product_id: int, period: Period) -> QuerySet[UsageCharge]:
    return (
        UsageCharge.objects.visible_to(scope)
        .filter(product_id=product_id, day__gte=period.from_date, day__lt=period.to_date)
        .order_by()
    )
