"""Reading xDRs and their legs."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import OuterRef, Q, Subquery

from cdr.models import AllowanceUse, Leg, LegKind, Source, Xdr, XdrCorrection
from common.scope import Scope
from customers.models import Customer
from tenancy.owned import ProviderQuerySet


def xdrs(
    scope: Scope, *, started_from: datetime | None = None, started_to: datetime | None = None
) -> ProviderQuerySet[Xdr]:
    """The xDRs that started in `[started_from, started_to)`, open where None, the latest first."""
    rows = Xdr.objects.visible_to(scope)
    if started_from is not None:
        rows = rows.filter(started_at__gte=started_from)
    if started_to is not None:
        rows = rows.filter(started_at__lt=started_to)
    return rows.select_related("customer", "vendor", "source").order_by("-started_at", "-id")


def of_customer_number(
    scope: Scope, rows: ProviderQuerySet[Xdr], number: int
) -> ProviderQuerySet[Xdr]:
    """Those of the customer with a number; by its id, found first, which the index answers."""
    found = Customer.objects.visible_to(scope).filter(number=number).order_by("pk").first()
    return rows.none() if found is None else rows.filter(customer_id=found.pk)


def of_source_slug(scope: Scope, rows: ProviderQuerySet[Xdr], slug: str) -> ProviderQuerySet[Xdr]:
    """Those that a source brought; by its id, found first, which the index answers."""
    found = Source.objects.visible_to(scope).filter(slug=slug).order_by("pk").first()
    return rows.none() if found is None else rows.filter(source_id=found.pk)


def with_charges(rows: ProviderQuerySet[Xdr]) -> ProviderQuerySet[Xdr]:
    """xDRs with `charge_amount` and `charge_currency` of the customer leg; None without one."""
    legs = Leg.objects.filter(
        provider_id=OuterRef("provider_id"),
        started_at=OuterRef("started_at"),
        xdr_id=OuterRef("id"),
        kind=LegKind.CUSTOMER,
    ).order_by("number")
    return rows.annotate(
        charge_amount=Subquery(legs.values("amount")[:1]),
        charge_currency=Subquery(legs.values("usage_charge__currency")[:1]),
    )


def xdr(scope: Scope, *, started_at: datetime, xdr_id: int) -> Xdr:
    """One xDR with its parties, source and file; its start finds the month it is kept in.

    Where that was its start until it was corrected, the xDR has another by now.

    :raises Xdr.DoesNotExist: it is not in the scope.
    """
    rows = xdrs(scope).select_related("terminating_customer", "chunk__file")
    found = rows.filter(started_at=started_at, id=xdr_id).first()
    if found is not None:
        return found
    return rows.get(started_at=_corrected_start(scope, started_at, xdr_id), id=xdr_id)


def _corrected_start(scope: Scope, started_at: datetime, xdr_id: int) -> datetime:
    """Where an xDR is by now that was kept under another start; that one if it never was."""
    corrections = XdrCorrection.objects.visible_to(scope).filter(xdr_id=xdr_id)
    before = corrections.filter(Q(started_at=started_at) | Q(received_started_at=started_at))
    current = corrections.filter(is_current=True).first() if before.exists() else None
    return started_at if current is None else current.started_at


def legs_of_xdr(scope: Scope, xdr: Xdr) -> ProviderQuerySet[Leg]:
    """The legs of an xDR with rate and table, or subscription, in the order of the walk."""
    rows = Leg.objects.visible_to(scope).filter(started_at=xdr.started_at, xdr_id=xdr.id)
    return rows.select_related(
        "rate", "rate_table", "subscription__product", "subscription__item", "usage_charge"
    ).order_by("number")


def included_by_name(scope: Scope, xdr: Xdr) -> dict[str, int]:
    """What allowances covered of an xDR, by the name of each, in the order they were opened."""
    rows = AllowanceUse.objects.visible_to(scope).filter(started_at=xdr.started_at, xdr_id=xdr.id)
    volumes: dict[str, int] = {}
    for name, volume in rows.order_by("counter_id").values_list("counter__name", "volume"):
        volumes[name] = volumes.get(name, 0) + volume
    return volumes


def legs_by_xdr(
    scope: Scope, names: Collection[tuple[datetime, int]]
) -> dict[tuple[datetime, int], list[Leg]]:
    """The legs of several xDRs, named by start and id, by one query; an empty list where none."""
    legs: dict[tuple[datetime, int], list[Leg]] = {name: [] for name in names}
    rows = Leg.objects.visible_to(scope).filter(
        started_at__in={started_at for started_at, _ in names},
        xdr_id__in=[xdr_id for _, xdr_id in names],
    )
    for leg in rows.select_related("usage_charge").order_by("number"):
        legs[leg.started_at, leg.xdr_id].append(leg)
    return legs
