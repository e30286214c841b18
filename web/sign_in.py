"""One sign-in page for all; accounts are made by staff, not by strangers."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is untyped
    """allauth's account flow with public sign-up closed."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
