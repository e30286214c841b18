"""Catalogues in the console: the list, new ones, clones, and who buys from them."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import path, reverse

from catalogue import selectors
from catalogue.services.catalogues import (
    CatalogueNameTaken,
    clone_catalogue,
    create_catalogue,
    disable_catalogue,
    enable_catalogue,
)
from common import clock
from common.scope import Surface
from customers.models import Customer
from customers.selectors import catalogues_with_customers, customers, customers_of_catalogue
from customers.services.catalogues import assign_catalogue
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.console.catalogue_pages import TAB, address, find, frame
from web.console.steps import Step, StepsColumn
from web.shared.actions import Action
from web.shared.badges import badge
from web.shared.filters import Filters, choice_filter, yes_no_filter
from web.shared.form_fields import CountField, Form
from web.shared.form_pages import FormPage, Review, confirm_page, form_page
from web.shared.lists import Empty, list_page
from web.shared.tables import BadgeColumn, Column, InstantColumn, LinkColumn, NumberColumn, Table


class CatalogueTable(Table):
    name = LinkColumn("Name", orderable=True)
    is_default = Column("Serves")
    version_number = NumberColumn("Last version")
    customer_count = NumberColumn("Customers")
    is_enabled = Column("State")
    created_at = InstantColumn("Created", orderable=True)

    def render_is_default(self, value: bool) -> str:
        return "everybody without another" if value else "the customers it is assigned to"

    def render_is_enabled(self, value: bool) -> str:
        return badge("ENABLED", "Enabled") if value else badge("DISABLED", "Disabled")


class CatalogueFilters(Filters):
    searches = ("name__icontains",)
    search_hint = "Name"

    state = yes_no_filter("State", "is_enabled", yes="Enabled", no="Disabled")


@page_of(Surface.CONSOLE, "catalogue.list")
def catalogue_list(request: SurfaceRequest) -> HttpResponse:
    add = Action(
        "Add catalogue",
        reverse("console_catalogue_create"),
        "plus",
        needs="catalogue.write",
        is_main=True,
    )
    return list_page(
        request,
        title="Catalogues",
        rows=catalogues_with_customers(request.scope),
        table=CatalogueTable,
        filters=CatalogueFilters,
        name="catalogues",
        actions=[add],
        empty=Empty(
            "No catalogues yet",
            "The default catalogue says what every customer may buy, and at what price.",
            action=add,
        ),
    )


class NameForm(Form):
    name = forms.CharField(max_length=100)


class CatalogueForm(NameForm):
    is_default = forms.BooleanField(
        label="The default catalogue, for everybody without another", required=False
    )


@page_of(Surface.CONSOLE, "catalogue.write", FORM_METHODS)
def catalogue_create(request: SurfaceRequest) -> HttpResponse:
    def save(form: NameForm) -> str:
        catalogue = create_catalogue(
            provider_id=request.scope.provider_id,
            **form.cleaned_data,
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"{catalogue} was added; now add what it sells.")
        return address("console_catalogue", catalogue)

    page = FormPage(
        "Add a catalogue", submit="Add catalogue", cancel_url=reverse("console_catalogues")
    )
    has_default = selectors.default_catalogue(request.scope) is not None
    form: type[NameForm] = NameForm if has_default else CatalogueForm
    return form_page(
        request,
        page,
        form=form,
        save=save,
        fields_of={CatalogueNameTaken: "name"},
    )


@page_of(Surface.CONSOLE, "catalogue.write", FORM_METHODS)
def catalogue_clone(request: SurfaceRequest, catalogue_id: int) -> HttpResponse:
    catalogue = find(request.scope, catalogue_id)

    def save(form: NameForm) -> str:
        clone = clone_catalogue(
            catalogue=catalogue,
            name=form.cleaned_data["name"],
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"{clone} has the items of {catalogue}'s draft.")
        return address("console_catalogue", clone)

    page = FormPage(
        f"Clone {catalogue}",
        submit="Clone",
        cancel_url=address("console_catalogue", catalogue),
        lead="The new custom catalogue begins with the items and prices of this one's draft,"
        " without its customers.",
    )
    return form_page(
        request, page, form=NameForm, save=save, fields_of={CatalogueNameTaken: "name"}
    )


@page_of(Surface.CONSOLE, "catalogue.write", FORM_METHODS)
def catalogue_disable(request: SurfaceRequest, catalogue_id: int) -> HttpResponse:
    catalogue = find(request.scope, catalogue_id)
    url = address("console_catalogue", catalogue)

    def confirm() -> str:
        disable_catalogue(catalogue=catalogue, at=clock.now(), actor_id=request.scope.user_id)
        messages.success(request, f"{catalogue} is disabled.")
        return url

    review = Review(
        title=f"Disable {catalogue}?",
        lead="It can no longer be published or assigned. The customers who have it keep it.",
        facts=[("Customers", str(getattr(catalogue, "customer_count", 0)))],
        submit="Disable",
        is_dangerous=True,
    )
    return confirm_page(request, review, confirm=confirm, cancel_url=url)


@page_of(Surface.CONSOLE, "catalogue.write", FORM_METHODS)
def catalogue_enable(request: SurfaceRequest, catalogue_id: int) -> HttpResponse:
    catalogue = find(request.scope, catalogue_id)
    url = address("console_catalogue", catalogue)

    def confirm() -> str:
        enable_catalogue(catalogue=catalogue, at=clock.now(), actor_id=request.scope.user_id)
        messages.success(request, f"{catalogue} is enabled.")
        return url

    review = Review(
        title=f"Enable {catalogue}?",
        lead="It can be published and assigned again.",
        submit="Enable",
    )
    return confirm_page(request, review, confirm=confirm, cancel_url=url)


class CustomerTable(Table):
    number = LinkColumn("Number", orderable=True)
    name = LinkColumn("Name", order_by=("organisation", "last_name"))
    currency = Column("Currency")
    state = BadgeColumn("State", accessor="get_state_display", value="state")


def _steps(customer: Customer) -> list[Step]:
    if customer.state == Customer.State.TERMINATED:
        return []
    of_customer = {"customer_id": customer.pk}
    return [("Change", reverse("console_customer_catalogue", kwargs=of_customer))]


class ChangeableCustomerTable(CustomerTable):
    steps = StepsColumn(_steps)


class CustomerFilters(Filters):
    searches = ("organisation__icontains", "last_name__icontains", "number__startswith")
    search_hint = "Name or number"

    state = choice_filter("State", "state", Customer.State.choices)


@page_of(Surface.CONSOLE, "customers.list")
def catalogue_customers(request: SurfaceRequest, catalogue_id: int) -> HttpResponse:
    catalogue = find(request.scope, catalogue_id)
    may_change = "customers.write" in request.scope.permissions
    assign = Action(
        "Assign to a customer",
        address("console_catalogue_assign", catalogue),
        "plus",
        needs="customers.write",
        is_main=True,
    )
    actions = [] if catalogue.is_default or not catalogue.is_enabled else [assign]
    return list_page(
        request,
        title=f"Customers of {catalogue}",
        rows=customers_of_catalogue(request.scope, catalogue),
        table=ChangeableCustomerTable if may_change else CustomerTable,
        filters=CustomerFilters,
        name=f"customers-of-catalogue-{catalogue.pk}",
        empty=Empty(
            "Nobody buys from it",
            "Customers buy from the default catalogue until they are assigned another.",
            action=actions[0] if actions else None,
        ),
        template=TAB,
        context=frame(request, catalogue, *actions),
    )


class AssignForm(Form):
    customer = CountField(
        label="Customer number", widget=forms.TextInput(attrs={"inputmode": "numeric"})
    )

    def __init__(self, *args: Any, customers: QuerySet[Customer], **options: Any) -> None:
        super().__init__(*args, **options)
        self.customers = customers

    def clean_customer(self) -> Customer:
        number = self.cleaned_data["customer"]
        found = self.customers.filter(number=number).first()
        if found is None:
            raise ValidationError(f"There is no customer with the number {number}.")
        return found


@page_of(Surface.CONSOLE, "customers.write", FORM_METHODS)
def catalogue_assign(request: SurfaceRequest, catalogue_id: int) -> HttpResponse:
    catalogue = find(request.scope, catalogue_id)
    url = address("console_catalogue_customers", catalogue)

    def review(form: AssignForm) -> Review:
        customer = form.cleaned_data["customer"]
        before = customer.custom_catalogue
        moves = before is not None and before != catalogue
        return Review(
            title=f"Have {customer} buy from {catalogue}?",
            lead=f"It buys from {before} at present, which this replaces." if moves else "",
            facts=[
                ("Customer", f"{customer.number}, {customer}"),
                ("Buys from", before or "the default catalogue"),
                ("Will buy from", catalogue),
                ("Present subscriptions", "keep their price"),
            ],
            submit="Replace" if moves else "Assign",
            is_dangerous=moves,
        )

    def save(form: AssignForm) -> str:
        customer = assign_catalogue(
            customer=form.cleaned_data["customer"],
            catalogue=catalogue,
            replace=True,
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"{customer} buys from {catalogue} now.")
        return url

    page = FormPage(f"Assign {catalogue} to a customer", submit="Continue", cancel_url=url)
    rows = customers(request.scope).select_related("custom_catalogue")
    return form_page(request, page, form=AssignForm, save=save, review=review, customers=rows)


urls = [
    path("catalogues/", catalogue_list, name="console_catalogues"),
    path("catalogues/new/", catalogue_create, name="console_catalogue_create"),
    path("catalogues/<int:catalogue_id>/clone/", catalogue_clone, name="console_catalogue_clone"),
    path(
        "catalogues/<int:catalogue_id>/disable/",
        catalogue_disable,
        name="console_catalogue_disable",
    ),
    path(
        "catalogues/<int:catalogue_id>/enable/", catalogue_enable, name="console_catalogue_enable"
    ),
    path(
        "catalogues/<int:catalogue_id>/customers/",
        catalogue_customers,
        name="console_catalogue_customers",
    ),
    path(
        "catalogues/<int:catalogue_id>/assign/", catalogue_assign, name="console_catalogue_assign"
    ),
]
