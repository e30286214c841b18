"""Vendors: who terminates the traffic, and whose they are."""

from datetime import datetime

from django.db import transaction

from audit.services import record
from catalogue.models import RateTable
from common.errors import DomainError
from common.fields import check_fields
from common.locks import lock_in_transaction
from resellers.models import Reseller, Vendor


class VendorNameTaken(DomainError):
    """Another vendor of the provider has this name, perhaps in another case."""


class VendorNameRefused(DomainError):
    """The name is missing or longer than one can be."""


class VendorAlreadyDisabled(DomainError):
    """The vendor is disabled already."""


@transaction.atomic
def create_vendor(
    *,
    provider_id: int,
    name: str,
    rate_table: RateTable,
    owner: Reseller | None = None,
    at: datetime,
    actor_id: int | None,
) -> Vendor:
    """Add a vendor paid by `owner`, or by the provider for None, at `rate_table`.

    :raises VendorNameRefused: if the name is missing or too long.
    :raises VendorNameTaken: if the name is in use.
    """
    check_fields(Vendor(name=name), VendorNameRefused, "name")
    lock_in_transaction("vendor_name", provider_id, name.lower())
    if Vendor.objects.filter(provider_id=provider_id, name__iexact=name).exists():
        raise VendorNameTaken(f"There is a vendor '{name}' already; choose another name.")
    vendor = Vendor.objects.create(
        provider_id=provider_id, name=name, rate_table=rate_table, owner=owner
    )
    record(
        provider_id=provider_id,
        action="vendor.created",
        changed=vendor,
        at=at,
        actor_id=actor_id,
        after={"name": name, "rate_table": rate_table, "owner": owner and owner.number},
    )
    return vendor


@transaction.atomic
def change_vendor_owner(
    *, vendor: Vendor, owner: Reseller | None, at: datetime, actor_id: int | None
) -> Vendor:
    """Have another reseller, or the provider for None, pay the vendor from now on."""
    vendor = Vendor.objects.select_for_update(no_key=True).get(pk=vendor.pk)
    before = vendor.owner
    if before == owner:
        return vendor
    vendor.owner = owner
    vendor.save(update_fields=["owner"])
    record(
        provider_id=vendor.provider_id,
        action="vendor.owner_changed",
        changed=vendor,
        at=at,
        actor_id=actor_id,
        before={"owner": before and before.number},
        after={"owner": owner and owner.number},
    )
    return vendor


@transaction.atomic
def disable_vendor(*, vendor: Vendor, at: datetime, actor_id: int | None) -> Vendor:
    """Take a vendor out of use; what was terminated by it stays.

    :raises VendorAlreadyDisabled: if it is disabled.
    """
    vendor = Vendor.objects.select_for_update(no_key=True).get(pk=vendor.pk)
    if vendor.state == Vendor.State.DISABLED:
        raise VendorAlreadyDisabled(f"{vendor} is disabled already.")
    before, vendor.state = vendor.state, Vendor.State.DISABLED
    vendor.save(update_fields=["state"])
    record(
        provider_id=vendor.provider_id,
        action="vendor.disabled",
        changed=vendor,
        at=at,
        actor_id=actor_id,
        before={"state": before},
        after={"state": vendor.state},
    )
    return vendor
