"""Longest match as interval search.

Prefixes are nested intervals of number keys. Cut at every start and end they become disjoint
sorted pieces, each owned by the longest prefix covering it, and one binary search finds the owner.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NO_OWNER = -1


@dataclass(frozen=True, slots=True)
class PrefixIndex:
    """Disjoint pieces: piece i is `[boundaries[i], boundaries[i + 1])`, owned by `owners[i]`.

    The last piece has no end. `boundaries` is int64 and sorted, `owners` int32, -1 for nobody.
    """

    boundaries: NDArray[np.int64]
    owners: NDArray[np.int32]

    def find(self, keys: NDArray[np.int64]) -> NDArray[np.int32]:
        """The owner of each key; -1 for the key -1."""
        # Neighbouring keys end in neighbouring pieces, which are then still in the core's cache:
        # sorting first takes a third of the time of searching in the order given (2026-11).
        order = np.argsort(keys)
        pieces = np.searchsorted(self.boundaries, keys[order], side="right") - 1
        found = np.empty(len(keys), dtype=np.int32)
        found[order] = self.owners[pieces]
        return found


def build_prefix_index(
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    lengths: NDArray[np.int8],
    owners: NDArray[np.int32],
) -> PrefixIndex:
    """Flatten prefixes into disjoint pieces; arrays are parallel, no prefix comes twice."""
    below_every_key = np.array([np.iinfo(np.int64).min])
    boundaries = np.unique(np.concatenate([below_every_key, starts, ends]))
    piece_owners = np.full(len(boundaries), NO_OWNER, dtype=np.int32)
    for length in np.unique(lengths):  # ascending, so that a longer prefix takes its pieces over
        members = np.flatnonzero(lengths == length)
        members = members[np.argsort(starts[members])]
        position = np.searchsorted(starts[members], boundaries, side="right") - 1
        covering = members[np.maximum(position, 0)]
        inside = (position >= 0) & (boundaries < ends[covering])
        piece_owners[inside] = owners[covering[inside]]
    changes = np.concatenate([[True], piece_owners[1:] != piece_owners[:-1]])
    return PrefixIndex(boundaries[changes], piece_owners[changes])
