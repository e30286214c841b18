"""What a provider says of itself, and what its bills have fixed of that."""

from datetime import datetime

from django.db import transaction

from audit.services import record, record_change
from billing.models import Invoice
from cdr.models import UsageCharge
from common.errors import DomainError
from common.fields import check_fields
from subscriptions.models import Charge
from tenancy.models import Provider
from tenancy.selectors import has_second_factor
from tenancy.services.providers import ProviderRefused, check_currency, check_time_zone


class TimeZoneFixed(DomainError):
    """What was charged is counted by the days of the time zone it was charged in."""


class SecondFactorMissing(DomainError):
    """Who asks a second factor of everybody has none of their own."""


@transaction.atomic
def require_second_factor(
    *, provider_id: int, is_required: bool, at: datetime, actor_id: int
) -> Provider:
    """Show the console to nobody of the staff without a second factor, or to them again.

    :raises SecondFactorMissing: if the actor has none.
    """
    if is_required and not has_second_factor(actor_id):
        raise SecondFactorMissing("Add a second factor of your own first, at Security.")
    provider = Provider.objects.select_for_update(no_key=True).get(pk=provider_id)
    before, provider.staff_need_second_factor = provider.staff_need_second_factor, is_required
    if before == is_required:
        return provider
    provider.save(update_fields=["staff_need_second_factor"])
    record(
        provider_id=provider.pk,
        action="provider.changed",
        changed=provider,
        at=at,
        actor_id=actor_id,
        before={"staff_need_second_factor": before},
        after={"staff_need_second_factor": is_required},
    )
    return provider


@transaction.atomic
def change_provider(
    *,
    provider_id: int,
    name: str,
    currency: str,
    time_zone: str,
    at: datetime,
    actor_id: int | None,
) -> Provider:
    """Change the name people know, the currency proposed for what is new, or the time zone.

    The slug stays for good: sign-up links and gateways know it.

    :raises ProviderRefused: for a name that is missing or too long, or a currency or time zone
        that is none.
    :raises TimeZoneFixed: if the time zone would change after anything was charged.
    """
    provider = Provider.objects.select_for_update(no_key=True).get(pk=provider_id)
    after = {"name": name, "currency": currency, "time_zone": time_zone}
    before = {field: getattr(provider, field) for field in after}
    check_currency(currency)
    check_time_zone(time_zone)
    if time_zone != provider.time_zone and is_time_zone_fixed(provider):
        raise TimeZoneFixed(
            f"It stays {provider.time_zone}: usage, charges and invoices are counted by its days,"
            " and there are some already."
        )
    for field, value in after.items():
        setattr(provider, field, value)
    check_fields(provider, ProviderRefused, "name")
    provider.save(update_fields=list(after))
    record_change(
        provider_id=provider.pk,
        action="provider.changed",
        changed=provider,
        at=at,
        actor_id=actor_id,
        before=before,
        after=after,
    )
    return provider


def is_time_zone_fixed(provider: Provider) -> bool:
    """Whether anything was charged, by days of the time zone."""
    return any(
        rows.objects.filter(provider=provider).exists() for rows in (UsageCharge, Charge, Invoice)
    )
