from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from audit.models import Entry
from customers.models import Customer
from customers.rules.states import may_follow
from customers.services.accounts import (
    BillingTerms,
    BillingTermsRefused,
    CustomerTerminated,
    StateRefused,
    change_state,
    edit_billing_terms,
    edit_details,
)
from customers.services.onboarding import CustomerDetails, DetailsRefused
from tests.factories import (
    make_biller_entity,
    make_customer,
    make_product,
    make_provider,
    make_rate_table,
    make_staff,
)
from tests.race import race
from tests.refusals import refused

AT = datetime(2026, 10, 1, 9, tzinfo=UTC)
State = Customer.State
CARL = CustomerDetails(first_name="Carl", last_name="Customer", email="carl@example.com")

pytestmark = pytest.mark.django_db


def change(customer: Customer, state: State, at: datetime = AT) -> Customer:
    return change_state(customer=customer, state=state, at=at, actor_id=None)


class TestChangeState:
    @pytest.mark.parametrize("state", State)
    @pytest.mark.parametrize("next_state", State)
    def test_follows_the_table_of_states(self, state: State, next_state: State) -> None:
        customer = make_customer(make_provider(), state=state)

        if may_follow(state, next_state):
            assert change(customer, next_state).state == next_state
        else:
            with refused(StateRefused):
                change(customer, next_state)

    def test_dates_the_account_from_its_first_activation(self) -> None:
        customer = make_customer(make_provider(), state=State.DRAFT, active_since=None)

        change(customer, State.ACTIVE)
        change(customer, State.DISABLED)
        reactivated = change(customer, State.ACTIVE, AT + timedelta(days=1))

        assert reactivated.active_since == AT

    def test_dates_the_end(self) -> None:
        customer = make_customer(make_provider())

        terminated = change(customer, State.TERMINATED)

        assert (terminated.terminated_at, terminated.active_since) == (AT, customer.active_since)

    def test_is_audited_with_its_reason(self) -> None:
        provider = make_provider()
        admin, customer = make_staff(provider), make_customer(provider)

        change_state(
            customer=customer, state=State.DISABLED, reason="Fraud", at=AT, actor_id=admin.pk
        )

        entry = Entry.objects.get(action="customer.state_changed")
        assert (entry.actor, entry.object_id, entry.at) == (admin, str(customer.pk), AT)
        assert entry.before == {"state": "ACTIVE"}
        assert entry.after == {"state": "DISABLED", "reason": "Fraud"}


class TestEditDetails:
    def test_replaces_names_and_addresses(self) -> None:
        customer = make_customer(make_provider(), phone="1", organisation="")

        edited = edit_details(
            customer=customer, details=replace(CARL, phone="2"), at=AT, actor_id=None
        )

        edited.refresh_from_db()
        assert (edited.email, edited.phone, edited.address) == ("carl@example.com", "2", "")
        entry = Entry.objects.get(action="customer.edited")
        assert entry.before is not None
        assert entry.before["phone"] == "1"
        assert "first_name" not in entry.before

    def test_refuses_an_address_that_is_none(self) -> None:
        customer = make_customer(make_provider())
        details = replace(CARL, email="carl at home")

        with refused(DetailsRefused, match="Email: Enter a valid email address"):
            edit_details(customer=customer, details=details, at=AT, actor_id=None)

    def test_refuses_a_terminated_account(self) -> None:
        customer = make_customer(make_provider(), state=State.TERMINATED)

        with refused(CustomerTerminated):
            edit_details(customer=customer, details=CARL, at=AT, actor_id=None)


class TestEditBillingTerms:
    def test_replaces_how_the_customer_is_billed(self) -> None:
        provider = make_provider()
        customer = make_customer(provider)
        seller = make_biller_entity(provider, is_default=False)
        table = make_rate_table(make_product(provider))
        terms = BillingTerms(
            tax_category=Customer.TaxCategory.EXEMPT,
            credit_limit=Decimal("250.5"),
            is_billable=False,
            biller_entity_id=seller.pk,
            rate_table_id=table.pk,
        )

        edited = edit_billing_terms(customer=customer, terms=terms, at=AT, actor_id=None)

        edited.refresh_from_db()
        assert {name: getattr(edited, name) for name in vars(terms)} == vars(terms)
        entry = Entry.objects.get(action="customer.billing_terms_edited")
        assert entry.after == {
            "tax_category": "EXEMPT",
            "credit_limit": "250.5",
            "is_billable": "False",
            "biller_entity_id": str(seller.pk),
            "rate_table_id": str(table.pk),
        }

    def test_leaves_no_trace_where_nothing_changes(self) -> None:
        customer = make_customer(make_provider())

        edit_billing_terms(customer=customer, terms=BillingTerms(), at=AT, actor_id=None)

        assert not Entry.objects.exists()

    @pytest.mark.parametrize("amount", ["-0.01", "0.00001", "NaN", "Infinity", "1e16"])
    def test_refuses_what_is_no_credit_limit(self, amount: str) -> None:
        customer = make_customer(make_provider())
        terms = BillingTerms(credit_limit=Decimal(amount))

        with refused(BillingTermsRefused):
            edit_billing_terms(customer=customer, terms=terms, at=AT, actor_id=None)

    def test_refuses_a_seller_of_another_provider(self) -> None:
        customer = make_customer(make_provider())
        other = make_biller_entity(make_provider(), is_default=False)
        terms = BillingTerms(biller_entity_id=other.pk)

        with refused(BillingTermsRefused, match="no such seller"):
            edit_billing_terms(customer=customer, terms=terms, at=AT, actor_id=None)

    def test_refuses_a_rate_table_that_does_not_fit(self) -> None:
        provider = make_provider()
        customer = make_customer(provider)
        voice, messages = make_product(provider), make_product(provider, kind="METERED")

        for table in (
            make_rate_table(voice, currency="USD"),
            make_rate_table(messages),
            make_rate_table(make_product(make_provider())),
        ):
            with refused(BillingTermsRefused):
                edit_billing_terms(
                    customer=customer,
                    terms=BillingTerms(rate_table_id=table.pk),
                    at=AT,
                    actor_id=None,
                )

    def test_refuses_a_terminated_account(self) -> None:
        customer = make_customer(make_provider(), state=State.TERMINATED)
        terms = BillingTerms(is_billable=False)

        with refused(CustomerTerminated):
            edit_billing_terms(customer=customer, terms=terms, at=AT, actor_id=None)


@pytest.mark.django_db(transaction=True)
class TestTwoChangesOfStateAtOnce:
    def test_happen_one_after_the_other(self) -> None:
        customer = make_customer(make_provider())

        outcomes = race(*[lambda: change(customer, State.TERMINATED)] * 2)

        assert sorted(type(outcome).__name__ for outcome in outcomes) == [
            "Customer",
            "StateRefused",
        ]
        assert Entry.objects.count() == 1
