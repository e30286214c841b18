"""What a provider opens to a reseller in its portal."""

from collections.abc import Set as AbstractSet
from datetime import datetime

from django.db import transaction

from audit.services import record
from resellers.models import Reseller
from resellers.rules.openings import OPENINGS


@transaction.atomic
def change_openings(
    *, reseller: Reseller, opened: AbstractSet[str], at: datetime, actor_id: int | None
) -> Reseller:
    """Open to the reseller what `opened` names (keys of `OPENINGS`), and close all else.

    It holds from the reseller's next request on.
    """
    assert opened <= OPENINGS.keys()
    reseller = Reseller.objects.select_for_update(no_key=True).get(pk=reseller.pk)
    changed = [name for name in OPENINGS if getattr(reseller, name) != (name in opened)]
    if not changed:
        return reseller
    for name in changed:
        setattr(reseller, name, name in opened)
    reseller.save(update_fields=changed)
    record(
        provider_id=reseller.provider_id,
        action="reseller.portal_changed",
        changed=reseller,
        at=at,
        actor_id=actor_id,
        before={name: name not in opened for name in changed},
        after={name: name in opened for name in changed},
    )
    return reseller
