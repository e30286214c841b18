"""Customers who sign up themselves: theirs is the account once their e-mail is confirmed."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from audit.services import record
from common.errors import DomainError
from common.scope import Scope
from customers.models import Consent, Customer, SignUpSettings, SignUpTerms, TeamMember
from customers.rules.sign_up import is_blocked
from customers.selectors import current_terms, sign_up_settings
from customers.services.accounts import change_state
from customers.services.onboarding import CustomerDetails, create_customer
from customers.services.team import add_team_member
from tenancy.models import Provider
from tenancy.services.people import check_password


class SignUpClosed(DomainError):
    """The provider takes in customers by invitation only."""


class DomainBlocked(DomainError):
    """The provider takes nobody with an address of this domain."""


class CurrencyNotOffered(DomainError):
    """The provider bills nobody who signs up in this currency."""


class TermsNotAgreed(DomainError):
    """The terms that hold now are not those that were agreed to."""


@dataclass(frozen=True, kw_only=True)
class SignUp:
    """What somebody gives who signs up.

    `currency` empty: the provider's. `agreed_version` is the version of the terms they saw and
    agreed to, None where there were none; `address` is where they did that from.
    """

    details: CustomerDetails
    password: str
    reseller_code: str = ""
    currency: str = ""
    agreed_version: int | None = None
    address: str | None = None


@transaction.atomic
def sign_up(*, provider: Provider, given: SignUp, at: datetime) -> TeamMember:
    """A customer that awaits its confirmation, and its admin.

    Without a code the provider's default code counts, if it has one.

    :raises SignUpClosed: if the provider takes in nobody but whom it invites.
    :raises DomainBlocked: if it takes nobody with such an e-mail address.
    :raises CurrencyNotOffered: if it does not offer the currency.
    :raises TermsNotAgreed: if other terms hold than those agreed to.
    :raises UnknownResellerCode: and the other refusals of `resellers.selectors.find_code`.
    :raises PasswordRefused: if the password is too weak; before it is known whether the e-mail
        is taken, so that the answer does not tell.
    :raises EmailTaken: if somebody signs in with this e-mail already.
    """
    name = f"{given.details.first_name} {given.details.last_name}"
    settings = sign_up_settings(Scope.system(provider.pk))
    _check_taken_in(settings, given.details.email)
    currency = given.currency or provider.currency
    if currency != provider.currency and currency not in settings.currencies:
        raise CurrencyNotOffered(f"{provider} does not offer {currency}; choose another one.")
    terms = _agreed_terms(provider, given.agreed_version)
    check_password(given.password, email=given.details.email, name=name)
    customer = create_customer(
        provider_id=provider.pk,
        details=given.details,
        currency=currency,
        channel=Customer.Channel.SIGN_UP,
        reseller_code=given.reseller_code,
        at=at,
        actor_id=None,
    )
    if terms is not None:
        _record_consent(customer, terms, given.address, at=at)
    return add_team_member(
        customer=customer,
        email=given.details.email,
        role=TeamMember.TeamRole.ADMIN,
        name=name,
        password=given.password,
        at=at,
        actor_id=None,
    )


@transaction.atomic
def confirm_sign_up(*, member: TeamMember, at: datetime) -> Customer:
    """Let a customer in whose admin has confirmed the e-mail; others stay as they are.

    Where the provider approves sign-ups itself, it is a draft until then.
    """
    customer = Customer.objects.select_for_update(no_key=True).get(pk=member.customer_id)
    if customer.state != Customer.State.AWAITING_CONFIRMATION:
        return customer
    settings = sign_up_settings(Scope.system(customer.provider_id))
    needs_approval = settings.mode == SignUpSettings.Mode.APPROVAL
    return change_state(
        customer=customer,
        state=Customer.State.DRAFT if needs_approval else Customer.State.ACTIVE,
        reason="The e-mail was confirmed.",
        at=at,
        actor_id=member.user_id,
    )


def _check_taken_in(settings: SignUpSettings, email: str) -> None:
    if settings.mode == SignUpSettings.Mode.INVITATION:
        raise SignUpClosed("Customers come in by invitation only; ask for one.")
    if is_blocked(email, settings.blocked_domains):
        domain = email.rpartition("@")[2].lower()
        raise DomainBlocked(f"Addresses of {domain} are not accepted; use another one.")


def _agreed_terms(provider: Provider, agreed_version: int | None) -> SignUpTerms | None:
    terms = current_terms(Scope.system(provider.pk))
    if (terms.version if terms else None) != agreed_version:
        raise TermsNotAgreed("The terms have changed meanwhile; read and agree to them again.")
    return terms


def _record_consent(
    customer: Customer, terms: SignUpTerms, address: str | None, *, at: datetime
) -> None:
    Consent.objects.create(
        provider_id=customer.provider_id,
        customer=customer,
        terms=terms,
        agreed_at=at,
        address=address,
    )
    record(
        provider_id=customer.provider_id,
        action="customer.agreed_to_terms",
        changed=customer,
        at=at,
        actor_id=None,
        after={"version": terms.version},
        address=address,
    )
