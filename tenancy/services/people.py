"""The people who sign in."""

from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from common.errors import DomainError
from common.fields import check_fields
from common.locks import lock_in_transaction
from tenancy import row_security
from tenancy.models import User


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
        if User.objects.filter(email=email).exists():
            raise EmailTaken(f"Somebody signs in as {email} already; use another address.")
        if password is not None:
            _check_password(password, user)
        user.set_password(password)
        user.save(force_insert=True)
    return user


def _check_password(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise PasswordRefused(" ".join(error.messages)) from error
