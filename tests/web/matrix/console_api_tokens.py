from tenancy.models import Provider
from tests.factories.api import make_token
from tests.web.matrix import Page, staff


def token(provider: Provider) -> dict[str, object]:
    return {"token_id": make_token(provider)[0].pk}


# Shown once, to who has just made it.
NOBODY = {who: 404 if answer == 200 else answer for who, answer in staff("settings.read").items()}
PAGES = {
    "console_api_tokens": Page(staff("settings.read")),
    "console_api_token_create": Page(staff("settings.read")),
    "console_api_token": Page(staff("settings.read"), token),
    "console_api_token_secret": Page(NOBODY, token),
    # Everybody their own, which this is not, and any who may change settings.
    "console_api_token_revoke": Page(NOBODY | {"Admin": 200}, token),
}
