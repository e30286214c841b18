"""The tree of resellers as a value: who stands above and below whom."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ResellerTree:
    """A snapshot of a provider's tree: the parent of each reseller by id, None at the top.

    There are no cycles: the database refuses them.
    """

    parents: Mapping[int, int | None]
    _children: Mapping[int | None, tuple[int, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        children: dict[int | None, tuple[int, ...]] = {}
        for reseller_id, parent_id in sorted(self.parents.items()):
            children[parent_id] = (*children.get(parent_id, ()), reseller_id)
        object.__setattr__(self, "_children", children)

    def children(self, reseller_id: int | None) -> tuple[int, ...]:
        """The resellers directly below, by id; those at the top for None."""
        return self._children.get(reseller_id, ())

    def ancestors(self, reseller_id: int) -> tuple[int, ...]:
        """Parent, parent's parent and so on up to the top, the nearest first."""
        found = []
        parent_id = self.parents[reseller_id]
        while parent_id is not None:
            found.append(parent_id)
            parent_id = self.parents[parent_id]
        return tuple(found)

    def descendants(self, reseller_id: int) -> frozenset[int]:
        """Everyone below, at any depth, without the reseller itself."""
        found: set[int] = set()
        waiting = list(self.children(reseller_id))
        while waiting:
            found.add(descendant_id := waiting.pop())
            waiting.extend(self.children(descendant_id))
        return frozenset(found)

    def would_close_circle(self, reseller_id: int, parent_id: int | None) -> bool:
        """Whether a reseller below itself would come of this parent."""
        if parent_id is None:
            return False
        return parent_id == reseller_id or reseller_id in self.ancestors(parent_id)
