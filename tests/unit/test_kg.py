"""Knowledge graphs: composed facts against a plain walk over the atoms as text, splits that never mix, tables that repeat."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.core.errors import Invalid, Unknown
from unseen.core.task import Task, TokenTask
from unseen.tasks import kg
from unseen.tasks.kg import APART, ATOMIC, ATOMIC_APART, END, NEW, TRAINED, Knowledge, composition


def small(seed: int = 0, *, closed: bool = True, phi: float = 3.0) -> Knowledge:
    return composition(30, 8, 5, phi, np.random.default_rng(seed), apart=0.2, held=0.1, closed=closed)


def atoms(task: Knowledge) -> dict[str, str]:
    """'head relation' -> tail, as training tells them."""
    train = task.tables["train"].take(np.flatnonzero(~task.tables["train"].composed))
    return dict(zip(asked(task, train), said(task, train), strict=True))


def asked(task: Knowledge, facts: kg.Facts) -> list[str]:
    return [task.text(row[:n]) for row, n in zip(facts.tokens, facts.asked, strict=True)]


def said(task: Knowledge, facts: kg.Facts) -> list[str]:
    return [task.words[t] for t in facts.truth]


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1_000))
def test_composed_facts_are_two_steps_through_the_atoms(seed: int) -> None:
    task = small(seed, closed=seed % 2 == 0)
    known = atoms(task)
    assert len(known) == 30 * 5
    for name, table in task.tables.items():
        composed = table.take(np.flatnonzero(table.composed))
        for prompt, truth, bridge in zip(
            asked(task, composed), said(task, composed), composed.factors["bridge"], strict=True
        ):
            head, first, second = prompt.split()
            assert known[f"{head} {first}"] == bridge
            assert known[f"{bridge} {second}"] == truth, (name, prompt)


def test_splits_hold_what_their_names_say() -> None:
    task = small()
    known = atoms(task)
    train = task.tables["train"]
    alone = set(asked(task, task.tables[ATOMIC_APART]))
    used = set(asked(task, task.tables[ATOMIC]))
    assert len(alone) == 30 and alone | used == set(known) and not alone & used
    composed = set(asked(task, train.take(np.flatnonzero(train.composed))))
    assert len(composed) == round(3.0 * 120)

    def legs(prompt: str) -> tuple[str, str]:
        head, first, second = prompt.split()
        return f"{head} {first}", f"{known[f'{head} {first}']} {second}"

    whole = {  # every two-hop fact there is, by a walk
        f"{head} {first} {second}"
        for head, first in map(str.split, known)
        for onward, second in map(str.split, known)
        if onward == known[f"{head} {first}"]
    }
    assert len(whole) == 30 * 5 * 5
    by_apart = [{p for p in whole if sum(leg in alone for leg in legs(p)) == n} for n in (0, 1, 2)]
    new, apart, trained = (set(asked(task, task.tables[name])) for name in (NEW, APART, TRAINED))
    assert apart == by_apart[2]
    assert composed <= by_apart[0] and new <= by_apart[0] and not new & composed
    assert len(new) == round(0.1 * len(by_apart[0])) and trained == composed
    assert {s.name for s in task.splits if s.shifted} == {APART}


def test_every_head_has_different_relations() -> None:
    graph = small().world
    for row, follow in zip(graph.relations, graph.follow, strict=True):
        assert len(set(row.tolist())) == 5 == int((follow >= 0).sum())


def test_batches_are_rows_of_the_tables_with_their_answers_marked() -> None:
    task = small()
    assert isinstance(task, TokenTask) and isinstance(task, Task)
    rng = np.random.default_rng(1)
    for split in ("train", *(s.name for s in task.splits)):
        n = 20
        batch = task.batch(split, n, rng)
        assert batch.tokens.shape == batch.answer.shape == (n, task.longest(split))
        for row, marks in zip(batch.tokens, batch.answer, strict=True):
            told = row[row > 0]
            assert told[-1] == END and marks.sum() == 2 and marks[len(told) - 2 : len(told)].all()
    first, again = (task.batch("train", 50, np.random.default_rng(3)).tokens for _ in range(2))
    assert np.array_equal(first, again)
    whole = task.batch(APART, task.size(APART), rng).tokens
    assert len(np.unique(whole, axis=0)) == task.size(APART)  # drawn without replacement
    open_ended = small(closed=False).batch("train", 20, rng)
    assert (open_ended.answer.sum(1) == 1).all() and open_ended.tokens.shape[1] == 4


def test_training_draws_every_fact_equally_often() -> None:
    task = small()
    train = task.tables["train"]
    drawn = task.batch("train", 40_000, np.random.default_rng(0)).tokens
    n = np.unique(drawn, axis=0, return_counts=True)[1]
    assert len(n) == len(train)
    mean = 40_000 / len(train)
    assert n.mean() == mean and n.std() < 1.3 * mean**0.5  # as of a Poisson count


def test_examples_carry_their_factors_and_are_scored() -> None:
    task = small()
    for split in ("train", *(s.name for s in task.splits)):
        drawn = task.draw(split, 25, np.random.default_rng(0))
        assert len({e.prompt for e in drawn}) == 25 and len({e.id for e in drawn}) == 25
        assert drawn == task.draw(split, 25, np.random.default_rng(0))
        assert all(task.score(e, f" {e.truth} </a>") == {"exact": 1.0} for e in drawn)
        assert all(task.score(e, "e999") == {"exact": 0.0} for e in drawn)
        assert all(e.at.get("apart") in (0, 1, 2) for e in drawn)
    one = task.draw(APART, 1, np.random.default_rng(0))[0]
    assert one.at["apart"] == 2 and str(one.at["bridge"]).startswith("e")
    assert {e.at["role"] for e in task.draw("train", 200, np.random.default_rng(0))} == {"component", "composed"}
    assert len(task.draw(APART, 10_000, np.random.default_rng(0))) == task.size(APART)
    assert task.text(np.array(task.tokens("e3 r2"))) == "e3 r2"


def test_shuffled_answers_are_those_of_other_composed_facts() -> None:
    task = small()
    muddled = kg.shuffled(task, np.random.default_rng(0))
    before, after = task.tables["train"], muddled.tables["train"]
    assert np.array_equal(before.tokens[~before.composed], after.tokens[~after.composed])
    rows = np.flatnonzero(before.composed)
    assert np.mean(before.truth[rows] == after.truth[rows]) < 0.15
    assert np.array_equal(np.sort(before.truth[rows]), np.sort(after.truth[rows]))
    assert np.array_equal(before.asked, after.asked) and muddled.tables[NEW] is task.tables[NEW]


def test_the_sizes_of_the_paper() -> None:
    task = composition(2000, 200, 20, 7.2, np.random.default_rng(0))
    assert task.vocab == 6 + 2200
    assert len(task.tables["train"]) == 40_000 + round(7.2 * 38_000)
    assert task.size(ATOMIC_APART) == 2000 and 1_700 < task.size(APART) < 2_300
    assert task.size(NEW) == task.size(TRAINED) == 3000


def test_bad_worlds_are_refused() -> None:
    with pytest.raises(Invalid, match="at most"):
        small(phi=20)
    with pytest.raises(Invalid, match="differ"):
        composition(30, 4, 5, 1, np.random.default_rng(0))
    task = small()
    with pytest.raises(Invalid, match="fewer than"):
        task.batch(NEW, 10_000, np.random.default_rng(0))
    with pytest.raises(Unknown, match="composed new"):
        task.batch("composed neu", 1, np.random.default_rng(0))
    with pytest.raises(Unknown, match="no word"):
        task.tokens("e3 x2")
    none = replace(task, tables={**task.tables, APART: task.tables[APART].take(np.arange(0))})
    with pytest.raises(Invalid, match="no facts"):
        none.batch(APART, 1, np.random.default_rng(0))
