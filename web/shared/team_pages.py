"""The people of a customer's team: the same pages for the customer's admins and for staff."""

from collections.abc import Callable
from typing import cast

from allauth.core import ratelimit
from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.utils.formats import date_format
from django.utils.timezone import localtime

from common import clock
from customers.models import Customer, TeamMember
from customers.services.team import (
    LastAdmin,
    change_team_role,
    invite_team_member,
    invite_team_member_again,
    remove_team_member,
)
from tenancy.services.people import EmailRefused, EmailTaken
from web.access import SurfaceRequest
from web.shared.actions import Action
from web.shared.filters import Filters, choice_filter
from web.shared.form_fields import Form
from web.shared.form_pages import FormPage, Review, confirm_page, form_page
from web.shared.tables import Column, InstantColumn, LinkColumn, Table

ROLES = {
    TeamMember.TeamRole.ADMIN: "Admin: everything",
    TeamMember.TeamRole.BILLING: "Billing: pays, and otherwise reads",
    TeamMember.TeamRole.TECHNICAL: "Technical: sees usage and services, but no money",
}


class TeamTable(Table):
    name = Column("Name", accessor="user__name")
    email = Column("E-mail", accessor="user__email")
    role = Column("Role", accessor="get_role_display")
    created_at = InstantColumn("In the team since")
    last_login = InstantColumn("Last sign-in", accessor="user__last_login", default="never")


class ChangeableTeamTable(TeamTable):
    email = LinkColumn("E-mail", accessor="user__email")


class TeamFilters(Filters):
    searches = ("user__email__icontains", "user__name__icontains")
    search_hint = "Name or e-mail"

    role = choice_filter("Role", "role", TeamMember.TeamRole.choices)


class RoleForm(Form):
    role = forms.ChoiceField(label="May do", choices=list(ROLES.items()), widget=forms.RadioSelect)


class MemberForm(RoleForm):
    field_order = ("name", "email", "role")

    name = forms.CharField(max_length=200)
    email = forms.EmailField(label="E-mail")


def too_many_invitations(request: SurfaceRequest) -> HttpResponse | None:
    """The refusal (429) of who invites more people in an hour than anybody has to."""
    if request.method != "POST":
        return None
    refused = ratelimit.consume_or_429(request, action="invite", user=request.user)
    return cast("HttpResponse | None", refused)


def invite_page(request: SurfaceRequest, customer: Customer, *, team_url: str) -> HttpResponse:
    """Have somebody new join the team, by a mail with a link."""

    def save(form: MemberForm) -> str:
        member = invite_team_member(
            customer=customer,
            email=form.cleaned_data["email"],
            name=form.cleaned_data["name"],
            role=TeamMember.TeamRole(form.cleaned_data["role"]),
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"{member.user} is being mailed a link to choose a password.")
        return team_url

    if refused := too_many_invitations(request):
        return refused
    page = FormPage(
        "Invite a member",
        submit="Send the invitation",
        cancel_url=team_url,
        lead="They get an e-mail with a link by which they choose a password.",
    )
    fields_of = {EmailTaken: "email", EmailRefused: "email"}
    return form_page(request, page, form=MemberForm, save=save, fields_of=fields_of)


def member_page(
    request: SurfaceRequest,
    member: TeamMember,
    *,
    team_url: str,
    again_url: str,
    remove_url: str,
) -> HttpResponse:
    """A member's role, and what else can be done about them."""

    def save(form: RoleForm) -> str:
        change_team_role(
            member=member,
            role=TeamMember.TeamRole(form.cleaned_data["role"]),
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"{member.user} has the role from now on.")
        return team_url

    actions = [Action("Remove", remove_url, "user-minus")]
    if member.user.last_login is None:
        actions.insert(0, Action("Invite again", again_url, "envelope"))
    page = FormPage(
        str(member.user),
        submit="Save",
        cancel_url=team_url,
        lead=_been_there(member),
        template="shared/member_page.html",
        context={"actions": actions},
    )
    return form_page(
        request,
        page,
        form=RoleForm,
        save=save,
        fields_of={LastAdmin: "role"},
        initial={"role": member.role},
    )


def invite_again_page(
    request: SurfaceRequest, member: TeamMember, *, member_url: str
) -> HttpResponse:
    """Mail another link to who has not signed in yet."""
    if refused := too_many_invitations(request):
        return refused
    review = Review(
        f"Invite {member.user} again?",
        lead="They get another link; each works once, for three days.",
        submit="Send the invitation",
    )
    return _confirmed(
        request,
        review,
        lambda: invite_team_member_again(
            member=member, at=clock.now(), actor_id=request.scope.user_id
        ),
        said=f"{member.user} is being mailed another link.",
        back_url=member_url,
        on_url=member_url,
    )


def remove_page(
    request: SurfaceRequest, member: TeamMember, *, team_url: str, member_url: str
) -> HttpResponse:
    """Take a member out of the team."""
    review = Review(
        f"Remove {member.user}?",
        lead="They can sign in no more, from this moment on. What they did stays in the records.",
        facts=[("Name", member.user.name), ("Role", member.get_role_display())],
        submit="Remove",
        is_dangerous=True,
    )
    return _confirmed(
        request,
        review,
        lambda: remove_team_member(member=member, at=clock.now(), actor_id=request.scope.user_id),
        said=f"{member.user} is in the team no more.",
        back_url=member_url,
        on_url=team_url,
    )


def _confirmed(
    request: SurfaceRequest,
    review: Review,
    act: Callable[[], None],
    *,
    said: str,
    back_url: str,
    on_url: str,
) -> HttpResponse:
    def confirm() -> str:
        act()
        messages.success(request, said)
        return on_url

    return confirm_page(request, review, confirm=confirm, cancel_url=back_url)


def _been_there(member: TeamMember) -> str:
    if member.user.last_login is None:
        return "Invited, and has not signed in yet."
    last = date_format(localtime(member.user.last_login), "DATETIME_FORMAT")
    return f"Signed in last on {last}."
