import pytest

from catalogue.rules.units import UnitsRefused, check_units, volume_units_per_rating_unit


class TestVolumeUnitsPerRatingUnit:
    @pytest.mark.parametrize(
        ("rating_unit", "volume_unit", "expected"),
        [
            ("minute", "second", 60),
            ("second", "second", 1),
            ("message", "message", 1),
            ("GiB", "KiB", 1_048_576),
            ("GB", "kB", 1_000_000),
            ("kB", "B", 1000),
        ],
    )
    def test_is_a_whole_number(self, rating_unit: str, volume_unit: str, expected: int) -> None:
        assert volume_units_per_rating_unit(rating_unit, volume_unit) == expected

    @pytest.mark.parametrize(
        ("rating_unit", "volume_unit"),
        [("second", "minute"), ("GB", "KiB"), ("minute", "kB"), ("message", "event"), ("", "")],
    )
    def test_is_refused_where_it_is_none(self, rating_unit: str, volume_unit: str) -> None:
        with pytest.raises(UnitsRefused):
            volume_units_per_rating_unit(rating_unit, volume_unit)


class TestCheckUnits:
    @pytest.mark.parametrize(
        ("kind", "rating_unit", "volume_unit"),
        [
            ("VOICE", "minute", "second"),
            ("METERED", "GiB", "KiB"),
            ("RECURRING", "", ""),
            ("ONE_TIME", "", ""),
        ],
    )
    def test_accepts_units_of_the_kind(self, kind: str, rating_unit: str, volume_unit: str) -> None:
        check_units(kind, rating_unit, volume_unit)

    @pytest.mark.parametrize(
        ("kind", "rating_unit", "volume_unit"),
        [
            ("VOICE", "GiB", "KiB"),
            ("VOICE", "", ""),
            ("METERED", "", ""),
            ("RECURRING", "minute", "second"),
            ("ONE_TIME", "", "second"),
        ],
    )
    def test_refuses_others(self, kind: str, rating_unit: str, volume_unit: str) -> None:
        with pytest.raises(UnitsRefused):
            check_units(kind, rating_unit, volume_unit)
