from io import BytesIO

import pytest
from PIL import Image

from tenancy.rules.logos import MOST_BYTES, LogoRefused, as_logo
from tests.factories.pictures import make_picture

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


class TestAsLogo:
    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
    def test_makes_a_png_of_a_picture(self, kind: str) -> None:
        made = Image.open(BytesIO(as_logo(make_picture(kind=kind))))

        assert (made.format, made.size) == ("PNG", (300, 90))

    def test_makes_a_large_one_smaller_and_keeps_its_shape(self) -> None:
        assert Image.open(BytesIO(as_logo(make_picture((3000, 1500))))).size == (400, 200)

    def test_leaves_out_what_else_the_file_holds(self) -> None:
        content = make_picture() + b"<script>alert(1)</script>"

        assert b"script" not in as_logo(content)

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            (b"", "no PNG, JPEG or WebP"),
            (SVG, "no PNG, JPEG or WebP"),
            (make_picture(kind="GIF"), "no PNG, JPEG or WebP"),
            (make_picture(kind="BMP"), "no PNG, JPEG or WebP"),
            (make_picture()[:20], "no PNG, JPEG or WebP"),
            (make_picture().replace(b"\rIHDR", b"\x05IHDR"), "no PNG, JPEG or WebP"),
            (make_picture((15, 200)), "only 15 by 200 pixels"),
            (make_picture((5000, 4001)), "5000 by 4001 pixels"),
            (b"\x89PNG" + bytes(MOST_BYTES), "larger than 2 MB"),
        ],
    )
    def test_refuses_what_is_none(self, content: bytes, says: str) -> None:
        with pytest.raises(LogoRefused, match=says):
            as_logo(content)
