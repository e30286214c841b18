"""Making a picture that somebody uploaded into a logo that is safe and light to show."""

from io import BytesIO

from PIL import Image, ImageOps

from common.errors import DomainError

FORMATS = ("PNG", "JPEG", "WEBP")
MOST_BYTES = 2 * 1024 * 1024
MOST_PIXELS = 20_000_000
LEAST_SIDE = 16
LARGEST = (600, 200)
"""Width and height in pixels: sharp on the dense screens and the paper that show it small."""


class LogoRefused(DomainError):
    """What was uploaded is no picture of the kinds that are taken, or too large or too small."""


def as_logo(content: bytes) -> bytes:
    """The picture as PNG, no larger than `LARGEST`, without anything else that the file held.

    What a file holds decides, not what it is called; SVG is refused, as it can carry scripts.

    :raises LogoRefused: if it is none of `FORMATS`, damaged, too large or too small.
    """
    if len(content) > MOST_BYTES:
        raise LogoRefused(f"The file is larger than {MOST_BYTES // 1024**2} MB; make it smaller.")
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as picture:
            _check_size(picture.size)
            logo = ImageOps.exif_transpose(picture).convert("RGBA")
    except (Image.DecompressionBombError, OSError, SyntaxError, ValueError) as damage:
        raise LogoRefused("The file is no PNG, JPEG or WebP picture, or is damaged.") from damage
    logo.thumbnail(LARGEST)
    made = BytesIO()
    Image.frombytes("RGBA", logo.size, logo.tobytes()).save(made, "PNG", optimize=True)
    return made.getvalue()


def _check_size(size: tuple[int, int]) -> None:
    width, height = size
    if width * height > MOST_PIXELS:
        raise LogoRefused(f"The picture has {width} by {height} pixels; make it smaller.")
    if min(size) < LEAST_SIDE:
        raise LogoRefused(f"The picture is only {width} by {height} pixels; take a larger one.")
