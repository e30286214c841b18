"""Questions about commission: what has not accrued, what is on statements, what is owed."""

from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from billing.models import CreditNote, Invoice
from billing.selectors.documents import to_be_made
from common.errors import DomainError
from common.periods import Period
from common.scope import Scope
from payments.models import Allocation
from payouts.models import Accrual, CommissionPlan, PayoutStatement, StatementDocument
from resellers.models import Reseller


class UnknownReseller(DomainError):
    """The provider has no reseller with this code or number."""


def reseller_named(scope: Scope, text: str) -> Reseller:
    """The reseller with this code, in whatever case, or else with this number.

    :raises UnknownReseller: if there is none; the message names those there are.
    """
    rows = Reseller.objects.visible_to(scope).order_by("number")
    found = rows.filter(codes__code__iexact=text).first()
    if found is None and text.isdecimal():
        found = rows.filter(number=int(text)).first()
    if found is None:
        known = ", ".join(f"{reseller.number} ({reseller})" for reseller in rows)
        raise UnknownReseller(f"There is no reseller '{text}'. Resellers: {known or 'none yet'}.")
    return found


def commission_plans(scope: Scope, *, reseller: Reseller) -> QuerySet[CommissionPlan]:
    """A reseller's plans, the latest first."""
    rows = CommissionPlan.objects.visible_to(scope).filter(reseller=reseller)
    return rows.order_by("-valid_from", "-pk")


def all_commission_plans(scope: Scope) -> QuerySet[CommissionPlan]:
    """The plans of every reseller, with the reseller, the latest first."""
    rows = CommissionPlan.objects.visible_to(scope).select_related("reseller")
    return rows.order_by("-valid_from", "-pk")


def invoices_to_accrue(scope: Scope) -> list[int]:
    """Ids of the invoices with an event that may concern commission and was not considered yet.

    Some of their events may turn out to earn nothing, for want of a plan that pays them.
    """
    found = (
        _issued(scope).values_list("pk", flat=True),
        _collected(scope).values_list("invoice_id", flat=True),
        _undone(scope).values_list("invoice_id", flat=True),
        _credited(scope).values_list("invoice_id", flat=True),
    )
    return sorted({invoice_id for ids in found for invoice_id in ids})


def statements(scope: Scope) -> QuerySet[PayoutStatement]:
    """Payout statements with their reseller, the latest period first; drafts for staff only."""
    rows = PayoutStatement.objects.visible_to(scope).select_related("reseller", "transfer")
    if not scope.sees_whole_provider:
        rows = rows.exclude(state=PayoutStatement.State.DRAFT)
    return rows.order_by("-period_from", "reseller__number", "currency", "pk")


def statements_to_render(scope: Scope) -> QuerySet[PayoutStatement]:
    """Approved statements whose PDF is not kept yet, and was not given up."""
    rows = to_be_made(PayoutStatement.objects.visible_to(scope))
    return rows.exclude(state=PayoutStatement.State.DRAFT).order_by("pk")


def statement_documents(scope: Scope) -> QuerySet[StatementDocument]:
    """The PDFs of statements, made or not, the latest first; without their bytes."""
    return StatementDocument.objects.visible_to(scope).defer("content").order_by("-pk")


def accruals_of(statement: PayoutStatement) -> QuerySet[Accrual]:
    """What is on a statement, by customer, invoice and date."""
    rows = Accrual.objects.filter(provider_id=statement.provider_id, statement=statement)
    return rows.select_related(
        "customer", "invoice", "allocation__payment", "credit_note"
    ).order_by("customer__number", "invoice__issue_date", "invoice_id", "event_date", "pk")


def parties_to_state(scope: Scope, *, period: Period) -> set[tuple[int, str]]:
    """Who a statement for the period is to be drafted for: (reseller id, currency).

    All with commission that is on no statement, or with a balance to carry forward, unless an
    approved statement covers the period, or a later one of any state.
    """
    earned = Accrual.objects.visible_to(scope).filter(
        statement__isnull=True, event_date__lt=period.to_date
    )
    wanted = set(earned.exclude(amount=0).values_list("reseller_id", "currency").distinct())
    last = PayoutStatement.objects.visible_to(scope).order_by(
        "reseller_id", "currency", "-period_to"
    )
    for statement in last.distinct("reseller_id", "currency"):
        party = (statement.reseller_id, statement.currency)
        is_draft = statement.state == PayoutStatement.State.DRAFT
        if statement.period_to > period.from_date:
            wanted.discard(party)
            if is_draft and statement.period == period:
                wanted.add(party)
        elif is_draft or statement.closing_amount != statement.settled_amount:
            wanted.add(party)
    return wanted


def _issued(scope: Scope) -> QuerySet[Invoice]:
    plan = _plan_on("tagged_reseller", "issue_date").filter(base=CommissionPlan.Base.INVOICED_NET)
    return (
        Invoice.objects.visible_to(scope)
        .filter(
            Exists(plan),
            ~_recorded("invoice"),
            kind=Invoice.Kind.CUSTOMER,
            tagged_reseller__isnull=False,
            customer__is_billable=True,
        )
        .exclude(state=Invoice.State.ESTIMATE)
    )


def _collected(scope: Scope) -> QuerySet[Allocation]:
    return Allocation.objects.visible_to(scope).filter(
        Exists(_plan_on("invoice__tagged_reseller", "transfer__effective_date")),
        ~_recorded("allocation"),
        ~_recorded("invoice", "invoice_id"),
        invoice__kind=Invoice.Kind.CUSTOMER,
        invoice__tagged_reseller__isnull=False,
        invoice__customer__is_billable=True,
    )


def _undone(scope: Scope) -> QuerySet[Allocation]:
    return Allocation.objects.visible_to(scope).filter(
        _recorded("allocation"), ~_recorded("allocation_undone"), undone_at__isnull=False
    )


def _credited(scope: Scope) -> QuerySet[CreditNote]:
    earned = Accrual.objects.filter(invoice=OuterRef("invoice"))
    return CreditNote.objects.visible_to(scope).filter(Exists(earned), ~_recorded("credit_note"))


def _plan_on(reseller: str, day: str) -> QuerySet[CommissionPlan]:
    return CommissionPlan.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gt=OuterRef(day)),
        reseller=OuterRef(reseller),
        valid_from__lte=OuterRef(day),
    )


def _recorded(event: str, subject: str = "pk") -> Exists:
    key = Concat(Value(f"{event}:"), Cast(OuterRef(subject), CharField()))
    return Exists(Accrual.objects.filter(provider_id=OuterRef("provider_id"), event_key=key))
