import pytest

from customers.rules.sign_up import is_blocked


class TestIsBlocked:
    @pytest.mark.parametrize(
        ("email", "blocked"),
        [
            ("nora@trash.example", True),
            ("nora@TRASH.example", True),
            ("nora@mail.trash.example", True),
            ("nora@nottrash.example", False),
            ("trash.example@nord.example", False),
        ],
    )
    def test_covers_the_domain_and_those_below_it(self, email: str, blocked: bool) -> None:
        assert is_blocked(email, ["other.example", "trash.example"]) is blocked
