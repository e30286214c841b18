import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.colours import DARK_GROUND, LIGHT_GROUND, accent_on, contrast, mix

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


class TestAccentOn:
    @given(colour=COLOURS, ground=st.sampled_from([LIGHT_GROUND, DARK_GROUND]))
    def test_reads_on_its_ground_and_so_does_what_stands_on_it(
        self, colour: str, ground: str
    ) -> None:
        accent = accent_on(ground, colour)

        assert contrast(accent.colour, ground) >= 4.5
        assert contrast(accent.strong, ground) >= 4.5
        assert contrast(accent.on_colour, accent.colour) >= 4.5
        assert contrast(accent.on_colour, accent.strong) >= 4.5

    def test_leaves_a_colour_alone_that_reads(self) -> None:
        assert accent_on(LIGHT_GROUND, "#1f4fd8").colour == "#1f4fd8"

    def test_darkens_yellow_on_a_light_ground(self) -> None:
        assert accent_on(LIGHT_GROUND, "#ffd400").colour == "#7d6800"

    @pytest.mark.parametrize("text", ["red", "#12345", "#12345g", "", "#123456; }"])
    def test_refuses_what_is_no_colour(self, text: str) -> None:
        with pytest.raises(ValueError, match="write it as #1f4fd8"):
            accent_on(LIGHT_GROUND, text)


class TestContrast:
    def test_is_21_between_black_and_white_and_1_with_itself(self) -> None:
        assert contrast("#000000", "#ffffff") == pytest.approx(21)
        assert contrast("#1f4fd8", "#1f4fd8") == 1


class TestMix:
    def test_goes_from_one_colour_to_the_other(self) -> None:
        assert mix("#102030", "#ffffff", 0) == "#102030"
        assert mix("#102030", "#ffffff", 1) == "#ffffff"
        assert mix("#000000", "#ffffff", 0.5) == "#808080"
