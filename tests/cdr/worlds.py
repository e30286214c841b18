"""The provider, reseller tree, customer and vendor of rating.md's worked table, as stored rows."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Sum

from catalogue.models import Catalogue, Product, RateTable
from cdr.models import PartyKind, Source, Suspense, XdrFile
from customers.models import Customer
from resellers.models import Reseller, Vendor
from tenancy.models import Provider
from tests.factories import (
    make_catalogue,
    make_customer,
    make_identifier,
    make_product,
    make_provider,
    make_rate_table,
    make_reseller,
    make_source,
    make_vendor,
)
from tests.factories.cdr import Owed


@dataclass(frozen=True)
class World:
    """Root owns the vendor; Sub is its sub-reseller; Carla is Sub's customer, account `carla`.

    The customer pays 0.05, Sub's table says 0.03, the vendor takes 0.02 per minute.
    """

    provider: Provider
    product: Product
    root: Reseller
    sub: Reseller
    vendor: Vendor
    sub_table: RateTable
    carla: Customer
    source: Source

    @property
    def root_party(self) -> tuple[PartyKind, int]:
        return PartyKind.RESELLER, self.root.pk

    @property
    def sub_party(self) -> tuple[PartyKind, int]:
        return PartyKind.RESELLER, self.sub.pk

    def default_catalogue(self) -> Catalogue:
        return Catalogue.objects.get(provider=self.provider, is_default=True)

    def default_table(self) -> RateTable:
        """The table that customers pay by without another."""
        return RateTable.objects.get(provider=self.provider, name="Retail")


def make_world() -> World:
    provider = make_provider()
    product = make_product(provider)
    table = make_rate_table(product, {"": "0.05"}, name="Retail")
    make_catalogue(provider, [{"product": product, "rate_table": table}], is_default=True)
    root = make_reseller(provider)
    sub = make_reseller(provider, parent=root)
    vendor = make_vendor(make_rate_table(product, {"": "0.02"}), owner=root)
    carla = make_customer(provider, sub)
    make_identifier(carla, "carla")
    return World(
        provider=provider,
        product=product,
        root=root,
        sub=sub,
        vendor=vendor,
        sub_table=make_rate_table(product, {"": "0.03"}),
        carla=carla,
        source=make_source(product, default_vendor=vendor),
    )


def margin_of(legs: list[Owed], kind: PartyKind, party_id: int = 0) -> Decimal:
    """What a party is paid less what it pays."""
    party = (kind, party_id)
    earned = sum((leg.amount for leg in legs if leg.payee == party), Decimal(0))
    return earned - sum((leg.amount for leg in legs if leg.payer == party), Decimal(0))


def counts_of(file: XdrFile) -> dict[str, int]:
    """The counts of a file that are not zero."""
    names = ("rated", "zero", "duplicate", "suspended", "partly_suspended", "blank")
    sums = file.chunks.aggregate(**{name: Sum(f"{name}_count") for name in names})
    return {name: count for name, count in sums.items() if count}


def suspense_of(file: XdrFile) -> list[tuple[int, str, int | None, str]]:
    """Line, reason, leg and detail of all that waited."""
    rows = Suspense.objects.filter(chunk__file=file).order_by("line_number", "leg_kind")
    return [(row.line_number, row.reason, row.leg_kind, row.detail) for row in rows]
