"""Locks that one process holds at a time, and gives up at once."""

import pytest

from common.locks import held_by_nobody_else


@pytest.mark.django_db
class TestHeldByNobodyElse:
    def test_leaves_out_what_somebody_holds(self) -> None:
        with held_by_nobody_else("tests", [1, 2]), held_by_nobody_else("tests", [2, 3]) as held:
            assert held == {3}

    def test_is_free_again_as_soon_as_the_block_ends(self) -> None:
        for _ in range(30):
            with held_by_nobody_else("tests", [1]) as held:
                assert held == {1}

    def test_is_free_again_after_an_error(self) -> None:
        with pytest.raises(ZeroDivisionError), held_by_nobody_else("tests", [1]):
            raise ZeroDivisionError

        with held_by_nobody_else("tests", [1]) as held:
            assert held == {1}
