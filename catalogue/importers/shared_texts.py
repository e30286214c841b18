"""The texts of a workbook that its cells refer to by number."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import IO

import polars as pl

from catalogue.importers.plain_elements import TEXT, plain_runs, unescaped
from catalogue.importers.refusals import (
    MOST_SHARED_CHARACTERS,
    MOST_SHARED_TEXTS,
    RateFileUnreadable,
)
from catalogue.importers.xml_parts import Attributes, XmlReader

_PLAIN = rf'^<si><t(?: xml:space="preserve")?(?:/>|>{TEXT}</t>)$'


class SharedTexts:
    """Read as far as cells have referred to them yet; `open_part` opens the part with them, if any.

    Phonetic hints beside a text are left out.
    """

    def __init__(self, open_part: Callable[[], AbstractContextManager[IO[bytes] | None]]) -> None:
        self._runs = self._read(open_part)
        self._texts = pl.Series("text", [], dtype=pl.String)
        self._length = 0
        self._found: list[str] = []
        self._parts: list[str] = []
        self._is_hint = False

    def at(self, places: pl.Series) -> pl.Series:
        """The texts at these numbers; null is null.

        :raises RateFileUnreadable: there are not so many, or far more than a rate file has.
        """
        last = places.max()
        if not isinstance(last, int):
            return pl.Series("text", [None], dtype=pl.String).new_from_index(0, len(places))
        while last >= len(self._texts):
            run = next(self._runs, None)
            if run is None:
                raise RateFileUnreadable(
                    "The workbook is damaged: a cell refers to a text that is not there."
                )
            self._keep(run)
        return self._texts.gather(places)

    def _keep(self, run: pl.Series) -> None:
        self._texts = pl.concat([self._texts, run.rename("text")])
        self._length += int(run.str.len_chars().sum())
        if len(self._texts) > MOST_SHARED_TEXTS or self._length > MOST_SHARED_CHARACTERS:
            raise RateFileUnreadable("The workbook holds far more texts than a rate file.")

    def _read(
        self, open_part: Callable[[], AbstractContextManager[IO[bytes] | None]]
    ) -> Iterator[pl.Series]:
        xml = XmlReader(start=self._started, end=self._ended)
        with open_part() as part:
            if part is None:
                return
            for run in plain_runs(part, xml, opening=b"<si>", closing=b"</si>", plain=_PLAIN):
                if run is not None:
                    yield unescaped(run.str.extract(r">([^<]*)</t>$").fill_null(""))
                elif self._found:
                    yield pl.Series(self._found, dtype=pl.String)
                    self._found = []

    def _started(self, name: str, _: Attributes) -> None:
        if name == "rPh":
            self._is_hint = True

    def _ended(self, name: str, text: str) -> None:
        if name == "t" and not self._is_hint:
            self._parts.append(text)
        elif name == "rPh":
            self._is_hint = False
        elif name == "si":
            self._found.append("".join(self._parts))
            self._parts.clear()
