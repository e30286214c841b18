"""Everybody's own sign-in. Who asks here has no password, and so nothing to confirm by."""

from tenancy.models import Provider
from tests.web.matrix import Page, actions

OWN = {"anonymous": 302, "signed in": 200}
ON_ITS_WAY = {"anonymous": 302, "signed in": 302}
NOT_THERE = {"anonymous": 302, "signed in": 404}
NOTHING_TO_CONFIRM_BY = {"anonymous": 302, "signed in": 403}


def session(provider: Provider) -> dict[str, object]:
    return {"session_id": 1}


def key(provider: Provider) -> dict[str, object]:
    return {"pk": 1}


PAGES = {
    "mfa_index": Page(OWN),
    "security_session_end": Page(actions(), session),
    "security_sessions_end": Page(actions()),
    "account_change_password": Page(ON_ITS_WAY),
    "account_set_password": Page(OWN),
    "account_reauthenticate": Page(NOTHING_TO_CONFIRM_BY),
    "mfa_reauthenticate": Page(NOTHING_TO_CONFIRM_BY),
    "mfa_reauthenticate_webauthn": Page(NOTHING_TO_CONFIRM_BY),
    "mfa_activate_totp": Page(OWN),
    "mfa_deactivate_totp": Page(NOT_THERE),
    "mfa_view_recovery_codes": Page(NOT_THERE),
    "mfa_generate_recovery_codes": Page(OWN),
    "mfa_download_recovery_codes": Page(NOT_THERE),
    "mfa_list_webauthn": Page(ON_ITS_WAY),
    "mfa_add_webauthn": Page(OWN),
    "mfa_edit_webauthn": Page(NOT_THERE, key),
    "mfa_remove_webauthn": Page(NOT_THERE, key),
    "mfa_authenticate": Page(ON_ITS_WAY),
    "mfa_login_webauthn": Page(ON_ITS_WAY),
}
