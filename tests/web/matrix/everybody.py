from billing.services.brand import change_brand
from tenancy.models import Provider
from tests.factories.pictures import make_picture
from tests.web.matrix import Page, actions, customers, resellers

OPEN = {"anonymous": 200, "signed in": 200}


def brand(provider: Provider) -> dict[str, object]:
    return {"provider_slug": provider.slug}


def logo(provider: Provider) -> dict[str, object]:
    worn = change_brand(
        provider_id=provider.pk,
        accent_colour="#1f4fd8",
        picture=make_picture(),
        at=provider.created_at,
        actor_id=None,
    )
    return {"provider_slug": provider.slug, "sha256": worn.logo_sha256}


def reset_link(provider: Provider) -> dict[str, object]:
    return {"uidb36": "1", "key": "none"}


def webhook(provider: Provider) -> dict[str, object]:
    return {"gateway": "sandbox", "provider_slug": provider.slug}


PAGES = {
    "home": Page({"anonymous": 302, "stranger": 403, "signed in": 302}),
    "brand": Page({**OPEN, "other provider": 200}, brand),
    "brand_logo": Page({**OPEN, "other provider": 200}, logo),
    "provider_sign_in": Page({"anonymous": 200, "signed in": 302}, brand),
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
