"""Whatever happens to a customer's money, in any order, it is never lost, doubled or overspent."""

from datetime import datetime, timedelta
from decimal import Decimal

import hypothesis
import pytest
from django.db import connection, transaction
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from billing.models import Invoice
from billing.services.credit_notes import CreditExceedsInvoice, credit_amount
from common.money import ZERO
from common.scope import Scope
from payments.gateways.protocol import OrderStatus
from payments.models import Payment
from payments.selectors.advance import unspent_money
from payments.selectors.payments import payments
from payments.services.advance import apply_advance, apply_advance_on_issue
from payments.services.outcomes import apply_report, expire_payment
from payments.services.reversal import reverse_payment
from tests.factories import make_customer, make_provider
from tests.factories.payments import make_invoice
from tests.payments.books import (
    AT,
    assert_books_agree,
    pay_offline,
    receivable,
    report,
    start_bulk,
    wallet,
)

amounts = st.decimals(min_value="0.01", max_value="200.00", places=2)
picks = st.integers(0, 1000)


class CustomerMoney(RuleBasedStateMachine):
    """One customer who is invoiced, credited, pays in every way, and is paid back."""

    def __init__(self) -> None:
        super().__init__()
        self.rolled_back = transaction.atomic()
        self.rolled_back.__enter__()
        self.customer = make_customer(make_provider())
        self.scope = Scope.system(self.customer.provider_id)
        self.at = AT

    def teardown(self) -> None:
        connection.check_constraints()
        transaction.set_rollback(True)
        self.rolled_back.__exit__(None, None, None)

    def later(self) -> datetime:
        self.at += timedelta(hours=1)
        return self.at

    def rows(self, state: Payment.State) -> list[Payment]:
        return list(Payment.objects.filter(state=state).order_by("pk"))

    @rule(amount=amounts)
    def issue_an_invoice(self, amount: Decimal) -> None:
        make_invoice(self.customer, amount, issued_at=self.later())

    @rule(amount=amounts, is_filled=st.booleans())
    def pay_by_bank(self, amount: Decimal, is_filled: bool) -> None:
        shares: dict[int, Decimal] | None = None if is_filled else {}
        pay_offline(self.customer, str(amount), distribution=shares, at=self.later())

    @rule(amount=amounts, pick=picks)
    def pay_part_of_one_invoice(self, amount: Decimal, pick: int) -> None:
        invoices = [row for row in Invoice.objects.order_by("pk") if row.due_amount > 0]
        if invoices:
            invoice = invoices[pick % len(invoices)]
            shares = {invoice.pk: min(amount, invoice.due_amount)}
            pay_offline(self.customer, str(amount), distribution=shares, at=self.later())

    @rule(amount=amounts)
    def go_to_the_gateway(self, amount: Decimal) -> None:
        start_bulk(self.customer, str(amount), at=self.later())

    @rule(pick=picks, status=st.sampled_from(OrderStatus))
    def hear_of_a_payment(self, pick: int, status: OrderStatus) -> None:
        online = list(Payment.objects.exclude(gateway="").order_by("pk"))
        if online:
            payment = online[pick % len(online)]
            told = report(payment, status, failure="Declined.")
            apply_report(payment_id=payment.pk, report=told, at=self.later())

    @precondition(lambda self: self.rows(Payment.State.PENDING))
    @rule(pick=picks)
    def give_a_payment_up(self, pick: int) -> None:
        pending = self.rows(Payment.State.PENDING)
        expire_payment(payment_id=pending[pick % len(pending)].pk, at=self.later())

    @rule(is_wished=st.booleans())
    def use_the_advance(self, is_wished: bool) -> None:
        if is_wished:
            apply_advance(customer=self.customer, at=self.later(), actor_id=None)
        else:
            apply_advance_on_issue(customer=self.customer, at=self.later())

    @precondition(lambda self: Invoice.objects.exists())
    @rule(amount=amounts, pick=picks)
    def credit_an_invoice(self, amount: Decimal, pick: int) -> None:
        invoices = Invoice.objects.order_by("pk")
        invoice = invoices[pick % len(invoices)]
        try:
            credit_amount(
                invoice_id=invoice.pk,
                gross_amount=amount,
                reason="Outage",
                at=self.later(),
                actor_id=None,
            )
        except CreditExceedsInvoice:
            return

    @precondition(lambda self: self.rows(Payment.State.SUCCEEDED))
    @rule(pick=picks)
    def reverse_a_payment(self, pick: int) -> None:
        received = self.rows(Payment.State.SUCCEEDED)
        payment = received[pick % len(received)]
        reverse_payment(payment=payment, reason="Bounced", at=self.later(), actor_id=None)

    @invariant()
    def nothing_is_lost_or_doubled(self) -> None:
        assert_books_agree(self.customer.provider_id)

    @invariant()
    def wallet_holds_the_unspent_money(self) -> None:
        money = unspent_money(self.scope, customer_id=self.customer.pk, currency="EUR")
        assert wallet(self.customer) == sum((part.amount for part in money), ZERO) >= 0

    @invariant()
    def allocations_and_advance_are_the_payments(self) -> None:
        money = unspent_money(self.scope, customer_id=self.customer.pk, currency="EUR")
        advance = {part.payment_id: part.amount for part in money if part.payment_id}
        for payment in payments(self.scope):
            received = payment.amount if payment.state == Payment.State.SUCCEEDED else ZERO
            assert payment.allocated_amount + advance.get(payment.pk, ZERO) == received

    @invariant()
    def the_customer_owes_what_is_due(self) -> None:
        dues = [invoice.due_amount for invoice in Invoice.objects.all()]
        assert receivable(self.customer) == sum(dues, ZERO)


@pytest.mark.django_db
class TestCustomerMoney:
    def test_adds_up_whatever_happens(self) -> None:
        run_state_machine_as_test(
            CustomerMoney,
            settings=hypothesis.settings(
                max_examples=20, stateful_step_count=25, deadline=None, database=None
            ),
        )
