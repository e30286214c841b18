"""The destination a prefix belongs to, from a code deck."""

from collections.abc import Mapping


def destination_of(prefix: str, deck: Mapping[str, str]) -> str | None:
    """The destination of the deck's longest prefix that `prefix` starts with.

    >>> destination_of("4477", {"44": "United Kingdom", "447": "United Kingdom, mobile"})
    'United Kingdom, mobile'
    """
    for length in range(len(prefix), -1, -1):
        destination = deck.get(prefix[:length])
        if destination is not None:
            return destination
    return None
