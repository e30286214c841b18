"""Sources of xDRs in the console: where files come from, and how their lines are read."""

import re
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import path, reverse

from catalogue.models import Product, ProductKind
from catalogue.rules.tags import TAGS_CHARACTERS
from catalogue.selectors import products
from cdr.models import Source
from cdr.selectors.sources import sources
from cdr.services.source_editing import (
    SourceDetails,
    SourceSlugTaken,
    create_source,
    edit_source,
    switch_source,
    trunk_lines,
)
from cdr.services.sources import TrunkTerms
from common import clock
from common.scope import Surface
from resellers.models import Vendor
from resellers.selectors import vendors
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.shared.actions import Action
from web.shared.filters import Filters, yes_no_filter
from web.shared.form_fields import Form
from web.shared.form_pages import FormPage, Review, confirm_page, form_page
from web.shared.lists import Empty, list_page
from web.shared.tables import BadgeColumn, Column, LinkColumn, NumberColumn, Table

_TAGGED = re.compile(r"(?P<name>.*?)\s*\[(?P<tags>[^\[\]]*)\]")


class SourceTable(Table):
    name = Column("Source")
    slug = Column("Short name")
    state = BadgeColumn("State", accessor="state", value="state")
    format = Column("Format")
    product = Column("Rates")
    time_zone = Column("Time zone")
    default_vendor = Column("Vendor without a trunk")
    # In files only: the screen is narrow, and the source's page has them.
    country_prefix = Column("Country prefix", visible=False)
    oldest_days = NumberColumn("Takes xDRs up to days old", visible=False)
    tags = Column("Tags", visible=False)


class ChangeableSourceTable(SourceTable):
    name = LinkColumn("Source")


class SourceFilters(Filters):
    searches = ("name__icontains", "slug__icontains")
    search_hint = "Name"

    enabled = yes_no_filter("State", "is_enabled", yes="Enabled", no="Disabled")


@page_of(Surface.CONSOLE, "usage.read")
def source_list(request: SurfaceRequest) -> HttpResponse:
    add = Action(
        "Add a source",
        reverse("console_source_create"),
        "plus",
        needs="usage.write",
        is_main=True,
    )
    may_change = "usage.write" in request.scope.permissions
    return list_page(
        request,
        title="Sources",
        lead="Where xDRs come from, and how their lines are read.",
        rows=sources(request.scope).select_related("product", "default_vendor"),
        table=ChangeableSourceTable if may_change else SourceTable,
        filters=SourceFilters,
        name="sources",
        actions=[add],
        empty=Empty("No sources yet", "Files can be uploaded once there is a source.", add),
    )


class SourceForm(Form):
    groups: ClassVar[Any] = (
        ("", ("name", "product")),
        ("How its lines are read", ("time_zone", "country_prefix", "oldest_days")),
        ("Who terminates its calls", ("default_vendor", "trunks", "allows_foreign_vendors")),
        ("Rates of their own", ("tags",)),
    )

    name = forms.CharField(max_length=100)
    product = forms.ModelChoiceField(
        queryset=Product.objects.none(),
        empty_label="Choose a product",
        help_text="What its usage is rated as.",
    )
    time_zone = forms.CharField(
        max_length=64, help_text="Of times without an offset, such as Europe/Berlin."
    )
    country_prefix = forms.CharField(
        max_length=4, required=False, help_text="Put in front of national numbers, such as 49."
    )
    oldest_days = forms.IntegerField(
        label="Oldest xDRs, in days",
        min_value=1,
        max_value=32767,
        initial=400,
        help_text="Older ones wait in suspense.",
    )
    default_vendor = forms.ModelChoiceField(
        label="Vendor without a trunk",
        queryset=Vendor.objects.none(),
        required=False,
        empty_label="None: such calls wait in suspense",
    )
    trunks = forms.CharField(
        required=False,
        max_length=5000,
        widget=forms.Textarea,
        help_text="A line for each tech prefix and its vendor's name, such as: 77 Tailwind. Tags of"
        " its calls go behind it in brackets: 77 Tailwind [premium].",
    )
    allows_foreign_vendors = forms.BooleanField(
        label="Calls may use vendors of resellers whose customer it is not", required=False
    )
    tags = forms.CharField(
        max_length=TAGS_CHARACTERS,
        required=False,
        help_text="Words parted by commas that all its xDRs carry. Rates with such a tag come"
        " first.",
    )

    def __init__(
        self,
        *args: Any,
        rated: QuerySet[Product],
        terminating: QuerySet[Vendor],
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.vendor_ids = {vendor.name.lower(): vendor.pk for vendor in terminating}
        self.fields["product"].queryset = rated  # type: ignore[attr-defined]
        self.fields["default_vendor"].queryset = terminating  # type: ignore[attr-defined]

    def clean_trunks(self) -> dict[str, TrunkTerms]:
        """The vendor of each tech prefix, and the tags."""
        trunks: dict[str, TrunkTerms] = {}
        for line in filter(None, map(str.strip, self.cleaned_data["trunks"].splitlines())):
            prefix, _, rest = line.partition(" ")
            name, tags = rest.strip(), ""
            if name.lower() not in self.vendor_ids and (tagged := _TAGGED.fullmatch(name)):
                name, tags = tagged["name"], tagged["tags"]
            vendor_id = self.vendor_ids.get(name.lower())
            if vendor_id is None:
                raise forms.ValidationError(f"'{line}': there is no vendor '{name}'.")
            if prefix in trunks:
                raise forms.ValidationError(f"'{line}': {prefix} is there twice.")
            trunks[prefix] = TrunkTerms(vendor_id, tags)
        return trunks

    @property
    def details(self) -> SourceDetails:
        values = self.cleaned_data
        vendor = values["default_vendor"]
        return SourceDetails(
            name=values["name"],
            product_id=values["product"].pk,
            time_zone=values["time_zone"],
            country_prefix=values["country_prefix"],
            default_vendor_id=vendor and vendor.pk,
            allows_foreign_vendors=values["allows_foreign_vendors"],
            oldest_days=values["oldest_days"],
            tags=values["tags"],
            trunks=values["trunks"],
        )


class NewSourceForm(SourceForm):
    groups: ClassVar[Any] = (
        ("", ("name", "slug", "format", "product")),
        *SourceForm.groups[1:],
    )

    slug = forms.SlugField(
        label="Short name",
        max_length=40,
        help_text="For commands; letters, digits and hyphens. It stays for good.",
    )
    format = forms.ChoiceField(choices=Source.Format.choices)


@page_of(Surface.CONSOLE, "usage.write", FORM_METHODS)
def source_create(request: SurfaceRequest) -> HttpResponse:
    def save(form: NewSourceForm) -> str:
        source = create_source(
            provider_id=request.scope.provider_id,
            slug=form.cleaned_data["slug"],
            format=Source.Format(form.cleaned_data["format"]),
            details=form.details,
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"{source} was added; files can be uploaded to it.")
        return reverse("console_sources")

    page = FormPage("Add a source", submit="Add source", cancel_url=reverse("console_sources"))
    return form_page(
        request,
        page,
        form=NewSourceForm,
        save=save,
        fields_of={SourceSlugTaken: "slug"},
        initial={"time_zone": request.provider.time_zone},
        **_choices(request),
    )


@page_of(Surface.CONSOLE, "usage.write", FORM_METHODS)
def source_edit(request: SurfaceRequest, source_id: int) -> HttpResponse:
    source = sources(request.scope).get(pk=source_id)

    def save(form: SourceForm) -> str:
        edit_source(
            source=source, details=form.details, at=clock.now(), actor_id=request.scope.user_id
        )
        messages.success(request, f"{form.cleaned_data['name']} was saved.")
        return reverse("console_sources")

    page = FormPage(
        f"Edit {source}",
        submit="Save",
        cancel_url=reverse("console_sources"),
        lead="It holds for files from now on; what was rated stays as it is.",
        template="console/usage/source_edit.html",
        context={"source": source},
    )
    names = [name for name in SourceForm.base_fields if name != "trunks"]
    initial = {name: getattr(source, name) for name in names}
    initial["trunks"] = "\n".join(trunk_lines(source))
    return form_page(
        request, page, form=SourceForm, save=save, initial=initial, **_choices(request)
    )


@page_of(Surface.CONSOLE, "usage.write", FORM_METHODS)
def source_switch(request: SurfaceRequest, source_id: int) -> HttpResponse:
    source = sources(request.scope).get(pk=source_id)
    url = reverse("console_source_edit", kwargs={"source_id": source.pk})

    def confirm() -> str:
        switch_source(
            source=source,
            is_enabled=not source.is_enabled,
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        done = "disabled" if source.is_enabled else "enabled"
        messages.success(request, f"{source} is {done} now.")
        return reverse("console_sources")

    if source.is_enabled:
        review = Review(
            title=f"Disable {source}?",
            lead="It takes no more files. What it has taken is rated to its end and stays.",
            submit="Disable",
            is_dangerous=True,
        )
    else:
        review = Review(title=f"Enable {source}?", lead="It takes files again.", submit="Enable")
    return confirm_page(request, review, confirm=confirm, cancel_url=url)


def _choices(request: SurfaceRequest) -> dict[str, Any]:
    kinds = (ProductKind.VOICE, ProductKind.METERED)
    return {
        "rated": products(request.scope).filter(kind__in=kinds),
        "terminating": vendors(request.scope),
    }


urls = [
    path("usage/sources/", source_list, name="console_sources"),
    path("usage/sources/new/", source_create, name="console_source_create"),
    path("usage/sources/<int:source_id>/", source_edit, name="console_source_edit"),
    path("usage/sources/<int:source_id>/switch/", source_switch, name="console_source_switch"),
]
