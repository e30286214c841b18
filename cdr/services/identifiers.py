"""By what the switches know a customer: account codes, trunks, addresses, telephone numbers."""

from datetime import datetime

from django.db import transaction

from audit.services import record
from catalogue.rules.tags import TagsNotUnderstood, parse_tags
from cdr.models import CustomerIdentifier, IdentifiedBy
from cdr.rules.addresses import canonical_address, canonical_network
from common.errors import DomainError
from common.fields import check_fields
from common.locks import lock_in_transaction
from customers.models import Customer
from subscriptions.models import Subscription

# ITU-T E.164: at most fifteen digits; fewer than seven are an extension or a short code.
SHORTEST_NUMBER, LONGEST_NUMBER = 7, 15
_PUNCTUATION = str.maketrans("", "", " .-/()")


class IdentifierRefused(DomainError):
    """It is missing, too long, or no address or telephone number, or a tag no word."""


class IdentifierTaken(DomainError):
    """A customer of the provider has it already."""


class SubscriptionNotTheirs(DomainError):
    """The subscription is another customer's, or over."""


@transaction.atomic
def give_identifier(
    *,
    customer: Customer,
    kind: IdentifiedBy,
    value: str,
    tags: str = "",
    subscription: Subscription | None = None,
    at: datetime,
    actor_id: int | None,
) -> CustomerIdentifier:
    """Have usage under a code, trunk, address or number (+49 30 1234567) charged to a customer.

    A network (192.0.2.0/24) stands for each of its addresses; of several that hold an address the
    longest counts, and before all of them the address itself. Usage carries the tags, parted by
    commas, and can use what `subscription` includes for itself. What waits in suspense for it is
    rated when it is tried again.

    :raises IdentifierRefused: if it is empty, longer than 64 characters, or none of its kind, or if
        the tags are none.
    :raises IdentifierTaken: if another customer has it, or this one.
    :raises SubscriptionNotTheirs: if the subscription is not the customer's.
    """
    _check_theirs(customer.pk, subscription)
    value = _written(kind, value.strip())
    row = CustomerIdentifier(
        provider_id=customer.provider_id,
        customer=customer,
        kind=kind,
        value=value,
        tags=_tags(tags),
        subscription=subscription,
    )
    check_fields(row, IdentifierRefused, "value")
    lock_in_transaction("identifier", customer.provider_id, kind, value)
    others = CustomerIdentifier.objects.filter(provider_id=customer.provider_id)
    taken = others.filter(kind=kind, value=value).select_related("customer").first()
    if taken is not None:
        raise IdentifierTaken(f"{value} is {taken.customer}'s already; take it away there first.")
    row.save()
    _record("identifier.given", row, at=at, actor_id=actor_id)
    return row


@transaction.atomic
def tag_identifier(
    *, identifier: CustomerIdentifier, tags: str, at: datetime, actor_id: int | None
) -> CustomerIdentifier:
    """Have usage under it carry other tags from now on; what was rated stays.

    :raises IdentifierRefused: if the tags are none.
    """
    row = CustomerIdentifier.objects.select_for_update(no_key=True).get(pk=identifier.pk)
    row.tags = _tags(tags)
    row.save(update_fields=["tags"])
    _record("identifier.tagged", row, at=at, actor_id=actor_id)
    return row


@transaction.atomic
def tie_identifier(
    *,
    identifier: CustomerIdentifier,
    subscription: Subscription | None,
    at: datetime,
    actor_id: int | None,
) -> CustomerIdentifier:
    """Have usage under it use what the subscription includes for itself; None: of none.

    That holds for usage rated from now on.

    :raises SubscriptionNotTheirs: if the subscription is not the customer's, or over.
    """
    row = CustomerIdentifier.objects.select_for_update(no_key=True).get(pk=identifier.pk)
    _check_theirs(row.customer_id, subscription)
    row.subscription = subscription
    row.save(update_fields=["subscription"])
    _record("identifier.tied", row, at=at, actor_id=actor_id)
    return row


@transaction.atomic
def take_identifier(*, identifier: CustomerIdentifier, at: datetime, actor_id: int | None) -> None:
    """Have usage under it charged to nobody from now on; what was rated stays."""
    _record("identifier.taken", identifier, at=at, actor_id=actor_id)
    identifier.delete()


def _check_theirs(customer_id: int, subscription: Subscription | None) -> None:
    if subscription is None:
        return
    theirs = Subscription.objects.filter(customer_id=customer_id, pk=subscription.pk)
    if not theirs.exclude(state=Subscription.State.ENDED).exists():
        raise SubscriptionNotTheirs("Choose a subscription of this customer that is not over.")


def _written(kind: IdentifiedBy, value: str) -> str:
    """As xDRs have it once they are read."""
    if kind == IdentifiedBy.NUMBER:
        return _e164(value)
    if kind == IdentifiedBy.IP:
        return _address(value)
    return value


def _address(text: str) -> str:
    if "/" not in text and (address := canonical_address(text)) is not None:
        return address
    try:
        return canonical_network(text)
    except ValueError as fault:
        raise IdentifierRefused(
            "Write an address, such as 192.0.2.7, or a network, such as 192.0.2.0/24 or"
            f" 2001:db8::/32: {fault}."
        ) from fault


def _e164(number: str) -> str:
    digits = number.translate(_PUNCTUATION).removeprefix("+")
    is_long_enough = SHORTEST_NUMBER <= len(digits) <= LONGEST_NUMBER
    if not (digits.isascii() and digits.isdecimal() and is_long_enough) or digits[0] == "0":
        raise IdentifierRefused("Write the number with its country, such as +49 30 1234567.")
    return digits


def _tags(text: str) -> str:
    try:
        return parse_tags(text)
    except TagsNotUnderstood as error:
        raise IdentifierRefused(str(error), by_field={"tags": str(error)}) from error


def _record(action: str, row: CustomerIdentifier, *, at: datetime, actor_id: int | None) -> None:
    record(
        provider_id=row.provider_id,
        action=action,
        changed=row.customer,
        at=at,
        actor_id=actor_id,
        after={
            "kind": row.kind,
            "value": row.value,
            "tags": row.tags,
            "subscription": row.subscription_id,
        },
    )
