"""Fractions of a volume unit, as switches that count milliseconds write them, in whole units."""

from enum import StrEnum


class Rounding(StrEnum):
    """What becomes of a fraction; NEAREST takes a half up."""

    UP = "up"
    NEAREST = "nearest"
    DOWN = "down"
