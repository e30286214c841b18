"""The people of a customer's team in the console."""

from django.http import HttpResponse
from django.urls import path, reverse

from common.scope import Surface
from customers import selectors
from customers.models import TeamMember
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.console.customer_tabs import frame
from web.shared.actions import Action, allowed
from web.shared.lists import Empty, list_page
from web.shared.team_pages import (
    ChangeableTeamTable,
    TeamFilters,
    TeamTable,
    invite_again_page,
    invite_page,
    member_page,
    remove_page,
)

MEMBER = "console_team_member"


def _team_url(customer_id: int) -> str:
    return reverse("console_customer_team", kwargs={"customer_id": customer_id})


def _url(url_name: str, member: TeamMember) -> str:
    return reverse(url_name, kwargs={"member_id": member.pk})


@page_of(Surface.CONSOLE, "customers.read")
def customer_team(request: SurfaceRequest, customer_id: int) -> HttpResponse:
    customer = selectors.customer(request.scope, customer_id)
    invite = Action(
        "Invite a member",
        reverse("console_customer_team_invite", kwargs={"customer_id": customer_id}),
        "plus",
        needs="customers.write",
        is_main=True,
    )
    may_change = "customers.write" in request.scope.permissions
    return list_page(
        request,
        title=f"Team of {customer}",
        rows=selectors.team(request.scope, customer),
        table=ChangeableTeamTable if may_change else TeamTable,
        filters=TeamFilters,
        name=f"team-of-customer-{customer.number}",
        empty=Empty(
            "Nobody signs in for this customer",
            "A member sees invoices and usage in the account centre.",
            action=invite,
        ),
        template="console/customers/customer_list_tab.html",
        context={**frame(request, customer), "actions": allowed(request.scope, [invite])},
    )


@page_of(Surface.CONSOLE, "customers.write", FORM_METHODS)
def customer_team_invite(request: SurfaceRequest, customer_id: int) -> HttpResponse:
    customer = selectors.customer(request.scope, customer_id)
    return invite_page(request, customer, team_url=_team_url(customer_id))


@page_of(Surface.CONSOLE, "customers.write", FORM_METHODS)
def team_member(request: SurfaceRequest, member_id: int) -> HttpResponse:
    member = selectors.team_member(request.scope, member_id)
    return member_page(
        request,
        member,
        team_url=_team_url(member.customer_id),
        again_url=_url("console_team_member_again", member),
        remove_url=_url("console_team_member_remove", member),
    )


@page_of(Surface.CONSOLE, "customers.write", FORM_METHODS)
def team_member_again(request: SurfaceRequest, member_id: int) -> HttpResponse:
    member = selectors.team_member(request.scope, member_id)
    return invite_again_page(request, member, member_url=_url(MEMBER, member))


@page_of(Surface.CONSOLE, "customers.write", FORM_METHODS)
def team_member_remove(request: SurfaceRequest, member_id: int) -> HttpResponse:
    member = selectors.team_member(request.scope, member_id)
    return remove_page(
        request,
        member,
        team_url=_team_url(member.customer_id),
        member_url=_url(MEMBER, member),
    )


urls = [
    path("customers/<int:customer_id>/team/", customer_team, name="console_customer_team"),
    path(
        "customers/<int:customer_id>/team/new/",
        customer_team_invite,
        name="console_customer_team_invite",
    ),
    path("customers/team/<int:member_id>/", team_member, name=MEMBER),
    path(
        "customers/team/<int:member_id>/again/",
        team_member_again,
        name="console_team_member_again",
    ),
    path(
        "customers/team/<int:member_id>/remove/",
        team_member_remove,
        name="console_team_member_remove",
    ),
]
