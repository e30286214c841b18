"""One sign-in page for all; customers sign up at the page of their provider."""

import base64
import hashlib
import logging
from smtplib import SMTPException
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.usersessions.models import UserSession
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.http import HttpRequest

from tenancy.models import User
from web.sessions import end_sessions

logger = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is untyped
    """allauth's account flow without its own sign-up, which knows no provider."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def set_password(self, user: User, password: str) -> None:
        """Whoever knew the old password is signed out everywhere else."""
        super().set_password(user, password)
        elsewhere = UserSession.objects.filter(user_id=user.pk)
        end_sessions(elsewhere.exclude(session_key=self.request.session.session_key))

    def send_notification_mail(self, *what: Any, **options: Any) -> None:
        """What was changed is changed, even if the mail server is out of reach just now.

        Some of these are sent when the transaction commits, after allauth has let the request go.
        """
        try:
            with context.request_context(self.request):
                super().send_notification_mail(*what, **options)
        except (OSError, SMTPException):
            logger.exception("A mail about a changed sign-in was not sent.")

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return "/security/"


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth is untyped
    """Second factors under the provider's name, their secrets encrypted in the database."""

    def get_totp_issuer(self) -> str:
        return _site_name()

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        entity: dict[str, str] = super().get_public_key_credential_rp_entity()
        return {**entity, "name": _site_name()}

    def generate_authenticator_name(self, user: User, type: Any) -> str:
        return "My key"

    def encrypt(self, text: str) -> str:
        return _secret_box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _secret_box().decrypt(encrypted_text.encode()).decode()


def _site_name() -> str:
    provider = getattr(context.request, "provider", None)
    return provider.name if provider else "Tollgate"


def _secret_box() -> MultiFernet:
    """By the secret key; `SECRET_KEY_FALLBACKS` still opens what was closed with former ones."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    keys = (hashlib.sha256(f"second factors:{secret}".encode()).digest() for secret in secrets)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])
