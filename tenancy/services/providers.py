"""Founding providers."""

import re
from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import transaction

from common.currencies import is_currency
from common.errors import DomainError
from common.fields import check_fields
from common.locks import lock_in_transaction
from common.zones import is_time_zone
from tenancy.models import BillerEntity, Provider, Role
from tenancy.rules.permissions import built_in_roles

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class ProviderRefused(DomainError):
    """A slug, currency, country or time zone is not one, or what the seller needs is missing."""


class SlugTaken(DomainError):
    """Another provider has this slug."""


@dataclass(frozen=True)
class Seller:
    """The legal entity that a provider's invoices name as seller."""

    name: str
    address: str
    country: str
    tax_number: str
    email: str


@transaction.atomic
def create_provider(
    *, slug: str, name: str, currency: str, time_zone: str, seller: Seller, at: datetime
) -> Provider:
    """Found a provider with the built-in roles and its default biller entity.

    :raises ProviderRefused: for a malformed slug, currency (ISO 4217), country (ISO 3166, two
        letters) or an unknown time zone, and where a name, the seller's address, tax number or
        e-mail is missing, too long or no address.
    :raises SlugTaken: if the slug is in use.
    """
    name = name.strip()
    seller = Seller(**{key: value.strip() for key, value in asdict(seller).items()})
    _check_slug(slug)
    check_currency(currency)
    check_country(seller.country)
    check_time_zone(time_zone)
    provider = Provider(slug=slug, name=name, currency=currency, time_zone=time_zone, created_at=at)
    check_fields(provider, ProviderRefused, "name")
    check_fields(BillerEntity(**asdict(seller)), ProviderRefused, *asdict(seller))
    lock_in_transaction("provider_slug", slug)
    if Provider.objects.filter(slug=slug).exists():
        raise SlugTaken(f"There is a provider '{slug}' already; choose another slug.")
    provider.save(force_insert=True)
    Role.objects.bulk_create(
        Role(provider=provider, name=role, is_built_in=True, permissions=sorted(codes))
        for role, codes in built_in_roles().items()
    )
    BillerEntity.objects.create(provider=provider, is_default=True, **asdict(seller))
    return provider


def check_currency(currency: str) -> None:
    """Refuse what is no currency by ISO 4217.

    :raises ProviderRefused: unless it is one.
    """
    if not is_currency(currency):
        raise ProviderRefused(f"'{currency}' is not a currency; write it as EUR.")


def check_country(country: str) -> None:
    """Refuse what is no country by ISO 3166.

    :raises ProviderRefused: unless it is two capital letters.
    """
    if not re.fullmatch(r"[A-Z]{2}", country):
        raise ProviderRefused(f"'{country}' is not a country; write it as DE.")


def check_time_zone(time_zone: str) -> None:
    """Refuse what is no time zone of the IANA's.

    :raises ProviderRefused: unless it is one.
    """
    if not is_time_zone(time_zone):
        raise ProviderRefused(f"'{time_zone}' is not a time zone; write it as Europe/Berlin.")


def _check_slug(slug: str) -> None:
    if not _SLUG.fullmatch(slug) or len(slug) > 40:
        raise ProviderRefused(
            f"'{slug}' is not a slug: up to 40 lower-case letters, digits and single hyphens."
        )
