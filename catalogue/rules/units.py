"""What metered and voice products count in, and how many volume units make one rating unit."""

from common.errors import DomainError

_VOICE = {"second": 1, "minute": 60}
_DATA = {
    "B": 1,
    "kB": 1000,
    "KiB": 1 << 10,
    "MB": 1000**2,
    "MiB": 1 << 20,
    "GB": 1000**3,
    "GiB": 1 << 30,
}
_FAMILIES = (_VOICE, _DATA, {"message": 1}, {"event": 1})


class UnitsRefused(DomainError):
    """A product's units do not fit each other or its kind."""


def volume_units_per_rating_unit(rating_unit: str, volume_unit: str) -> int:
    """How many `volume_unit` a `rating_unit` holds: 60 for minutes counted in seconds.

    The rating unit is the unit of a rate; minimum, increment, grace and the volume of an xDR are
    in the volume unit.

    :raises UnitsRefused: for units of different families, or where it is not a whole number.
    """
    for family in _FAMILIES:
        if rating_unit in family and volume_unit in family:
            return _quotient(family, rating_unit, volume_unit)
    raise UnitsRefused(
        f"A price per '{rating_unit}' cannot be charged for volumes in '{volume_unit}';"
        " use second and minute, or B, kB, KiB, MB, MiB, GB and GiB, or message, or event."
    )


def seconds_per_unit(volume_unit: str) -> int:
    """How long a unit of volume lasts; 0 for what is not used over time.

    >>> seconds_per_unit("minute"), seconds_per_unit("KiB")
    (60, 0)
    """
    return _VOICE.get(volume_unit, 0)


def check_units(kind: str, rating_unit: str, volume_unit: str) -> None:
    """Voice is counted in time, metered products in a unit of their own, others in none.

    :raises UnitsRefused: otherwise.
    """
    if kind == "VOICE" and not {rating_unit, volume_unit} <= _VOICE.keys():
        raise UnitsRefused("A voice product is rated per minute or second of time.")
    if kind in ("VOICE", "METERED"):
        volume_units_per_rating_unit(rating_unit, volume_unit)
    elif rating_unit or volume_unit:
        raise UnitsRefused("Only voice and metered products have units.")


def _quotient(family: dict[str, int], rating_unit: str, volume_unit: str) -> int:
    quotient, rest = divmod(family[rating_unit], family[volume_unit])
    if rest or not quotient:
        raise UnitsRefused(f"A '{rating_unit}' is not a whole number of '{volume_unit}'.")
    return quotient
