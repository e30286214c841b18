"""Products: what can be sold."""

from datetime import datetime

from django.db import transaction

from audit.services import record
from catalogue.models import Product, ProductKind
from catalogue.rules.units import check_units
from common.errors import DomainError
from common.fields import check_fields
from common.locks import lock_in_transaction


class ProductCodeTaken(DomainError):
    """Another product of the provider has this code, perhaps in another case."""


class ProductRefused(DomainError):
    """The code or the name is missing or longer than one can be."""


@transaction.atomic
def create_product(
    *,
    provider_id: int,
    code: str,
    name: str,
    kind: ProductKind,
    description: str = "",
    rating_unit: str = "",
    volume_unit: str = "",
    at: datetime,
    actor_id: int | None,
) -> Product:
    """Add a product; a voice product without units is rated per minute of seconds.

    :raises UnitsRefused: if the units do not fit the kind or each other.
    :raises ProductRefused: if the code or the name is missing or too long.
    :raises ProductCodeTaken: if the code is in use.
    """
    if kind == ProductKind.VOICE and not rating_unit and not volume_unit:
        rating_unit, volume_unit = "minute", "second"
    check_units(kind, rating_unit, volume_unit)
    check_fields(Product(code=code, name=name), ProductRefused, "code", "name")
    lock_in_transaction("product_code", provider_id, code.lower())
    if Product.objects.filter(provider_id=provider_id, code__iexact=code).exists():
        raise ProductCodeTaken(f"There is a product '{code}' already; choose another code.")
    product = Product.objects.create(
        provider_id=provider_id,
        code=code,
        name=name,
        kind=kind,
        description=description,
        rating_unit=rating_unit,
        volume_unit=volume_unit,
    )
    record(
        provider_id=provider_id,
        action="product.created",
        changed=product,
        at=at,
        actor_id=actor_id,
        after={"code": code, "name": name, "kind": kind},
    )
    return product
