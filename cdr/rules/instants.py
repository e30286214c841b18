"""Instants as whole microseconds since 1970-01-01 UTC, so that they compare exactly in columns."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BEGINNING = datetime.min.replace(tzinfo=UTC)
"""The earliest instant there is: the start of a rate that has always been in force."""

_MICROSECOND = timedelta(microseconds=1)


def to_microseconds(instant: datetime) -> int:
    """Microseconds between the epoch and an aware `instant`; negative before 1970."""
    return (instant - EPOCH) // _MICROSECOND


def from_microseconds(microseconds: int) -> datetime:
    """The instant `microseconds` after the epoch, aware, in UTC."""
    return EPOCH + microseconds * _MICROSECOND
