"""Names of time zones."""

from zoneinfo import available_timezones

# Names that stand for no place: the machine's own zone, and one of the IANA's for "not set". The
# engine that reads local times knows neither.
_OF_NO_PLACE = frozenset({"localtime", "Factory"})


def is_time_zone(name: str) -> bool:
    """Whether it is a time zone of the IANA's by its own name."""
    # More can be opened: files such as posix/Europe/Berlin, which only some machines have.
    return name in available_timezones() - _OF_NO_PLACE
