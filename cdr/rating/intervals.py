"""Longest match as interval search.

Prefixes are nested intervals of number keys. Cut at every start and end they become disjoint
sorted pieces, each owned by the longest prefix covering it, and one binary search finds the owner.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NOBODY = -1


@dataclass(frozen=True, slots=True)
class PrefixTree:
    """Distinct prefixes, numbered in the order of their intervals, and the pieces they cut.

    Piece i is `[boundaries[i], boundaries[i + 1])`, owned by prefix `owners[i]`; the last has no
    end. `parents` is the longest other prefix around each one, and `by_length` the prefixes of each
    length, the shortest first. -1 is nobody. All but the boundaries (int64) are int32.
    """

    boundaries: NDArray[np.int64]
    owners: NDArray[np.int32]
    parents: NDArray[np.int32]
    by_length: tuple[NDArray[np.int32], ...]

    def __len__(self) -> int:
        return len(self.parents)

    def find(self, keys: NDArray[np.int64]) -> NDArray[np.int32]:
        """The longest prefix of each key; -1 for none and for the key -1."""
        # Neighbouring keys end in neighbouring pieces, which are then still in the core's cache:
        # sorting first takes a third of the time of searching in the order given (2026-11).
        order = np.argsort(keys)
        pieces = np.searchsorted(self.boundaries, keys[order], side="right") - 1
        found = np.empty(len(keys), dtype=np.int32)
        found[order] = self.owners[pieces]
        return found


def build_prefix_tree(
    starts: NDArray[np.int64], ends: NDArray[np.int64], lengths: NDArray[np.int64]
) -> PrefixTree:
    """Flatten distinct prefixes, sorted by start, into disjoint pieces; arrays are parallel."""
    below_every_key = np.array([np.iinfo(np.int64).min])
    boundaries = np.unique(np.concatenate([below_every_key, starts, ends]))
    first = np.searchsorted(boundaries, starts)
    count = np.searchsorted(boundaries, ends) - first
    owners = np.full(len(boundaries), NOBODY, dtype=np.int32)
    parents = np.full(len(starts), NOBODY, dtype=np.int32)
    by_length = []
    for length in np.unique(lengths):  # ascending, so that a longer prefix takes its pieces over
        members = np.flatnonzero(lengths == length).astype(np.int32)
        parents[members] = owners[first[members]]
        covered = np.repeat(members, count[members])
        offset = np.arange(len(covered)) - np.repeat(
            np.cumsum(count[members]) - count[members], count[members]
        )
        owners[first[covered] + offset] = covered
        by_length.append(members)
    changes = np.concatenate([[True], owners[1:] != owners[:-1]])
    return PrefixTree(boundaries[changes], owners[changes], parents, tuple(by_length))
