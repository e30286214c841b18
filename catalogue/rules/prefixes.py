"""Prefix cells as rate decks write them: one prefix, lists, ranges, groups, and any mix.

`44301,44303` is a list, `44301-44303` a range, `443(0-2)1` and `443(0,2)1` stand for one prefix
per digit string inside the parentheses.
"""

import re
from itertools import product
from math import prod

from catalogue.rules.rate_terms import PREFIX_DIGITS

MAX_EXPANDED_PREFIXES = 10_000
"""A cell that stands for more prefixes than any destination has is a slip of the keyboard."""

_ITEM_BREAK = re.compile(r",(?![^(]*\))")
_PIECE = re.compile(r"([0-9]+)|\(([0-9,\s-]+)\)")
_RANGE = re.compile(r"([0-9]+)\s*-\s*([0-9]+)")


class PrefixNotUnderstood(ValueError):
    """A prefix cell is not digits, a list, a range or a group of them; the message says where."""


def parse_prefixes(text: str) -> tuple[str, ...]:
    """Every prefix a cell stands for, in its order, each once; an empty cell is the empty prefix.

    :raises PrefixNotUnderstood: malformed, a prefix of more than 15 digits, or more than
        `MAX_EXPANDED_PREFIXES` prefixes.
    """
    cell = text.strip()
    if not cell:
        return ("",)
    choices = [_item_choices(item.strip()) for item in _ITEM_BREAK.split(cell)]
    if sum(prod(len(strings) for strings in item) for item in choices) > MAX_EXPANDED_PREFIXES:
        raise PrefixNotUnderstood(f"{text!r} stands for more than {MAX_EXPANDED_PREFIXES} prefixes")
    prefixes = dict.fromkeys("".join(strings) for item in choices for strings in product(*item))
    if too_long := next((prefix for prefix in prefixes if len(prefix) > PREFIX_DIGITS), None):
        raise PrefixNotUnderstood(f"prefix {too_long!r} has more than {PREFIX_DIGITS} digits")
    return tuple(prefixes)


def _item_choices(item: str) -> list[list[str]]:
    """The digit strings each part of an item may take: their product is what it stands for."""
    if _RANGE.fullmatch(item):
        return [_range_strings(item)]
    choices: list[list[str]] = []
    position = 0
    while position < len(item):
        piece = _PIECE.match(item, position)
        if piece is None:
            raise PrefixNotUnderstood(f"{item!r} is not a prefix, a range or a group of digits")
        digits, group = piece.groups()
        choices.append([digits] if digits else _group_strings(group))
        position = piece.end()
    if not choices:
        raise PrefixNotUnderstood("an empty place in a list of prefixes")
    return choices


def _group_strings(group: str) -> list[str]:
    return [string for part in group.split(",") for string in _range_strings(part.strip())]


def _range_strings(part: str) -> list[str]:
    if re.fullmatch("[0-9]+", part):
        return [part]
    bounds = _RANGE.fullmatch(part)
    if bounds is None:
        raise PrefixNotUnderstood(f"{part!r} is not digits or a range of them")
    low, high = bounds.groups()
    if len(low) != len(high):
        raise PrefixNotUnderstood(f"the ends of range {part!r} differ in length")
    if int(low) > int(high):
        raise PrefixNotUnderstood(f"range {part!r} runs backwards")
    if int(high) - int(low) >= MAX_EXPANDED_PREFIXES:
        raise PrefixNotUnderstood(f"range {part!r} is longer than {MAX_EXPANDED_PREFIXES}")
    return [str(number).zfill(len(low)) for number in range(int(low), int(high) + 1)]
