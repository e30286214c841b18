"""Agreeing what a reseller earns, from a date on."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Max, Q

from audit.services import record
from common.errors import DomainError
from common.locks import lock_in_transaction
from payouts.models import Accrual, CommissionPlan, PayoutStatement
from payouts.rules.commission import HUNDRED, PERCENT_DIGITS
from resellers.models import Reseller


class PercentOutOfRange(DomainError):
    """A commission is 0 to 100 percent, with up to four decimals."""


class PlanPeriodClosed(DomainError):
    """Commission of that time has been accrued or stated; a change never alters it."""


@transaction.atomic
def set_commission_plan(
    *,
    reseller: Reseller,
    base: CommissionPlan.Base,
    percent: Decimal,
    valid_from: date,
    at: datetime,
    actor_id: int | None,
) -> CommissionPlan:
    """Have the reseller earn `percent` of `base` from `valid_from` to the next plan's start.

    The plan that held then ends there; one that starts on the same day is replaced.

    :raises PercentOutOfRange: below 0, above 100, or with more than four decimals.
    :raises PlanPeriodClosed: if a statement covers that day, or commission has been accrued since.
    """
    _check_percent(percent)
    lock_in_transaction("accrue", reseller.provider_id)
    _refuse_closed(reseller, valid_from)
    plans = CommissionPlan.objects.filter(reseller=reseller)
    plan = plans.filter(valid_from=valid_from).first()
    before = None if plan is None else _described(plan)
    if plan is None:
        plan = CommissionPlan(
            provider_id=reseller.provider_id,
            reseller=reseller,
            valid_from=valid_from,
            valid_to=_next_start(reseller, valid_from),
        )
        plans.filter(
            Q(valid_to__isnull=True) | Q(valid_to__gt=valid_from), valid_from__lt=valid_from
        ).update(valid_to=valid_from)
    plan.base, plan.percent = base, percent
    plan.save()
    record(
        provider_id=reseller.provider_id,
        action="commission_plan.set",
        changed=plan,
        at=at,
        actor_id=actor_id,
        before=before,
        after=_described(plan),
    )
    return plan


def _check_percent(percent: Decimal) -> None:
    if not percent.is_finite() or not 0 <= percent <= HUNDRED:
        raise PercentOutOfRange(f"A commission is 0 to 100 percent, not {percent}.")
    if percent != round(percent, PERCENT_DIGITS):
        raise PercentOutOfRange(f"{percent} has more than {PERCENT_DIGITS} decimals.")


def _refuse_closed(reseller: Reseller, valid_from: date) -> None:
    stated_to = (
        PayoutStatement.objects.filter(reseller=reseller)
        .exclude(state=PayoutStatement.State.DRAFT)
        .aggregate(last=Max("period_to"))["last"]
    )
    accrued_on = Accrual.objects.filter(reseller=reseller).aggregate(last=Max("event_date"))["last"]
    open_from = max(
        (day for day in (stated_to, accrued_on and accrued_on + timedelta(days=1)) if day),
        default=valid_from,
    )
    if valid_from < open_from:
        raise PlanPeriodClosed(
            f"Commission of {reseller} is settled or accrued up to {open_from - timedelta(days=1)};"
            f" let the plan start on {open_from} or later."
        )


def _next_start(reseller: Reseller, day: date) -> date | None:
    later = CommissionPlan.objects.filter(reseller=reseller, valid_from__gt=day)
    return later.order_by("valid_from").values_list("valid_from", flat=True).first()


def _described(plan: CommissionPlan) -> dict[str, object]:
    return {
        "reseller": plan.reseller.number,
        "base": str(plan.base),
        "percent": plan.percent,
        "valid_from": plan.valid_from,
        "valid_to": plan.valid_to,
    }
