from decimal import Decimal

from catalogue.models import CatalogueItem, ProductKind
from tenancy.models import Provider
from tests.factories import make_catalogue, make_product
from tests.factories.catalogue import make_item_allowance
from tests.web.matrix import Page, staff


def catalogue(provider: Provider) -> dict[str, object]:
    return {"catalogue_id": make_catalogue(provider).catalogue_id}


def item(provider: Provider) -> dict[str, object]:
    item = CatalogueItem.objects.create(
        provider=provider,
        catalogue=make_catalogue(provider).catalogue,
        product=make_product(provider, ProductKind.ONE_TIME),
        currency="EUR",
        price=Decimal(10),
    )
    return {"catalogue_id": item.catalogue_id, "item_id": item.pk}


def allowance(provider: Provider) -> dict[str, object]:
    seat = CatalogueItem.objects.create(
        provider=provider,
        catalogue=make_catalogue(provider).catalogue,
        product=make_product(provider, ProductKind.RECURRING),
        currency="EUR",
        price=Decimal(10),
        price_period="MONTH",
    )
    row = make_item_allowance(seat, make_product(provider))
    return {"catalogue_id": seat.catalogue_id, "item_id": seat.pk, "allowance_id": row.pk}


def version(provider: Provider) -> dict[str, object]:
    return {"version_id": make_catalogue(provider).pk}


PAGES = {
    "console_products": Page(staff("catalogue.list")),
    "console_product_create": Page(staff("catalogue.write")),
    "console_catalogues": Page(staff("catalogue.list")),
    "console_catalogue_create": Page(staff("catalogue.write")),
    "console_catalogue": Page(staff("catalogue.read"), catalogue),
    "console_catalogue_clone": Page(staff("catalogue.write"), catalogue),
    "console_catalogue_disable": Page(staff("catalogue.write"), catalogue),
    "console_catalogue_enable": Page(staff("catalogue.write"), catalogue),
    "console_catalogue_customers": Page(staff("customers.list"), catalogue),
    "console_catalogue_assign": Page(staff("customers.write"), catalogue),
    "console_catalogue_item_add": Page(staff("catalogue.write"), catalogue),
    "console_catalogue_item_change": Page(staff("catalogue.write"), item),
    "console_catalogue_item_remove": Page(staff("catalogue.write"), item),
    "console_item_allowances": Page(staff("catalogue.read"), item),
    "console_item_allowance_add": Page(staff("catalogue.write"), item),
    "console_item_allowance_change": Page(staff("catalogue.write"), allowance),
    "console_item_allowance_remove": Page(staff("catalogue.write"), allowance),
    "console_version_allowances": Page(staff("catalogue.read"), version),
    "console_catalogue_multiply": Page(staff("catalogue.write"), catalogue),
    "console_catalogue_publish": Page(staff("catalogue.write"), catalogue),
    "console_catalogue_versions": Page(staff("catalogue.read"), catalogue),
    "console_catalogue_version": Page(staff("catalogue.read"), version),
}
