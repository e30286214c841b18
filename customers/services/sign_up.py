"""Customers who sign up themselves: theirs is the account once their e-mail is confirmed."""

from datetime import datetime

from django.db import transaction

from customers.models import Customer, TeamMember
from customers.services.accounts import change_state
from customers.services.onboarding import CustomerDetails, create_customer
from customers.services.team import add_team_member
from tenancy.models import Provider


@transaction.atomic
def sign_up(
    *,
    provider: Provider,
    details: CustomerDetails,
    password: str,
    reseller_code: str = "",
    at: datetime,
) -> TeamMember:
    """A customer that awaits its confirmation, billed in the provider's currency, and its admin.

    Without a code the provider's default code counts, if it has one.

    :raises UnknownResellerCode: and the other refusals of `resellers.selectors.find_code`.
    :raises EmailTaken: if somebody signs in with this e-mail already.
    :raises PasswordRefused: if the password is too weak.
    """
    customer = create_customer(
        provider_id=provider.pk,
        details=details,
        currency=provider.currency,
        channel=Customer.Channel.SIGN_UP,
        reseller_code=reseller_code,
        at=at,
        actor_id=None,
    )
    return add_team_member(
        customer=customer,
        email=details.email,
        role=TeamMember.TeamRole.ADMIN,
        name=f"{details.first_name} {details.last_name}",
        password=password,
        at=at,
        actor_id=None,
    )


@transaction.atomic
def confirm_sign_up(*, member: TeamMember, at: datetime) -> Customer:
    """Let a customer in whose admin has confirmed the e-mail; others stay as they are."""
    customer = Customer.objects.select_for_update(no_key=True).get(pk=member.customer_id)
    if customer.state != Customer.State.AWAITING_CONFIRMATION:
        return customer
    return change_state(
        customer=customer,
        state=Customer.State.ACTIVE,
        reason="The e-mail was confirmed.",
        at=at,
        actor_id=member.user_id,
    )
