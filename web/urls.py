"""Where each page lives. `/healthz` and `/readyz` are answered before any of these."""

from allauth.account import views as account
from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.decorators.http import require_POST

from web import sandbox, security, sign_up
from web.brand import brand, brand_logo
from web.home import home
from web.webhooks import receive

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home, name="home"),
    path("console/", include("web.console.urls")),
    path("account/", include("web.account_centre.urls")),
    path("reseller/", include("web.reseller_portal.urls")),
    path("api/", include("web.api.urls")),
    path("brand/<slug:provider_slug>.css", brand, name="brand"),
    path("brand/<slug:provider_slug>/<slug:sha256>.png", brand_logo, name="brand_logo"),
    path("webhooks/<slug:gateway>/<slug:provider_slug>/", receive, name="webhook"),
    *sandbox.urls,
    *security.urls,
    # The names are allauth's, which looks its pages up by them.
    path("sign-in/", account.login, name="account_login"),
    path("sign-in/inactive/", account.account_inactive, name="account_inactive"),
    path("sign-in/<slug:provider_slug>/", sign_up.provider_sign_in, name="provider_sign_in"),
    # Invitations lead there too, handed over where there is no mail.
    re_path(
        r"^password/reset/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>[^/]+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/done/",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    path("sign-out/", require_POST(account.logout), name="account_logout"),
]
if settings.PASSWORD_RESET:
    # Who signs up confirms their e-mail: this needs a mail server, like the password reset.
    urlpatterns += [
        *sign_up.urls,
        path("password/reset/", account.password_reset, name="account_reset_password"),
        path(
            "password/reset/sent/", account.password_reset_done, name="account_reset_password_done"
        ),
    ]
