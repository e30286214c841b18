"""Roles in the console: what the built-in ones may do, and those of the provider's own."""

from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse

from common.errors import DomainError
from common.scope import Surface
from tenancy import selectors
from tenancy.models import Role
from tenancy.rules.permissions import AREAS, level_of, permissions_at
from tenancy.services.roles import (
    RoleNameRefused,
    RoleNameTaken,
    define_role,
    delete_role,
    redefine_role,
)
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.shared.actions import Action, allowed
from web.shared.filters import Filters, yes_no_filter
from web.shared.form_fields import Form
from web.shared.form_pages import FormPage, Review, confirm_page, form_page
from web.shared.lists import Empty, list_page
from web.shared.tables import Column, LinkColumn, NumberColumn, Table

ROLES = "console_roles"
AREA_NAMES = {
    "customers": "Customers and onboarding",
    "catalogue": "Catalogues, products, rate tables",
    "subscriptions": "Subscriptions",
    "invoices": "Invoices",
    "money": "Credit notes, payments, bill runs",
    "resellers": "Resellers and codes",
    "payouts": "Commission, payouts, reports",
    "usage": "xDR files, suspense, re-rating",
    "settings": "Settings, users, roles",
}
LEVEL_NAMES = {"W": "Reads and changes", "R": "Reads", "L": "Lists only", "-": "Nothing"}
FIELDS_OF: dict[type[DomainError], str] = {RoleNameRefused: "name", RoleNameTaken: "name"}


class RoleTable(Table):
    name = LinkColumn("Name", orderable=True)
    is_built_in = Column("Kind")
    member_count = NumberColumn("Users")
    changes = Column("Changes", accessor="permissions")

    def render_is_built_in(self, value: bool) -> str:
        return "Built in" if value else "Your own"

    def render_changes(self, record: Role) -> str:
        changed = [area for area in AREAS if level_of(area, record.permissions) == "W"]
        return ", ".join(changed) or "nothing"


class RoleFilters(Filters):
    searches = ("name__icontains",)
    search_hint = "Name"

    kind = yes_no_filter("Kind", "is_built_in", yes="Built in", no="Your own")


@page_of(Surface.CONSOLE, "settings.list")
def role_list(request: SurfaceRequest) -> HttpResponse:
    add = Action(
        "Add role", reverse("console_role_create"), "plus", needs="settings.write", is_main=True
    )
    return list_page(
        request,
        title="Roles",
        lead="What your users may do. Nobody can grant what they do not hold.",
        rows=selectors.roles(request.scope),
        table=RoleTable,
        filters=RoleFilters,
        name="roles",
        actions=[add],
        empty=Empty("No roles", "A role says what its users may do.", action=add),
    )


@page_of(Surface.CONSOLE, "settings.read")
def role_show(request: SurfaceRequest, role_id: int) -> HttpResponse:
    role = selectors.roles(request.scope).get(pk=role_id)
    context = {
        "role": role,
        "areas": [_area(area, role) for area in AREAS],
        "members": selectors.staff(request.scope).filter(role=role),
        "actions": allowed(request.scope, [] if role.is_built_in else _actions(role)),
    }
    return render(request, "console/settings/role_show.html", context)


def _area(area: str, role: Role) -> dict[str, object]:
    codes = [code for code in role.permissions if code.startswith(f"{area}.")]
    level = LEVEL_NAMES[level_of(area, role.permissions)]
    return {"name": AREA_NAMES[area], "level": level, "codes": codes}


def _actions(role: Role) -> list[Action]:
    of_role = {"role_id": role.pk}
    return [
        Action(
            "Delete",
            reverse("console_role_delete", kwargs=of_role),
            "trash",
            needs="settings.write",
        ),
        Action(
            "Edit",
            reverse("console_role_edit", kwargs=of_role),
            "pencil-square",
            needs="settings.write",
        ),
    ]


class RoleForm(Form):
    groups: ClassVar = (("", ("name",)), ("What it may do", AREAS))

    name = forms.CharField(max_length=60)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for area in AREAS:
            self.fields[area] = forms.ChoiceField(
                label=AREA_NAMES[area], choices=list(LEVEL_NAMES.items()), initial="-"
            )

    @property
    def permissions(self) -> frozenset[str]:
        return permissions_at({area: self.cleaned_data[area] for area in AREAS})


@page_of(Surface.CONSOLE, "settings.write", FORM_METHODS)
def role_create(request: SurfaceRequest) -> HttpResponse:
    def save(form: RoleForm) -> str:
        role = define_role(
            provider_id=request.scope.provider_id,
            name=form.cleaned_data["name"],
            permissions=form.permissions,
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"The role {role} was added; give it to your users.")
        return _address(role)

    page = FormPage(
        "Add a role",
        submit="Add role",
        cancel_url=reverse(ROLES),
        lead="You can give it what you hold yourself.",
    )
    return form_page(request, page, form=RoleForm, save=save, fields_of=FIELDS_OF)


def _address(role: Role) -> str:
    return reverse("console_role", kwargs={"role_id": role.pk})


@page_of(Surface.CONSOLE, "settings.write", FORM_METHODS)
def role_edit(request: SurfaceRequest, role_id: int) -> HttpResponse:
    role = selectors.roles(request.scope).get(pk=role_id)

    def save(form: RoleForm) -> str:
        changed = redefine_role(
            role=role,
            name=form.cleaned_data["name"],
            permissions=form.permissions,
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"The role {changed} was saved.")
        return _address(changed)

    page = FormPage(
        f"Edit {role}",
        submit="Save",
        cancel_url=_address(role),
        lead="It holds for everybody who has the role, from their next click on.",
    )
    initial = {"name": role.name} | {area: level_of(area, role.permissions) for area in AREAS}
    return form_page(request, page, form=RoleForm, save=save, fields_of=FIELDS_OF, initial=initial)


@page_of(Surface.CONSOLE, "settings.write", FORM_METHODS)
def role_delete(request: SurfaceRequest, role_id: int) -> HttpResponse:
    role = selectors.roles(request.scope).get(pk=role_id)

    def confirm() -> str:
        delete_role(role=role, actor_id=request.scope.user_id)
        messages.success(request, f"The role {role} was deleted.")
        return reverse(ROLES)

    review = Review(
        title=f"Delete the role {role}?",
        facts=[("Users who have it", str(getattr(role, "member_count", 0)))],
        submit="Delete",
        is_dangerous=True,
    )
    return confirm_page(request, review, confirm=confirm, cancel_url=_address(role))


urls = [
    path("settings/roles/", role_list, name=ROLES),
    path("settings/roles/new/", role_create, name="console_role_create"),
    path("settings/roles/<int:role_id>/", role_show, name="console_role"),
    path("settings/roles/<int:role_id>/edit/", role_edit, name="console_role_edit"),
    path("settings/roles/<int:role_id>/delete/", role_delete, name="console_role_delete"),
]
