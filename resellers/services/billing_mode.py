"""Billing mode: from when to when a reseller pays its parent, and by which rate table."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from audit.services import record
from catalogue.models import RateTable
from common.errors import DomainError
from resellers.models import BillingModeAssignment, Reseller

EVERY_CALL_WARNING = (
    "The reseller will also pay its parent for calls between its own customers, which use no"
    " vendor of the parent."
)


class BillingModeOverlaps(DomainError):
    """The reseller is in billing mode for this product at some of that time already."""


class BillingModeEmpty(DomainError):
    """Billing mode would end before it starts."""


class RateTableDoesNotFit(DomainError):
    """The rate table is in another currency than the reseller, or rates another product."""


class InternalTableNeeded(DomainError):
    """Internal calls at a second table need that table, and only they do."""


@dataclass(frozen=True)
class BillingModeAssigned:
    """The assignment, and what the person who made it should know; empty for nothing."""

    assignment: BillingModeAssignment
    warning: str


@transaction.atomic
def assign_billing_mode(
    *,
    reseller: Reseller,
    rate_table: RateTable,
    policy: BillingModeAssignment.Policy = BillingModeAssignment.Policy.PARENT_VENDORS_ONLY,
    internal_rate_table: RateTable | None = None,
    valid_from: datetime,
    valid_to: datetime | None = None,
    at: datetime,
    actor_id: int | None,
) -> BillingModeAssigned:
    """Have the reseller pay its parent for the table's product in `[valid_from, valid_to)`.

    :raises BillingModeEmpty: if it ends before it starts.
    :raises InternalTableNeeded: if policy and internal table do not go together.
    :raises RateTableDoesNotFit: if a table's currency or product is another.
    :raises BillingModeOverlaps: if an assignment holds at some of that time.
    """
    if valid_to is not None and valid_to <= valid_from:
        raise BillingModeEmpty(f"Billing mode cannot end at {valid_to}: it starts {valid_from}.")
    check_tables(reseller, rate_table, policy, internal_rate_table)
    reseller = Reseller.objects.select_for_update(no_key=True).get(pk=reseller.pk)
    assignment = BillingModeAssignment(
        provider_id=reseller.provider_id,
        reseller=reseller,
        product_id=rate_table.product_id,
        rate_table=rate_table,
        policy=policy,
        internal_rate_table=internal_rate_table,
        valid_from=valid_from,
        valid_to=valid_to,
    )
    _refuse_overlap(assignment)
    assignment.save(force_insert=True)
    record(
        provider_id=reseller.provider_id,
        action="billing_mode.assigned",
        changed=assignment,
        at=at,
        actor_id=actor_id,
        after={
            "reseller": reseller.number,
            "rate_table": rate_table,
            "policy": policy,
            "internal_rate_table": internal_rate_table,
            "valid_from": valid_from,
            "valid_to": valid_to,
        },
    )
    every_call = policy == BillingModeAssignment.Policy.EVERY_CALL
    return BillingModeAssigned(assignment, EVERY_CALL_WARNING if every_call else "")


@transaction.atomic
def end_billing_mode(
    *,
    assignment: BillingModeAssignment,
    valid_to: datetime,
    at: datetime,
    actor_id: int | None,
) -> BillingModeAssignment:
    """End an assignment at `valid_to`, the first instant without billing mode.

    :raises BillingModeEmpty: if it starts only then, or later.
    :raises BillingModeOverlaps: if a following assignment has begun by then.
    """
    Reseller.objects.select_for_update(no_key=True).get(pk=assignment.reseller_id)
    assignment = BillingModeAssignment.objects.select_for_update(no_key=True).get(pk=assignment.pk)
    if valid_to <= assignment.valid_from:
        raise BillingModeEmpty(
            f"Billing mode cannot end at {valid_to}: it starts {assignment.valid_from}."
        )
    before, assignment.valid_to = assignment.valid_to, valid_to
    _refuse_overlap(assignment)
    assignment.save(update_fields=["valid_to"])
    record(
        provider_id=assignment.provider_id,
        action="billing_mode.ended",
        changed=assignment,
        at=at,
        actor_id=actor_id,
        before={"valid_to": before},
        after={"valid_to": valid_to},
    )
    return assignment


def check_tables(
    reseller: Reseller,
    rate_table: RateTable,
    policy: BillingModeAssignment.Policy,
    internal_rate_table: RateTable | None,
) -> None:
    """Whether the reseller could be in billing mode so.

    :raises InternalTableNeeded: if policy and internal table do not go together.
    :raises RateTableDoesNotFit: if a table's currency or product is another.
    """
    internal = policy == BillingModeAssignment.Policy.INTERNAL_TABLE
    if internal != (internal_rate_table is not None):
        raise InternalTableNeeded(
            "A table for internal calls goes with the policy of that name, and only with it."
        )
    for table in filter(None, (rate_table, internal_rate_table)):
        if table.currency != reseller.currency:
            raise RateTableDoesNotFit(
                f"{table} is in {table.currency}; {reseller} is billed in {reseller.currency}."
            )
        if table.product_id != rate_table.product_id:
            raise RateTableDoesNotFit(f"{table} rates another product than {rate_table}.")


def _refuse_overlap(assignment: BillingModeAssignment) -> None:
    """The reseller is locked; an exclusion constraint says the same to whoever writes past this."""
    others = BillingModeAssignment.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gt=assignment.valid_from),
        reseller_id=assignment.reseller_id,
        product_id=assignment.product_id,
    ).exclude(pk=assignment.pk)
    if assignment.valid_to is not None:
        others = others.filter(valid_from__lt=assignment.valid_to)
    other = others.order_by("valid_from").first()
    if other is not None:
        end = other.valid_to or "further notice"
        raise BillingModeOverlaps(
            f"Billing mode is on from {other.valid_from} to {end} already; end that first."
        )
