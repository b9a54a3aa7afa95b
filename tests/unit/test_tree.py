"""Trees of answers, against a walk along their parents."""

from __future__ import annotations

import numpy as np
import pytest

from unseen.models.tree import Tree, grown, laid


def ancestors(tree: Tree, at: int) -> list[int]:
    """A token and all before it on its branch, from the first."""
    found = [at]
    while tree.parents[found[0]] >= 0:
        found.insert(0, tree.parents[found[0]])
    return found


def test_what_answers_share_is_read_once() -> None:
    tree = grown([5, 6, 7], [[8, 9, 1], [8, 2], [3]])
    assert tree.tokens == (5, 6, 7, 8, 9) and tree.parents == (-1, 0, 1, 2, 3)
    assert tree.asked == (((2, 8), (3, 9), (4, 1)), ((2, 8), (3, 2)), ((2, 3),))
    assert tree.trunk == 3 and tree.heads == 3


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shared", [0, 4])
def test_every_token_sees_its_own_branch_and_nothing_else(seed: int, shared: int) -> None:
    rng = np.random.default_rng(seed)
    draw = lambda n: rng.integers(0, 3, n).tolist()  # noqa: E731
    asked = [
        (draw(rng.integers(1, 6)), [draw(rng.integers(1, 5)) for _ in range(rng.integers(1, 5))]) for _ in range(4)
    ]
    trees = [grown(*one) for one in asked]
    told = laid(trees, shared)
    width = max(len(t.tokens) for t in trees)
    answers = [
        (row, tree, a, given)
        for row, (tree, (_, its)) in enumerate(zip(trees, asked, strict=True))
        for a, given in zip(tree.asked, its, strict=True)
    ]
    for row, tree in enumerate(trees):
        start = width - len(tree.tokens)
        for at in range(len(tree.tokens)):
            line = ancestors(tree, at)
            assert (
                told.tokens[row, start + at] == tree.tokens[at]
                and told.places[row, start + at] == shared + len(line) - 1
            )
            seen = np.flatnonzero(told.sees[row, start + at]).tolist()
            assert seen == [*range(shared), *(shared + start + i for i in line)]
    for n, (row, tree, pairs, given) in enumerate(answers):
        mine = told.answer == n
        columns = width - told.kept + told.column[mine]
        assert (told.row[mine] == row).all() and told.goal[mine].tolist() == given
        assert columns.tolist() == [width - len(tree.tokens) + at for at, _ in pairs]
        for i, (at, _) in enumerate(pairs):  # what stands before a token asked for: the context and the answer so far
            context = asked[row][0]
            assert [tree.tokens[j] for j in ancestors(tree, at)] == [*context, *given[:i]]
