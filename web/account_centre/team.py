"""The people of the customer's own team."""

from django.http import HttpResponse
from django.urls import path, reverse

from common.scope import Surface
from customers import selectors
from customers.models import TeamMember
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.account_centre.own import own_customer
from web.shared.actions import Action
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

TEAM = "account_centre_team"


def _url(url_name: str, member: TeamMember) -> str:
    return reverse(url_name, kwargs={"member_id": member.pk})


def _find(request: SurfaceRequest, member_id: int) -> TeamMember:
    return selectors.team(request.scope, own_customer(request)).get(pk=member_id)


@page_of(Surface.ACCOUNT_CENTRE, "team.read")
def team(request: SurfaceRequest) -> HttpResponse:
    add = Action(
        "Invite a member",
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


@page_of(Surface.ACCOUNT_CENTRE, "team.write", FORM_METHODS)
def team_add(request: SurfaceRequest) -> HttpResponse:
    return invite_page(request, own_customer(request), team_url=reverse(TEAM))


@page_of(Surface.ACCOUNT_CENTRE, "team.write", FORM_METHODS)
def team_role(request: SurfaceRequest, member_id: int) -> HttpResponse:
    member = _find(request, member_id)
    return member_page(
        request,
        member,
        team_url=reverse(TEAM),
        again_url=_url("account_centre_team_again", member),
        remove_url=_url("account_centre_team_remove", member),
    )


@page_of(Surface.ACCOUNT_CENTRE, "team.write", FORM_METHODS)
def team_again(request: SurfaceRequest, member_id: int) -> HttpResponse:
    member = _find(request, member_id)
    return invite_again_page(request, member, member_url=_url("account_centre_team_role", member))


@page_of(Surface.ACCOUNT_CENTRE, "team.write", FORM_METHODS)
def team_remove(request: SurfaceRequest, member_id: int) -> HttpResponse:
    member = _find(request, member_id)
    return remove_page(
        request,
        member,
        team_url=reverse(TEAM),
        member_url=_url("account_centre_team_role", member),
    )


urls = [
    path("team/", team, name=TEAM),
    path("team/new/", team_add, name="account_centre_team_add"),
    path("team/<int:member_id>/", team_role, name="account_centre_team_role"),
    path("team/<int:member_id>/again/", team_again, name="account_centre_team_again"),
    path("team/<int:member_id>/remove/", team_remove, name="account_centre_team_remove"),
]
