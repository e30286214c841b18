"""The terms of an allowance: what an item may include of another product's usage."""

from collections.abc import Iterable
from dataclasses import dataclass

from catalogue.rules.prefixes import PrefixNotUnderstood, parse_prefixes
from catalogue.rules.rate_lines import PrefixLayout, prefix_cells
from common.errors import DomainError

VOLUME_LIMIT = 10**14
"""Volume units a month: a hundred terabytes counted in bytes."""
PRIORITY_LIMIT = 999
DESTINATIONS_LIMIT = 1_000


class AllowanceRefused(DomainError):
    """The terms fit no product, or hold what no allowance may hold; `by_field` says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What an item includes of a product's usage each month, by name.

    `volume` counts the volume unit of the usage product; `destinations` are prefixes, the
    shortest first, none for all. `sharing` is OWN, SHARED or POOLED; the lowest `priority` is used
    first.
    """

    name: str
    usage_product_id: int
    volume: int
    sharing: str = "SHARED"
    priority: int = 1
    destinations: tuple[str, ...] = ()
    rolls_over: bool = False


def check_allowance(item_kind: str, usage_kind: str, allowance: Allowance) -> None:
    """Check that an item of one kind of product may include this of the usage of another.

    :raises AllowanceRefused: naming every field that is wrong.
    """
    wrong = {}
    if not allowance.name.strip():
        wrong["name"] = "It needs a name, which customers see."
    if item_kind == "ONE_TIME":
        wrong["usage_product"] = (
            "What is sold once includes nothing by the month; put it into a recurring product."
        )
    elif usage_kind not in ("VOICE", "METERED"):
        wrong["usage_product"] = "Only usage is included: choose a voice or metered product."
    if not 0 < allowance.volume <= VOLUME_LIMIT:
        wrong["volume"] = f"It includes more than nothing and at most {VOLUME_LIMIT:,} units."
    if not 0 <= allowance.priority <= PRIORITY_LIMIT:
        wrong["priority"] = f"A priority is 0 to {PRIORITY_LIMIT}, the lowest first."
    if len(allowance.destinations) > DESTINATIONS_LIMIT:
        wrong["destinations"] = f"At most {DESTINATIONS_LIMIT:,} prefixes."
    if wrong:
        raise AllowanceRefused(" ".join(wrong.values()), by_field=wrong)


def parse_destinations(text: str) -> tuple[str, ...]:
    """The prefixes of a cell such as `4930, 4940-4949`, each once, the shortest first.

    An empty cell is none, which stands for all numbers.

    :raises PrefixNotUnderstood: as cells of rate files are refused, and for too many.
    """
    if not text.strip():
        return ()
    prefixes = tuple(sorted(set(parse_prefixes(text)), key=_by_length))
    if len(prefixes) > DESTINATIONS_LIMIT:
        raise PrefixNotUnderstood(f"it stands for more than {DESTINATIONS_LIMIT:,} prefixes")
    return prefixes


def written_destinations(prefixes: Iterable[str]) -> str:
    """Prefixes as a cell that stands for them, with ranges; empty for all numbers.

    >>> written_destinations(["49", "440", "441", "442"])
    '49, 440-442'
    """
    cells = prefix_cells(sorted(prefixes, key=_by_length), PrefixLayout.RANGES)
    return ", ".join(item for cell in cells for item in cell.split(","))


def _by_length(prefix: str) -> tuple[int, str]:
    return len(prefix), prefix
