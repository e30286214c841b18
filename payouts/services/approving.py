"""Agreeing on a statement, and recording that it was paid."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from audit.services import record
from billing.models import NumberSeries
from billing.services.numbering import take_numbers
from common.errors import DomainError
from common.jobs import enqueue
from common.money import ZERO, format_money
from common.scope import Scope
from ledger.models import AccountKind, TransferKind
from ledger.services import AccountRef, Posting, post, reseller_payable
from payouts.models import PayoutStatement
from payouts.services.preparing import StatementFixed, figures
from resellers.models import Reseller
from tenancy.selectors import default_biller_entity

State = PayoutStatement.State


class StatementOutdated(DomainError):
    """Since it was drafted, the statement before it was settled."""


class StatementNotApproved(DomainError):
    """What is not agreed on is not paid."""


class StatementSettled(DomainError):
    """It was paid before; a second payment would be wrong."""


class StatementCarriedForward(DomainError):
    """A later approved statement opens with its balance; that one is to be settled."""


class NothingToSettle(DomainError):
    """The reseller is owed nothing; the balance is carried forward."""


class SettlementInFuture(DomainError):
    """A payout is recorded when it was made, not before."""


@transaction.atomic
def approve_statement(
    *, statement: PayoutStatement, at: datetime, actor_id: int | None
) -> PayoutStatement:
    """Give a draft its number and fix it with everything on it, from now on; render its PDF.

    :raises StatementFixed: if it is approved.
    :raises StatementOutdated: if its opening balance has been settled since it was drafted.
    """
    statement = _locked(statement)
    if statement.state != State.DRAFT:
        raise StatementFixed(f"{statement} is {statement.state.lower()} already.")
    _refuse_outdated(statement)
    scope = Scope.system(statement.provider_id)
    [number] = take_numbers(
        provider_id=statement.provider_id,
        biller_entity_id=default_biller_entity(scope).pk,
        kind=NumberSeries.Kind.PAYOUT,
        issue_date=_today(statement, at),
    )
    statement.mark_approved(number=number, at=at, actor_id=actor_id)
    statement.save(update_fields=["state", "number", "approved_at", "approved_by"])
    record(
        provider_id=statement.provider_id,
        action="payout_statement.approved",
        changed=statement,
        at=at,
        actor_id=actor_id,
        before={"state": State.DRAFT},
        after={"state": statement.state, "number": number, **figures(statement)},
    )
    enqueue("payouts.render_statement", statement_id=statement.pk)
    return statement


@transaction.atomic
def settle_statement(
    *,
    statement: PayoutStatement,
    settled_date: date,
    mode: PayoutStatement.Mode,
    reference: str,
    at: datetime,
    actor_id: int | None,
) -> PayoutStatement:
    """Record that the reseller was paid the statement's closing amount, outside the system.

    `settled_date` is the day of the books, in the provider's zone.

    :raises StatementNotApproved: if it is a draft.
    :raises StatementSettled: if it was settled before.
    :raises StatementCarriedForward: if a later statement is approved.
    :raises NothingToSettle: if it closes at zero or below.
    :raises SettlementInFuture: if `settled_date` lies after `at`.
    """
    statement = _locked(statement)
    _refuse_settling(statement)
    if settled_date > _today(statement, at):
        raise SettlementInFuture(f"{settled_date} is yet to come; give the day of the payment.")
    [transfer] = post(
        provider_id=statement.provider_id,
        postings=[_posting(statement)],
        effective_date=settled_date,
        at=at,
        actor_id=actor_id,
    )
    statement.mark_settled(
        transfer=transfer, settled_date=settled_date, mode=mode, reference=reference
    )
    statement.save(
        update_fields=[
            "state",
            "transfer",
            "settled_date",
            "settlement_mode",
            "settlement_reference",
        ]
    )
    record(
        provider_id=statement.provider_id,
        action="payout_statement.settled",
        changed=statement,
        at=at,
        actor_id=actor_id,
        before={"state": State.APPROVED},
        after={
            "state": statement.state,
            "amount": statement.closing_amount,
            "settled_date": settled_date,
            "mode": str(mode),
            "reference": reference,
        },
    )
    return statement


def _locked(statement: PayoutStatement) -> PayoutStatement:
    """The statement as it is now; nothing about the reseller's statements changes meanwhile."""
    Reseller.objects.select_for_update(no_key=True).get(pk=statement.reseller_id)
    rows = PayoutStatement.objects.select_related("provider", "reseller")
    return rows.select_for_update(of=["self"], no_key=True).get(pk=statement.pk)


def _today(statement: PayoutStatement, at: datetime) -> date:
    return at.astimezone(ZoneInfo(statement.provider.time_zone)).date()


def _refuse_outdated(statement: PayoutStatement) -> None:
    others = PayoutStatement.objects.filter(
        reseller_id=statement.reseller_id,
        currency=statement.currency,
        period_to__lte=statement.period_from,
    )
    previous = others.order_by("-period_to").first()
    settled = previous.settled_amount if previous else ZERO
    if settled != statement.settled_before_amount:
        raise StatementOutdated(
            f"{format_money(settled, statement.currency)} has been settled of {previous} since"
            " this statement was drafted; prepare it again."
        )


def _refuse_settling(statement: PayoutStatement) -> None:
    if statement.state == State.DRAFT:
        raise StatementNotApproved("The statement is a draft; approve it first.")
    if statement.state == State.SETTLED:
        raise StatementSettled(f"{statement} was settled on {statement.settled_date}.")
    later = PayoutStatement.objects.filter(
        reseller_id=statement.reseller_id,
        currency=statement.currency,
        period_from__gte=statement.period_to,
    ).exclude(state=State.DRAFT)
    following = later.order_by("period_from").first()
    if following is not None:
        raise StatementCarriedForward(
            f"The balance of {statement} is on {following}; settle the latest statement."
        )
    if statement.closing_amount <= 0:
        raise NothingToSettle(
            f"{statement} closes at {format_money(statement.closing_amount, statement.currency)};"
            " there is nothing to pay."
        )


def _posting(statement: PayoutStatement) -> Posting:
    return Posting(
        debit=reseller_payable(statement.reseller_id, statement.currency),
        credit=AccountRef(AccountKind.BANK, statement.currency),
        amount=statement.closing_amount,
        kind=TransferKind.PAYOUT,
        document=f"payout_statement:{statement.pk}",
        key=f"payout_statement:{statement.pk}",
    )
