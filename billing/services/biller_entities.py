"""The legal entities that a provider's invoices name as seller."""

from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import transaction

from audit.services import record, record_change
from common.errors import DomainError
from common.fields import check_fields
from common.locks import lock_in_transaction
from common.money import Rounding, RoundingScope
from tenancy.models import BillerEntity
from tenancy.services.providers import check_country


class BillerEntityRefused(DomainError):
    """Something that the law wants on an invoice is missing, too long, or not what it should be."""


@dataclass(frozen=True, kw_only=True)
class EntityTerms:
    """What invoices print of their seller, and how it rounds and for how long it gives credit."""

    name: str
    address: str
    country: str
    tax_number: str
    email: str
    registration: str = ""
    phone: str = ""
    bank_details: str = ""
    rounding: Rounding = Rounding.HALF_UP
    rounding_scope: RoundingScope = RoundingScope.LINE
    credit_days: int = 14


@transaction.atomic
def add_biller_entity(
    *, provider_id: int, terms: EntityTerms, at: datetime, actor_id: int | None
) -> BillerEntity:
    """Add a seller; customers get it by their billing terms, or once it is the default.

    :raises BillerEntityRefused: if something is missing, too long, or not what it should be.
    :raises ProviderRefused: if the country is none.
    """
    after = asdict(terms)
    brand = BillerEntity.objects.get(provider_id=provider_id, is_default=True)
    entity = BillerEntity(provider_id=provider_id, accent_colour=brand.accent_colour, **after)
    _check(entity, after)
    entity.save(force_insert=True)
    record(
        provider_id=provider_id,
        action="biller_entity.added",
        changed=entity,
        at=at,
        actor_id=actor_id,
        after=after,
    )
    return entity


@transaction.atomic
def edit_biller_entity(
    *, entity: BillerEntity, terms: EntityTerms, at: datetime, actor_id: int | None
) -> BillerEntity:
    """Replace what the next estimates copy of their seller; documents keep what they copied.

    :raises BillerEntityRefused: if something is missing, too long, or not what it should be.
    :raises ProviderRefused: if the country is none.
    """
    entity = BillerEntity.objects.select_for_update(no_key=True).get(pk=entity.pk)
    after = asdict(terms)
    before = {field: getattr(entity, field) for field in after}
    for field, value in after.items():
        setattr(entity, field, value)
    _check(entity, after)
    entity.save(update_fields=list(after))
    record_change(
        provider_id=entity.provider_id,
        action="biller_entity.edited",
        changed=entity,
        at=at,
        actor_id=actor_id,
        before=before,
        after=after,
    )
    return entity


@transaction.atomic
def make_default_entity(
    *, entity: BillerEntity, at: datetime, actor_id: int | None
) -> BillerEntity:
    """Have the seller named wherever a customer has no other, from the next estimate on."""
    lock_in_transaction("default_biller_entity", entity.provider_id)
    former = BillerEntity.objects.get(provider_id=entity.provider_id, is_default=True)
    if former == entity:
        return former
    BillerEntity.objects.filter(pk=former.pk).update(is_default=False)
    BillerEntity.objects.filter(pk=entity.pk).update(is_default=True)
    entity.refresh_from_db()
    record(
        provider_id=entity.provider_id,
        action="biller_entity.made_default",
        changed=entity,
        at=at,
        actor_id=actor_id,
        before={"default": former.name},
        after={"default": entity.name},
    )
    return entity


def _check(entity: BillerEntity, fields: dict[str, object]) -> None:
    check_fields(entity, BillerEntityRefused, *fields)
    check_country(entity.country)
