"""From a request to a `Scope`: the only file that decides who sees what."""

from collections.abc import Callable, Collection
from datetime import datetime
from functools import wraps
from typing import cast

from allauth.account.adapter import get_adapter
from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django_htmx.middleware import HtmxDetails

from common import clock
from common.errors import NotFound
from common.scope import Scope, Surface
from common.statements import fetch_rows
from customers.models import Customer, TeamMember
from resellers.models import BillingModeAssignment, Reseller, ResellerUser
from resellers.rules.openings import OPENINGS
from resellers.selectors import reseller_tree
from tenancy import row_security
from tenancy.models import Membership, Provider, User
from tenancy.rules.tokens import MARK, is_within
from tenancy.selectors import Grant, grant_of, has_second_factor, own_provider

# Programs show a token there, and no session counts.
API_PATH = "/api/"
# About no provider as its people see it: they change sessions, which the reseller portal may not.
PERSONAL_PATHS = (
    "/sign-in/",
    "/sign-out/",
    "/sign-up/",
    "/e-mail/",
    "/password/",
    "/brand/",
    "/sandbox/",
)
# One's own password and second factors, which people of the reseller portal change too.
SECURITY_PATH = "/security/"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
FORM_METHODS = ("GET", "HEAD", "OPTIONS", "POST")
ACTION_METHODS = ("POST",)
NOT_YET_CUSTOMERS = (Customer.State.AWAITING_CONFIRMATION, Customer.State.DRAFT)
# A team's admin does everything, billing pays and otherwise reads, technical sees no money.
TEAM_PERMISSIONS = {
    TeamMember.TeamRole.ADMIN: frozenset(
        {
            "usage.read",
            "services.read",
            "services.write",
            "money.read",
            "money.pay",
            "team.read",
            "team.write",
            "activity.read",
            "profile.read",
            "profile.write",
        }
    ),
    TeamMember.TeamRole.BILLING: frozenset(
        {"usage.read", "services.read", "money.read", "money.pay", "team.read", "profile.read"}
    ),
    TeamMember.TeamRole.TECHNICAL: frozenset(
        {"usage.read", "services.read", "team.read", "profile.read"}
    ),
}
# Who is or was in billing mode, or has such a reseller below it, sees what it pays and is paid.
WHOLESALE = "wholesale.read"

_RESELLER_MODULE_ON = (
    "SELECT FROM resellers_resellermodule WHERE provider_id = %s AND is_enabled LIMIT 1"
)
_Respond = Callable[[HttpRequest], HttpResponseBase]
_View = Callable[..., HttpResponse]


class ScopedRequest(HttpRequest):
    """A request after `ScopeMiddleware`; `scope` is None for strangers and on personal pages.

    `grant` is what the token says that a program shows; None where it shows none that is valid.
    """

    scope: Scope | None
    provider: Provider | None
    grant: Grant | None


class SurfaceRequest(HttpRequest):
    """A request let through to a surface's page; times are in its provider's zone."""

    scope: Scope
    provider: Provider
    user: User
    htmx: HtmxDetails


class CommittedFirst(HttpResponse):
    """An answer that is known once the request's own transaction has ended.

    `settle` makes its content then, in transactions that it opens itself: under the web role again
    and acting for the request's provider.
    """

    def __init__(self, settle: Callable[[HttpResponse], None]) -> None:
        super().__init__()
        self.settle = settle


class WebRoleMiddleware:
    """Run the whole request, sessions and sign-in included, under the web role."""

    def __init__(self, get_response: _Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with row_security.web_role():
            response = self.get_response(request)
            assert not response.streaming, "a streamed body would be read outside the web role"
        if isinstance(response, CommittedFirst):
            response.settle(response)
            response.headers["Content-Length"] = str(len(response.content))
        return response


class ScopeMiddleware:
    """Find the signed-in user's scope and run the view where only its provider is visible."""

    def __init__(self, get_response: _Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: ScopedRequest) -> HttpResponseBase:
        request.scope = request.provider = request.grant = None
        if request.path_info.startswith(API_PATH):
            return self._answer_program(request)
        if request.user.is_authenticated and not request.path_info.startswith(PERSONAL_PATHS):
            request.scope = scope_of(request.user)
        if request.scope is None:
            # A savepoint, for a failed view to take back what it wrote and no more.
            with transaction.atomic():
                return self.get_response(request)
        with row_security.acting_for(
            provider_id=request.scope.provider_id,
            user_id=request.scope.user_id,
            reseller_id=request.scope.reseller_id,
            read_only=request.scope.surface is Surface.RESELLER_PORTAL
            and not request.path_info.startswith(SECURITY_PATH),
        ):
            request.provider = own_provider(request.scope)
            if _lacks_second_factor(request.scope, request.provider, request.path_info):
                return redirect("mfa_index")
            with timezone.override(request.provider.time_zone):
                return self.get_response(request)

    def _answer_program(self, request: ScopedRequest) -> HttpResponseBase:
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return self._answer_call(request)
        # Of a browser: its session is looked after once the call has failed, as that of any page.
        with transaction.atomic():
            return self._answer_call(request)

    def _answer_call(self, request: ScopedRequest) -> HttpResponseBase:
        grant = _grant_of(request, clock.now())
        if grant is not None:
            row_security.introduce_program(
                provider_id=grant.provider_id, user_id=grant.user_id, token_id=grant.token_id
            )
            request.grant, request.scope = grant, _program_scope(grant)
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """A view that failed has written nothing, whatever answer is made of the failure.

        One that has somebody prove again who they are has not begun.
        """
        if not isinstance(exception, ReauthenticationRequired):
            transaction.set_rollback(True)
        return None


def client_address(request: HttpRequest) -> str:
    """Where a request comes from, as the trusted proxies tell it."""
    return str(get_adapter(request).get_client_ip(request))


def _grant_of(request: HttpRequest, at: datetime) -> Grant | None:
    """What the token says that the request shows, if it is valid now and from there."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.startswith(MARK):
        return None
    grant = grant_of(secret.strip())
    if grant is None or not grant.is_valid(at):
        return None
    return grant if is_within(client_address(request), grant.networks) else None


def _program_scope(grant: Grant) -> Scope:
    return Scope(
        provider_id=grant.provider_id,
        surface=Surface.API,
        user_id=grant.user_id,
        permissions=grant.held,
    )


def _lacks_second_factor(scope: Scope, provider: Provider, path: str) -> bool:
    """Whether one of the staff has to add a second factor before anything else.

    Whoever has one was asked for it when they signed in.
    """
    return (
        provider.staff_need_second_factor
        and scope.surface is Surface.CONSOLE
        and not path.startswith(SECURITY_PATH)
        and scope.user_id is not None
        and not has_second_factor(scope.user_id)
    )


def scope_of(user: User) -> Scope | None:
    """The scope of a signed-in user; None where nothing is (or is still) theirs to see."""
    row_security.introduce(user.pk)
    for find in (_staff_scope, _customer_scope, _reseller_scope):
        scope = find(user.pk)
        if scope is not None:
            return scope
    return None


def page_of(
    surface: Surface, needs: str = "", methods: Collection[str] = SAFE_METHODS
) -> Callable[[_View], Callable[..., HttpResponse]]:
    """Let only users of `surface` see a page; to others who have signed in it does not exist.

    `needs` is the permission code without which one's own surface answers 403. Other methods than
    `methods` are refused with 405, whoever asks; the reseller portal's pages have safe ones only.
    What a selector does not find is a 404.
    """
    assert surface is not Surface.RESELLER_PORTAL or methods is SAFE_METHODS

    def restrict(view: _View) -> Callable[..., HttpResponse]:
        @wraps(view)
        def restricted(request: ScopedRequest, *args: object, **kwargs: object) -> HttpResponse:
            if request.method not in methods:
                return HttpResponseNotAllowed(methods)
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if request.scope is None or request.scope.surface is not surface:
                raise Http404
            if needs and needs not in request.scope.permissions:
                raise PermissionDenied
            try:
                return view(cast("SurfaceRequest", request), *args, **kwargs)
            except (NotFound, ObjectDoesNotExist) as missing:
                raise Http404 from missing

        return restricted

    return restrict


def _staff_scope(user_id: int) -> Scope | None:
    membership = Membership.objects.filter(user_id=user_id).order_by("pk").first()
    if membership is None:
        return None
    with row_security.acting_for(provider_id=membership.provider_id, user_id=user_id):
        permissions = frozenset(membership.role.permissions)
        has_resellers = _has_resellers(membership.provider_id)
    return Scope(
        provider_id=membership.provider_id,
        surface=Surface.CONSOLE,
        user_id=user_id,
        permissions=permissions,
        has_resellers=has_resellers,
    )


def _has_resellers(provider_id: int) -> bool:
    return bool(fetch_rows(_RESELLER_MODULE_ON, [provider_id]))


def _customer_scope(user_id: int) -> Scope | None:
    member = TeamMember.objects.filter(user_id=user_id).first()
    if member is None:
        return None
    with row_security.acting_for(provider_id=member.provider_id, user_id=user_id):
        if not _was_opened(member.customer):
            return None
    return Scope(
        provider_id=member.provider_id,
        surface=Surface.ACCOUNT_CENTRE,
        user_id=user_id,
        permissions=TEAM_PERMISSIONS[TeamMember.TeamRole(member.role)],
        customer_id=member.customer_id,
    )


def _was_opened(customer: Customer) -> bool:
    """Whether the account is there to be seen, or was.

    A terminated customer may still look at what it keeps, its documents; one that was refused
    before its account was opened has none.
    """
    if customer.state == Customer.State.TERMINATED:
        return customer.active_since is not None
    return customer.state not in NOT_YET_CUSTOMERS


def _reseller_scope(user_id: int) -> Scope | None:
    viewer = ResellerUser.objects.filter(user_id=user_id).first()
    if viewer is None:
        return None
    with row_security.acting_for(provider_id=viewer.provider_id, user_id=user_id):
        reseller = viewer.reseller
        if not _has_resellers(viewer.provider_id) or reseller.state != Reseller.State.ACTIVE:
            return None
        opened = {code for column, code in OPENINGS.items() if getattr(reseller, column)}
        if _trades_wholesale(reseller):
            opened.add(WHOLESALE)
        below = _below(reseller) if reseller.sees_branch else frozenset()
    return Scope(
        provider_id=viewer.provider_id,
        surface=Surface.RESELLER_PORTAL,
        user_id=user_id,
        permissions=frozenset(opened),
        reseller_id=viewer.reseller_id,
        below_ids=below,
    )


def _trades_wholesale(reseller: Reseller) -> bool:
    own_or_below = Q(reseller_id=reseller.pk) | Q(reseller__parent_id=reseller.pk)
    return BillingModeAssignment.objects.filter(own_or_below).exists()


def _below(reseller: Reseller) -> frozenset[int]:
    whole = reseller_tree(Scope.system(reseller.provider_id))
    return frozenset(whole.descendants(reseller.pk))
