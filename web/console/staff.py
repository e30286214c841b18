"""The provider's users in the console: who works here, under which role, and who may sign in."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse

from common import clock
from common.csv_files import Cell
from common.errors import DomainError
from common.scope import Surface
from tenancy import row_security, selectors
from tenancy.models import Membership, Role
from tenancy.services.people import EmailRefused, EmailTaken, NameRefused
from tenancy.services.roles import PermissionNotHeld
from tenancy.services.staff import (
    LastAdmin,
    StaffAlready,
    add_staff_member,
    assign_role,
    invite_staff_member,
    invite_staff_member_again,
    link_to_hand_over,
    remove_second_factors,
    restore_access,
    withdraw_access,
)
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.sessions import end_sessions, open_sessions
from web.shared.actions import Action, allowed
from web.shared.badges import badge
from web.shared.filters import Filters, row_filter, yes_no_filter
from web.shared.form_fields import Form
from web.shared.form_pages import FormPage, Review, confirm_page, form_page
from web.shared.lists import Empty, list_page
from web.shared.tables import Column, InstantColumn, LinkColumn, Table
from web.shared.team_pages import too_many_invitations

USERS = "console_users"
LINKS = "password_links"
"""Where the session of who invited keeps the links that no mail could carry, by membership."""


def _state(membership: Membership) -> tuple[str, str]:
    """Whether they may sign in, and have a password to do it with: for a badge, and in a word."""
    if not membership.user.is_active:
        return "DISABLED", "deactivated"
    if membership.user.has_usable_password():
        return "ACTIVE", "active"
    return "PENDING", "invited"


class StateColumn(Column):
    """A user's state as a badge, and in files as its word."""

    def render(self, record: Membership) -> str:
        return badge(*_state(record))

    def export_cells(self, record: Membership, value: object) -> list[Cell]:
        return [_state(record)[1]]


class UserTable(Table):
    email = LinkColumn("E-mail", accessor="user__email", order_by=("user__email",), orderable=True)
    name = Column("Name", accessor="user__name")
    role = LinkColumn("Role", to="role")
    state = StateColumn("State", accessor="user__is_active")
    last_login = InstantColumn("Last sign-in", accessor="user__last_login", default="never")
    created_at = InstantColumn("Added")


def _roles(request: HttpRequest) -> QuerySet[Role]:
    return selectors.roles(request.scope)  # type: ignore[attr-defined]


class UserFilters(Filters):
    searches = ("user__email__icontains", "user__name__icontains")
    search_hint = "E-mail or name"

    role = row_filter("Role", "role", _roles)
    active = yes_no_filter("State", "user__is_active", yes="May sign in", no="Deactivated")


@page_of(Surface.CONSOLE, "settings.list")
def user_list(request: SurfaceRequest) -> HttpResponse:
    add = Action(
        "Invite user", reverse("console_user_invite"), "plus", needs="settings.write", is_main=True
    )
    return list_page(
        request,
        title="Users",
        lead="Who works for you in this console.",
        rows=selectors.staff(request.scope),
        table=UserTable,
        filters=UserFilters,
        name="users",
        actions=[add],
        empty=Empty("No users", "Invite those who work for you.", action=add),
    )


class InviteForm(Form):
    email = forms.EmailField(label="E-mail", help_text="They sign in with it.")
    name = forms.CharField(max_length=200, required=False)
    role = forms.ModelChoiceField(queryset=Role.objects.none(), empty_label="Choose a role")

    def __init__(self, *args: Any, roles: QuerySet[Role], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["role"].queryset = roles  # type: ignore[attr-defined]


FIELDS_OF: dict[type[DomainError], str] = {
    EmailRefused: "email",
    EmailTaken: "email",
    StaffAlready: "email",
    NameRefused: "name",
    PermissionNotHeld: "role",
    LastAdmin: "role",
}


@page_of(Surface.CONSOLE, "settings.write", FORM_METHODS)
def user_invite(request: SurfaceRequest) -> HttpResponse:
    def save(form: InviteForm) -> str:
        add = invite_staff_member if settings.EMAIL_URL else add_staff_member
        membership = add(
            provider_id=request.scope.provider_id,
            email=form.cleaned_data["email"],
            name=form.cleaned_data["name"],
            role_id=form.cleaned_data["role"].pk,
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        return _invited(request, membership)

    if refused := too_many_invitations(request):
        return refused
    page = FormPage(
        "Invite a user",
        submit="Invite",
        cancel_url=reverse(USERS),
        lead="They get a link by e-mail to choose their password."
        if settings.EMAIL_URL
        else "You get a link to hand over, by which they choose their password.",
    )
    roles = selectors.roles(request.scope)
    return form_page(request, page, form=InviteForm, save=save, fields_of=FIELDS_OF, roles=roles)


def _invited(request: SurfaceRequest, membership: Membership) -> str:
    if settings.EMAIL_URL:
        messages.success(request, f"An invitation is on its way to {membership.user}.")
        return _address("console_user", membership)
    link = link_to_hand_over(membership=membership, at=clock.now(), actor_id=request.scope.user_id)
    request.session[LINKS] = {**request.session.get(LINKS, {}), str(membership.pk): link}
    return _address("console_user_link", membership)


def _address(url_name: str, membership: Membership) -> str:
    return reverse(url_name, kwargs={"membership_id": membership.pk})


@page_of(Surface.CONSOLE, "settings.read")
def user_show(request: SurfaceRequest, membership_id: int) -> HttpResponse:
    membership = selectors.staff(request.scope).get(pk=membership_id)
    context = {
        "membership": membership,
        "state": badge(*_state(membership)),
        "invitation": selectors.last_invitation(request.scope, membership.user),
        "has_second_factor": _has_second_factor(membership),
        "is_oneself": membership.user_id == request.scope.user_id,
        "actions": allowed(request.scope, _actions(request, membership)),
    }
    return render(request, "console/settings/user_show.html", context)


def _actions(request: SurfaceRequest, membership: Membership) -> list[Action]:
    def action(label: str, url_name: str, icon: str) -> Action:
        return Action(label, _address(url_name, membership), icon, needs="settings.write")

    if membership.user_id == request.scope.user_id:
        return []
    if not membership.user.is_active:
        return [action("Reactivate", "console_user_restore", "lock-open")]
    again = action("Invite again", "console_user_reinvite", "envelope")
    lost = action("Remove second factor", "console_user_factors", "device-phone-mobile")
    return [
        *([] if membership.user.has_usable_password() else [again]),
        *([lost] if _has_second_factor(membership) else []),
        action("Deactivate", "console_user_withdraw", "no-symbol"),
        action("Change role", "console_user_role", "key"),
    ]


def _has_second_factor(membership: Membership) -> bool:
    with row_security.among_everybody():
        return selectors.has_second_factor(membership.user_id)


class RoleForm(Form):
    role = forms.ModelChoiceField(queryset=Role.objects.none(), empty_label=None)

    def __init__(self, *args: Any, roles: QuerySet[Role], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["role"].queryset = roles  # type: ignore[attr-defined]


@page_of(Surface.CONSOLE, "settings.write", FORM_METHODS)
def user_role(request: SurfaceRequest, membership_id: int) -> HttpResponse:
    membership = selectors.staff(request.scope).get(pk=membership_id)

    def save(form: RoleForm) -> str:
        changed = assign_role(
            membership=membership,
            role_id=form.cleaned_data["role"].pk,
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"{membership.user} has the role {changed.role} from now on.")
        return _address("console_user", membership)

    page = FormPage(
        f"Role of {membership.user}",
        submit="Change role",
        cancel_url=_address("console_user", membership),
        lead="It holds from their next click on. You can give what you hold yourself.",
    )
    return form_page(
        request,
        page,
        form=RoleForm,
        save=save,
        fields_of=FIELDS_OF,
        initial={"role": membership.role_id},
        roles=selectors.roles(request.scope),
    )


@page_of(Surface.CONSOLE, "settings.write", FORM_METHODS)
def user_withdraw(request: SurfaceRequest, membership_id: int) -> HttpResponse:
    membership = selectors.staff(request.scope).get(pk=membership_id)

    def confirm() -> str:
        user = withdraw_access(membership=membership, actor_id=request.scope.user_id)
        with row_security.among_everybody():
            end_sessions(open_sessions(user))  # for good, also where access is restored
        messages.success(request, f"{membership.user} can no longer sign in.")
        return _address("console_user", membership)

    review = Review(
        title=f"Deactivate {membership.user}?",
        lead="They are signed out at once and cannot sign in again. What they did stays on record.",
        facts=[("Name", membership.user.name), ("Role", membership.role)],
        submit="Deactivate",
        is_dangerous=True,
    )
    cancel_url = _address("console_user", membership)
    return confirm_page(request, review, confirm=confirm, cancel_url=cancel_url)


@page_of(Surface.CONSOLE, "settings.write", FORM_METHODS)
def user_factors(request: SurfaceRequest, membership_id: int) -> HttpResponse:
    membership = selectors.staff(request.scope).get(pk=membership_id)

    def confirm() -> str:
        user = remove_second_factors(membership=membership, actor_id=request.scope.user_id)
        with row_security.among_everybody():
            end_sessions(open_sessions(user))
        messages.success(request, f"{user} signs in by the password alone.")
        return _address("console_user", membership)

    review = Review(
        title=f"Remove the second factor of {membership.user}?",
        lead="For who lost theirs: make sure it is them who asks. Authenticator app, keys and"
        " recovery codes go, and they are signed out everywhere.",
        facts=[("Name", membership.user.name), ("Role", membership.role)],
        submit="Remove second factor",
        is_dangerous=True,
    )
    cancel_url = _address("console_user", membership)
    return confirm_page(request, review, confirm=confirm, cancel_url=cancel_url)


@page_of(Surface.CONSOLE, "settings.write", FORM_METHODS)
def user_restore(request: SurfaceRequest, membership_id: int) -> HttpResponse:
    membership = selectors.staff(request.scope).get(pk=membership_id)

    def confirm() -> str:
        restore_access(membership=membership, actor_id=request.scope.user_id)
        messages.success(request, f"{membership.user} can sign in again.")
        return _address("console_user", membership)

    review = Review(
        title=f"Reactivate {membership.user}?",
        lead="They can sign in again, with the password and the role they had.",
        facts=[("Name", membership.user.name), ("Role", membership.role)],
        submit="Reactivate",
    )
    cancel_url = _address("console_user", membership)
    return confirm_page(request, review, confirm=confirm, cancel_url=cancel_url)


@page_of(Surface.CONSOLE, "settings.write", FORM_METHODS)
def user_reinvite(request: SurfaceRequest, membership_id: int) -> HttpResponse:
    membership = selectors.staff(request.scope).get(pk=membership_id)

    def confirm() -> str:
        if settings.EMAIL_URL:
            invite_staff_member_again(
                membership=membership, at=clock.now(), actor_id=request.scope.user_id
            )
        return _invited(request, membership)

    if refused := too_many_invitations(request):
        return refused
    review = Review(
        title=f"Invite {membership.user} again?",
        lead="They get another link to choose their password; it works once, and for three days.",
        facts=[("Name", membership.user.name), ("Role", membership.role)],
        submit="Invite again",
    )
    cancel_url = _address("console_user", membership)
    return confirm_page(request, review, confirm=confirm, cancel_url=cancel_url)


@page_of(Surface.CONSOLE, "settings.write")
def user_link(request: SurfaceRequest, membership_id: int) -> HttpResponse:
    """Shown to who invited, and to nobody else: who has the link chooses the password."""
    membership = selectors.staff(request.scope).get(pk=membership_id)
    link = request.session.get(LINKS, {}).get(str(membership.pk))
    if link is None or membership.user.has_usable_password():
        raise Http404
    context = {"membership": membership, "link": link}
    return render(request, "console/settings/user_link.html", context)


urls = [
    path("settings/users/", user_list, name=USERS),
    path("settings/users/invite/", user_invite, name="console_user_invite"),
    path("settings/users/<int:membership_id>/", user_show, name="console_user"),
    path("settings/users/<int:membership_id>/role/", user_role, name="console_user_role"),
    path(
        "settings/users/<int:membership_id>/deactivate/",
        user_withdraw,
        name="console_user_withdraw",
    ),
    path(
        "settings/users/<int:membership_id>/reactivate/", user_restore, name="console_user_restore"
    ),
    path(
        "settings/users/<int:membership_id>/second-factor/",
        user_factors,
        name="console_user_factors",
    ),
    path("settings/users/<int:membership_id>/invite/", user_reinvite, name="console_user_reinvite"),
    path("settings/users/<int:membership_id>/link/", user_link, name="console_user_link"),
]
