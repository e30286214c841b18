import pytest

from web.shared.writing import volume_text


class TestVolumeText:
    @pytest.mark.parametrize(
        ("volume", "unit", "text"),
        [
            (0, "second", "0 min"),
            (50, "second", "50 s"),
            (6_000, "second", "100 min"),
            (5_930, "second", "98 min 50 s"),
            (90_000, "minute", "90,000 min"),
            (2_000_000, "kB", "2 GB"),
            (1_234_567, "kB", "1,234.567 MB"),
            (1_048_576, "KiB", "1 GiB"),
            (1_000, "KiB", "1.024 MB"),
            (0, "kB", "0"),
            (7, "B", "7 B"),
            (1, "message", "1 message"),
            (1_200, "event", "1,200 events"),
            (-90, "second", "\N{MINUS SIGN}1 min 30 s"),
        ],
    )
    def test_is_exact_and_as_people_write_it(self, volume: int, unit: str, text: str) -> None:
        assert volume_text(volume, unit) == text
