"""Vendors in the console: who terminates the traffic, and who pays them."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import path, reverse

from catalogue.models import ProductKind, RateTable
from catalogue.selectors import rate_tables
from common import clock
from common.scope import Surface
from resellers import selectors
from resellers.models import Reseller, Vendor
from resellers.services.vendors import VendorNameTaken, create_vendor, disable_vendor
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.console.steps import Step, StepsColumn
from web.shared.actions import Action
from web.shared.filters import Filters, choice_filter
from web.shared.form_fields import Form
from web.shared.form_pages import FormPage, Review, confirm_page, form_page
from web.shared.lists import Empty, list_page
from web.shared.tables import BadgeColumn, Column, LinkColumn, Table


class VendorTable(Table):
    name = Column("Name", orderable=True)
    owner = LinkColumn("Paid by", accessor="owner__organisation", to="owner", default="you")
    rate_table = LinkColumn("Rate table", accessor="rate_table__name", to="rate_table")
    currency = Column("Currency", accessor="rate_table__currency")
    state = BadgeColumn("State", accessor="get_state_display", value="state")


def _steps(vendor: Vendor) -> list[Step]:
    if vendor.state == Vendor.State.DISABLED:
        return []
    return [("Disable", reverse("console_vendor_disable", kwargs={"vendor_id": vendor.pk}))]


class ChangeableVendorTable(VendorTable):
    steps = StepsColumn(_steps)


class VendorFilters(Filters):
    searches = ("name__icontains", "owner__organisation__icontains")
    search_hint = "Name or who pays"

    state = choice_filter("State", "state", Vendor.State.choices)


@page_of(Surface.CONSOLE, "resellers.list")
def vendor_list(request: SurfaceRequest) -> HttpResponse:
    may_change = "resellers.write" in request.scope.permissions
    add = Action(
        "Add vendor",
        reverse("console_vendor_create"),
        "plus",
        needs="resellers.write",
        is_main=True,
    )
    return list_page(
        request,
        title="Vendors",
        rows=selectors.vendors(request.scope),
        table=ChangeableVendorTable if may_change else VendorTable,
        filters=VendorFilters,
        name="vendors",
        actions=[add],
        empty=Empty(
            "No vendors yet", "A vendor terminates calls, at a rate table of its own.", action=add
        ),
    )


class VendorForm(Form):
    name = forms.CharField(max_length=100)
    rate_table = forms.ModelChoiceField(
        queryset=RateTable.objects.none(),
        empty_label="Choose a rate table",
        help_text="What the vendor charges.",
    )
    owner = forms.ModelChoiceField(
        queryset=Reseller.objects.none(),
        required=False,
        label="Paid by",
        empty_label="You, the provider",
        help_text="Whose vendor it is; a reseller that uses its own owes its parent nothing.",
    )

    def __init__(
        self,
        *args: Any,
        tables: QuerySet[RateTable],
        owners: QuerySet[Reseller],
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.fields["rate_table"].queryset = tables  # type: ignore[attr-defined]
        self.fields["owner"].queryset = owners  # type: ignore[attr-defined]


@page_of(Surface.CONSOLE, "resellers.write", FORM_METHODS)
def vendor_create(request: SurfaceRequest) -> HttpResponse:
    def save(form: VendorForm) -> str:
        vendor = create_vendor(
            provider_id=request.scope.provider_id,
            **form.cleaned_data,
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"{vendor} was added.")
        return reverse("console_vendors")

    page = FormPage("Add a vendor", submit="Add vendor", cancel_url=reverse("console_vendors"))
    owners = selectors.resellers(request.scope)
    return form_page(
        request,
        page,
        form=VendorForm,
        save=save,
        fields_of={VendorNameTaken: "name"},
        tables=rate_tables(request.scope).filter(product__kind=ProductKind.VOICE),
        owners=owners if selectors.module(request.scope).is_enabled else owners.none(),
    )


@page_of(Surface.CONSOLE, "resellers.write", FORM_METHODS)
def vendor_disable(request: SurfaceRequest, vendor_id: int) -> HttpResponse:
    vendor = selectors.vendors(request.scope).get(pk=vendor_id)

    def confirm() -> str:
        disable_vendor(vendor=vendor, at=clock.now(), actor_id=request.scope.user_id)
        messages.success(request, f"{vendor} is disabled.")
        return reverse("console_vendors")

    review = Review(
        title=f"Disable {vendor}?",
        lead="It is taken out of use and cannot be enabled again; calls that it terminated stay as"
        " they were rated.",
        facts=[("Paid by", vendor.owner or "you"), ("Rate table", vendor.rate_table)],
        submit="Disable",
        is_dangerous=True,
    )
    return confirm_page(request, review, confirm=confirm, cancel_url=reverse("console_vendors"))


urls = [
    path("vendors/", vendor_list, name="console_vendors"),
    path("vendors/new/", vendor_create, name="console_vendor_create"),
    path("vendors/<int:vendor_id>/disable/", vendor_disable, name="console_vendor_disable"),
]
