"""API tokens in the console: what programs may do here, for how long, and from where."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.cache import cache
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.timezone import make_aware

from common import clock
from common.csv_files import Cell
from common.errors import DomainError
from common.scope import Scope, Surface
from tenancy import selectors
from tenancy.models import ApiToken, Role
from tenancy.rules.scopes import MEANINGS, scopes_within
from tenancy.services.api_tokens import (
    LONGEST_LIFE,
    ExpiryRefused,
    NetworkRefused,
    ScopeRefused,
    TokenNameRefused,
    create_token,
    revoke_token,
)
from tenancy.services.roles import PermissionNotHeld
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.shared.actions import Action, allowed
from web.shared.badges import badge
from web.shared.filters import Filters, choice_filter
from web.shared.form_fields import DateField, Form
from web.shared.form_pages import FormPage, Review, confirm_page, form_page
from web.shared.lists import Empty, list_page
from web.shared.tables import Column, InstantColumn, LinkColumn, Table

TOKENS = "console_api_tokens"
SECRET_SECONDS = 300
"""How long a new token waits, outside the database, for who made it to be led to its page."""
USUAL_DAYS = 90
_LIVE, _REVOKED, _EXPIRED = "live", "revoked", "expired"


def _state(token: ApiToken) -> tuple[str, str]:
    """Whether it still lets do anything: for a badge, and in a word."""
    if token.revoked_at is not None:
        return "CANCELLED", _REVOKED
    if token.expires_at <= clock.now():
        return "EXPIRED", _EXPIRED
    if token.membership is not None and not token.membership.user.is_active:
        return "DISABLED", "deactivated"
    return "ACTIVE", _LIVE


class StateColumn(Column):
    """A token's state as a badge, and in files as its word."""

    def render(self, record: ApiToken) -> str:
        return badge(*_state(record))

    def export_cells(self, record: ApiToken, value: object) -> list[Cell]:
        return [_state(record)[1]]


class ScopesColumn(Column):
    """What it may do, in one cell."""

    def render(self, record: ApiToken) -> str:
        return ", ".join(record.scopes)

    def export_cells(self, record: ApiToken, value: object) -> list[Cell]:
        return [self.render(record)]


class TokenTable(Table):
    name = LinkColumn("Name")
    shown_start = Column("Begins with")
    holder = Column("Acts for")
    scopes = ScopesColumn("May")
    state = StateColumn("State", accessor="expires_at")
    expires_at = InstantColumn("Expires")
    last_used_at = InstantColumn("Last used", default="never")


class TokenFilters(Filters):
    searches = ("name__icontains", "shown_start__startswith")
    search_hint = "Name, or how it begins"

    state = choice_filter(
        "State",
        "state",
        [(_LIVE, "Live"), (_REVOKED, "Revoked"), (_EXPIRED, "Expired")],
        method="in_state",
    )

    def in_state(self, rows: QuerySet[ApiToken], _: str, state: str) -> QuerySet[ApiToken]:
        """By the clock, as nothing is written when a token expires."""
        is_over = Q(expires_at__lte=clock.now())
        return rows.filter(
            {
                _LIVE: Q(revoked_at__isnull=True) & ~is_over,
                _REVOKED: Q(revoked_at__isnull=False),
                _EXPIRED: Q(revoked_at__isnull=True) & is_over,
            }[state]
        )


@page_of(Surface.CONSOLE, "settings.read")
def token_list(request: SurfaceRequest) -> HttpResponse:
    make = Action("New token", reverse("console_api_token_create"), "plus", is_main=True)
    return list_page(
        request,
        title="API tokens",
        lead="What programs show to act here. Each can do what its scopes say and its role holds.",
        rows=selectors.api_tokens(request.scope),
        table=TokenTable,
        filters=TokenFilters,
        name="api-tokens",
        actions=[make, Action("API reference", reverse("api_reference"), "book-open")],
        empty=Empty("No tokens", "Make one for the program that is to act for you.", action=make),
    )


class TokenForm(Form):
    name = forms.CharField(
        max_length=100, help_text="Which program gets it, such as “Switch in Frankfurt”."
    )
    role = forms.ModelChoiceField(
        label="Acts for",
        queryset=Role.objects.none(),
        required=False,
        empty_label="Yourself, as long as you work here",
    )
    scopes = forms.MultipleChoiceField(label="May", widget=forms.CheckboxSelectMultiple)
    expires_on = DateField(
        label="Expires on", help_text=f"Within {LONGEST_LIFE.days} days. Then make another one."
    )
    networks = forms.CharField(
        label="Only from",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Addresses or networks, such as 192.0.2.7 or 192.0.2.0/24, one a line."
        " Empty: from anywhere.",
    )

    def __init__(self, *args: Any, scope: Scope, **options: Any) -> None:
        super().__init__(*args, **options)
        roles = selectors.roles(scope) if "settings.write" in scope.permissions else []
        if not roles:
            del self.fields["role"]
        else:
            role: Any = self.fields["role"]
            role.queryset = roles
            role.label_from_instance = lambda row: f"A service account with the role {row}"
        scopes: Any = self.fields["scopes"]
        scopes.choices = [
            (name, f"{name}: {MEANINGS[name]}") for name in scopes_within(scope.permissions)
        ]

    def clean_networks(self) -> Sequence[str]:
        return str(self.cleaned_data["networks"]).replace(",", " ").split()

    @property
    def expires_at(self) -> datetime:
        """The end of the day, in the provider's time zone."""
        following = self.cleaned_data["expires_on"] + timedelta(days=1)
        return make_aware(datetime.combine(following, datetime.min.time()))


FIELDS_OF: dict[type[DomainError], str] = {
    TokenNameRefused: "name",
    ScopeRefused: "scopes",
    PermissionNotHeld: "scopes",
    ExpiryRefused: "expires_on",
    NetworkRefused: "networks",
}


@page_of(Surface.CONSOLE, "settings.read", FORM_METHODS)
def token_create(request: SurfaceRequest) -> HttpResponse:
    def save(form: TokenForm) -> str:
        role = form.cleaned_data.get("role")
        token, secret = create_token(
            provider_id=request.scope.provider_id,
            name=form.cleaned_data["name"],
            role_id=role.pk if role else None,
            scopes=form.cleaned_data["scopes"],
            networks=form.cleaned_data["networks"],
            expires_at=form.expires_at,
            at=clock.now(),
            actor_id=request.user.pk,
        )
        cache.set(_shelf(request, token.pk), secret, SECRET_SECONDS)
        return _address("console_api_token_secret", token)

    page = FormPage(
        "New API token",
        submit="Make token",
        cancel_url=reverse(TOKENS),
        lead="It is shown once. It can do no more than you can, and no more than its role holds.",
    )
    initial = {"expires_on": (clock.now() + timedelta(days=USUAL_DAYS)).date()}
    return form_page(
        request,
        page,
        form=TokenForm,
        save=save,
        fields_of=FIELDS_OF,
        initial=initial,
        scope=request.scope,
    )


def _shelf(request: SurfaceRequest, token_id: int) -> str:
    return f"new-api-token:{request.user.pk}:{token_id}"


def _address(url_name: str, token: ApiToken) -> str:
    return reverse(url_name, kwargs={"token_id": token.pk})


@page_of(Surface.CONSOLE, "settings.read")
def token_secret(request: SurfaceRequest, token_id: int) -> HttpResponse:
    """Shown to who made it, once."""
    token = selectors.api_tokens(request.scope).get(pk=token_id)
    shelf = _shelf(request, token.pk)
    secret = cache.get(shelf)
    # Two windows may ask at once: it is for the one that takes it off the shelf.
    if secret is None or not cache.delete(shelf):
        raise Http404
    context = {"token": token, "secret": secret}
    return render(request, "console/settings/api_token_secret.html", context)


@page_of(Surface.CONSOLE, "settings.read")
def token_show(request: SurfaceRequest, token_id: int) -> HttpResponse:
    token = selectors.api_tokens(request.scope).get(pk=token_id)
    revoke = Action("Revoke", _address("console_api_token_revoke", token), "no-symbol")
    can_revoke = token.revoked_at is None and _may_revoke(request, token)
    context = {
        "token": token,
        "state": badge(*_state(token)),
        "scopes": [(name, MEANINGS.get(name, "")) for name in token.scopes],
        "actions": allowed(request.scope, [revoke] if can_revoke else []),
    }
    return render(request, "console/settings/api_token_show.html", context)


def _may_revoke(request: SurfaceRequest, token: ApiToken) -> bool:
    """Everybody their own; any, who may change settings."""
    is_own = token.membership is not None and token.membership.user_id == request.scope.user_id
    return is_own or "settings.write" in request.scope.permissions


@page_of(Surface.CONSOLE, "settings.read", FORM_METHODS)
def token_revoke(request: SurfaceRequest, token_id: int) -> HttpResponse:
    token = selectors.api_tokens(request.scope).get(pk=token_id)
    if not _may_revoke(request, token):
        raise Http404

    def confirm() -> str:
        revoke_token(token=token, at=clock.now(), actor_id=request.user.pk)
        messages.success(request, f"{token} is revoked: nothing can be done with it any more.")
        return _address("console_api_token", token)

    review = Review(
        title=f"Revoke {token}?",
        lead="Programs that use it are refused from their next call on. This cannot be undone.",
        facts=[("Acts for", token.holder), ("Begins with", token.shown_start)],
        submit="Revoke",
        is_dangerous=True,
    )
    cancel_url = _address("console_api_token", token)
    return confirm_page(request, review, confirm=confirm, cancel_url=cancel_url)


urls = [
    path("settings/api-tokens/", token_list, name=TOKENS),
    path("settings/api-tokens/new/", token_create, name="console_api_token_create"),
    path("settings/api-tokens/<int:token_id>/", token_show, name="console_api_token"),
    path(
        "settings/api-tokens/<int:token_id>/secret/", token_secret, name="console_api_token_secret"
    ),
    path(
        "settings/api-tokens/<int:token_id>/revoke/", token_revoke, name="console_api_token_revoke"
    ),
]
