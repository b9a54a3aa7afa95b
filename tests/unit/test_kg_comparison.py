"""Comparisons: answers against the values told, pairs that never mix, and hard ones against every way values could be."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.core.errors import Invalid
from unseen.core.task import TokenTask
from unseen.tasks import kg_comparison
from unseen.tasks.kg import APART, ATOMIC, ATOMIC_APART, NEW, TRAINED, Facts, Knowledge
from unseen.tasks.kg_comparison import HARD, MIXED, Values, comparison, complex_reasoning, needing_atoms


def small(seed: int = 0, **more: object) -> Knowledge:
    return comparison(20, 3, 6, 4.0, np.random.default_rng(seed), apart=0.3, **more)  # type: ignore[arg-type]


def told(task: Knowledge, facts: Facts) -> list[tuple[str, str]]:
    asked = [task.text(row[:n]) for row, n in zip(facts.tokens, facts.asked, strict=True)]
    return list(zip(asked, (task.words[t] for t in facts.truth), strict=True))


def parts(facts: Facts) -> tuple[Facts, Facts]:
    return facts.take(np.flatnonzero(~facts.composed)), facts.take(np.flatnonzero(facts.composed))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1_000))
def test_answers_follow_from_the_values_told(seed: int) -> None:
    task = small(seed)
    atomic, _ = parts(task.tables["train"])
    value = {prompt: int(truth[1:]) for prompt, truth in told(task, atomic)}  # 'e4 a1' -> 3
    assert len(value) == 60
    alone = {prompt for prompt, _ in told(task, task.tables[ATOMIC_APART])}
    assert len(alone) == 18 and alone | {p for p, _ in told(task, task.tables[ATOMIC])} == set(value)
    for name, table in task.tables.items():
        for prompt, truth in told(task, parts(table)[1]):
            a, ask, one, mask, other = prompt.split()
            x, y = value[f"{one} {a}"], value[f"{other} {a}"]
            assert (ask, mask) == ("<q>", "<mask>") and truth == f"{a}{'<' if x < y else '=' if x == y else '>'}"
            assert sum(f"{e} {a}" in alone for e in (one, other)) == (2 if name == APART else 0)


def test_both_orders_of_a_pair_are_on_one_split() -> None:
    task = small()
    pairs = {}
    for name in (TRAINED, NEW, APART):
        found = [(p.split()[0], frozenset((p.split()[2], p.split()[4]))) for p, _ in told(task, task.tables[name])]
        pairs[name] = set(found)
        if name != TRAINED:
            assert all(found.count(pair) == 2 for pair in pairs[name])
    assert not pairs[TRAINED] & pairs[NEW] and not pairs[NEW] & pairs[APART]
    assert len(pairs[NEW]) == round(0.1 * 3 * 14 * 13 / 2) and len(pairs[APART]) == 3 * 6 * 5 / 2
    assert len(parts(task.tables["train"])[1]) == round(4.0 * 42)
    assert isinstance(task, TokenTask) and task.longest("train") == 7 and small(closed=False).longest("train") == 6


def test_examples_have_their_factors() -> None:
    one = small().draw(APART, 1, np.random.default_rng(0))[0]
    assert (
        one.at["apart"] == 2
        and one.at["label"] in ("<", "=", ">")
        and one.truth == f"{one.prompt.split()[0]}{one.at['label']}"
    )
    atom = small().draw(ATOMIC, 1, np.random.default_rng(0))[0]
    assert atom.truth == f"v{atom.at['value']}" and "label" not in atom.at


def test_the_sizes_of_the_paper() -> None:
    task = comparison(1000, 20, 20, 7.2, np.random.default_rng(0))
    assert len(task.tables["train"]) == 20_000 + round(7.2 * 18_000)
    assert task.size(NEW) == task.size(APART) == 3000
    labels = task.tables[NEW].factors["label"]
    assert np.mean(labels == "=") == pytest.approx(0.05, abs=0.02)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1_000))
def test_hard_comparisons_are_those_that_need_the_atoms(seed: int) -> None:
    """Two apart entities and two used ones: every world of quarter steps is tried, with the values told and without."""
    rng = np.random.default_rng(seed)
    value = rng.integers(1, 3, (4, 1))
    world = Values(value, 4, np.array([[True], [True], [False], [False]]))
    n = int(rng.integers(1, 5))
    trained = np.stack([rng.integers(0, 2, n), rng.integers(2, 4, n), np.zeros(n, int)])
    if rng.random() < 0.5:
        trained = np.concatenate([trained, [[2], [3], [0]]], 1)
    found = needing_atoms(world, trained, 0)
    grid = np.array(list(product(np.arange(0, 3.5, 0.5), repeat=4)))
    sign = world.signs(trained)
    fits = (np.sign(grid[:, trained[0]] - grid[:, trained[1]]) + 1 == sign).all(1)
    told = fits & (grid[:, 2:] == value[2:, 0]).all(1)
    kinds = [set(np.sign(grid[mask, 0] - grid[mask, 1]).tolist()) for mask in (told, fits)]
    assert found[0, 1] == found[1, 0] == (len(kinds[0]) == 1 and len(kinds[1]) > 1)
    assert not found[2:].any() and not found[:, 2:].any() and not found.diagonal().any()


def test_complex_reasoning_never_tells_a_value_apart() -> None:
    task = complex_reasoning(120, 4, 8, np.random.default_rng(0), kept=0.05, hard=20)
    world = task.world
    atomic, composed = parts(task.tables["train"])
    assert len(atomic) == 4 * 108
    for prompt, truth in told(task, atomic):
        begin, e, a, mask, asked, say = prompt.split()
        assert (begin, mask, asked, say) == ("<q>", "<mask>", "</q>", "<a>")
        row, column = int(e[1:]), int(a[1:])
        assert not world.apart[row, column] and truth == f"v{world.value[row, column]}"
    assert set(composed.factors["apart"].tolist()) == {0, 1}
    assert np.mean(composed.factors["apart"]) == pytest.approx(108 * 12 / (108 * 12 + 0.9 * 108 * 107 / 2), abs=0.03)
    assert set(task.tables[MIXED].factors["apart"].tolist()) == {1}
    trained = {p for p, _ in told(task, composed)}
    for name in (NEW, MIXED, HARD):
        for prompt, _ in told(task, task.tables[name]):
            a, _, one, _, other, *_ = prompt.split()
            assert (
                prompt not in trained
                and prompt.replace(f"{one} <mask> {other}", f"{other} <mask> {one}") not in trained
            )
    labels = task.tables[HARD].factors["label"]
    assert [int((labels == sign).sum()) for sign in "<>"] == [20, 20] and (labels == "=").sum() > 0
    assert set(task.tables[HARD].factors["apart"].tolist()) == {2}
    assert [s.name for s in task.splits if s.shifted] == [HARD]
    needing = np.stack([needing_atoms(world, world.taught, a) for a in range(4)], 2)
    for prompt, _ in told(task, task.tables[HARD]):
        a, _, one, _, other, *_ = prompt.split()
        assert needing[int(one[1:]), int(other[1:]), int(a[1:])]


def test_bad_worlds_are_refused() -> None:
    with pytest.raises(Invalid, match="at most"):
        comparison(20, 3, 6, 400.0, np.random.default_rng(0))
    with pytest.raises(Invalid, match="entities=2"):
        kg_comparison.comparison(2, 3, 6, 1.0, np.random.default_rng(0))
