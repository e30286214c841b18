"""A provider's accent colour made readable: pure arithmetic on sRGB (WCAG 2.2)."""

import re
from dataclasses import dataclass

# What is darkest below the accent on light pages, and lightest on dark ones: its own tint.
LIGHT_GROUND = "#e8ecf4"
DARK_GROUND = "#28324c"
TEXT_CONTRAST = 4.5
_STEPS = 100

Channels = tuple[float, float, float]


@dataclass(frozen=True)
class Accent:
    """The accent on a ground, a stronger one for what is pointed at, and what stands on either."""

    colour: str
    strong: str
    on_colour: str


def accent_on(ground: str, colour: str) -> Accent:
    """`colour`, moved towards black or white just until it reads as text on `ground`.

    :raises ValueError: unless both are written as `#1f4fd8`.
    """
    towards = "#000000" if luminance(ground) > 0.18 else "#ffffff"
    readable = next(
        mixed
        for step in range(_STEPS + 1)
        if contrast(mixed := mix(colour, towards, step / _STEPS), ground) >= TEXT_CONTRAST
    )
    strong = mix(readable, towards, 0.22)
    on_colour = max(("#ffffff", "#0d1428"), key=lambda text: contrast(text, readable))
    return Accent(readable, strong, on_colour)


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, from 1 (the same) to 21 (black on white)."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    """The relative luminance of a colour, from 0 (black) to 1 (white)."""
    red, green, blue = (_linear(channel) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def mix(colour: str, other: str, share: float) -> str:
    """`colour` with `share` (0 to 1) of the other one in it."""
    channels = zip(_channels(colour), _channels(other), strict=True)
    mixed = (round((own * (1 - share) + added * share) * 255) for own, added in channels)
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


def _channels(colour: str) -> Channels:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        raise ValueError(f"'{colour}' is not a colour; write it as #1f4fd8")
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue
