"""The customer's own profile, and the people of its team."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse

from common import clock
from common.scope import Surface
from customers import selectors
from customers.models import TeamMember
from customers.services.accounts import edit_details
from customers.services.onboarding import CustomerDetails
from customers.services.team import LastAdmin, add_team_member, change_team_role
from tenancy.services.people import EmailRefused, EmailTaken
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.account_centre.own import own_customer
from web.shared.actions import Action, allowed
from web.shared.filters import Filters, choice_filter
from web.shared.form_fields import CountryField, Form
from web.shared.form_pages import FormPage, form_page
from web.shared.lists import Empty, list_page
from web.shared.tables import Column, InstantColumn, LinkColumn, Table

ROLES = {
    TeamMember.TeamRole.ADMIN: "Admin: everything",
    TeamMember.TeamRole.BILLING: "Billing: pays, and otherwise reads",
    TeamMember.TeamRole.TECHNICAL: "Technical: sees usage and services, but no money",
}


class ProfileForm(Form):
    groups = (
        ("Who you are", ("organisation", "first_name", "last_name", "email", "phone")),
        ("Where your invoices go", ("address", "country", "tax_number")),
    )

    organisation = forms.CharField(
        max_length=200, required=False, help_text="Leave it empty as a private person."
    )
    first_name = forms.CharField(max_length=100)
    last_name = forms.CharField(max_length=100)
    email = forms.EmailField(
        label="E-mail", help_text="For us to write to; it does not change how you sign in."
    )
    phone = forms.CharField(max_length=40, required=False)
    address = forms.CharField(widget=forms.Textarea, required=False)
    country = CountryField(required=False)
    tax_number = forms.CharField(max_length=40, required=False)


@page_of(Surface.ACCOUNT_CENTRE, "profile.read")
def profile(request: SurfaceRequest) -> HttpResponse:
    customer = own_customer(request)
    edit = Action(
        "Edit", reverse("account_centre_profile_edit"), "pencil-square", needs="profile.write"
    )
    context = {"customer": customer, "actions": allowed(request.scope, [edit])}
    return render(request, "account_centre/team/profile.html", context)


@page_of(Surface.ACCOUNT_CENTRE, "profile.write", FORM_METHODS)
def profile_edit(request: SurfaceRequest) -> HttpResponse:
    customer = own_customer(request)
    url = reverse("account_centre_profile")

    def save(form: ProfileForm) -> str:
        edit_details(
            customer=customer,
            details=CustomerDetails(**form.cleaned_data),
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, "Your profile was saved.")
        return url

    page = FormPage(
        "Edit your profile",
        submit="Save",
        cancel_url=url,
        lead="Invoices that were issued keep the names and addresses they have.",
    )
    initial = {name: getattr(customer, name) for name in ProfileForm.base_fields}
    return form_page(request, page, form=ProfileForm, save=save, initial=initial)


class TeamTable(Table):
    name = Column("Name", accessor="user__name")
    email = Column("E-mail", accessor="user__email")
    role = Column("Role", accessor="get_role_display")
    created_at = InstantColumn("Since")


class ChangeableTeamTable(TeamTable):
    email = LinkColumn("E-mail", accessor="user__email")


class TeamFilters(Filters):
    searches = ("user__email__icontains", "user__name__icontains")
    search_hint = "Name or e-mail"

    role = choice_filter("Role", "role", TeamMember.TeamRole.choices)


@page_of(Surface.ACCOUNT_CENTRE, "team.read")
def team(request: SurfaceRequest) -> HttpResponse:
    add = Action(
        "Add a member",
        reverse("account_centre_team_add"),
        "plus",
        needs="team.write",
        is_main=True,
    )
    may_change = "team.write" in request.scope.permissions
    return list_page(
        request,
        title="Team",
        lead="Who signs in for you, and what they may do.",
        rows=selectors.team(request.scope, own_customer(request)),
        table=ChangeableTeamTable if may_change else TeamTable,
        filters=TeamFilters,
        name="team",
        actions=[add],
        empty=Empty("Nobody is in your team", action=add),
    )


class RoleForm(Form):
    role = forms.ChoiceField(label="May do", choices=list(ROLES.items()), widget=forms.RadioSelect)


class MemberForm(RoleForm):
    field_order = ("name", "email", "role")

    name = forms.CharField(max_length=200)
    email = forms.EmailField(label="E-mail")


@page_of(Surface.ACCOUNT_CENTRE, "team.write", FORM_METHODS)
def team_add(request: SurfaceRequest) -> HttpResponse:
    def save(form: MemberForm) -> str:
        member = add_team_member(
            customer=own_customer(request),
            email=form.cleaned_data["email"],
            name=form.cleaned_data["name"],
            role=TeamMember.TeamRole(form.cleaned_data["role"]),
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(
            request,
            f"{member.user} is in your team. They choose a password by the link"
            " “Forgotten your password?” on the sign-in page.",
        )
        return reverse("account_centre_team")

    page = FormPage("Add a member", submit="Add", cancel_url=reverse("account_centre_team"))
    return form_page(
        request,
        page,
        form=MemberForm,
        save=save,
        fields_of={EmailTaken: "email", EmailRefused: "email"},
    )


@page_of(Surface.ACCOUNT_CENTRE, "team.write", FORM_METHODS)
def team_role(request: SurfaceRequest, member_id: int) -> HttpResponse:
    member = selectors.team(request.scope, own_customer(request)).get(pk=member_id)
    url = reverse("account_centre_team")

    def save(form: RoleForm) -> str:
        change_team_role(
            member=member,
            role=TeamMember.TeamRole(form.cleaned_data["role"]),
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"{member.user} has the role from now on.")
        return url

    page = FormPage(f"Role of {member.user}", submit="Save", cancel_url=url)
    return form_page(
        request,
        page,
        form=RoleForm,
        save=save,
        fields_of={LastAdmin: "role"},
        initial={"role": member.role},
    )


urls = [
    path("profile/", profile, name="account_centre_profile"),
    path("profile/edit/", profile_edit, name="account_centre_profile_edit"),
    path("team/", team, name="account_centre_team"),
    path("team/new/", team_add, name="account_centre_team_add"),
    path("team/<int:member_id>/", team_role, name="account_centre_team_role"),
]
