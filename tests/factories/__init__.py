"""Rows for tests, made the short way; each function gives every field a plausible value."""

import itertools
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from billing.models import Tax, TaxProfile
from catalogue.models import (
    Catalogue,
    CatalogueVersion,
    CatalogueVersionItem,
    Product,
    ProductKind,
    Rate,
    RateTable,
    TimeProfile,
)
from cdr.models import CustomerIdentifier, Source, Trunk, WhatIf, WhatIfReseller
from customers.models import Customer, TeamMember
from resellers.models import (
    BillingModeAssignment,
    Reseller,
    ResellerCode,
    ResellerModule,
    ResellerUser,
    Vendor,
)
from tenancy.models import BillerEntity, Membership, Provider, Role, User
from tenancy.rules.permissions import built_in_roles

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
_serial = itertools.count(1)


def make_provider(slug: str = "", **fields: Any) -> Provider:
    """A provider with its built-in roles, default biller entity and reseller module on."""
    serial = next(_serial)
    values = {
        "slug": slug or f"provider-{serial}",
        "name": f"Provider {serial}",
        "currency": "EUR",
        "time_zone": "Europe/Berlin",
        "created_at": LONG_AGO,
    }
    provider = Provider.objects.create(**values | fields)
    Role.objects.bulk_create(
        Role(provider=provider, name=name, is_built_in=True, permissions=sorted(codes))
        for name, codes in built_in_roles().items()
    )
    make_biller_entity(provider)
    ResellerModule.objects.create(provider=provider, is_enabled=True)
    return provider


def make_biller_entity(provider: Provider, **fields: Any) -> BillerEntity:
    values = {
        "name": f"{provider.name} GmbH",
        "address": "Hauptstrasse 1\n10115 Berlin",
        "country": "DE",
        "tax_number": "DE123456789",
        "email": "billing@example.com",
        "is_default": True,
    }
    return BillerEntity.objects.create(provider=provider, **values | fields)


def make_user(email: str = "", password: str | None = None, **fields: Any) -> User:
    user = User(email=email or f"user{next(_serial)}@example.com", created_at=LONG_AGO, **fields)
    user.set_password(password)
    user.save()
    return user


def make_staff(provider: Provider, role: str = "Admin", **fields: Any) -> User:
    """A user who works for the provider under one of the built-in roles."""
    user = make_user(**fields)
    Membership.objects.create(
        provider=provider,
        user=user,
        role=Role.objects.get(provider=provider, name=role),
        created_at=LONG_AGO,
    )
    return user


def make_reseller(provider: Provider, parent: Reseller | None = None, **fields: Any) -> Reseller:
    serial = next(_serial)
    values = {
        "number": serial,
        "first_name": "Rita",
        "last_name": "Reseller",
        "organisation": f"Reseller {serial}",
        "email": f"reseller{serial}@example.com",
        "currency": provider.currency,
        "active_since": LONG_AGO,
        "disabled_at": LONG_AGO if fields.get("state") == Reseller.State.DISABLED else None,
    }
    return Reseller.objects.create(provider=provider, parent=parent, **values | fields)


def make_code(reseller: Reseller, code: str = "", **fields: Any) -> ResellerCode:
    """A published code of the reseller."""
    values = {"code": code or f"CODE{next(_serial)}", "published_at": LONG_AGO}
    return ResellerCode.objects.create(
        provider=reseller.provider, reseller=reseller, **values | fields
    )


def make_reseller_user(reseller: Reseller, **fields: Any) -> User:
    user = make_user(**fields)
    ResellerUser.objects.create(
        provider=reseller.provider, reseller=reseller, user=user, created_at=LONG_AGO
    )
    return user


def make_customer(provider: Provider, reseller: Reseller | None = None, **fields: Any) -> Customer:
    """An active customer, tagged with the reseller's first code where one is given."""
    serial = next(_serial)
    code = None
    if reseller is not None:
        code = reseller.codes.first() or make_code(reseller)
    values = {
        "reseller_code": code,
        "number": serial,
        "organisation": f"Customer {serial}",
        "first_name": "Carl",
        "last_name": "Customer",
        "email": f"customer{serial}@example.com",
        "address": "Nebenstrasse 2\n10117 Berlin",
        "country": "DE",
        "currency": provider.currency,
        "state": Customer.State.ACTIVE,
        "channel": Customer.Channel.CONSOLE,
        "created_at": LONG_AGO,
        "active_since": LONG_AGO,
    }
    return Customer.objects.create(provider=provider, reseller=reseller, **values | fields)


def make_team_member(customer: Customer, role: str = "ADMIN", **fields: Any) -> User:
    user = make_user(**fields)
    TeamMember.objects.create(
        provider=customer.provider, customer=customer, user=user, role=role, created_at=LONG_AGO
    )
    return user


def make_product(provider: Provider, kind: str = ProductKind.VOICE, **fields: Any) -> Product:
    serial = next(_serial)
    values = {"code": f"product-{serial}", "name": f"Product {serial}"}
    if kind == ProductKind.VOICE:
        values |= {"rating_unit": "minute", "volume_unit": "second"}
    if kind == ProductKind.METERED:
        values |= {"rating_unit": "GB", "volume_unit": "MB"}
    return Product.objects.create(provider=provider, kind=kind, **values | fields)


def make_rate_table(
    product: Product, rates: Mapping[str, str | Mapping[str, Any]] | None = None, **fields: Any
) -> RateTable:
    """A table with rates by prefix: `{"49": "0.05", "44": {"rate": "0.1", "minimum": 60}}`."""
    values = {
        "name": f"Rate table {next(_serial)}",
        "currency": product.provider.currency,
        "time_zone": product.provider.time_zone,
        "created_at": LONG_AGO,
    }
    table = RateTable.objects.create(provider=product.provider, product=product, **values | fields)
    for prefix, terms in (rates or {}).items():
        given = {"rate": terms} if isinstance(terms, str) else dict(terms)
        make_rate(table, prefix, **given)
    return table


def make_time_profile(provider: Provider, ranges: str, weight: int = 0) -> TimeProfile:
    return TimeProfile.objects.create(
        provider=provider, name=f"Time profile {next(_serial)}", ranges=ranges, weight=weight
    )


def make_rate(table: RateTable, prefix: str, **fields: Any) -> Rate:
    values = {
        "destination": f"Destination {prefix}",
        "effective_from": LONG_AGO,
        "rate": Decimal("0.05"),
    }
    return Rate.objects.create(
        provider=table.provider, rate_table=table, prefix=prefix, **values | fields
    )


def make_catalogue(
    provider: Provider, items: list[dict[str, Any]] | None = None, **fields: Any
) -> CatalogueVersion:
    """A catalogue published once, long ago; `items` are fields of its version's items."""
    values = {"name": f"Catalogue {next(_serial)}", "created_at": LONG_AGO}
    catalogue = Catalogue.objects.create(provider=provider, **values | fields)
    version = CatalogueVersion.objects.create(
        provider=provider,
        catalogue=catalogue,
        number=1,
        published_at=LONG_AGO,
        effective_at=LONG_AGO,
    )
    for item in items or []:
        terms = {"currency": provider.currency} | item
        CatalogueVersionItem.objects.create(provider=provider, version=version, **terms)
    return version


def make_vendor(rate_table: RateTable, owner: Reseller | None = None, **fields: Any) -> Vendor:
    values = {"name": f"Vendor {next(_serial)}"}
    return Vendor.objects.create(
        provider=rate_table.provider, rate_table=rate_table, owner=owner, **values | fields
    )


def make_billing_mode(
    reseller: Reseller, rate_table: RateTable, **fields: Any
) -> BillingModeAssignment:
    values = {"product": rate_table.product, "valid_from": LONG_AGO}
    return BillingModeAssignment.objects.create(
        provider=reseller.provider, reseller=reseller, rate_table=rate_table, **values | fields
    )


def make_what_if(reseller: Reseller, **fields: Any) -> WhatIf:
    """A question about a reseller and October 2026 that nobody has answered yet."""
    provider = reseller.provider
    values = {
        "rate_table": make_rate_table(make_product(provider)),
        "policy": BillingModeAssignment.Policy.PARENT_VENDORS_ONLY,
        "from_date": date(2026, 10, 1),
        "to_date": date(2026, 11, 1),
        "day_count": 31,
        "asked_at": LONG_AGO,
        "queued_at": LONG_AGO,
    }
    question = WhatIf.objects.create(provider=provider, **values | fields)
    WhatIfReseller.objects.create(provider=provider, what_if=question, reseller=reseller)
    return question


def make_source(product: Product, default_vendor: Vendor | None = None, **fields: Any) -> Source:
    values = {
        "slug": f"source-{next(_serial)}",
        "name": "Switch",
        "format": Source.Format.FREESWITCH_CSV,
        "time_zone": product.provider.time_zone,
        "country_prefix": "49",
    }
    return Source.objects.create(
        provider=product.provider, product=product, default_vendor=default_vendor, **values | fields
    )


def make_trunk(source: Source, vendor: Vendor, tech_prefix: str) -> Trunk:
    return Trunk.objects.create(
        provider=source.provider, source=source, vendor=vendor, tech_prefix=tech_prefix
    )


def make_identifier(
    customer: Customer, value: str, kind: str = CustomerIdentifier.Kind.ACCOUNT_CODE
) -> CustomerIdentifier:
    return CustomerIdentifier.objects.create(
        provider=customer.provider, customer=customer, kind=kind, value=value
    )


def make_tax_profile(provider: Provider, *percents: str) -> TaxProfile:
    """The default profile with one tax per percent, all at the same priority."""
    profile = TaxProfile.objects.create(provider=provider, name="Standard", is_default=True)
    for percent in percents:
        Tax.objects.create(
            provider=provider, profile=profile, name=f"VAT {percent} %", percent=Decimal(percent)
        )
    return profile
