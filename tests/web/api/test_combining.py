from collections.abc import Sequence
from contextlib import suppress
from threading import Barrier, Event, Thread

import pytest

from web.api.combining import Combiner


class TestACombiner:
    def test_does_together_what_waits_at_the_same_time(self) -> None:
        began, go_on = Event(), Event()
        batches: list[list[int]] = []

        def double(wishes: Sequence[int]) -> list[int]:
            batches.append(list(wishes))
            began.set()
            assert go_on.wait(10)
            return [2 * wish for wish in wishes]

        combiner: Combiner[int, int] = Combiner(double, most=3)
        answers: dict[int, int] = {}

        def ask(wish: int) -> None:
            answers[wish] = combiner.answer("kind", wish)

        first = Thread(target=ask, args=[0])
        first.start()
        assert began.wait(10)
        others = [Thread(target=ask, args=[wish]) for wish in range(1, 6)]
        for thread in others:
            thread.start()
        while len(combiner._waiting) < len(others):
            pass
        go_on.set()
        for thread in (first, *others):
            thread.join(10)

        assert answers == {wish: 2 * wish for wish in range(6)}
        assert [len(batch) for batch in batches] == [1, 3, 2]

    def test_keeps_kinds_apart(self) -> None:
        batches: list[list[str]] = []

        def note(wishes: Sequence[str]) -> list[str]:
            batches.append(list(wishes))
            return list(wishes)

        combiner: Combiner[str, str] = Combiner(note, most=10)
        at_once = Barrier(8)

        def ask(number: int) -> None:
            at_once.wait(10)
            kind = "ab"[number % 2]
            assert combiner.answer(kind, f"{kind}{number}") == f"{kind}{number}"

        threads = [Thread(target=ask, args=[number]) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)

        assert all(len({wish[0] for wish in batch}) == 1 for batch in batches)
        assert sum(len(batch) for batch in batches) == 8

    def test_does_each_alone_where_all_together_fail(self) -> None:
        began, go_on = Event(), Event()

        def refuse_thirteen(wishes: Sequence[int]) -> list[int]:
            began.set()
            assert go_on.wait(10)
            if 13 in wishes:
                raise ValueError("thirteen")
            return list(wishes)

        combiner: Combiner[int, int] = Combiner(refuse_thirteen, most=10)
        came_to: dict[int, object] = {}

        def ask(wish: int) -> None:
            try:
                came_to[wish] = combiner.answer("kind", wish)
            except ValueError as error:
                came_to[wish] = str(error)

        threads = [Thread(target=ask, args=[wish]) for wish in (1, 2, 13)]
        threads[0].start()
        assert began.wait(10)
        for thread in threads[1:]:
            thread.start()
        while len(combiner._waiting) < 2:
            pass
        go_on.set()
        for thread in threads:
            thread.join(10)

        assert came_to == {1: 1, 2: 2, 13: "thirteen"}

    def test_leaves_nobody_waiting_for_a_thread_that_ends(self) -> None:
        began, go_on = Event(), Event()

        def end_with_several(wishes: Sequence[int]) -> list[int]:
            began.set()
            assert go_on.wait(10)
            if len(wishes) > 1:
                raise SystemExit
            return list(wishes)

        combiner: Combiner[int, int] = Combiner(end_with_several, most=10)
        answers: list[int] = []

        def ask() -> None:
            with suppress(SystemExit):
                answers.append(combiner.answer("kind", 1))

        threads = [Thread(target=ask, daemon=True) for _ in range(3)]
        threads[0].start()
        assert began.wait(10)
        for thread in threads[1:]:
            thread.start()
        while len(combiner._waiting) < 2:
            pass
        go_on.set()
        for thread in threads:
            thread.join(10)

        assert answers == [1, 1]
        assert not any(thread.is_alive() for thread in threads)

    def test_tells_who_is_alone_what_went_wrong(self) -> None:
        def fail(wishes: Sequence[int]) -> list[int]:
            raise LookupError("no")

        combiner: Combiner[int, int] = Combiner(fail, most=10)

        with pytest.raises(LookupError, match="no"):
            combiner.answer("kind", 1)
