"""Pictures to upload."""

from io import BytesIO

from PIL import Image


def make_picture(
    size: tuple[int, int] = (300, 90), kind: str = "PNG", colour: str = "#0b6e4f"
) -> bytes:
    """One colour from edge to edge."""
    made = BytesIO()
    Image.new("RGB", size, colour).save(made, kind)
    return made.getvalue()
