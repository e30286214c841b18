import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.models import Customer
from customers.rules.states import following, may_follow

STATES = [state.value for state in Customer.State]


class TestMayFollow:
    @pytest.mark.parametrize(
        ("state", "allowed"),
        [
            ("AWAITING_CONFIRMATION", {"DRAFT", "ACTIVE", "TERMINATED"}),
            ("DRAFT", {"ACTIVE", "TERMINATED"}),
            ("ACTIVE", {"RESTRICTED", "DISABLED", "TERMINATED"}),
            ("RESTRICTED", {"ACTIVE", "DISABLED", "TERMINATED"}),
            ("DISABLED", {"ACTIVE", "RESTRICTED", "TERMINATED"}),
            ("TERMINATED", set()),
        ],
    )
    def test_is_the_table_of_states(self, state: str, allowed: set[str]) -> None:
        assert {next_state for next_state in STATES if may_follow(state, next_state)} == allowed
        assert following(state) == allowed

    @given(picks=st.lists(st.integers(0, 5), max_size=20))
    def test_never_leads_back_to_before_the_account_was_alive(self, picks: list[int]) -> None:
        path = ["AWAITING_CONFIRMATION"]
        for pick in picks:
            choices = sorted(following(path[-1]))
            if not choices:
                break
            path.append(choices[pick % len(choices)])

        assert path.count("AWAITING_CONFIRMATION") == 1
        assert path.count("DRAFT") == 0 or (path.count("DRAFT") == 1 and path[1] == "DRAFT")
