"""Tiers: what the volume of a whole month costs, and how tiers are written.

A tier is for what is used beyond `from_units` units, so that a total of exactly 1000 has not
reached the tier from 1000. Tiers are written one a line, or parted by semicolons: from which unit,
price of a unit, and a flat amount where there is one: `0:0.10;1000:0.08+5`.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

from catalogue.rules.rate_terms import AMOUNT_LIMIT, fits_amount
from common.errors import DomainError

TIERS_LIMIT = 50
UNITS_LIMIT = 10**12
"""Tiers begin, and packages end, below so many units."""
TIERS_CHARACTERS = 3000
"""What fifty tiers of full length take, as they are written."""

_ZERO = Decimal(0)
_AMOUNT = r"[0-9]{1,10}(?:\.[0-9]{1,8})?"
_TIER = re.compile(rf"([0-9]{{1,12}})\s*[:\s]\s*({_AMOUNT})(?:\s*[+\s]\s*({_AMOUNT}))?")


class TiersRefused(DomainError):
    """Tiers that leave open what something costs, or cannot be held exactly."""


class TierModel(StrEnum):
    """How tiers price the total of a month."""

    GRADUATED = "GRADUATED"
    """Each unit at the price of the tier it falls in."""
    VOLUME = "VOLUME"
    """All units at the price of the tier that the total reaches."""
    PACKAGE = "PACKAGE"
    """Whole packages that were begun, each at the price of the tier it begins in."""
    STEPPED = "STEPPED"
    """A flat amount, that of the step the total reaches."""


@dataclass(frozen=True, slots=True)
class Tier:
    """Beyond `from_units`: `unit_price` a unit (PACKAGE: a package), `flat_amount` once a month."""

    from_units: int
    unit_price: Decimal
    flat_amount: Decimal = _ZERO


@dataclass(frozen=True, slots=True)
class Tiers:
    """A model with its tiers; `package_units` is the size of a package, 0 without packages.

    :raises TiersRefused: unless the tiers begin at 0, ascend, are at most fifty, and their prices
        are exact and fit the model.
    """

    model: TierModel
    rows: tuple[Tier, ...]
    package_units: int = 0

    def __post_init__(self) -> None:
        _check_starts(self.rows)
        for row in self.rows:
            _check_amounts(row)
        if self.model is TierModel.STEPPED and any(row.unit_price for row in self.rows):
            raise TiersRefused(
                "A step costs a flat amount and nothing a unit: write it as 1000:0+25."
            )
        self._check_packages()

    def __str__(self) -> str:
        return ";".join(_written(row) for row in self.rows)

    def _check_packages(self) -> None:
        if self.model is not TierModel.PACKAGE:
            if self.package_units:
                raise TiersRefused("Only packages have a size.")
            return
        if not 0 < self.package_units < UNITS_LIMIT:
            raise TiersRefused("Say how many units a package has, 1 or more.")
        for row in self.rows:
            if row.from_units % self.package_units:
                raise TiersRefused(
                    f"Tiers of packages begin where a package does: {row.from_units} is no"
                    f" multiple of {self.package_units}."
                )


@lru_cache(maxsize=4096)
def parse_tiers(model: str, text: str, package_units: int | None = None) -> Tiers:
    """The tiers that a text stands for.

    >>> str(parse_tiers("GRADUATED", "0 0.10\\n1000 0.08 5"))
    '0:0.1;1000:0.08+5'

    :raises TiersRefused: if it is not understood, or the tiers are none.
    """
    if model not in set(TierModel):
        raise TiersRefused("Choose how the tiers are applied.")
    lines = [line.strip() for line in re.split(r"[;\n]", text) if line.strip()]
    rows = tuple(_tier(number, line) for number, line in enumerate(lines, start=1))
    return Tiers(TierModel(model), rows, package_units or 0)


def _tier(number: int, line: str) -> Tier:
    found = _TIER.fullmatch(line)
    if found is None:
        raise TiersRefused(
            f"Line {number}, '{line[:40]}', is not understood: write from which unit, the price"
            " and perhaps a flat amount, as 1000:0.08 or 1000:0.08+5."
        )
    return Tier(int(found[1]), Decimal(found[2]), Decimal(found[3] or 0))


def _check_starts(rows: tuple[Tier, ...]) -> None:
    starts = [row.from_units for row in rows]
    if not 0 < len(starts) <= TIERS_LIMIT:
        raise TiersRefused(f"There are 1 to {TIERS_LIMIT} tiers, not {len(starts)}.")
    if starts[0] != 0:
        raise TiersRefused("The first tier begins at 0, so that every unit has a price.")
    if starts != sorted(set(starts)):
        raise TiersRefused("Each tier begins after the one before it.")
    if starts[-1] >= UNITS_LIMIT:
        raise TiersRefused(f"Tiers begin below {UNITS_LIMIT} units.")


def _check_amounts(row: Tier) -> None:
    for amount in (row.unit_price, row.flat_amount):
        if not amount.is_finite() or not 0 <= amount < AMOUNT_LIMIT:
            raise TiersRefused(f"A price is 0 or more and below {AMOUNT_LIMIT:f}, not {amount}.")
        if not fits_amount(amount):
            raise TiersRefused(f"{amount} has more than 8 decimals.")


def _written(row: Tier) -> str:
    flat = f"+{_plain(row.flat_amount)}" if row.flat_amount else ""
    return f"{row.from_units}:{_plain(row.unit_price)}{flat}"


def _plain(amount: Decimal) -> str:
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
