"""Letting people in who have been added: a link by which they choose their password, once."""

from smtplib import SMTPException

from allauth.account.adapter import get_adapter
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.http import HttpRequest

from common.errors import DomainError
from tenancy.models import Provider, User


class MailNotTaken(DomainError):
    """The mail server refused an invitation, or could not be reached."""


def is_mailed() -> bool:
    """Whether invitations go by mail; otherwise who invites hands the link over."""
    return bool(settings.EMAIL_URL)


def invite(request: HttpRequest, provider: Provider, user: User) -> str:
    """Mail the user a link to choose a password; the link to hand over, where no mail is sent.

    :raises MailNotTaken: if the mail server takes none.
    """
    link = _password_link(request, user)
    if not is_mailed():
        return link
    context = {"provider": provider, "user": user, "password_url": link}
    try:
        get_adapter(request).send_mail("account/email/invitation", user.email, context)
    except (OSError, SMTPException) as failure:
        raise MailNotTaken(
            f"The mail server did not take the invitation ({failure}), so nothing was done."
            " Try again in a while."
        ) from failure
    return ""


def _password_link(request: HttpRequest, user: User) -> str:
    """The address of the page where the user chooses a password; dead once it was used."""
    key = f"{user_pk_to_url_str(user)}-{default_token_generator.make_token(user)}"
    return str(get_adapter(request).get_reset_password_from_key_url(key))
