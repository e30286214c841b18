"""Reading re-ratings: what is chosen, how far each is, and what it changes for whom."""

from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Model, OuterRef, Q, Subquery, Sum, TextField
from django.db.models.functions import Cast, Coalesce, JSONObject

from catalogue.models import RateTable
from cdr.models import LegKind, ReplacedLeg, Rerating, ReratingDelta, ReratingSlice, Xdr
from cdr.rules.rerating import Selection
from cdr.selectors.parties import parties
from common.scope import Scope
from resellers.selectors import reseller_tree
from tenancy.owned import ProviderQuerySet

SliceState = ReratingSlice.State


def reratings(scope: Scope) -> ProviderQuerySet[Rerating]:
    """The re-ratings, the latest first, with whoever asked for and agreed to them."""
    rows = Rerating.objects.visible_to(scope).select_related(
        "created_by", "applied_by", "customer", "reseller", "vendor", "source", "rate_table"
    )
    return rows.order_by("-pk")


def with_sums(rows: ProviderQuerySet[Rerating]) -> ProviderQuerySet[Rerating]:
    """With the xDRs chosen and changed, and `customer_deltas`, what customers pay more or less.

    Those are a list of `{"currency": "EUR", "amount": "-1.50000000"}`, as measured.
    """
    slices = ReratingSlice.objects.filter(rerating=OuterRef("pk")).order_by().values("rerating")
    deltas = (
        ReratingDelta.objects.filter(rerating=OuterRef("pk"), kind=LegKind.CUSTOMER)
        .order_by()
        .values("currency")
        .annotate(sum=Sum("delta_amount"))
        .order_by("currency")
    )
    return rows.annotate(
        xdr_count=Coalesce(Subquery(slices.annotate(n=Sum("xdr_count")).values("n")), 0),
        changed_xdr_count=Coalesce(
            Subquery(slices.annotate(n=Sum("changed_xdr_count")).values("n")), 0
        ),
        customer_deltas=ArraySubquery(
            deltas.values(row=JSONObject(currency="currency", amount=Cast("sum", TextField())))
        ),
    )


def selection_of(scope: Scope, rerating: Rerating) -> Selection:
    """What was chosen, with the resellers below and the tables that inherit as they are now."""
    reseller_ids: tuple[int, ...] = ()
    if rerating.reseller_id is not None:
        below = reseller_tree(scope).descendants(rerating.reseller_id)
        reseller_ids = (rerating.reseller_id, *below)
    table_ids: tuple[int, ...] = ()
    if rerating.rate_table_id is not None:
        table_ids = tuple(_with_children(scope, rerating.rate_table_id))
    return Selection(
        started_from=rerating.started_from,
        started_to=rerating.started_to,
        customer_id=rerating.customer_id,
        reseller_id=rerating.reseller_id,
        reseller_ids=reseller_ids,
        vendor_id=rerating.vendor_id,
        source_id=rerating.source_id,
        rate_table_ids=table_ids,
        prefixes=tuple(filter(None, rerating.prefixes.split(","))),
        suspense_reason=rerating.suspense_reason,
    )


def _with_children(scope: Scope, table_id: int) -> set[int]:
    """The table and all that have it as parent, over any number of levels."""
    found = {table_id}
    pairs = list(RateTable.objects.visible_to(scope).values_list("pk", "parent_id"))
    while below := {pk for pk, parent_id in pairs if parent_id in found} - found:
        found |= below
    return found


@dataclass(frozen=True)
class ReratingProgress:
    """How far a re-rating is, in xDRs, and what its dry run has counted so far."""

    state: Rerating.State
    since: datetime | None
    done_count: int
    total_count: int
    xdr_count: int
    changed_xdr_count: int
    changed_leg_count: int
    added_leg_count: int
    removed_leg_count: int
    suspended_leg_count: int
    released_leg_count: int
    tiered_xdr_count: int
    changing_slice_count: int
    outdated_count: int


_NO_SUMS = (
    "state",
    "since",
    "done_count",
    "total_count",
    "changing_slice_count",
    "outdated_count",
)


def rerating_progress(scope: Scope, rerating: Rerating) -> ReratingProgress:
    """Of the dry run while it is measured, of what is applied from then on."""
    is_applying = rerating.applying_since is not None
    total = ~Q(state=SliceState.MEASURED) if is_applying else Q()
    done = Q(state__in=[SliceState.APPLIED, SliceState.OUTDATED])
    if not is_applying:
        done = ~Q(state=SliceState.WAITING)
    of_outdated = Q(state=SliceState.OUTDATED)
    slices = ReratingSlice.objects.visible_to(scope).filter(rerating=rerating)
    names = [f.name for f in fields(ReratingProgress) if f.name not in _NO_SUMS]
    counts = slices.aggregate(
        **{f"{name}_sum": Sum(name, default=0) for name in names},
        done_sum=Sum("xdr_count", filter=done, default=0),
        total_sum=Sum("xdr_count", filter=total, default=0),
        changing_sum=Count("pk", filter=Q(has_changes=True)),
        outdated_sum=Count("pk", filter=of_outdated),
    )
    return ReratingProgress(
        state=Rerating.State(rerating.state),
        since=rerating.applying_since if is_applying else rerating.measuring_since,
        done_count=counts["done_sum"],
        total_count=counts["total_sum"],
        changing_slice_count=counts["changing_sum"],
        outdated_count=counts["outdated_sum"],
        **{name: counts[f"{name}_sum"] for name in names},
    )


@dataclass(frozen=True)
class DeltaTotal:
    """What the legs of one kind that change came to and will, for all payers of a currency."""

    kind: LegKind
    currency: str
    payer_count: int
    leg_count: int
    before_amount: Decimal
    after_amount: Decimal
    delta_amount: Decimal
    applied_amount: Decimal


def delta_totals(scope: Scope, rerating: Rerating) -> list[DeltaTotal]:
    """By kind and currency: customers, resellers, vendors."""
    rows = (
        deltas(scope, rerating)
        .order_by("kind", "currency")
        .values_list("kind", "currency")
        .annotate(
            Count("pk"),
            Sum("leg_count"),
            Sum("before_amount"),
            Sum("after_amount"),
            Sum("delta_amount"),
            Sum("applied_amount"),
        )
    )
    return [DeltaTotal(LegKind(kind), *rest) for kind, *rest in rows]


def deltas(scope: Scope, rerating: Rerating) -> ProviderQuerySet[ReratingDelta]:
    """Payer by payer, what is charged least in comparison first."""
    rows = ReratingDelta.objects.visible_to(scope).filter(rerating=rerating)
    return rows.order_by("delta_amount", "pk")


@dataclass(frozen=True)
class FormerLeg:
    """A leg as it was until a re-rating changed it or took it away."""

    leg: ReplacedLeg
    payer: Model | None
    payee: Model | None


def former_legs(scope: Scope, xdr: Xdr) -> list[FormerLeg]:
    """What legs of an xDR were before, by re-rating, the first first, and in the order of walk."""
    rows = ReplacedLeg.objects.visible_to(scope).filter(started_at=xdr.started_at, xdr_id=xdr.id)
    terms = ("rate_table", "subscription__product", "usage_charge")
    legs = list(rows.select_related("rerating", *terms).order_by("rerating", "number"))
    keys = {(leg.payer_kind, leg.payer_id) for leg in legs}
    known = parties(scope, keys | {(leg.payee_kind, leg.payee_id) for leg in legs})
    return [
        FormerLeg(
            leg,
            known.get((leg.payer_kind, leg.payer_id)),
            known.get((leg.payee_kind, leg.payee_id)),
        )
        for leg in legs
    ]
