"""From a request to a `Scope`: the only file that decides who sees what."""

from collections.abc import Callable
from functools import wraps
from typing import cast

from django.contrib.auth.views import redirect_to_login
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase

from common.scope import Scope, Surface
from customers.models import Customer, TeamMember
from resellers.models import Reseller, ResellerModule, ResellerUser
from tenancy import row_security
from tenancy.models import Membership, User

# About the person, not a provider: they change sessions, which the reseller portal may not.
PERSONAL_PATHS = ("/sign-in/", "/sign-out/", "/password/")
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
# A terminated customer may still look at what it keeps, its documents; these have none yet.
NOT_YET_CUSTOMERS = (Customer.State.AWAITING_CONFIRMATION, Customer.State.DRAFT)

_Respond = Callable[[HttpRequest], HttpResponseBase]
_View = Callable[..., HttpResponse]


class ScopedRequest(HttpRequest):
    """A request after `ScopeMiddleware`; `scope` is None for strangers and on personal pages."""

    scope: Scope | None


class SurfaceRequest(HttpRequest):
    """A request that was let through to a surface's page."""

    scope: Scope
    user: User


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
        request.scope = None
        if request.user.is_authenticated and not request.path_info.startswith(PERSONAL_PATHS):
            request.scope = scope_of(request.user)
        if request.scope is None:
            # A savepoint, for a failed view to take back what it wrote and no more.
            with transaction.atomic():
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


def page_of(surface: Surface) -> Callable[[_View], Callable[..., HttpResponse]]:
    """Let only users of `surface` see a page; to others who have signed in it does not exist.

    The reseller portal's pages answer safe methods only: whoever asks, 405 to all others.
    """

    def restrict(view: _View) -> Callable[..., HttpResponse]:
        @wraps(view)
        def restricted(request: ScopedRequest, *args: object, **kwargs: object) -> HttpResponse:
            if surface is Surface.RESELLER_PORTAL and request.method not in SAFE_METHODS:
                return HttpResponseNotAllowed(SAFE_METHODS)
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if request.scope is None or request.scope.surface is not surface:
                raise Http404
            return view(cast("SurfaceRequest", request), *args, **kwargs)

        return restricted

    return restrict


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
    with row_security.acting_for(provider_id=member.provider_id, user_id=user_id):
        if member.customer.state in NOT_YET_CUSTOMERS:
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
        module_is_on = ResellerModule.objects.filter(
            provider_id=viewer.provider_id, is_enabled=True
        ).exists()
        if not module_is_on or viewer.reseller.state != Reseller.State.ACTIVE:
            return None
    return Scope(
        provider_id=viewer.provider_id,
        surface=Surface.RESELLER_PORTAL,
        user_id=user_id,
        reseller_id=viewer.reseller_id,
    )
