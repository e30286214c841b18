from hypothesis import given
from hypothesis import strategies as st

from resellers.rules.tree import ResellerTree

#     1       5
#    / \      |
#   2   3     6
#   |
#   4
TREE = ResellerTree({1: None, 2: 1, 3: 1, 4: 2, 5: None, 6: 5})


@st.composite
def trees(draw: st.DrawFn) -> ResellerTree:
    """Up to 20 resellers, each below an earlier one or at the top."""
    size = draw(st.integers(1, 20))
    return ResellerTree(
        {
            number: draw(st.one_of(st.none(), st.integers(1, number - 1))) if number > 1 else None
            for number in range(1, size + 1)
        }
    )


class TestResellerTree:
    def test_knows_who_stands_directly_below(self) -> None:
        assert TREE.children(1) == (2, 3)
        assert TREE.children(4) == ()
        assert TREE.children(None) == (1, 5)

    def test_knows_ancestors_the_nearest_first(self) -> None:
        assert TREE.ancestors(4) == (2, 1)
        assert TREE.ancestors(1) == ()

    def test_knows_descendants_at_any_depth(self) -> None:
        assert TREE.descendants(1) == {2, 3, 4}
        assert TREE.descendants(6) == frozenset()

    def test_knows_which_parent_would_close_a_circle(self) -> None:
        assert TREE.would_close_circle(1, 4)
        assert TREE.would_close_circle(1, 1)
        assert not TREE.would_close_circle(4, 1)
        assert not TREE.would_close_circle(1, 6)
        assert not TREE.would_close_circle(4, None)

    @given(tree=trees())
    def test_has_ancestors_and_descendants_that_mirror_each_other(self, tree: ResellerTree) -> None:
        for upper in tree.parents:
            for lower in tree.parents:
                assert (upper in tree.ancestors(lower)) == (lower in tree.descendants(upper))

    @given(tree=trees(), data=st.data())
    def test_stays_a_tree_after_every_move_it_allows(
        self, tree: ResellerTree, data: st.DataObject
    ) -> None:
        moved = data.draw(st.sampled_from(sorted(tree.parents)))
        parent = data.draw(st.sampled_from([None, *sorted(tree.parents)]))
        if tree.would_close_circle(moved, parent):
            assert parent in tree.descendants(moved) | {moved}
            return

        after = ResellerTree({**tree.parents, moved: parent})

        tops = after.children(None)
        reached = set(tops).union(*(after.descendants(top) for top in tops))
        assert reached == set(tree.parents)
