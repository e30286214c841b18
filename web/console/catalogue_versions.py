"""Publishing a catalogue in the console, its versions, and what changed between them."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from django.contrib import messages
from django.http import HttpResponse
from django.urls import path, reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.timezone import localtime

from catalogue import selectors
from catalogue.models import CatalogueVersion
from catalogue.rules.differences import DifferenceKind, FieldChange, ItemDifference
from catalogue.rules.items import Terms
from catalogue.selectors.allowances import (
    unpublished_allowance_differences,
    version_allowance_differences,
)
from catalogue.services.publishing import EffectiveInThePast, publish_catalogue
from common import clock
from common.scope import Scope, Surface
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.console.allowance_rows import allowance_rows
from web.console.catalogue_items import ItemTable
from web.console.catalogue_pages import address, find, frame
from web.shared.form_fields import Form, InstantField
from web.shared.form_pages import FormPage, Review, form_page
from web.shared.lists import Empty, list_page
from web.shared.tables import Column, InstantColumn, LinkColumn, Table
from web.shared.writing import NONE, plain_number, price_html

CHANGES = {
    DifferenceKind.ADDED: "added",
    DifferenceKind.REMOVED: "removed",
    DifferenceKind.CHANGED: "changed",
}
HEADINGS = ["Item", "What", "Before", "After"]


class PublishForm(Form):
    effective_at = InstantField(label="Takes effect", required=False, help_text="Empty: at once.")


@page_of(Surface.CONSOLE, "catalogue.write", FORM_METHODS)
def catalogue_publish(request: SurfaceRequest, catalogue_id: int) -> HttpResponse:
    catalogue = find(request.scope, catalogue_id)
    url = address("console_catalogue_versions", catalogue)

    def review(form: PublishForm) -> Review:
        changes = [
            *_rows(request.scope, selectors.unpublished_differences(request.scope, catalogue)),
            *allowance_rows(
                request.scope, unpublished_allowance_differences(request.scope, catalogue)
            ),
        ]
        return Review(
            title=f"Publish {catalogue}?",
            lead="The version never changes afterwards. Subscriptions keep the price at which they"
            " were bought."
            if changes
            else "Nothing has changed since the last version.",
            facts=[
                ("Customers who buy from it", str(getattr(catalogue, "customer_count", 0))),
                ("Takes effect", _written(form.cleaned_data["effective_at"])),
            ],
            headings=HEADINGS,
            rows=changes,
            submit="Publish",
        )

    def save(form: PublishForm) -> str:
        version = publish_catalogue(
            catalogue=catalogue,
            effective_at=form.cleaned_data["effective_at"],
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"Version {version.number} of {catalogue} was published.")
        return url

    page = FormPage(
        f"Publish {catalogue}",
        submit="Continue",
        cancel_url=address("console_catalogue", catalogue),
        lead="The draft becomes the next version, which customers see.",
    )
    return form_page(
        request,
        page,
        form=PublishForm,
        save=save,
        review=review,
        fields_of={EffectiveInThePast: "effective_at"},
    )


class VersionTable(Table):
    number = LinkColumn("Version")
    effective_at = InstantColumn("Takes effect")
    published_at = InstantColumn("Published")
    published_by = Column("By", accessor="published_by__email", default="the system")


@page_of(Surface.CONSOLE, "catalogue.read")
def catalogue_versions(request: SurfaceRequest, catalogue_id: int) -> HttpResponse:
    catalogue = find(request.scope, catalogue_id)
    return list_page(
        request,
        title=f"Versions of {catalogue}",
        rows=selectors.versions(request.scope, catalogue),
        table=VersionTable,
        name=f"versions-of-catalogue-{catalogue.pk}",
        empty=Empty(
            "Nothing is published yet", "Customers see what it sells once its draft is published."
        ),
        template="console/catalogue/catalogue_versions.html",
        context={
            "current": selectors.version_at(request.scope, catalogue.pk, clock.now()),
            **frame(request, catalogue),
        },
    )


@page_of(Surface.CONSOLE, "catalogue.read")
def catalogue_version(request: SurfaceRequest, version_id: int) -> HttpResponse:
    version = selectors.version(request.scope, version_id)
    others = selectors.versions(request.scope, version.catalogue).exclude(pk=version.pk)
    older = _compared_with(request, version, others)
    return list_page(
        request,
        title=f"Version {version.number} of {version.catalogue}",
        rows=selectors.version_items(request.scope, version),
        table=ItemTable,
        name=f"catalogue-{version.catalogue_id}-version-{version.number}",
        empty=Empty("No items"),
        template="console/catalogue/catalogue_version.html",
        context={
            "version": version,
            "versions_url": address("console_catalogue_versions", version.catalogue),
            "others": others,
            "older": older,
            "headings": HEADINGS,
            "changes": _changes(request.scope, older, version) if older else (),
            "allowances_url": reverse(
                "console_version_allowances", kwargs={"version_id": version.pk}
            ),
        },
    )


def _changes(scope: Scope, older: CatalogueVersion, newer: CatalogueVersion) -> list[list[str]]:
    return [
        *_rows(scope, selectors.version_differences(scope, older, newer)),
        *allowance_rows(scope, version_allowance_differences(scope, older, newer)),
    ]


def _compared_with(
    request: SurfaceRequest, version: CatalogueVersion, others: Iterable[CatalogueVersion]
) -> CatalogueVersion | None:
    """The version whose number `?than=` gives, or else the one before; None before the first."""
    asked = request.GET.get("than", "")
    by_number = {str(other.number): other for other in others}
    return by_number.get(asked) or by_number.get(str(version.number - 1))


def _rows(scope: Scope, changes: Iterable[ItemDifference]) -> list[list[str]]:
    """One row for each item that came or went, and for each field that changed."""
    products = {product.pk: product.name for product in selectors.products(scope)}
    tables = {str(table.pk): table.name for table in selectors.rate_tables(scope)}
    rows = []
    for change in changes:
        item = f"{products[change.product_id]}, {change.currency}"
        if not change.changes:
            prices = [_price(terms, tables) for terms in (change.before, change.after)]
            rows.append([item, CHANGES[change.kind], *prices])
        rows += [[item, *_field(field, tables)] for field in change.changes]
    return rows


def _price(terms: Terms | None, tables: dict[str, str]) -> str:
    """What an item is sold at: its price, for each period where it recurs, or its rate table."""
    if terms is None:
        return NONE
    if terms.tiers:
        return f"{terms.tier_model.lower()} tiers {terms.tiers}"
    if terms.price is None:
        return tables.get(str(terms.rate_table_id), NONE)
    price = price_html(terms.price, terms.currency)
    if not terms.price_period:
        return price
    return format_html("{} a {}", price, terms.price_period.lower())


def _field(change: FieldChange, tables: dict[str, str]) -> list[str]:
    name = change.field.removesuffix("_id").replace("_", " ")
    values = [_value(change.field, value, tables) for value in (change.before, change.after)]
    return [name, *values]


def _value(field: str, value: object, tables: dict[str, str]) -> str:
    if value is None or value == "":
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return plain_number(value)
    return tables.get(str(value), str(value)) if field == "rate_table_id" else str(value)


def _written(instant: datetime | None) -> str:
    return date_format(localtime(instant), "DATETIME_FORMAT") if instant else "at once"


urls = [
    path(
        "catalogues/<int:catalogue_id>/publish/",
        catalogue_publish,
        name="console_catalogue_publish",
    ),
    path(
        "catalogues/<int:catalogue_id>/versions/",
        catalogue_versions,
        name="console_catalogue_versions",
    ),
    path(
        "catalogues/versions/<int:version_id>/",
        catalogue_version,
        name="console_catalogue_version",
    ),
]
