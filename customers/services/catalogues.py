"""Which catalogue a customer buys from: the default one, or one custom catalogue."""

from datetime import datetime

from django.db import transaction

from audit.services import record
from catalogue.models import Catalogue
from common.errors import DomainError
from customers.models import Customer


class CatalogueNotAssignable(DomainError):
    """A disabled catalogue is assigned to nobody, and the default one serves without."""


class CustomerHasCatalogue(DomainError):
    """A customer has at most one custom catalogue, and has another already."""


@transaction.atomic
def assign_catalogue(
    *,
    customer: Customer,
    catalogue: Catalogue,
    replace: bool = False,
    at: datetime,
    actor_id: int | None,
) -> Customer:
    """Have the customer buy from a custom catalogue; `replace` moves it from another one.

    :raises CatalogueNotAssignable: if the catalogue is disabled or the default one.
    :raises CustomerHasCatalogue: if it has another one and `replace` is false: ask, then replace.
    """
    # Locked so that it cannot be disabled in the meantime.
    catalogue = Catalogue.objects.select_for_update(no_key=True).get(pk=catalogue.pk)
    if catalogue.is_default or not catalogue.is_enabled:
        state = "the default catalogue" if catalogue.is_default else "disabled"
        raise CatalogueNotAssignable(f"{catalogue} is {state}; choose an enabled custom one.")
    customer = _locked(customer)
    before = customer.custom_catalogue
    if before is not None and before != catalogue and not replace:
        raise CustomerHasCatalogue(
            f"{customer} buys from {before}; confirm that {catalogue} is to replace it."
        )
    return _link(customer, before, catalogue, at=at, actor_id=actor_id)


@transaction.atomic
def clear_catalogue(*, customer: Customer, at: datetime, actor_id: int | None) -> Customer:
    """Have the customer buy from the default catalogue again."""
    customer = _locked(customer)
    return _link(customer, customer.custom_catalogue, None, at=at, actor_id=actor_id)


def _link(
    customer: Customer,
    before: Catalogue | None,
    after: Catalogue | None,
    *,
    at: datetime,
    actor_id: int | None,
) -> Customer:
    if before == after:
        return customer
    customer.custom_catalogue = after
    customer.save(update_fields=["custom_catalogue"])
    record(
        provider_id=customer.provider_id,
        action="customer.catalogue_changed",
        changed=customer,
        at=at,
        actor_id=actor_id,
        before={"catalogue": before},
        after={"catalogue": after},
    )
    return customer


def _locked(customer: Customer) -> Customer:
    return Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
