"""The people who sign in."""

from datetime import datetime

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from common.errors import DomainError
from common.fields import check_fields
from common.locks import lock_in_transaction
from tenancy import row_security
from tenancy.models import Invitation, User


class EmailTaken(DomainError):
    """Somebody signs in with this e-mail already."""


class EmailRefused(DomainError):
    """The text is no e-mail address."""


class NameRefused(DomainError):
    """The name is longer than one can be."""


class PasswordRefused(DomainError):
    """The password is too easy to guess."""


@transaction.atomic
def create_user(*, email: str, name: str, password: str | None, at: datetime) -> User:
    """Create someone who can sign in; without a password, only after a password reset.

    Who left and is taken in again gets back the row they had, and nothing else of it.

    :raises EmailRefused: if `email` is none.
    :raises NameRefused: if `name` is too long.
    :raises EmailTaken: if somebody has it, in whatever case.
    :raises PasswordRefused: if the password is too weak by the installation's rules.
    """
    email = email.lower()
    user = User(email=email, name=name, created_at=at)
    check_fields(user, EmailRefused, "email")
    check_fields(user, NameRefused, "name")
    lock_in_transaction("user_email", email)
    with row_security.among_everybody():
        former = User.objects.filter(email=email).first()
        if former is not None and former.left_at is None:
            raise EmailTaken(f"Somebody signs in as {email} already; use another address.")
        if password is not None:
            check_password(password, email=email, name=name)
        if former is not None:
            user.pk, user.created_at = former.pk, former.created_at
        user.set_password(password)
        user.save()
    return user


@transaction.atomic
def release_user(*, user_id: int, at: datetime) -> None:
    """Take the sign-in from somebody who was a member of one thing and is so no more.

    Their password, second factors and open sessions end with it; their address is free again.
    """
    with row_security.among_everybody():
        user = User.objects.select_for_update(no_key=True).get(pk=user_id)
        user.is_active, user.left_at = False, at
        user.set_password(None)
        user.save(update_fields=["is_active", "left_at", "password"])
        Authenticator.objects.filter(user_id=user_id).delete()
        EmailAddress.objects.filter(user_id=user_id).delete()
    Invitation.objects.filter(user_id=user_id, state=Invitation.State.QUEUED).delete()


def check_password(password: str, *, email: str, name: str) -> None:
    """:raises PasswordRefused: if it is too weak, by itself or for somebody called so."""
    user = User(email=email.lower(), name=name)
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise PasswordRefused(" ".join(error.messages)) from error
