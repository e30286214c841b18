"""Rate tables as files: the columns, and prefixes of the same terms in one cell."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum

COLUMNS = (
    *("prefix", "destination", "effective_from", "effective_to", "rate", "initial_rate"),
    *("connection_fee", "minimum", "increment", "grace", "steps", "min_cost", "max_cost"),
    *("attempt_fee", "time_profile", "policy", "tag", "origin_prefix", "min_digits"),
    *("max_digits", "status"),
)
"""Those of RATES.csv that say something of a rate; imports read them under the same names."""

_CELL_CHARACTERS = 2_000
_CELL_PREFIXES = 5_000
"""Half of what imports take in a cell, and room for spreadsheets, which take 32,767 characters."""
_SHORTEST_RANGE = 3


class PrefixLayout(StrEnum):
    """How prefixes are written that have everything else in common."""

    ROWS = "rows"
    LISTS = "lists"
    RANGES = "ranges"


def prefix_cells(prefixes: Sequence[str], layout: PrefixLayout) -> Iterator[str]:
    """The cells for prefixes of the same terms, which come ordered by length and digits.

    A prefix that comes twice, as stashed rates may, is in a second cell as well.

    >>> list(prefix_cells(["44", "440", "441", "442"], PrefixLayout.RANGES))
    ['44,440-442']
    >>> list(prefix_cells(["", "44", "45"], PrefixLayout.LISTS))
    ['', '44,45']
    """
    if layout is PrefixLayout.ROWS:
        yield from prefixes
        return
    times = Counter(prefixes)
    is_ranges = layout is PrefixLayout.RANGES
    while times:
        # No list can hold the prefix of any number, which has no digits.
        yield from (prefix for prefix in times if not prefix)
        named = [prefix for prefix in times if prefix]
        yield from _packed(_items(named) if is_ranges else ((prefix, 1) for prefix in named))
        times = Counter({prefix: count - 1 for prefix, count in times.items() if count > 1})


def _items(prefixes: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Runs of prefixes that follow each other as `first-last`, with how many they stand for."""
    run: list[str] = []
    for prefix in prefixes:
        if (run and not _follows(run[-1], prefix)) or len(run) == _CELL_PREFIXES:
            yield from _run_items(run)
            run = []
        run.append(prefix)
    yield from _run_items(run)


def _follows(prefix: str, following: str) -> bool:
    return len(prefix) == len(following) and int(following) == int(prefix) + 1


def _run_items(run: Sequence[str]) -> Iterator[tuple[str, int]]:
    if len(run) >= _SHORTEST_RANGE:
        yield f"{run[0]}-{run[-1]}", len(run)
    else:
        yield from ((prefix, 1) for prefix in run)


def _packed(items: Iterable[tuple[str, int]]) -> Iterator[str]:
    cell: list[str] = []
    characters = count = 0
    for text, prefixes in items:
        is_full = characters + len(text) > _CELL_CHARACTERS or count + prefixes > _CELL_PREFIXES
        if cell and is_full:
            yield ",".join(cell)
            cell, characters, count = [], 0, 0
        cell.append(text)
        characters += len(text) + 1
        count += prefixes
    if cell:
        yield ",".join(cell)
