from tenancy.models import Provider
from tests.web.matrix import Page, actions

OPEN = {"anonymous": 200, "signed in": 200, "other provider": 200}


def of_provider(provider: Provider) -> dict[str, object]:
    return {"provider_slug": provider.slug}


def of_no_address(provider: Provider) -> dict[str, object]:
    return {"key": "none"}


PAGES = {
    "sign_up": Page(OPEN, of_provider),
    "sign_up_sent": Page(OPEN, of_provider),
    "sign_up_terms": Page(OPEN, of_provider),
    "sign_up_again": Page(actions(), of_provider),
    "account_confirm_email": Page(OPEN, of_no_address),
}
