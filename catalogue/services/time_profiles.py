"""Time profiles: the hours that rates are for."""

from datetime import datetime

from django.db import transaction

from audit.services import record, record_change
from catalogue.models import Rate, TimeProfile
from catalogue.rules.time_profiles import (
    WEIGHT_LIMIT,
    TimeProfileNotUnderstood,
    parse_time_profile,
    write_ranges,
)
from common.errors import DomainError
from common.fields import check_fields
from common.locks import lock_in_transaction


class TimeProfileRefused(DomainError):
    """The name is missing or too long, or the hours or the weight are none."""


class TimeProfileNameTaken(DomainError):
    """Another time profile of the provider has this name, perhaps in another case."""


class TimeProfileUsed(DomainError):
    """Rates are for its hours."""


@transaction.atomic
def create_time_profile(
    *,
    provider_id: int,
    name: str,
    ranges: str,
    weight: int,
    at: datetime,
    actor_id: int | None,
) -> TimeProfile:
    """Add a time profile; `ranges` as `Mon-Fri 08:00-20:00;12-25 00:00-24:00`.

    :raises TimeProfileRefused: for a name, hours or weight that no profile can have.
    :raises TimeProfileNameTaken: if the name is in use.
    """
    profile = TimeProfile(
        provider_id=provider_id, name=name, ranges=_written(ranges), weight=weight
    )
    _check(profile)
    profile.save(force_insert=True)
    record(
        provider_id=provider_id,
        action="time_profile.created",
        changed=profile,
        at=at,
        actor_id=actor_id,
        after=_told(profile),
    )
    return profile


@transaction.atomic
def change_time_profile(
    *,
    profile: TimeProfile,
    name: str,
    ranges: str,
    weight: int,
    at: datetime,
    actor_id: int | None,
) -> TimeProfile:
    """Give a profile another name, hours or weight; calls rated before keep their cost.

    The revision of every table with rates of it grows (database trigger) if hours or weight do.

    :raises TimeProfileRefused: for a name, hours or weight that no profile can have.
    :raises TimeProfileNameTaken: if the name is in use.
    """
    profile = TimeProfile.objects.select_for_update(no_key=True).get(pk=profile.pk)
    before = _told(profile)
    profile.name, profile.ranges, profile.weight = name, _written(ranges), weight
    after = _told(profile)
    if before == after:
        return profile
    _check(profile)
    profile.save(update_fields=["name", "ranges", "weight"])
    record_change(
        provider_id=profile.provider_id,
        action="time_profile.changed",
        changed=profile,
        at=at,
        actor_id=actor_id,
        before=before,
        after=after,
    )
    return profile


@transaction.atomic
def delete_time_profile(*, profile: TimeProfile, at: datetime, actor_id: int | None) -> None:
    """Remove a profile that no rate is for.

    :raises TimeProfileUsed: rates are.
    """
    # A rate that is written meanwhile waits for this lock, and then finds no profile.
    profile = TimeProfile.objects.select_for_update().get(pk=profile.pk)
    count = Rate.objects.filter(time_profile=profile).count()
    if count:
        raise TimeProfileUsed(
            f"{count:,} rates are for {profile}: give them another profile first."
        )
    record(
        provider_id=profile.provider_id,
        action="time_profile.deleted",
        changed=profile,
        at=at,
        actor_id=actor_id,
        before=_told(profile),
    )
    profile.delete()


def _written(ranges: str) -> str:
    """The hours the one way to write them; a weight is no part of them."""
    try:
        return write_ranges(parse_time_profile(f"{ranges} @0").ranges)
    except TimeProfileNotUnderstood as error:
        raise TimeProfileRefused(f"The hours are not understood: {error}.") from error


def _check(profile: TimeProfile) -> None:
    check_fields(profile, TimeProfileRefused, "name")
    if not 0 <= profile.weight <= WEIGHT_LIMIT:
        raise TimeProfileRefused(f"A weight is from 0 to {WEIGHT_LIMIT}, not {profile.weight}.")
    lock_in_transaction("time_profile_name", profile.provider_id, profile.name.lower())
    others = TimeProfile.objects.filter(provider_id=profile.provider_id).exclude(pk=profile.pk)
    if others.filter(name__iexact=profile.name).exists():
        raise TimeProfileNameTaken(
            f"There is a time profile '{profile.name}' already; choose another name."
        )


def _told(profile: TimeProfile) -> dict[str, object]:
    return {"name": profile.name, "ranges": profile.ranges, "weight": profile.weight}
