"""Background work about people; each task can be repeated, as it looks before it acts."""

from celery import shared_task

from common import clock
from common.tries import tried
from tenancy.models import Invitation
from tenancy.services import api_tokens, invitations


@shared_task(name="tenancy.send_invitation")
def send_invitation(*, invitation_id: int, **_: object) -> bool | None:
    """Mail an invitation. Safe to repeat: what was sent is not sent again."""
    return tried(
        Invitation.objects.filter(pk=invitation_id, state=Invitation.State.QUEUED),
        clock=clock.now,
        work=lambda: invitations.send_invitation(invitation_id=invitation_id, at=clock.now()),
        give_up=lambda _: invitations.give_up_invitation(invitation_id=invitation_id),
    )


@shared_task(name="tenancy.sweep_invitations")
def sweep_invitations(**_: object) -> int:
    """Queue invitations whose task was lost. Safe to repeat, as their sending is."""
    return invitations.queue_unsent(at=clock.now())


@shared_task(name="tenancy.forget_answers")
def forget_answers(**_: object) -> int:
    """Drop what programs were answered days ago. Safe to repeat: what is gone stays gone."""
    return api_tokens.forget_answers(at=clock.now())
