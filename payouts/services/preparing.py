"""Drafting what a reseller is owed for a period."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from audit.services import record
from common.errors import DomainError
from common.money import ZERO
from common.periods import Period
from common.scope import Scope
from payouts import selectors
from payouts.models import Accrual, PayoutStatement
from resellers.models import Reseller
from tenancy.models import Provider

State = PayoutStatement.State


class StatementFixed(DomainError):
    """The period has an approved statement; what comes late is on the next one."""


class EarlierStatementOpen(DomainError):
    """The balance to start from is still a draft."""


class PeriodStated(DomainError):
    """A later statement exists, or one that covers part of the period."""


class PeriodNotBegun(DomainError):
    """A statement of a later period would keep everything before it from being stated."""


def prepare_statements(
    *,
    provider_id: int,
    period: Period,
    reseller: Reseller | None = None,
    at: datetime,
    actor_id: int | None,
) -> list[PayoutStatement]:
    """Draft the statements of one reseller, or of all, who earned something or carry a balance.

    Those who have an approved statement for the period, or any later one, are left alone.

    :raises PeriodNotBegun: if the period begins after `at`.
    :raises EarlierStatementOpen: if one of them has a draft for an earlier period.
    """
    _refuse_future(Provider.objects.get(pk=provider_id), period, at)
    scope = Scope.system(provider_id)
    found = Reseller.objects.visible_to(scope).order_by("number", "pk")
    parties = found if reseller is None else found.filter(pk=reseller.pk)
    wanted = selectors.parties_to_state(scope, period=period)
    return [
        prepare_statement(
            reseller=party, period=period, currency=currency, at=at, actor_id=actor_id
        )
        for party in parties
        for currency in sorted(currency for owner, currency in wanted if owner == party.pk)
    ]


@transaction.atomic
def prepare_statement(
    *, reseller: Reseller, period: Period, currency: str, at: datetime, actor_id: int | None
) -> PayoutStatement:
    """Draft the statement of a reseller in one currency, or bring its draft up to date.

    On it goes all that happened before the period's end and is on no other statement, however
    late it accrued.

    :raises PeriodNotBegun: if the period begins after `at`.
    :raises StatementFixed: if the period's statement is approved.
    :raises EarlierStatementOpen: if the one before it is a draft.
    :raises PeriodStated: if another statement ends after this period begins.
    """
    _refuse_future(reseller.provider, period, at)
    Reseller.objects.select_for_update(no_key=True).get(pk=reseller.pk)
    own = PayoutStatement.objects.filter(reseller=reseller, currency=currency)
    draft = own.filter(period_from=period.from_date, period_to=period.to_date).first()
    if draft is not None and draft.state != State.DRAFT:
        raise StatementFixed(f"{draft} for {period} is {draft.state.lower()} already.")
    previous = _previous(own.exclude(pk=draft.pk) if draft else own, period)
    before = figures(draft) if draft else None
    statement = draft or _empty(reseller, period, currency, at)
    _carry_over(statement, previous)
    _collect(statement)
    if figures(statement) != before:
        record(
            provider_id=statement.provider_id,
            action="payout_statement.prepared",
            changed=statement,
            at=at,
            actor_id=actor_id,
            before=before,
            after=figures(statement),
        )
    return statement


def figures(statement: PayoutStatement) -> dict[str, object]:
    """The amounts that approving agrees on, each with four decimals."""
    names = ("opening", "accrued", "clawed_back", "settled_before", "closing")
    amounts = {f"{name}_amount": getattr(statement, f"{name}_amount") for name in names}
    return {name: f"{amount:.4f}" for name, amount in amounts.items()}


def _refuse_future(provider: Provider, period: Period, at: datetime) -> None:
    begins_at, _ = period.instants(ZoneInfo(provider.time_zone))
    if at < begins_at:
        raise PeriodNotBegun(f"{period} has not begun for {provider}; state an earlier period.")


def _previous(others: QuerySet[PayoutStatement], period: Period) -> PayoutStatement | None:
    previous = others.order_by("-period_to").first()
    if previous is None:
        return None
    if previous.period_to > period.from_date:
        raise PeriodStated(f"{previous} covers {previous.period}; state a period after that.")
    if previous.state == State.DRAFT:
        raise EarlierStatementOpen(
            f"The statement of {previous.reseller} for {previous.period} is a draft; approve it"
            " first."
        )
    return previous


def _empty(reseller: Reseller, period: Period, currency: str, at: datetime) -> PayoutStatement:
    return PayoutStatement.objects.create(
        provider_id=reseller.provider_id,
        reseller=reseller,
        period_from=period.from_date,
        period_to=period.to_date,
        currency=currency,
        opening_amount=ZERO,
        accrued_amount=ZERO,
        clawed_back_amount=ZERO,
        settled_before_amount=ZERO,
        closing_amount=ZERO,
        created_at=at,
    )


def _carry_over(statement: PayoutStatement, previous: PayoutStatement | None) -> None:
    statement.opening_amount = previous.closing_amount if previous else ZERO
    statement.settled_before_amount = previous.settled_amount if previous else ZERO


def _collect(statement: PayoutStatement) -> None:
    Accrual.objects.filter(
        Q(statement__isnull=True) | Q(statement=statement),
        reseller_id=statement.reseller_id,
        currency=statement.currency,
        event_date__lt=statement.period_to,
    ).update(statement=statement)
    sums = Accrual.objects.filter(statement=statement).aggregate(
        accrued=Coalesce(Sum("amount", filter=Q(amount__gt=0)), ZERO),
        clawed_back=Coalesce(Sum("amount", filter=Q(amount__lt=0)), ZERO),
    )
    statement.accrued_amount = sums["accrued"]
    statement.clawed_back_amount = sums["clawed_back"]
    statement.closing_amount = (
        statement.opening_amount
        + statement.accrued_amount
        + statement.clawed_back_amount
        - statement.settled_before_amount
    )
    statement.save()
