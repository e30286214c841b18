from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.rules.units import (
    UNITS,
    UnitsRefused,
    check_units,
    in_largest_unit,
    units_beside,
    volume_in,
    volume_units_per_rating_unit,
)


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


class TestVolumeIn:
    @pytest.mark.parametrize(
        ("volume_unit", "amount", "unit", "expected"),
        [
            ("second", "100", "minute", 6_000),
            ("second", "1.5", "minute", 90),
            ("kB", "1.5", "GB", 1_500_000),
            ("KiB", "2", "GiB", 2_097_152),
            ("KiB", "2", "GB", 1_953_125),
            ("message", "50", "message", 50),
        ],
    )
    def test_is_exact(self, volume_unit: str, amount: str, unit: str, expected: int) -> None:
        assert volume_in(volume_unit, Decimal(amount), unit) == expected

    @pytest.mark.parametrize(
        ("volume_unit", "amount", "unit"),
        [
            ("second", "0.01", "minute"),
            ("KiB", "1", "GB"),
            ("minute", "90", "second"),
            ("second", "1", "GB"),
            ("kB", "1", "minute"),
            ("message", "0.5", "message"),
        ],
    )
    def test_is_refused_where_it_is_no_whole_number(
        self, volume_unit: str, amount: str, unit: str
    ) -> None:
        with pytest.raises(UnitsRefused):
            volume_in(volume_unit, Decimal(amount), unit)


class TestInLargestUnit:
    @pytest.mark.parametrize(
        ("volume", "volume_unit", "expected"),
        [
            (6_000, "second", (100, "minute")),
            (61, "second", (61, "second")),
            (2_000_000, "kB", (2, "GB")),
            (1_048_576, "KiB", (1, "GiB")),
            (7, "message", (7, "message")),
        ],
    )
    def test_is_the_one_people_would_write(
        self, volume: int, volume_unit: str, expected: tuple[int, str]
    ) -> None:
        assert in_largest_unit(volume, volume_unit) == expected

    @given(volume=st.integers(1, 10**14), volume_unit=st.sampled_from(UNITS))
    def test_is_the_same_volume(self, volume: int, volume_unit: str) -> None:
        amount, unit = in_largest_unit(volume, volume_unit)

        assert unit in units_beside(volume_unit)
        assert volume_in(volume_unit, Decimal(amount), unit) == volume
