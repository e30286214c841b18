"""New customers, and whose they are."""

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import Enum

from django.db import transaction
from django.db.models import Max

from audit.services import record
from common.currencies import is_currency
from common.errors import DomainError
from common.fields import check_fields
from common.locks import lock_in_transaction
from common.scope import Scope
from customers.models import Customer
from resellers.models import ResellerCode
from resellers.selectors import default_code, find_code


class CustomerRefused(DomainError):
    """The currency is none."""


class DetailsRefused(DomainError):
    """A name or the e-mail is missing, or something is too long or no address."""


class UntaggedByAdminOnly(DomainError):
    """Only staff, in the console, keep a customer from the default reseller code."""


class CodeChoice(Enum):
    """What stands in for a reseller code that was not given."""

    DEFAULT = "the provider's default code, if it has one"
    NONE = "no reseller, by an admin's choice"


@dataclass(frozen=True, kw_only=True)
class CustomerDetails:
    """Who a customer is and where it is reached; printed on its invoices."""

    first_name: str
    last_name: str
    email: str
    organisation: str = ""
    phone: str = ""
    address: str = ""
    country: str = ""
    tax_number: str = ""


@transaction.atomic
def create_customer(
    *,
    provider_id: int,
    details: CustomerDetails,
    currency: str,
    channel: Customer.Channel,
    reseller_code: str | CodeChoice = CodeChoice.DEFAULT,
    at: datetime,
    actor_id: int | None,
) -> Customer:
    """Add a customer with the provider's next number, tagged once and for all.

    A sign-up awaits its confirmation; others begin as a draft. A blank code is one not given.

    :raises CustomerRefused: for what is no currency (ISO 4217).
    :raises DetailsRefused: if a name or the e-mail is missing, or a detail cannot be kept.
    :raises UntaggedByAdminOnly: for `CodeChoice.NONE` outside the console.
    :raises UnknownResellerCode: and the other refusals of `resellers.selectors.find_code`.
    """
    if not is_currency(currency):
        raise CustomerRefused(f"'{currency}' is not a currency; write it as EUR.")
    check_details(details)
    code = _tag(provider_id, channel, reseller_code, at)
    signed_up = channel == Customer.Channel.SIGN_UP
    customer = Customer.objects.create(
        provider_id=provider_id,
        number=_next_number(provider_id),
        currency=currency,
        channel=channel,
        state=Customer.State.AWAITING_CONFIRMATION if signed_up else Customer.State.DRAFT,
        reseller=code.reseller if code else None,
        reseller_code=code,
        created_at=at,
        **asdict(details),
    )
    record(
        provider_id=provider_id,
        action="customer.created",
        changed=customer,
        at=at,
        actor_id=actor_id,
        after={"number": customer.number, "channel": channel, "reseller_code": code},
    )
    return customer


def check_details(details: CustomerDetails) -> None:
    """:raises DetailsRefused: if a name or the e-mail is missing, or a detail cannot be kept."""
    check_fields(Customer(**asdict(details)), DetailsRefused, *asdict(details))


def _tag(
    provider_id: int, channel: Customer.Channel, choice: str | CodeChoice, at: datetime
) -> ResellerCode | None:
    scope = Scope.system(provider_id)
    if choice is CodeChoice.NONE:
        if channel != Customer.Channel.CONSOLE:
            raise UntaggedByAdminOnly("Give a reseller code, or leave it to the default rule.")
        return None
    if choice is CodeChoice.DEFAULT or not choice.strip():
        return default_code(scope)
    return find_code(scope, choice, at)


def _next_number(provider_id: int) -> int:
    # Held to the end of the transaction: a number rolled back is taken by the next one.
    lock_in_transaction("customer_number", provider_id)
    highest = Customer.objects.filter(provider_id=provider_id).aggregate(Max("number"))
    return (highest["number__max"] or 0) + 1
