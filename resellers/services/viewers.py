"""People who may look at a reseller's portal."""

from datetime import datetime

from django.db import transaction

from audit.services import record
from resellers.models import Reseller, ResellerUser
from tenancy.models import User
from tenancy.services.invitations import invite_again, invite_user
from tenancy.services.people import create_user, release_user


@transaction.atomic
def add_reseller_user(
    *,
    reseller: Reseller,
    email: str,
    name: str = "",
    password: str | None = None,
    at: datetime,
    actor_id: int | None,
) -> ResellerUser:
    """Let a new person sign in to the reseller's portal; a reseller may have several.

    Without a password they cannot sign in before they have set one.

    :raises EmailRefused: if `email` is none.
    :raises EmailTaken: if somebody signs in with it already.
    :raises PasswordRefused: if the password is too weak.
    """
    user = create_user(email=email, name=name, password=password, at=at)
    return _join(reseller, user, at=at, actor_id=actor_id)


@transaction.atomic
def invite_reseller_user(
    *, reseller: Reseller, email: str, name: str, at: datetime, actor_id: int | None
) -> ResellerUser:
    """Mail a new person a link to choose a password, and let them look at the portal.

    :raises NobodyCanBeInvited: if the installation sends no mail.
    :raises EmailRefused: if `email` is none.
    :raises EmailTaken: if somebody signs in with it already, here or elsewhere.
    """
    user = invite_user(
        provider_id=reseller.provider_id,
        email=email,
        name=name,
        inviter=reseller.provider.name,
        at=at,
        actor_id=actor_id,
    )
    return _join(reseller, user, at=at, actor_id=actor_id)


@transaction.atomic
def invite_reseller_user_again(*, viewer: ResellerUser, at: datetime, actor_id: int | None) -> None:
    """Mail another link to a user who has not signed in yet.

    :raises NotInvited: if they have.
    """
    invite_again(provider_id=viewer.provider_id, user=viewer.user, at=at, actor_id=actor_id)
    record(
        provider_id=viewer.provider_id,
        action="reseller_user.invited_again",
        changed=viewer,
        at=at,
        actor_id=actor_id,
    )


@transaction.atomic
def remove_reseller_user(*, viewer: ResellerUser, at: datetime, actor_id: int | None) -> None:
    """Let somebody look no more; they can sign in no more either."""
    viewer = ResellerUser.objects.select_for_update(no_key=True).get(pk=viewer.pk)
    record(
        provider_id=viewer.provider_id,
        action="reseller_user.removed",
        changed=viewer,
        at=at,
        actor_id=actor_id,
        before={"email": viewer.user, "reseller": viewer.reseller.number},
    )
    viewer.delete()
    release_user(user_id=viewer.user_id, at=at)


def _join(reseller: Reseller, user: User, *, at: datetime, actor_id: int | None) -> ResellerUser:
    viewer = ResellerUser.objects.create(
        provider_id=reseller.provider_id, reseller=reseller, user=user, created_at=at
    )
    record(
        provider_id=reseller.provider_id,
        action="reseller_user.added",
        changed=viewer,
        at=at,
        actor_id=actor_id,
        after={"email": user.email, "reseller": reseller.number},
    )
    return viewer
