from tenancy.models import Provider
from tests.web.matrix import Page, actions, customers, resellers

OPEN = {"anonymous": 200, "signed in": 200}


def brand(provider: Provider) -> dict[str, object]:
    return {"provider_slug": provider.slug}


def reset_link(provider: Provider) -> dict[str, object]:
    return {"uidb36": "1", "key": "none"}


def webhook(provider: Provider) -> dict[str, object]:
    return {"gateway": "sandbox", "provider_slug": provider.slug}


PAGES = {
    "home": Page({"anonymous": 302, "stranger": 403, "signed in": 302}),
    "brand": Page({**OPEN, "other provider": 200}, brand),
    "account_login": Page({"anonymous": 200, "signed in": 302}),
    "account_inactive": Page(OPEN),
    "account_logout": Page(actions()),
    "account_reset_password": Page(OPEN),
    "account_reset_password_done": Page(OPEN),
    "account_reset_password_from_key": Page({**OPEN, "other provider": 200}, reset_link),
    "account_reset_password_from_key_done": Page(OPEN),
    # Takes signed messages of gateways, by POST.
    "webhook": Page(actions(), webhook),
    "account_centre_home": Page(customers()),
    "reseller_portal_home": Page(resellers()),
}
