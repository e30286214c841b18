"""One sign-in page for all; customers sign up at the page of their provider."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is untyped
    """allauth's account flow without its own sign-up, which knows no provider."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
