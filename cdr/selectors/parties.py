"""Who the payers and payees of legs and suspense are."""

from collections.abc import Collection, Mapping

from django.db.models import Model

from cdr.models import PartyKind
from common.scope import Scope
from customers.models import Customer
from resellers.models import Reseller, Vendor
from tenancy.models import Provider
from tenancy.selectors import own_provider

PartyKey = tuple[int, int]
"""The kind and id of a party, as legs hold them."""


def parties(scope: Scope, keys: Collection[PartyKey]) -> Mapping[PartyKey, Model]:
    """The rows behind the keys, by one query for each kind that occurs; absent where not seen."""
    found: dict[PartyKey, Model] = {}
    for kind, model in _MODELS.items():
        ids = {party_id for party_kind, party_id in keys if party_kind == kind}
        if ids:
            rows = model.objects.visible_to(scope).filter(pk__in=ids).order_by("pk")
            found |= {(int(kind), row.pk): row for row in rows}
    if any(kind == PartyKind.PROVIDER for kind, _ in keys):
        provider: Provider = own_provider(scope)
        found[int(PartyKind.PROVIDER), 0] = provider
    return found


_MODELS: Mapping[PartyKind, type[Customer | Reseller | Vendor]] = {
    PartyKind.CUSTOMER: Customer,
    PartyKind.RESELLER: Reseller,
    PartyKind.VENDOR: Vendor,
}
