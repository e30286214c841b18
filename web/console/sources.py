"""Sources of xDRs in the console: where files come from, and how their lines are read."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.urls import path, reverse

from catalogue.models import ProductKind
from catalogue.selectors import products
from cdr.models import Source
from cdr.models.sources import usual_order
from cdr.selectors.sources import sources
from cdr.services.source_editing import (
    SourceSlugTaken,
    create_source,
    edit_source,
    switch_source,
    trunk_lines,
)
from common import clock
from common.scope import Surface
from resellers.selectors import vendors
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.console.source_forms import PAYERS, NewSourceForm, SourceForm
from web.shared.actions import Action
from web.shared.filters import Filters, yes_no_filter
from web.shared.form_pages import FormPage, Review, confirm_page, form_page
from web.shared.lists import Empty, list_page
from web.shared.tables import BadgeColumn, Column, LinkColumn, NumberColumn, Table


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
        if source.format == Source.Format.MAPPED_CSV:
            messages.success(request, f"{source} was added. Say now which column is what.")
            return reverse("console_source_mapping", kwargs={"source_id": source.pk})
        messages.success(request, f"{source} was added; files can be uploaded to it.")
        return reverse("console_sources")

    page = FormPage("Add a source", submit="Add source", cancel_url=reverse("console_sources"))
    return form_page(
        request,
        page,
        form=NewSourceForm,
        save=save,
        fields_of={SourceSlugTaken: "slug"},
        initial={
            "time_zone": request.provider.time_zone,
            **dict(zip(PAYERS, usual_order(), strict=True)),
        },
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
        context={"source": source, "folder": f"{request.provider.slug}/{source.slug}/"},
    )
    names = [name for name in SourceForm.base_fields if name not in ("trunks", *PAYERS)]
    initial = {name: getattr(source, name) for name in names}
    initial |= dict(zip(PAYERS, source.identified_by, strict=False))
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
