"""The people who look at a reseller's portal, in the console."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.urls import path, reverse

from common import clock
from resellers import selectors
from resellers.models import ResellerUser
from resellers.services.viewers import (
    invite_reseller_user,
    invite_reseller_user_again,
    remove_reseller_user,
)
from tenancy.services.people import EmailRefused, EmailTaken
from web.access import FORM_METHODS, SurfaceRequest
from web.console.reseller_pages import TAB, address, find, frame, reseller_page
from web.console.steps import Step, StepsColumn
from web.shared.actions import Action
from web.shared.form_fields import Form
from web.shared.form_pages import FormPage, Review, confirm_page, form_page
from web.shared.lists import Empty, list_page
from web.shared.tables import Column, InstantColumn, Table
from web.shared.team_pages import too_many_invitations

USERS = "console_reseller_users"


class UserTable(Table):
    email = Column("E-mail", accessor="user__email")
    name = Column("Name", accessor="user__name")
    last_login = InstantColumn("Last sign-in", accessor="user__last_login", default="never")
    created_at = InstantColumn("Added")


def _steps(viewer: ResellerUser) -> list[Step]:
    steps = [("Remove", _of_viewer("console_reseller_user_remove", viewer))]
    if viewer.user.last_login is None:
        steps.insert(0, ("Invite again", _of_viewer("console_reseller_user_again", viewer)))
    return steps


def _of_viewer(url_name: str, viewer: ResellerUser) -> str:
    return reverse(url_name, kwargs={"reseller_id": viewer.reseller_id, "viewer_id": viewer.pk})


class ChangeableUserTable(UserTable):
    steps = StepsColumn(_steps)


@reseller_page("resellers.read")
def reseller_users(request: SurfaceRequest, reseller_id: int) -> HttpResponse:
    reseller = find(request.scope, reseller_id)
    may_change = "resellers.write" in request.scope.permissions
    add = Action(
        "Invite a user",
        address("console_reseller_user_create", reseller),
        "plus",
        needs="resellers.write",
        is_main=True,
    )
    return list_page(
        request,
        title=f"Users of {reseller}",
        rows=selectors.viewers(request.scope, reseller),
        table=ChangeableUserTable if may_change else UserTable,
        name=f"users-of-reseller-{reseller.number}",
        empty=Empty(
            "Nobody signs in for this reseller",
            "A user looks at the customers it brought, and changes nothing.",
            action=add,
        ),
        template=TAB,
        context=frame(request, reseller, add),
    )


class UserForm(Form):
    email = forms.EmailField(label="E-mail")
    name = forms.CharField(max_length=200, required=False)


@reseller_page("resellers.write", FORM_METHODS)
def reseller_user_create(request: SurfaceRequest, reseller_id: int) -> HttpResponse:
    reseller = find(request.scope, reseller_id)

    def save(form: UserForm) -> str:
        viewer = invite_reseller_user(
            reseller=reseller,
            **form.cleaned_data,
            at=clock.now(),
            actor_id=request.scope.user_id,
        )
        messages.success(request, f"{viewer.user} is being mailed a link to choose a password.")
        return address(USERS, reseller)

    if refused := too_many_invitations(request):
        return refused
    page = FormPage(
        f"Invite a user of {reseller}",
        submit="Send the invitation",
        cancel_url=address(USERS, reseller),
        lead="They may look at the reseller portal, and change nothing.",
    )
    fields_of = {EmailRefused: "email", EmailTaken: "email"}
    return form_page(request, page, form=UserForm, save=save, fields_of=fields_of)


@reseller_page("resellers.write", FORM_METHODS)
def reseller_user_again(request: SurfaceRequest, reseller_id: int, viewer_id: int) -> HttpResponse:
    reseller = find(request.scope, reseller_id)
    viewer = selectors.viewers(request.scope, reseller).get(pk=viewer_id)

    def confirm() -> str:
        invite_reseller_user_again(viewer=viewer, **_now(request))
        messages.success(request, f"{viewer.user} is being mailed another link.")
        return address(USERS, reseller)

    if refused := too_many_invitations(request):
        return refused
    review = Review(
        f"Invite {viewer.user} again?",
        lead="They get another link; each works once, for three days.",
        submit="Send the invitation",
    )
    return confirm_page(request, review, confirm=confirm, cancel_url=address(USERS, reseller))


@reseller_page("resellers.write", FORM_METHODS)
def reseller_user_remove(request: SurfaceRequest, reseller_id: int, viewer_id: int) -> HttpResponse:
    reseller = find(request.scope, reseller_id)
    viewer = selectors.viewers(request.scope, reseller).get(pk=viewer_id)

    def confirm() -> str:
        remove_reseller_user(viewer=viewer, **_now(request))
        messages.success(request, f"{viewer.user} can look no more.")
        return address(USERS, reseller)

    review = Review(
        f"Remove {viewer.user}?",
        lead="They can sign in no more, from this moment on.",
        facts=[("Name", viewer.user.name), ("Reseller", reseller)],
        submit="Remove",
        is_dangerous=True,
    )
    return confirm_page(request, review, confirm=confirm, cancel_url=address(USERS, reseller))


def _now(request: SurfaceRequest) -> dict[str, Any]:
    return {"at": clock.now(), "actor_id": request.scope.user_id}


urls = [
    path("resellers/<int:reseller_id>/users/", reseller_users, name=USERS),
    path(
        "resellers/<int:reseller_id>/users/new/",
        reseller_user_create,
        name="console_reseller_user_create",
    ),
    path(
        "resellers/<int:reseller_id>/users/<int:viewer_id>/again/",
        reseller_user_again,
        name="console_reseller_user_again",
    ),
    path(
        "resellers/<int:reseller_id>/users/<int:viewer_id>/remove/",
        reseller_user_remove,
        name="console_reseller_user_remove",
    ),
]
