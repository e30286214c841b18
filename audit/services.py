"""Recording changes; called by the service that makes the change, in its transaction."""

from collections.abc import Mapping
from datetime import datetime

from django.db.models import Model

from audit.models import Entry
from tenancy.owned import ProviderOwned


def record(
    *,
    provider_id: int,
    action: str,
    changed: Model,
    at: datetime,
    actor_id: int | None,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    address: str | None = None,
) -> Entry:
    """Record that `actor_id` (None: the system) did `action` (`customer.activated`) to `changed`.

    `before` and `after` hold the changed fields as text.
    """
    return Entry.objects.create(
        provider_id=provider_id,
        at=at,
        actor_id=actor_id,
        action=action,
        object_type=changed._meta.label_lower,
        object_id=str(changed.pk),
        before=_as_text(before),
        after=_as_text(after),
        address=address,
    )


def record_owned(
    changed: ProviderOwned,
    action: str,
    *,
    at: datetime,
    actor_id: int | None,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> Entry:
    """Record what was done to something that is a provider's, with that provider."""
    return record(
        provider_id=changed.provider_id,
        action=action,
        changed=changed,
        at=at,
        actor_id=actor_id,
        before=before,
        after=after,
    )


def record_change(
    *,
    provider_id: int,
    action: str,
    changed: Model,
    at: datetime,
    actor_id: int | None,
    before: Mapping[str, object],
    after: Mapping[str, object],
) -> None:
    """Record those of the fields `after` that are not as they were; nothing if all of them are."""
    differing = [field for field in after if before[field] != after[field]]
    if differing:
        record(
            provider_id=provider_id,
            action=action,
            changed=changed,
            at=at,
            actor_id=actor_id,
            before={field: before[field] for field in differing},
            after={field: after[field] for field in differing},
        )


def _as_text(values: Mapping[str, object] | None) -> dict[str, str | None] | None:
    if values is None:
        return None
    return {name: None if value is None else str(value) for name, value in values.items()}
