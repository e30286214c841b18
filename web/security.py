"""Everybody's own sign-in: password, second factors, and where they are signed in."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST, require_safe
from django.views.generic import RedirectView

from common.scope import Surface
from web.access import SurfaceRequest
from web.sessions import end_others, end_sessions, open_sessions

BROWSERS = (
    ("Edge", r"Edg/"),
    ("Opera", r"OPR/"),
    ("Firefox", r"Firefox/"),
    ("Chrome", r"Chrome/"),
    ("Safari", r"Safari/"),
)
SYSTEMS = (
    ("Android", r"Android"),
    ("iOS", r"iPhone|iPad"),
    ("Windows", r"Windows"),
    ("macOS", r"Macintosh"),
    ("Linux", r"Linux"),
)


@dataclass(frozen=True)
class SignedIn:
    """One browser somebody is signed in with."""

    session_id: int
    device: str
    address: str
    began_at: datetime
    last_seen_at: datetime
    is_this: bool


@dataclass(frozen=True)
class SecondFactors:
    """What somebody proves a sign-in with, besides the password."""

    app: Authenticator | None
    keys: tuple[Authenticator, ...]
    recovery_codes_left: int

    @property
    def are_on(self) -> bool:
        return self.app is not None or bool(self.keys)


@require_safe
@login_required
def security(request: SurfaceRequest) -> HttpResponse:
    context = {
        "factors": _second_factors(request.user.pk),
        "is_required": _is_required(request),
        "sessions": [_signed_in(row, request) for row in open_sessions(request.user)],
    }
    return render(request, "security/security.html", context)


@require_POST
@login_required
def end_session(request: SurfaceRequest, session_id: int) -> HttpResponse:
    """One of the others: the present one ends by signing out."""
    others = open_sessions(request.user).exclude(session_key=request.session.session_key)
    rows = others.filter(pk=session_id)
    if not rows:
        raise Http404
    end_sessions(rows)
    messages.success(request, "That session was ended.")
    return redirect("mfa_index")


@require_POST
@login_required
def end_other_sessions(request: SurfaceRequest) -> HttpResponse:
    end_others(request)
    messages.success(request, "You are signed in here and nowhere else.")
    return redirect("mfa_index")


def _adding(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page that adds a second factor: who has added one is signed out where nobody proved it."""

    @wraps(view)
    def adding(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if not request.user.is_authenticated:
            return view(request, *args, **kwargs)
        had = _factor_ids(request.user.pk)
        response = view(request, *args, **kwargs)
        if _factor_ids(request.user.pk) - had and end_others(request):
            messages.info(request, "You were signed out everywhere else.")
        return response

    return adding


def _factor_ids(user_id: int) -> set[int]:
    rows = Authenticator.objects.filter(user_id=user_id)
    return set(rows.exclude(type=Authenticator.Type.RECOVERY_CODES).values_list("pk", flat=True))


def _is_required(request: SurfaceRequest) -> bool:
    """Whether the console stays closed to them until they have a second factor."""
    if request.scope is None or request.scope.surface is not Surface.CONSOLE:
        return False
    return request.provider.staff_need_second_factor


def device(user_agent: str) -> str:
    """`Firefox on Linux`, as far as the browser says so."""
    browser = _first(BROWSERS, user_agent) or "A program"
    system = _first(SYSTEMS, user_agent)
    return f"{browser} on {system}" if system else browser


def _first(patterns: tuple[tuple[str, str], ...], text: str) -> str:
    return next((name for name, pattern in patterns if re.search(pattern, text)), "")


def _signed_in(row: UserSession, request: SurfaceRequest) -> SignedIn:
    return SignedIn(
        session_id=row.pk,
        device=device(row.user_agent),
        address=row.ip,
        began_at=row.created_at,
        last_seen_at=row.last_seen_at,
        is_this=row.session_key == request.session.session_key,
    )


def _second_factors(user_id: int) -> SecondFactors:
    rows = list(Authenticator.objects.filter(user_id=user_id).order_by("pk"))
    of_type = {row.type: row for row in rows}
    codes = of_type.get(Authenticator.Type.RECOVERY_CODES)
    return SecondFactors(
        app=of_type.get(Authenticator.Type.TOTP),
        keys=tuple(row for row in rows if row.type == Authenticator.Type.WEBAUTHN),
        recovery_codes_left=len(codes.wrap().get_unused_codes()) if codes else 0,
    )


# The names are allauth's, which looks its pages up by them.
urls: list[URLPattern] = [
    path("security/", security, name="mfa_index"),
    path("security/sessions/<int:session_id>/end/", end_session, name="security_session_end"),
    path("security/sessions/end-others/", end_other_sessions, name="security_sessions_end"),
    path("security/password/", account.password_change, name="account_change_password"),
    path("security/password/set/", account.password_set, name="account_set_password"),
    path("security/confirm/", account.reauthenticate, name="account_reauthenticate"),
    path("security/confirm/code/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path(
        "security/confirm/key/",
        webauthn.reauthenticate_webauthn,
        name="mfa_reauthenticate_webauthn",
    ),
    path("security/app/add/", _adding(totp.activate_totp), name="mfa_activate_totp"),
    path("security/app/remove/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path(
        "security/recovery-codes/",
        recovery_codes.view_recovery_codes,
        name="mfa_view_recovery_codes",
    ),
    path(
        "security/recovery-codes/new/",
        recovery_codes.generate_recovery_codes,
        name="mfa_generate_recovery_codes",
    ),
    path(
        "security/recovery-codes/download/",
        recovery_codes.download_recovery_codes,
        name="mfa_download_recovery_codes",
    ),
    path(
        "security/keys/", RedirectView.as_view(pattern_name="mfa_index"), name="mfa_list_webauthn"
    ),
    path("security/keys/add/", _adding(webauthn.add_webauthn), name="mfa_add_webauthn"),
    path("security/keys/<int:pk>/name/", webauthn.edit_webauthn, name="mfa_edit_webauthn"),
    path("security/keys/<int:pk>/remove/", webauthn.remove_webauthn, name="mfa_remove_webauthn"),
    path("sign-in/code/", mfa.authenticate, name="mfa_authenticate"),
    path("sign-in/passkey/", webauthn.login_webauthn, name="mfa_login_webauthn"),
]
