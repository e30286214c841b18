"""From a request to a `Scope`: the only file that decides who sees what."""

from collections.abc import Callable

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from common.scope import Scope, Surface
from customers.models import TeamMember
from resellers.models import Reseller, ResellerUser
from tenancy import row_security
from tenancy.models import Membership, User

_Respond = Callable[[HttpRequest], HttpResponseBase]


class ScopedRequest(HttpRequest):
    """A request after `ScopeMiddleware`; `scope` is None for strangers."""

    scope: Scope | None


class WebRoleMiddleware:
    """Run the whole request, sessions and sign-in included, under the web role."""

    def __init__(self, get_response: _Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with row_security.web_role():
            response = self.get_response(request)
            assert not response.streaming, "a streamed body would be read outside the web role"
            return response


class ScopeMiddleware:
    """Find the signed-in user's scope and run the view where only its provider is visible."""

    def __init__(self, get_response: _Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: ScopedRequest) -> HttpResponseBase:
        request.scope = scope_of(request.user) if request.user.is_authenticated else None
        if request.scope is None:
            return self.get_response(request)
        with row_security.acting_for(
            provider_id=request.scope.provider_id,
            user_id=request.scope.user_id,
            read_only=request.scope.surface is Surface.RESELLER_PORTAL,
        ):
            return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """A view that failed has written nothing, whatever answer is made of the failure."""
        transaction.set_rollback(True)
        return None


def scope_of(user: User) -> Scope | None:
    """The scope of a signed-in user; None where nothing is (or is still) theirs to see."""
    row_security.introduce(user.pk)
    for find in (_staff_scope, _customer_scope, _reseller_scope):
        scope = find(user.pk)
        if scope is not None:
            return scope
    return None


def _staff_scope(user_id: int) -> Scope | None:
    membership = Membership.objects.filter(user_id=user_id).order_by("pk").first()
    if membership is None:
        return None
    with row_security.acting_for(provider_id=membership.provider_id, user_id=user_id):
        permissions = frozenset(membership.role.permissions)
    return Scope(
        provider_id=membership.provider_id,
        surface=Surface.CONSOLE,
        user_id=user_id,
        permissions=permissions,
    )


def _customer_scope(user_id: int) -> Scope | None:
    member = TeamMember.objects.filter(user_id=user_id).first()
    if member is None:
        return None
    return Scope(
        provider_id=member.provider_id,
        surface=Surface.ACCOUNT_CENTRE,
        user_id=user_id,
        permissions=frozenset({f"team.{member.role.lower()}"}),
        customer_id=member.customer_id,
    )


def _reseller_scope(user_id: int) -> Scope | None:
    viewer = ResellerUser.objects.filter(user_id=user_id).first()
    if viewer is None:
        return None
    with row_security.acting_for(provider_id=viewer.provider_id, user_id=user_id):
        if viewer.reseller.state != Reseller.State.ACTIVE:
            return None
    return Scope(
        provider_id=viewer.provider_id,
        surface=Surface.RESELLER_PORTAL,
        user_id=user_id,
        reseller_id=viewer.reseller_id,
    )
