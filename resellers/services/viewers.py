"""People who may look at a reseller's portal."""

from datetime import datetime

from django.db import transaction

from audit.services import record
from resellers.models import Reseller, ResellerUser
from tenancy.services.people import create_user


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
    viewer = ResellerUser.objects.create(
        provider_id=reseller.provider_id, reseller=reseller, user=user, created_at=at
    )
    record(
        provider_id=reseller.provider_id,
        action="reseller_user.added",
        changed=viewer,
        at=at,
        actor_id=actor_id,
        after={"email": email, "reseller": reseller.number},
    )
    return viewer
