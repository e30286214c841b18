"""Inviting new people: they are mailed a link by which they choose a password."""

from datetime import datetime, timedelta
from smtplib import SMTPException

from allauth.account import app_settings
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import int_to_base36

from common.errors import DomainError
from common.jobs import enqueue
from tenancy.models import Invitation, User
from tenancy.services.people import create_user

# Younger ones are left to the task that was queued with them.
_QUEUED_FOR = timedelta(minutes=5)
_SWEPT_AT_ONCE = 1000


class NobodyCanBeInvited(DomainError):
    """The installation sends no mail, and so nobody could choose a password."""


class NotInvited(DomainError):
    """Nobody invited this person, or they have signed in already."""


@transaction.atomic
def invite_user(
    *,
    provider_id: int,
    email: str,
    name: str,
    inviter: str,
    at: datetime,
    actor_id: int | None,
) -> User:
    """Create someone new and mail them a link; `inviter` is who they read has invited them.

    The caller makes them a member of what they are invited to, in the same transaction.

    :raises NobodyCanBeInvited: if the installation sends no mail.
    :raises EmailRefused: if `email` is none.
    :raises NameRefused: if `name` is too long.
    :raises EmailTaken: if somebody has it, in whatever case.
    """
    if not settings.EMAIL_URL:
        raise NobodyCanBeInvited("No mail server is set up (EMAIL_URL); nobody can be invited.")
    user = create_user(email=email, name=name, password=None, at=at)
    _queue(provider_id=provider_id, user_id=user.pk, inviter=inviter, at=at, actor_id=actor_id)
    return user


@transaction.atomic
def invite_again(*, provider_id: int, user: User, at: datetime, actor_id: int | None) -> Invitation:
    """Mail another link to somebody who has not signed in yet; one on its way is enough.

    :raises NotInvited: if they have, or if the provider never invited them.
    """
    invited = Invitation.objects.filter(provider_id=provider_id, user=user)
    last = invited.select_for_update(no_key=True).order_by("-pk").first()
    if last is None or user.last_login is not None:
        raise NotInvited(
            f"{user} was not invited or has signed in already; they can reset their password."
        )
    if last.state == Invitation.State.QUEUED:
        return last
    return _queue(
        provider_id=provider_id, user_id=user.pk, inviter=last.inviter, at=at, actor_id=actor_id
    )


@transaction.atomic
def hand_over(*, provider_id: int, user: User, at: datetime, actor_id: int | None) -> str:
    """A link by which somebody new chooses a password, for the actor to give to them."""
    Invitation.objects.create(
        provider_id=provider_id,
        user=user,
        state=Invitation.State.HANDED,
        requested_at=at,
        requested_by_id=actor_id,
    )
    return password_link(user)


@transaction.atomic
def send_invitation(*, invitation_id: int, at: datetime) -> bool:
    """Send a queued e-mail; whether it was sent. What was sent or has failed is left alone.

    Its row is locked meanwhile, so that two workers never send it both.
    """
    rows = Invitation.objects.select_related("user", "provider").order_by("pk")
    invitation = rows.select_for_update(no_key=True, of=("self",)).filter(pk=invitation_id).first()
    if invitation is None or invitation.state != Invitation.State.QUEUED:
        return False
    try:
        _message(invitation).send()
    except (OSError, SMTPException) as failure:
        invitation.mark_failed(f"{type(failure).__name__}: {failure}")
    else:
        invitation.mark_sent(at)
    invitation.save(update_fields=["state", "sent_at", "error"])
    return invitation.state == Invitation.State.SENT


@transaction.atomic
def give_up_invitation(*, invitation_id: int) -> None:
    """Fail an e-mail that could never be written or handed over; somebody can ask for another."""
    invitation = Invitation.objects.select_for_update(no_key=True).get(pk=invitation_id)
    if invitation.state != Invitation.State.QUEUED:
        return
    invitation.mark_failed(f"It was tried five times. {invitation.try_error}")
    invitation.save(update_fields=["state", "error"])


def queue_unsent(*, at: datetime) -> int:
    """Queue e-mails whose task was lost, the oldest first; how many."""
    waiting = Invitation.objects.filter(
        state=Invitation.State.QUEUED, requested_at__lt=at - _QUEUED_FOR
    )
    ids = list(waiting.order_by("pk").values_list("pk", flat=True)[:_SWEPT_AT_ONCE])
    for invitation_id in ids:
        enqueue("tenancy.send_invitation", invitation_id=invitation_id)
    return len(ids)


def _queue(
    *, provider_id: int, user_id: int, inviter: str, at: datetime, actor_id: int | None
) -> Invitation:
    invitation = Invitation.objects.create(
        provider_id=provider_id,
        user_id=user_id,
        inviter=inviter,
        requested_at=at,
        requested_by_id=actor_id,
    )
    enqueue("tenancy.send_invitation", invitation_id=invitation.pk)
    return invitation


def password_link(user: User) -> str:
    """Where the user chooses a password: a password reset's, which works once, for some days."""
    key = app_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(user)
    path = reverse(
        "account_reset_password_from_key", kwargs={"uidb36": int_to_base36(user.pk), "key": key}
    )
    return f"{settings.PUBLIC_URL}{path}"


def _message(invitation: Invitation) -> EmailMessage:
    text = render_to_string(
        "documents/invitation_email.txt",
        {
            "invitation": invitation,
            "link": password_link(invitation.user),
            "forgotten": f"{settings.PUBLIC_URL}{reverse('account_reset_password')}",
            "days": settings.PASSWORD_RESET_TIMEOUT // timedelta(days=1).total_seconds(),
        },
    )
    return EmailMessage(
        subject=f"Your sign-in at {invitation.provider}", body=text, to=[invitation.user.email]
    )
