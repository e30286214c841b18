from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from audit.models import Entry
from common.periods import Period, month
from customers.models import Customer
from ledger.models import Account, AccountKind, Transfer, TransferKind
from payouts.models import Accrual, PayoutStatement, StatementDocument
from payouts.services.accrual import accrue
from payouts.services.approving import (
    NothingToSettle,
    SettlementInFuture,
    StatementCarriedForward,
    StatementNotApproved,
    StatementOutdated,
    StatementSettled,
    approve_statement,
    settle_statement,
)
from payouts.services.documents import store_document
from payouts.services.preparing import (
    EarlierStatementOpen,
    PeriodNotBegun,
    PeriodStated,
    StatementFixed,
    prepare_statement,
    prepare_statements,
)
from resellers.models import Reseller
from tests.factories import make_customer, make_provider, make_reseller
from tests.factories.payouts import NOVEMBER, OCTOBER, credit, day, issue, make_plan, pay

pytestmark = pytest.mark.django_db
AMOUNTS = ("opening", "accrued", "clawed_back", "settled_before", "closing")


@pytest.fixture
def reseller() -> Reseller:
    reseller = make_reseller(make_provider())
    make_plan(reseller)
    return reseller


@pytest.fixture
def customer(reseller: Reseller) -> Customer:
    """Has paid half of an invoice in October and the rest in November."""
    customer = make_customer(reseller.provider, reseller)
    invoice = issue(customer, at=day(10, 1))
    pay(customer, "590", at=day(10, 20))
    pay(customer, "590", at=day(11, 5))
    credit(invoice, "200", "36", at=day(11, 9))
    accrue(provider_id=reseller.provider_id, at=day(11, 10))
    return customer


def prepare(reseller: Reseller, period: Period = OCTOBER) -> PayoutStatement:
    return prepare_statement(
        reseller=reseller, period=period, currency="EUR", at=day(12, 1), actor_id=None
    )


def approve(statement: PayoutStatement) -> PayoutStatement:
    return approve_statement(statement=statement, at=day(12, 2), actor_id=None)


def settle(statement: PayoutStatement, settled_date: date = date(2026, 12, 3)) -> PayoutStatement:
    return settle_statement(
        statement=statement,
        settled_date=settled_date,
        mode=PayoutStatement.Mode.BANK_TRANSFER,
        reference="SEPA 4711",
        at=day(12, 3),
        actor_id=None,
    )


def amounts(statement: PayoutStatement) -> list[Decimal]:
    statement.refresh_from_db()
    return [getattr(statement, f"{name}_amount") for name in AMOUNTS]


class TestPrepareStatement:
    def test_collects_what_happened_before_the_end_of_the_period(
        self, reseller: Reseller, customer: Customer
    ) -> None:
        october = prepare(reseller)

        assert amounts(october) == [0, 50, 0, 0, 50]
        assert october.state == PayoutStatement.State.DRAFT
        assert october.accruals.count() == 1

    def test_refuses_a_period_to_come_as_it_would_bar_all_before(
        self, reseller: Reseller, customer: Customer
    ) -> None:
        """December begins an hour earlier in Berlin than in UTC."""
        last_hour = datetime(2026, 11, 30, 22, 59, tzinfo=UTC)
        first_hour = datetime(2026, 11, 30, 23, tzinfo=UTC)
        terms: dict[str, Any] = {"period": month(2026, 12), "actor_id": None}

        with pytest.raises(PeriodNotBegun):
            prepare_statement(reseller=reseller, currency="EUR", at=last_hour, **terms)
        with pytest.raises(PeriodNotBegun):
            prepare_statements(provider_id=reseller.provider_id, at=last_hour, **terms)

        assert not PayoutStatement.objects.exists()
        assert prepare_statements(provider_id=reseller.provider_id, at=first_hour, **terms)

    def test_opens_with_what_the_one_before_closed_with(
        self, reseller: Reseller, customer: Customer
    ) -> None:
        approve(prepare(reseller))

        assert amounts(prepare(reseller, NOVEMBER)) == [50, 50, -20, 0, 80]

    def test_deducts_what_was_paid_of_it(self, reseller: Reseller, customer: Customer) -> None:
        settle(approve(prepare(reseller)))

        assert amounts(prepare(reseller, NOVEMBER)) == [50, 50, -20, 50, 30]

    def test_brings_a_draft_up_to_date(self, reseller: Reseller, customer: Customer) -> None:
        first = prepare(reseller)
        issue(customer, "100", "18", at=day(10, 25))
        pay(customer, "118", at=day(10, 30))
        accrue(provider_id=reseller.provider_id, at=day(12, 1))

        second = prepare(reseller)

        assert second.pk == first.pk
        assert amounts(second) == [0, 60, 0, 0, 60]

    def test_changes_nothing_when_there_is_nothing_new(
        self, reseller: Reseller, customer: Customer
    ) -> None:
        prepare(reseller)
        prepare(reseller)

        assert PayoutStatement.objects.count() == 1
        assert Entry.objects.filter(action="payout_statement.prepared").count() == 1

    def test_takes_what_came_too_late_for_an_approved_one(
        self, reseller: Reseller, customer: Customer
    ) -> None:
        approve(prepare(reseller))
        issue(customer, "100", "18", at=day(10, 25))
        pay(customer, "118", at=day(11, 30), posting_date=date(2026, 10, 30))
        accrue(provider_id=reseller.provider_id, at=day(12, 1))

        assert amounts(prepare(reseller, NOVEMBER)) == [50, 60, -20, 0, 90]

    def test_keeps_currencies_apart(self, reseller: Reseller, customer: Customer) -> None:
        dollars = make_customer(reseller.provider, reseller, currency="USD")
        issue(dollars, at=day(10, 1))
        pay(dollars, "1180", at=day(10, 20))
        accrue(provider_id=reseller.provider_id, at=day(11, 10))

        statements = prepare_statements(
            provider_id=reseller.provider_id, period=OCTOBER, at=day(11, 11), actor_id=None
        )

        assert {row.currency: row.closing_amount for row in statements} == {"EUR": 50, "USD": 100}

    def test_refuses_a_period_that_is_approved(
        self, reseller: Reseller, customer: Customer
    ) -> None:
        approve(prepare(reseller))

        with pytest.raises(StatementFixed):
            prepare(reseller)

        assert PayoutStatement.objects.count() == 1

    def test_refuses_to_start_from_a_draft(self, reseller: Reseller, customer: Customer) -> None:
        prepare(reseller)

        with pytest.raises(EarlierStatementOpen):
            prepare(reseller, NOVEMBER)

        assert PayoutStatement.objects.count() == 1

    def test_refuses_to_go_back(self, reseller: Reseller, customer: Customer) -> None:
        prepare(reseller, NOVEMBER)

        with pytest.raises(PeriodStated):
            prepare(reseller)

        assert PayoutStatement.objects.count() == 1


class TestPrepareStatements:
    def test_is_for_those_who_earned_or_carry_a_balance(
        self, reseller: Reseller, customer: Customer
    ) -> None:
        provider = reseller.provider
        make_reseller(provider)
        carrying = make_reseller(provider)
        make_plan(carrying)
        theirs = make_customer(provider, carrying)
        issue(theirs, at=day(10, 1))
        pay(theirs, "590", at=day(10, 2))
        accrue(provider_id=provider.pk, at=day(10, 3))

        for period in (OCTOBER, NOVEMBER):
            drafts = prepare_statements(
                provider_id=provider.pk, period=period, at=day(12, 1), actor_id=None
            )
            assert [row.reseller for row in drafts] == [reseller, carrying]
            for draft in drafts:
                approve(draft)

    def test_leaves_settled_and_approved_ones_alone(
        self, reseller: Reseller, customer: Customer
    ) -> None:
        settle(approve(prepare(reseller)))

        again = prepare_statements(
            provider_id=reseller.provider_id, period=OCTOBER, at=day(12, 4), actor_id=None
        )

        assert again == []
        assert PayoutStatement.objects.count() == 1

    def test_ends_when_all_is_paid(self, reseller: Reseller, customer: Customer) -> None:
        settle(approve(prepare(reseller, NOVEMBER)))

        after = prepare_statements(
            provider_id=reseller.provider_id, period=month(2026, 12), at=day(12, 31), actor_id=None
        )

        assert after == []


class TestApproveStatement:
    def test_numbers_and_fixes_it(self, reseller: Reseller, customer: Customer) -> None:
        statement = approve(prepare(reseller))

        assert statement.number == "PAY-2026-000001"
        assert statement.approved_at == day(12, 2)
        with pytest.raises(IntegrityError, match="fixed"), transaction.atomic():
            PayoutStatement.objects.update(closing_amount=0, accrued_amount=0)
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            PayoutStatement.objects.update(state="DRAFT")
        with pytest.raises(IntegrityError, match="approved"), transaction.atomic():
            Accrual.objects.filter(statement=statement).update(statement=None)
        with pytest.raises(IntegrityError, match="approved"), transaction.atomic():
            Accrual.objects.filter(statement=None).update(statement=statement)
        with pytest.raises(IntegrityError, match="fixed"), transaction.atomic():
            Accrual.objects.update(amount=0)

    def test_refuses_one_that_is_approved(self, reseller: Reseller, customer: Customer) -> None:
        statement = approve(prepare(reseller))

        with pytest.raises(StatementFixed):
            approve(statement)

        assert Entry.objects.filter(action="payout_statement.approved").count() == 1

    def test_refuses_one_that_does_not_know_of_a_payout(
        self, reseller: Reseller, customer: Customer
    ) -> None:
        october = approve(prepare(reseller))
        november = prepare(reseller, NOVEMBER)
        settle(october)

        with pytest.raises(StatementOutdated, match=r"50\.00 EUR"):
            approve(november)

        assert amounts(november) == [50, 50, -20, 0, 80]
        assert approve(prepare(reseller, NOVEMBER)).closing_amount == 30


class TestSettleStatement:
    def test_pays_the_closing_amount_from_the_bank(
        self, reseller: Reseller, customer: Customer
    ) -> None:
        statement = settle(approve(prepare(reseller)))

        statement.refresh_from_db()
        transfer = statement.transfer
        assert transfer is not None
        assert statement.settled_date == date(2026, 12, 3)
        assert statement.settlement_reference == "SEPA 4711"
        assert transfer.kind == TransferKind.PAYOUT
        assert transfer.amount == 50
        payable = Account.objects.get(kind=AccountKind.RESELLER_PAYABLE)
        assert transfer.debit == payable
        assert transfer.credit.kind == AccountKind.BANK
        assert payable.balance == -30

    def test_happens_once(self, reseller: Reseller, customer: Customer) -> None:
        statement = settle(approve(prepare(reseller)))

        with pytest.raises(StatementSettled):
            settle(statement)
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            PayoutStatement.objects.update(settlement_reference="other")

        assert Transfer.objects.filter(kind=TransferKind.PAYOUT).count() == 1

    def test_refuses_a_draft(self, reseller: Reseller, customer: Customer) -> None:
        with pytest.raises(StatementNotApproved):
            settle(prepare(reseller))

        assert not Transfer.objects.filter(kind=TransferKind.PAYOUT).exists()

    def test_refuses_what_a_later_statement_carries(
        self, reseller: Reseller, customer: Customer
    ) -> None:
        october = approve(prepare(reseller))
        november = approve(prepare(reseller, NOVEMBER))

        with pytest.raises(StatementCarriedForward, match="PAY-2026-000002"):
            settle(october)

        assert settle(november).settled_amount == 80

    def test_refuses_where_nothing_is_owed(self, reseller: Reseller) -> None:
        statement = approve(prepare(reseller))

        with pytest.raises(NothingToSettle):
            settle(statement)

        statement.refresh_from_db()
        assert statement.state == PayoutStatement.State.APPROVED

    def test_refuses_the_future(self, reseller: Reseller, customer: Customer) -> None:
        statement = approve(prepare(reseller))

        with pytest.raises(SettlementInFuture):
            settle(statement, date(2026, 12, 4))

        assert not Transfer.objects.filter(kind=TransferKind.PAYOUT).exists()


class TestStoreDocument:
    def test_keeps_the_pdf_as_it_was(self, reseller: Reseller, customer: Customer) -> None:
        statement = approve(prepare(reseller))
        first = store_document(statement=statement, at=day(12, 2))
        settle(statement)

        again = store_document(statement=statement, at=day(12, 9))

        assert again == first
        assert again.startswith(b"%PDF-")
        with pytest.raises(IntegrityError, match="is fixed"), transaction.atomic():
            StatementDocument.objects.update(sha256="")
