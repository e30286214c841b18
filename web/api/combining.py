"""Calls that wait at the same time are done together, in one transaction.

Rating a hundred xDRs takes hardly longer than rating one, and one commit is as slow as another.
Whoever comes first does what all the others, who came meanwhile, want done next; nobody waits for
more to come. Each is answered after the commit that holds its xDR.
"""

from collections.abc import Callable, Hashable, Sequence
from itertools import islice
from threading import Lock
from typing import Generic, TypeVar

WishT = TypeVar("WishT")
AnswerT = TypeVar("AnswerT")


class _Waiting(Generic[WishT, AnswerT]):
    """A wish with its answer, as soon as there is one; `is_alone` once it failed with others."""

    def __init__(self, kind: Hashable, wish: WishT) -> None:
        self.kind = kind
        self.wish = wish
        self.answers: list[AnswerT] = []
        self.is_alone = False


class Combiner(Generic[WishT, AnswerT]):
    """Does wishes of the same kind together, up to `most` at once.

    `do` answers some wishes in their order, or raises and has done none of them.
    """

    def __init__(self, do: Callable[[Sequence[WishT]], Sequence[AnswerT]], most: int) -> None:
        self._do = do
        self._most = most
        self._waiting: list[_Waiting[WishT, AnswerT]] = []
        self._door = Lock()
        self._turn = Lock()

    def answer(self, kind: Hashable, wish: WishT) -> AnswerT:
        """The answer to a wish, done with others of its kind; alone, where that fails.

        :raises Exception: what `do` raises for the wish alone.
        """
        waiting: _Waiting[WishT, AnswerT] = _Waiting(kind, wish)
        with self._door:
            self._waiting.append(waiting)
        with self._turn:
            while not waiting.answers and not waiting.is_alone:
                self._do_some(kind)
            if waiting.is_alone:
                waiting.answers = list(self._do([wish]))
        return waiting.answers[0]

    def _do_some(self, kind: Hashable) -> None:
        """Those that have waited longest; only whose turn it is comes here."""
        with self._door:
            batch = list(islice((each for each in self._waiting if each.kind == kind), self._most))
            self._waiting = [each for each in self._waiting if each not in batch]
        try:
            answers = self._do([each.wish for each in batch])
        except BaseException as error:
            # One of them is at fault, or the database: each finds out by itself. Where the thread
            # is to end, nobody may go on waiting for it.
            for each in batch:
                each.is_alone = True
            if not isinstance(error, Exception):
                raise
            return
        for each, answer in zip(batch, answers, strict=True):
            each.answers = [answer]
