import pytest

from cdr.rules.numbers import normalise_number


class TestNormaliseNumber:
    @pytest.mark.parametrize(
        ("text", "number"),
        [
            ("447700900123", "447700900123"),
            ("+44 7700 900123", "447700900123"),
            ("0044\t7700900123 ", "447700900123"),
            ("000441", "0441"),
            ("+0044", "0044"),
            ("0", "0"),
            ("00", ""),
            ("", ""),
            ("sip:alice", "sip:alice"),
        ],
    )
    def test_drops_blanks_and_the_international_sign(self, text: str, number: str) -> None:
        assert normalise_number(text) == number
