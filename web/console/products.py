"""Products in the console: what can be sold."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.urls import path, reverse

from catalogue import selectors
from catalogue.models import ProductKind
from catalogue.rules.units import UnitsRefused
from catalogue.services.products import ProductCodeTaken, create_product
from common import clock
from common.scope import Surface
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.shared.actions import Action
from web.shared.filters import Filters, choice_filter
from web.shared.form_fields import Form
from web.shared.form_pages import FormPage, form_page
from web.shared.lists import Empty, list_page
from web.shared.tables import BadgeColumn, Column, Table

KINDS = {
    ProductKind.RECURRING: "Recurring: by the month, quarter or year",
    ProductKind.ONE_TIME: "One-time: charged once",
    ProductKind.VOICE: "Voice: calls, priced by a rate table",
    ProductKind.METERED: "Metered: anything counted, priced by tiers of a month",
}


class ProductTable(Table):
    code = Column("Code", orderable=True)
    name = Column("Name", orderable=True)
    kind = BadgeColumn("Kind", accessor="get_kind_display", value="kind")
    rating_unit = Column("Priced per")
    volume_unit = Column("Counted in")
    description = Column("Description")


class ProductFilters(Filters):
    searches = ("name__icontains", "code__icontains")
    search_hint = "Name or code"

    kind = choice_filter("Kind", "kind", ProductKind.choices)


@page_of(Surface.CONSOLE, "catalogue.list")
def product_list(request: SurfaceRequest) -> HttpResponse:
    add = Action(
        "Add product",
        reverse("console_product_create"),
        "plus",
        needs="catalogue.write",
        is_main=True,
    )
    return list_page(
        request,
        title="Products",
        rows=selectors.products(request.scope),
        table=ProductTable,
        filters=ProductFilters,
        name="products",
        actions=[add],
        empty=Empty(
            "No products yet",
            "A product is what can be sold; a catalogue says to whom and at what price.",
            action=add,
        ),
    )


class ProductForm(Form):
    groups = (
        ("What it is", ("code", "name", "kind", "description")),
        (
            "Units of voice and metered products; empty: per minute, counted in seconds",
            ("rating_unit", "volume_unit"),
        ),
    )

    code = forms.CharField(max_length=40, help_text="Short and for good, such as pbx-standard.")
    name = forms.CharField(max_length=200, help_text="As customers and invoices show it.")
    kind = forms.ChoiceField(choices=list(KINDS.items()))
    description = forms.CharField(widget=forms.Textarea, required=False)
    rating_unit = forms.CharField(
        label="Priced per",
        max_length=20,
        required=False,
        help_text="minute or second; B to GB or GiB; message; event.",
    )
    volume_unit = forms.CharField(
        label="Counted in", max_length=20, required=False, help_text="Usage brings whole ones."
    )


@page_of(Surface.CONSOLE, "catalogue.write", FORM_METHODS)
def product_create(request: SurfaceRequest) -> HttpResponse:
    def save(form: ProductForm) -> str:
        product = create_product(
            provider_id=request.scope.provider_id,
            **form.cleaned_data | {"kind": ProductKind(form.cleaned_data["kind"])},
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"{product} was added; put it into a catalogue to sell it.")
        return reverse("console_products")

    page = FormPage("Add a product", submit="Add product", cancel_url=reverse("console_products"))
    fields_of = {ProductCodeTaken: "code", UnitsRefused: "rating_unit"}
    return form_page(request, page, form=ProductForm, save=save, fields_of=fields_of)


urls = [
    path("products/", product_list, name="console_products"),
    path("products/new/", product_create, name="console_product_create"),
]
