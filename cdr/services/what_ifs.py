"""What billing mode would have cost in a past period: asked, reckoned by a worker, kept.

Nothing of it is charged to anybody: no leg and no usage charge is written.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

from audit.services import record
from catalogue.models import RateTable
from cdr.models import PartyKind, WhatIf, WhatIfMargin, WhatIfReseller
from cdr.rules.routes import BillingMode, InternalCalls
from cdr.selectors.parties import PartyKey
from cdr.selectors.what_ifs import (
    Paid,
    customers_of_branches,
    margins,
    paid_by_resellers,
    sources_of_product,
)
from cdr.services.assuming import AssumedLegs, add_assumed_legs
from cdr.services.price_tables import price_tables
from cdr.services.splitting import PATIENCE
from common.errors import DomainError
from common.jobs import enqueue
from common.periods import Period
from common.scope import Scope
from resellers.models import BillingModeAssignment, Reseller
from resellers.services.billing_mode import check_tables
from tenancy.selectors import provider_zone

LONGEST = timedelta(days=366)
State = WhatIf.State
_OPEN = (State.WAITING, State.RUNNING)


class WhatIfTooLong(DomainError):
    """More days than can be asked about at once."""


class NobodyAskedAbout(DomainError):
    """No reseller was chosen."""


class WhatIfOver(DomainError):
    """There is nothing to cancel any more."""


@transaction.atomic
def ask_what_if(
    *,
    provider_id: int,
    resellers: Sequence[Reseller],
    rate_table: RateTable,
    policy: BillingModeAssignment.Policy,
    internal_rate_table: RateTable | None = None,
    period: Period,
    at: datetime,
    actor_id: int | None,
) -> WhatIf:
    """Have a worker reckon what the resellers would have paid in billing mode; nobody is charged.

    :raises NobodyAskedAbout: if no reseller is given.
    :raises WhatIfTooLong: for more than 366 days.
    :raises InternalTableNeeded, RateTableDoesNotFit: as when billing mode is assigned.
    """
    if not resellers:
        raise NobodyAskedAbout("Choose at least one reseller.")
    if period.to_date - period.from_date > LONGEST:
        raise WhatIfTooLong(f"Ask about {LONGEST.days} days at most.")
    for reseller in resellers:
        check_tables(reseller, rate_table, policy, internal_rate_table)
    question = WhatIf.objects.create(
        provider_id=provider_id,
        rate_table=rate_table,
        policy=policy,
        internal_rate_table=internal_rate_table,
        from_date=period.from_date,
        to_date=period.to_date,
        day_count=period.days,
        asked_at=at,
        asked_by_id=actor_id,
        queued_at=at,
    )
    WhatIfReseller.objects.bulk_create(
        WhatIfReseller(provider_id=provider_id, what_if=question, reseller=reseller)
        for reseller in resellers
    )
    record(
        provider_id=provider_id,
        action="what_if.asked",
        changed=question,
        at=at,
        actor_id=actor_id,
        after={
            "resellers": ", ".join(str(reseller.number) for reseller in resellers),
            "rate_table": rate_table,
            "policy": policy,
            "from_date": period.from_date,
            "to_date": period.to_date,
        },
    )
    enqueue("cdr.answer_what_if", what_if_id=question.pk)
    return question


@transaction.atomic
def cancel_what_if(*, what_if_id: int, at: datetime, actor_id: int | None) -> WhatIf:
    """Have no more of it reckoned; what was reckoned so far is not kept.

    :raises WhatIfOver: it is answered, or was cancelled.
    """
    question = WhatIf.objects.select_for_update(no_key=True).get(pk=what_if_id)
    if question.has_ended:
        raise WhatIfOver("It is over already.")
    question.state, question.finished_at = State.CANCELLED, at
    question.save(update_fields=["state", "finished_at"])
    record(
        provider_id=question.provider_id,
        action="what_if.cancelled",
        changed=question,
        at=at,
        actor_id=actor_id,
    )
    return question


def answer_what_if(*, what_if_id: int, clock: Callable[[], datetime]) -> bool:
    """Reckon day by day and keep the answer; False if there is nothing to do.

    Only how far it is and, at the end and at once, the answer are written, so that repeating it, at
    the same time too, comes to the same. `clock` says when a day of it is begun.
    """
    question = WhatIf.objects.select_related("rate_table").get(pk=what_if_id)
    if question.has_ended:
        return False
    scope = Scope.system(question.provider_id)
    if fault := _fault(question):
        _fail(question, fault, clock())
        return False
    assumed = _assumed(question)
    customer_ids = customers_of_branches(scope, list(assumed))
    source_ids = sources_of_product(scope, question.rate_table.product_id)
    zone = provider_zone(scope)
    found = AssumedLegs()
    for number in range(question.day_count):
        if not _tell(question, number, clock()):
            return False
        day = question.from_date + timedelta(days=number)
        started_from, started_to = Period(day, day + timedelta(days=1)).instants(zone)
        add_assumed_legs(
            found,
            scope,
            assumed=assumed,
            customer_ids=customer_ids,
            source_ids=source_ids,
            started_from=started_from,
            started_to=started_to,
        )
    _keep(question, found, clock())
    return True


def give_up_what_if(*, what_if_id: int, error: str, at: datetime) -> None:
    """Leave a question unanswered that cannot be answered; what has ended stays as it is."""
    _fail(WhatIf.objects.get(pk=what_if_id), error, at)


@transaction.atomic
def requeue_lost_what_ifs(*, at: datetime) -> None:
    """Ask a worker again for what nobody has been seen at for a while."""
    lost = WhatIf.objects.filter(state__in=_OPEN, queued_at__lt=at - PATIENCE)
    for question in lost.select_for_update(no_key=True, skip_locked=True).order_by("pk"):
        WhatIf.objects.filter(pk=question.pk).update(queued_at=at)
        enqueue("cdr.answer_what_if", what_if_id=question.pk)


def _fault(question: WhatIf) -> str:
    """Why calls cannot be rated at a table of the question; empty where they can."""
    table_ids = [question.rate_table_id, question.internal_rate_table_id]
    tables = price_tables(question.provider_id, [pk for pk in table_ids if pk is not None])
    return "; ".join(table.fault for table in tables.values() if table.fault)


def _assumed(question: WhatIf) -> dict[int, BillingMode]:
    mode = BillingMode(
        question.rate_table_id,
        InternalCalls(question.policy),
        question.internal_rate_table_id,
    )
    return dict.fromkeys(question.resellers.values_list("reseller_id", flat=True), mode)


def _tell(question: WhatIf, done_count: int, at: datetime) -> bool:
    """Say how far it is; False once it is cancelled, or answered by another worker."""
    rows = WhatIf.objects.filter(pk=question.pk, state__in=_OPEN)
    return bool(rows.update(state=State.RUNNING, done_count=done_count, queued_at=at))


def _fail(question: WhatIf, error: str, at: datetime) -> None:
    WhatIf.objects.filter(pk=question.pk, state__in=_OPEN).update(
        state=State.FAILED, error=error, finished_at=at
    )


@transaction.atomic
def _keep(question: WhatIf, found: AssumedLegs, at: datetime) -> None:
    locked = WhatIf.objects.select_for_update(no_key=True).select_related("rate_table")
    question = locked.get(pk=question.pk)
    if question.has_ended:
        return
    scope = Scope.system(question.provider_id)
    period = Period(question.from_date, question.to_date)
    product_id = question.rate_table.product_id
    rows = list(question.resellers.order_by("pk"))
    paid = paid_by_resellers(scope, product_id, period, [row.reseller_id for row in rows])
    for row in rows:
        _fill(row, question.rate_table.currency, found, paid)
    WhatIfReseller.objects.bulk_update(
        rows,
        [
            "paid_leg_count",
            "paid_amount",
            "leg_count",
            "billed_volume",
            "amount",
            "unrated_count",
        ],
    )
    shifts = _shifts(question.rate_table.currency, found, paid)
    before = margins(scope, product_id, period, {key for key, _ in shifts})
    WhatIfMargin.objects.bulk_create(
        WhatIfMargin(
            provider_id=question.provider_id,
            what_if=question,
            party_kind=kind,
            party_id=pk,
            currency=currency,
            before_amount=before.get(((kind, pk), currency), Decimal(0)),
            after_amount=before.get(((kind, pk), currency), Decimal(0)) + shift,
        )
        for ((kind, pk), currency), shift in sorted(shifts.items())
    )
    WhatIf.objects.filter(pk=question.pk).update(
        state=State.DONE,
        done_count=question.day_count,
        xdr_count=found.xdr_count,
        finished_at=at,
    )


def _fill(
    row: WhatIfReseller,
    currency: str,
    found: AssumedLegs,
    paid: Mapping[tuple[int, PartyKey, str], Paid],
) -> None:
    really = [
        each
        for (payer_id, _, of), each in paid.items()
        if (payer_id, of) == (row.reseller_id, currency)
    ]
    row.paid_leg_count = sum(each.leg_count for each in really)
    row.paid_amount = sum((each.amount for each in really), Decimal(0))
    assumed = [
        each for (payer_id, _), each in found.payments.items() if payer_id == row.reseller_id
    ]
    row.leg_count = sum(each.leg_count for each in assumed)
    row.billed_volume = sum(each.billed_volume for each in assumed)
    row.amount = sum((each.amount for each in assumed), Decimal(0))
    row.unrated_count = found.unrated_counts[row.reseller_id]


def _shifts(
    currency: str, found: AssumedLegs, paid: Mapping[tuple[int, PartyKey, str], Paid]
) -> dict[tuple[PartyKey, str], Decimal]:
    """By how much the margin of each party would differ: what is paid is earned by another."""
    owed: dict[tuple[int, PartyKey, str], Decimal] = {
        (payer_id, payee, currency): each.amount
        for (payer_id, payee), each in found.payments.items()
    }
    for key, each in paid.items():
        owed[key] = owed.get(key, Decimal(0)) - each.amount
    shifts: dict[tuple[PartyKey, str], Decimal] = {}
    for (payer_id, payee, of), amount in owed.items():
        payer = int(PartyKind.RESELLER), payer_id
        for party, sign in ((payer, -1), (payee, 1)):
            shifts[party, of] = shifts.get((party, of), Decimal(0)) + sign * amount
    return shifts
