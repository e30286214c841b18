"""How long somebody stays signed in, and where they are."""

from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from common import clock
from tenancy.models import User

BEGAN, SEEN = "began_at", "seen_at"
"""Where a session keeps when it began and when it was last used, in seconds since 1970."""
NOTED_EACH_SECONDS = 60


class SessionLimitsMiddleware:
    """Signs out who was idle for too long, or has been signed in for too long altogether.

    Use is noted once a minute, not with every page: reading a page costs no write.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.user.is_authenticated:
            now = clock.now()
            if _is_over(request, now):
                logout(request)
                messages.info(request, "You were signed out, as you had been away for long.")
            elif now.timestamp() - request.session[SEEN] >= NOTED_EACH_SECONDS:
                _note_use(request, now)
        return self.get_response(request)


def begin(*, request: HttpRequest, **_: Any) -> None:
    """Note the beginning of a session; Django calls this when somebody signs in."""
    now = clock.now().timestamp()
    request.session[BEGAN] = request.session[SEEN] = int(now)


def end_others(request: HttpRequest) -> int:
    """Sign somebody out everywhere but here; of how many sessions."""
    assert request.user.is_authenticated
    return end_sessions(
        open_sessions(request.user).exclude(session_key=request.session.session_key)
    )


def open_sessions(user: User) -> QuerySet[UserSession]:
    """Where somebody is signed in, the latest first."""
    open_ones = Session.objects.filter(
        session_key=OuterRef("session_key"), expire_date__gt=clock.now()
    )
    rows: QuerySet[UserSession] = UserSession.objects.filter(Exists(open_ones), user_id=user.pk)
    return rows.order_by("-last_seen_at", "-pk")


def end_sessions(rows: QuerySet[UserSession]) -> int:
    """Sign somebody out there, of how many sessions; browsers find out with their next page."""
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    ended = list(rows)
    for row in ended:
        store.delete(row.session_key)
        row.delete()
    return len(ended)


def _is_over(request: HttpRequest, now: datetime) -> bool:
    began, seen = request.session.get(BEGAN), request.session.get(SEEN)
    if began is None or seen is None:
        return True
    at = now.timestamp()
    is_old: bool = at - began >= settings.SESSION_COOKIE_AGE
    return is_old or bool(at - seen >= settings.SESSION_IDLE_SECONDS)


def _note_use(request: HttpRequest, now: datetime) -> None:
    request.session[SEEN] = int(now.timestamp())
    UserSession.objects.filter(session_key=request.session.session_key).update(last_seen_at=now)
