"""What changes in the life of a customer's account: its state, its details, its billing terms."""

from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from audit.services import record, record_change
from catalogue.models import ProductKind, RateTable
from common.errors import DomainError
from customers.models import Customer
from customers.rules.states import following, may_follow
from customers.services.onboarding import CustomerDetails, check_details
from tenancy.models import BillerEntity

# What the column holds: 16 digits before the point.
_CREDIT_LIMIT_BELOW = Decimal(10) ** 16


class CustomerTerminated(DomainError):
    """A terminated account keeps what it has and is never changed again."""


class StateRefused(DomainError):
    """The account cannot go from its state to that one."""


class BillingTermsRefused(DomainError):
    """The credit limit is none, or the seller or rate table does not fit the customer."""


@dataclass(frozen=True, kw_only=True)
class BillingTerms:
    """How a customer is billed.

    `credit_limit` in the customer's currency; `biller_entity_id` None means the provider's default
    seller, `rate_table_id` None the voice prices of its catalogue.
    """

    tax_category: Customer.TaxCategory = Customer.TaxCategory.STANDARD
    credit_limit: Decimal = Decimal(0)
    is_billable: bool = True
    biller_entity_id: int | None = None
    rate_table_id: int | None = None


@transaction.atomic
def change_state(
    *,
    customer: Customer,
    state: Customer.State,
    reason: str = "",
    at: datetime,
    actor_id: int | None,
) -> Customer:
    """Put an account into another state; `reason` is kept in its history.

    :raises StateRefused: if that state cannot follow the present one.
    """
    customer = _locked(customer)
    before = customer.state
    if not may_follow(before, state):
        allowed = ", ".join(sorted(following(before))).lower() or "none"
        raise StateRefused(
            f"{customer} is {before.lower()} and cannot become {state.lower()};"
            f" states that may follow: {allowed}."
        )
    customer.state = state
    if state == Customer.State.ACTIVE and customer.active_since is None:
        customer.active_since = at
    if state == Customer.State.TERMINATED:
        customer.terminated_at = at
    customer.save(update_fields=["state", "active_since", "terminated_at"])
    record(
        provider_id=customer.provider_id,
        action="customer.state_changed",
        changed=customer,
        at=at,
        actor_id=actor_id,
        before={"state": before},
        after={"state": state, "reason": reason},
    )
    return customer


@transaction.atomic
def edit_details(
    *, customer: Customer, details: CustomerDetails, at: datetime, actor_id: int | None
) -> Customer:
    """Replace names and addresses; invoices that were issued keep theirs.

    :raises DetailsRefused: if a name or the e-mail is missing, or a detail cannot be kept.
    :raises CustomerTerminated: if the account is.
    """
    check_details(details)
    return _replace(customer, asdict(details), "customer.edited", at=at, actor_id=actor_id)


@transaction.atomic
def edit_billing_terms(
    *, customer: Customer, terms: BillingTerms, at: datetime, actor_id: int | None
) -> Customer:
    """Replace how the customer is billed, from the next estimate on.

    :raises BillingTermsRefused: for a credit limit that is negative or has more than 4 decimals,
        a seller that the provider does not have, or a rate table of another currency.
    :raises CustomerTerminated: if the account is.
    """
    _check_credit_limit(terms.credit_limit)
    if terms.biller_entity_id is not None:
        _check_biller_entity(customer, terms.biller_entity_id)
    if terms.rate_table_id is not None:
        _check_rate_table(customer, terms.rate_table_id)
    after = asdict(terms)
    return _replace(customer, after, "customer.billing_terms_edited", at=at, actor_id=actor_id)


def _check_credit_limit(amount: Decimal) -> None:
    if not amount.is_finite() or not 0 <= amount < _CREDIT_LIMIT_BELOW:
        raise _refused("credit_limit", f"A credit limit is 0 or more, not {amount}.")
    if amount != round(amount, 4):
        raise _refused("credit_limit", f"A credit limit has up to 4 decimals, not {amount}.")


def _check_biller_entity(customer: Customer, biller_entity_id: int) -> None:
    sellers = BillerEntity.objects.filter(provider_id=customer.provider_id)
    if not sellers.filter(pk=biller_entity_id).exists():
        raise _refused("biller_entity", "There is no such seller; choose one of the provider's.")


def _check_rate_table(customer: Customer, rate_table_id: int) -> None:
    voice = RateTable.objects.filter(
        provider_id=customer.provider_id, product__kind=ProductKind.VOICE
    )
    if not voice.filter(pk=rate_table_id, currency=customer.currency).exists():
        raise _refused(
            "rate_table",
            f"{customer} is billed in {customer.currency}; choose a voice rate table in that.",
        )


def _refused(field: str, text: str) -> BillingTermsRefused:
    return BillingTermsRefused(text, by_field={field: text})


def _replace(
    customer: Customer,
    after: dict[str, object],
    action: str,
    *,
    at: datetime,
    actor_id: int | None,
) -> Customer:
    customer = _locked(customer)
    if customer.state == Customer.State.TERMINATED:
        raise CustomerTerminated(f"{customer} is terminated; nothing of it changes any more.")
    before = {name: getattr(customer, name) for name in after}
    changed = [name for name in after if before[name] != after[name]]
    if not changed:
        return customer
    for name in changed:
        setattr(customer, name, after[name])
    customer.save(update_fields=changed)
    record_change(
        provider_id=customer.provider_id,
        action=action,
        changed=customer,
        at=at,
        actor_id=actor_id,
        before=before,
        after=after,
    )
    return customer


def _locked(customer: Customer) -> Customer:
    return Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
