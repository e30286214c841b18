from datetime import date, datetime
from decimal import Decimal

import pytest

from customers.models import Customer
from ledger.models import Account, AccountKind, Transfer, TransferKind
from payments.services.reversal import reverse_payment
from payouts.models import Accrual, CommissionPlan
from payouts.services.accrual import accrue
from resellers.models import Reseller, ResellerModule
from tenancy.models import Provider
from tests.factories import make_customer, make_provider, make_reseller
from tests.factories.payouts import credit, day, issue, make_plan, pay

pytestmark = pytest.mark.django_db


@pytest.fixture
def reseller() -> Reseller:
    return make_reseller(make_provider())


@pytest.fixture
def customer(reseller: Reseller) -> Customer:
    return make_customer(reseller.provider, reseller)


def accrued(provider: Provider, at: int = 30) -> dict[str, Decimal]:
    """What one sweep in November records, by event kind; each kind must occur once."""
    known = set(Accrual.objects.filter(provider=provider).values_list("pk", flat=True))
    count = accrue(provider_id=provider.pk, at=day(11, at))
    rows = Accrual.objects.filter(provider=provider).exclude(pk__in=known)
    found = {row.event_key.partition(":")[0]: row.amount for row in rows}
    assert len(found) == count
    return found


def balance(provider: Provider, kind: AccountKind) -> Decimal:
    return Account.objects.get(provider=provider, kind=kind).balance


class TestCollectedNet:
    def test_accrues_each_part_that_is_collected_and_claws_back_what_is_refunded(
        self, reseller: Reseller, customer: Customer
    ) -> None:
        provider = reseller.provider
        make_plan(reseller)
        invoice = issue(customer, at=day(10, 1))

        assert accrued(provider) == {}
        pay(customer, "590", at=day(10, 20))
        assert accrued(provider) == {"allocation": 50}
        pay(customer, "590", at=day(11, 5))
        assert accrued(provider) == {"allocation": 50}
        credit(invoice, "200", "36", at=day(11, 9))
        assert accrued(provider) == {"credit_note": -20}

        assert accrued(provider) == {}
        assert balance(provider, AccountKind.RESELLER_PAYABLE) == -80
        assert balance(provider, AccountKind.COMMISSION_EXPENSE) == 80

    def test_records_who_earned_what_on_which_day(
        self, reseller: Reseller, customer: Customer
    ) -> None:
        plan = make_plan(reseller)
        invoice = issue(customer, at=day(10, 1))
        pay(customer, "590", at=day(11, 2), posting_date=date(2026, 10, 31))

        accrue(provider_id=reseller.provider_id, at=day(11, 3))

        row = Accrual.objects.get()
        assert (row.reseller, row.customer, row.invoice) == (reseller, customer, invoice)
        assert row.plan == plan
        assert row.currency == "EUR"
        assert [row.base_amount, row.percent, row.amount] == [500, 10, 50]
        assert (row.event_date, row.accrued_at) == (date(2026, 10, 31), day(11, 3))
        assert row.transfer is not None
        assert row.transfer.kind == TransferKind.COMMISSION
        assert row.transfer.effective_date == date(2026, 10, 31)

    def test_claws_back_what_a_reversed_payment_earned(
        self, reseller: Reseller, customer: Customer
    ) -> None:
        make_plan(reseller)
        issue(customer, at=day(10, 1))
        payment = pay(customer, "590", at=day(10, 20))
        accrue(provider_id=reseller.provider_id, at=day(10, 21))
        reverse_payment(payment=payment, reason="Bounced", at=day(11, 2), actor_id=None)

        assert accrued(reseller.provider) == {"allocation_undone": -50}

        row = Accrual.objects.get(amount__lt=0)
        assert row.event_date == date(2026, 11, 2)
        assert row.transfer is not None
        assert row.transfer.kind == TransferKind.COMMISSION_CLAWBACK
        assert balance(reseller.provider, AccountKind.RESELLER_PAYABLE) == 0

    def test_records_both_where_a_payment_is_reversed_before_anybody_looked(
        self, reseller: Reseller, customer: Customer
    ) -> None:
        make_plan(reseller)
        issue(customer, at=day(10, 1))
        payment = pay(customer, "590", at=day(10, 20))
        reverse_payment(payment=payment, reason="Bounced", at=day(11, 2), actor_id=None)

        assert accrued(reseller.provider) == {"allocation": 50, "allocation_undone": -50}

    def test_takes_the_percent_of_the_day_the_money_came(
        self, reseller: Reseller, customer: Customer
    ) -> None:
        make_plan(reseller, "10", valid_to=date(2026, 11, 1))
        make_plan(reseller, "20", valid_from=date(2026, 11, 1))
        issue(customer, at=day(10, 1))
        pay(customer, "590", at=day(10, 31))
        pay(customer, "590", at=day(11, 1))

        accrue(provider_id=reseller.provider_id, at=day(11, 2))

        assert list(Accrual.objects.order_by("pk").values_list("amount", flat=True)) == [50, 100]

    def test_leaves_out_money_of_a_time_without_a_plan(
        self, reseller: Reseller, customer: Customer
    ) -> None:
        make_plan(reseller, valid_from=date(2026, 11, 1))
        issue(customer, at=day(10, 1))
        pay(customer, "590", at=day(10, 31))

        assert accrued(reseller.provider) == {}
        pay(customer, "590", at=day(11, 1))
        assert accrued(reseller.provider) == {"allocation": 50}


class TestInvoicedNet:
    @pytest.fixture
    def plan(self, reseller: Reseller) -> CommissionPlan:
        return make_plan(reseller, base=CommissionPlan.Base.INVOICED_NET)

    def test_accrues_on_issue_and_nothing_on_payment(
        self, plan: CommissionPlan, customer: Customer
    ) -> None:
        issue(customer, at=day(10, 1))

        assert accrued(plan.provider) == {"invoice": 100}
        pay(customer, "1180", at=day(10, 20))
        assert accrued(plan.provider) == {}

    def test_claws_back_a_cancelled_invoice_whole(
        self, plan: CommissionPlan, customer: Customer
    ) -> None:
        invoice = issue(customer, at=day(10, 1))
        accrue(provider_id=plan.provider_id, at=day(10, 2))
        credit(invoice, "1000", "180", at=day(10, 5))

        assert accrued(plan.provider) == {"credit_note": -100}
        assert balance(plan.provider, AccountKind.RESELLER_PAYABLE) == 0

    def test_decides_for_the_invoices_of_its_time_when_they_are_paid_later(
        self, plan: CommissionPlan, customer: Customer
    ) -> None:
        CommissionPlan.objects.update(valid_to=date(2026, 11, 1))
        make_plan(plan.reseller, "20", valid_from=date(2026, 11, 1))
        issue(customer, at=day(10, 1))
        pay(customer, "1180", at=day(11, 5))

        assert accrued(plan.provider) == {"invoice": 100}

    def test_leaves_the_invoices_before_its_time_to_be_collected(
        self, plan: CommissionPlan, customer: Customer
    ) -> None:
        CommissionPlan.objects.update(valid_from=date(2026, 11, 1))
        make_plan(plan.reseller, "20", valid_to=date(2026, 11, 1))
        issue(customer, at=day(10, 1))
        pay(customer, "1180", at=day(11, 5))

        assert accrued(plan.provider) == {"allocation": 100}


class TestWhoEarns:
    def test_is_the_reseller_the_customer_was_tagged_with_on_issue(
        self, reseller: Reseller, customer: Customer
    ) -> None:
        make_plan(reseller)
        earlier = make_reseller(reseller.provider)
        make_plan(earlier, "50")
        issue(customer, at=day(10, 1), tagged_reseller=earlier)
        pay(customer, "1180", at=day(10, 20))

        accrue(provider_id=reseller.provider_id, at=day(10, 21))

        row = Accrual.objects.get()
        assert row.reseller == earlier
        assert row.amount == 500

    def test_is_nobody_for_a_direct_customer(self, reseller: Reseller) -> None:
        make_plan(reseller)
        direct = make_customer(reseller.provider)
        issue(direct, at=day(10, 1))
        pay(direct, "1180", at=day(10, 20))

        assert accrued(reseller.provider) == {}

    def test_is_nobody_for_a_customer_that_is_not_billable(
        self, reseller: Reseller, customer: Customer
    ) -> None:
        make_plan(reseller)
        issue(customer, at=day(10, 1))
        pay(customer, "590", at=day(10, 20))
        accrue(provider_id=reseller.provider_id, at=day(10, 21))
        Customer.objects.update(is_billable=False)
        pay(customer, "590", at=day(10, 22))

        assert accrued(reseller.provider) == {}

    def test_is_nobody_of_another_provider(self, reseller: Reseller, customer: Customer) -> None:
        make_plan(reseller)
        other = make_reseller(make_provider())
        make_plan(other)
        theirs = make_customer(other.provider, other)
        issue(customer, at=day(10, 1))
        issue(theirs, at=day(10, 1))
        pay(customer, "590", at=day(10, 20))
        pay(theirs, "1180", at=day(10, 20))

        assert accrued(other.provider) == {"allocation": 100}
        assert not Accrual.objects.filter(provider=reseller.provider).exists()


def shut_out(at: datetime) -> None:
    Reseller.objects.update(state=Reseller.State.DISABLED, disabled_at=at)


class TestDisabledReseller:
    def test_earns_nothing_more_for_good(self, reseller: Reseller, customer: Customer) -> None:
        make_plan(reseller)
        issue(customer, at=day(10, 1))
        pay(customer, "590", at=day(10, 20))
        shut_out(day(10, 19))
        transfers = Transfer.objects.count()

        assert accrued(reseller.provider) == {"allocation": 0}
        assert Transfer.objects.count() == transfers
        Reseller.objects.update(state=Reseller.State.ACTIVE, disabled_at=None)
        assert accrued(reseller.provider) == {}
        pay(customer, "590", at=day(11, 2))
        assert accrued(reseller.provider) == {"allocation": 50}

    def test_goes_on_earning_where_the_provider_says_so(
        self, reseller: Reseller, customer: Customer
    ) -> None:
        ResellerModule.objects.update(commission_after_disabling=True)
        make_plan(reseller)
        issue(customer, at=day(10, 1))
        pay(customer, "590", at=day(10, 20))
        shut_out(day(10, 19))

        assert accrued(reseller.provider) == {"allocation": 50}

    def test_earns_what_happened_before_however_late_it_accrues(
        self, reseller: Reseller, customer: Customer
    ) -> None:
        make_plan(reseller)
        issue(customer, at=day(10, 1))
        pay(customer, "590", at=day(10, 20))
        pay(customer, "590", at=day(10, 22))
        shut_out(day(10, 21))

        accrue(provider_id=reseller.provider_id, at=day(10, 23))

        amounts = Accrual.objects.order_by("event_date").values_list("amount", flat=True)
        assert list(amounts) == [50, 0]

    def test_still_gives_back_what_it_earned(self, reseller: Reseller, customer: Customer) -> None:
        make_plan(reseller)
        invoice = issue(customer, at=day(10, 1))
        pay(customer, "1180", at=day(10, 20))
        accrue(provider_id=reseller.provider_id, at=day(10, 21))
        shut_out(day(10, 22))
        credit(invoice, "200", "36", at=day(11, 1))

        assert accrued(reseller.provider) == {"credit_note": -20}
