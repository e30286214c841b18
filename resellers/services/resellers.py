"""Resellers: joining, moving in the tree, being disabled and enabled."""

from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from audit.services import record
from common.currencies import is_currency
from common.errors import DomainError
from common.fields import check_fields
from common.locks import lock_in_transaction
from common.scope import Scope
from resellers.models import Reseller, ResellerModule
from resellers.selectors import reseller_tree


class ResellerRefused(DomainError):
    """The currency is none."""


class DetailsRefused(DomainError):
    """A name or the e-mail is missing, or something is too long or no address."""


class ResellerBelowItself(DomainError):
    """A reseller cannot be its own ancestor."""


class ResellerStateUnchanged(DomainError):
    """The reseller is disabled, or active, already."""


class OwnsDefaultCode(DomainError):
    """Sign-ups use a code of this reseller; another default comes first."""


@dataclass(frozen=True, kw_only=True)
class ResellerDetails:
    """Who a reseller is and where it is reached."""

    organisation: str
    first_name: str
    last_name: str
    email: str
    phone: str = ""
    address: str = ""
    country: str = ""
    tax_number: str = ""


@transaction.atomic
def create_reseller(
    *,
    provider_id: int,
    details: ResellerDetails,
    currency: str,
    parent: Reseller | None = None,
    at: datetime,
    actor_id: int | None,
) -> Reseller:
    """Add an active reseller with the provider's next number, under `parent` or at the top.

    :raises ResellerRefused: for what is no currency (ISO 4217).
    :raises DetailsRefused: if a name or the e-mail is missing, or a detail cannot be kept.
    """
    if not is_currency(currency):
        raise ResellerRefused(f"'{currency}' is not a currency; write it as EUR.")
    _check_details(details)
    reseller = Reseller.objects.create(
        provider_id=provider_id,
        number=_next_number(provider_id),
        parent=parent,
        currency=currency,
        active_since=at,
        **asdict(details),
    )
    record(
        provider_id=provider_id,
        action="reseller.created",
        changed=reseller,
        at=at,
        actor_id=actor_id,
        after={"number": reseller.number, "organisation": details.organisation, "parent": parent},
    )
    return reseller


@transaction.atomic
def edit_reseller(
    *, reseller: Reseller, details: ResellerDetails, at: datetime, actor_id: int | None
) -> Reseller:
    """Replace name and contact details.

    :raises DetailsRefused: if a name or the e-mail is missing, or a detail cannot be kept.
    """
    _check_details(details)
    reseller = _locked(reseller)
    after = asdict(details)
    before = {name: getattr(reseller, name) for name in after}
    changed = [name for name in after if before[name] != after[name]]
    if not changed:
        return reseller
    for name in changed:
        setattr(reseller, name, after[name])
    reseller.save(update_fields=changed)
    record(
        provider_id=reseller.provider_id,
        action="reseller.edited",
        changed=reseller,
        at=at,
        actor_id=actor_id,
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
    )
    return reseller


@transaction.atomic
def move_reseller(
    *, reseller: Reseller, parent: Reseller | None, at: datetime, actor_id: int | None
) -> Reseller:
    """Put a reseller, with everyone below it, under another parent or at the top.

    Legs of calls rated before stay with those who paid them.

    :raises ResellerBelowItself: if `parent` is the reseller or stands below it.
    """
    # One move at a time, or two of them could close a circle.
    lock_in_transaction("reseller_move", reseller.provider_id)
    reseller = _locked(reseller)
    tree = reseller_tree(Scope.system(reseller.provider_id))
    if parent is not None and tree.would_close_circle(reseller.pk, parent.pk):
        raise ResellerBelowItself(f"{parent} is {reseller} or stands below it; move that first.")
    before = reseller.parent
    if before == parent:
        return reseller
    reseller.parent = parent
    reseller.save(update_fields=["parent"])
    record(
        provider_id=reseller.provider_id,
        action="reseller.moved",
        changed=reseller,
        at=at,
        actor_id=actor_id,
        before={"parent": before and before.number},
        after={"parent": parent and parent.number},
    )
    return reseller


@transaction.atomic
def disable_reseller(*, reseller: Reseller, at: datetime, actor_id: int | None) -> Reseller:
    """Refuse the reseller's codes and sign-ins; its customers stay tagged and are billed on.

    What happens from `at` on earns it commission only where the provider's module says so.

    :raises ResellerStateUnchanged: if it is disabled.
    :raises OwnsDefaultCode: if sign-ups without a code use one of its codes.
    """
    reseller = _locked(reseller)
    _check_state(reseller, Reseller.State.ACTIVE)
    module = ResellerModule.objects.filter(default_code__reseller=reseller)
    default = module.select_related("default_code").first()
    if default is not None:
        raise OwnsDefaultCode(
            f"{default.default_code} of {reseller} is the default code; choose another first."
        )
    return _change_state(reseller, Reseller.State.DISABLED, at=at, actor_id=actor_id)


@transaction.atomic
def enable_reseller(*, reseller: Reseller, at: datetime, actor_id: int | None) -> Reseller:
    """Let a disabled reseller's codes and sign-ins work again.

    :raises ResellerStateUnchanged: if it is active.
    """
    reseller = _locked(reseller)
    _check_state(reseller, Reseller.State.DISABLED)
    return _change_state(reseller, Reseller.State.ACTIVE, at=at, actor_id=actor_id)


def _check_details(details: ResellerDetails) -> None:
    check_fields(Reseller(**asdict(details)), DetailsRefused, *asdict(details))


def _next_number(provider_id: int) -> int:
    # Held to the end of the transaction: a number rolled back is taken by the next one.
    lock_in_transaction("reseller_number", provider_id)
    highest = Reseller.objects.filter(provider_id=provider_id).aggregate(Max("number"))
    return (highest["number__max"] or 0) + 1


def _locked(reseller: Reseller) -> Reseller:
    return Reseller.objects.select_for_update(no_key=True).get(pk=reseller.pk)


def _check_state(reseller: Reseller, state: Reseller.State) -> None:
    if reseller.state != state:
        raise ResellerStateUnchanged(f"{reseller} is {reseller.state.lower()} already.")


def _change_state(
    reseller: Reseller, state: Reseller.State, *, at: datetime, actor_id: int | None
) -> Reseller:
    before, reseller.state = reseller.state, state
    reseller.disabled_at = at if state == Reseller.State.DISABLED else None
    reseller.save(update_fields=["state", "disabled_at"])
    record(
        provider_id=reseller.provider_id,
        action="reseller.enabled" if state == Reseller.State.ACTIVE else "reseller.disabled",
        changed=reseller,
        at=at,
        actor_id=actor_id,
        before={"state": before},
        after={"state": state},
    )
    return reseller
