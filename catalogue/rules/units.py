"""What metered and voice products count in, and how many volume units make one rating unit."""

from decimal import Decimal

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
UNITS = tuple(unit for family in _FAMILIES for unit in family)
"""All that volumes are given in."""


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


def units_beside(volume_unit: str) -> tuple[str, ...]:
    """The units that volumes counted in `volume_unit` can be given in, the smallest first.

    >>> units_beside("second")
    ('second', 'minute')
    """
    family = next((family for family in _FAMILIES if volume_unit in family), {volume_unit: 1})
    return tuple(sorted(family, key=family.__getitem__))


def volume_in(volume_unit: str, amount: Decimal, unit: str) -> int:
    """`amount` of `unit` in volume units, exactly: 1.5 GB counted in kB are 1500000.

    :raises UnitsRefused: for units of different families, or where it is not a whole number.
    """
    for family in _FAMILIES:
        if unit in family and volume_unit in family:
            volume, rest = divmod(amount * family[unit], family[volume_unit])
            if rest:
                raise UnitsRefused(
                    f"{amount:f} {unit} is not a whole number of {volume_unit}, in which it is"
                    " counted."
                )
            return int(volume)
    raise UnitsRefused(f"Volumes counted in {volume_unit} cannot be given in {unit}.")


def amount_in(unit: str, volume: int, volume_unit: str) -> Decimal:
    """A volume counted in `volume_unit` as an amount of `unit`: 1500000 kB are 1.5 GB.

    What is not exact in 28 digits is rounded.
    """
    family = next(family for family in _FAMILIES if volume_unit in family)
    return Decimal(volume * family[volume_unit]) / family[unit]


def in_largest_unit(volume: int, volume_unit: str) -> tuple[int, str]:
    """A volume in the largest unit of which it is a whole number.

    >>> in_largest_unit(6_000, "second"), in_largest_unit(90, "second")
    ((100, 'minute'), (90, 'second'))
    >>> in_largest_unit(2_000_000, "kB")
    (2, 'GB')
    """
    family = next((family for family in _FAMILIES if volume_unit in family), {volume_unit: 1})
    base = volume * family[volume_unit]
    unit = max((unit for unit in family if base % family[unit] == 0), key=family.__getitem__)
    return base // family[unit], unit


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
