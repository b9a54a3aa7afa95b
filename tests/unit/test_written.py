"""Solutions spelled in characters: against answers found by brute force, and against texts broken on purpose."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise, product

import numpy as np
import pytest

from unseen.core.errors import Invalid, Unknown
from unseen.core.task import TokenTask
from unseen.tasks import written
from unseen.tasks.written import HINTS, WORDS, Form, Kind, Written, text_of

FORMS: tuple[Form, ...] = ("answer", "plain", "bare", "grounded")
KINDS = {
    "last_letter": written.last_letters((1, 2, 3), (4, 6)),
    "addition": written.sums((2, 3), (4, 6)),
    "dp": written.subsequences((4, 5), (6, 8)),
}
ALL = [(name, form, hinted) for name, form, hinted in product(KINDS, FORMS, (False, True))]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def by_force(name: str, prompt: str) -> str:
    """The answer to a prompt, from its text alone."""
    body = re.sub(f"[{HINTS}]", "", prompt).removesuffix(">")
    if name == "last_letter":
        return "".join(word[-1] for word in body.split(" "))
    if name == "addition":
        return str(sum(map(int, body.split("+"))))
    numbers = [int(n) for n in body.split(",")]
    chosen = [c for c in product((0, 1), repeat=len(numbers)) if not any(a and b for a, b in pairwise(c))]
    return str(max(sum(n for n, c in zip(numbers, choice, strict=True) if c) for choice in chosen))


@pytest.mark.parametrize(("name", "form", "hinted"), ALL)
def test_every_solution_ends_in_the_answer_that_brute_force_finds(name: str, form: Form, hinted: bool) -> None:
    task = Written(KINDS[name], form, hinted=hinted, problems=64)
    for split in task.splits:
        for spelled in task.draw(split.name, 12, rng()):
            assert spelled.truth == by_force(name, spelled.prompt)
            assert spelled.text.endswith(f"={spelled.truth}.")
            assert task.score(spelled, spelled.text) == task.score(spelled, spelled.truth) == {"exact": 1.0}
            if form != "answer":
                assert task.graded(spelled, spelled.text).error == ""


@pytest.mark.parametrize(("name", "form", "hinted"), ALL)
def test_batches_hold_what_draw_spells_and_mark_what_is_to_be_written(name: str, form: Form, hinted: bool) -> None:
    task = Written(KINDS[name], form, hinted=hinted, problems=64)
    split = task.splits[-1].name
    batch, drawn = task.batch(split, 8, rng(3)), task.draw(split, 8, rng(3))
    assert batch.tokens.max() < task.vocab == len(WORDS)
    for tokens, answer, spelled in zip(batch.tokens, batch.answer, drawn, strict=True):
        assert text_of(tokens) == spelled.prompt + spelled.text
        assert text_of(tokens[answer]) == spelled.text
    assert isinstance(task, TokenTask)


@pytest.mark.parametrize(("name", "form", "hinted"), ALL)
def test_no_sequence_is_longer_than_the_task_says(name: str, form: Form, hinted: bool) -> None:
    task = Written(KINDS[name], form, hinted=hinted, problems=256)
    for split in ("train", *(s.name for s in task.splits)):
        batch = task.batch(split, 60, rng(1))
        assert batch.tokens.shape[1] <= task.longest(split)
        assert batch.answer.sum(1).max() <= task.room(split)


def test_the_bounds_are_reached_by_words_and_sums() -> None:
    words = Written(KINDS["last_letter"], "grounded", problems=256)
    assert max(len(s.text) for s in words.draw("2 words", 100, rng())) == words.room("2 words")
    sums = Written(written.sums((2,), (3,)), "grounded", problems=256)
    assert max(len(s.text) for s in sums.draw("3 digits", 4000, rng())) == sums.room("3 digits")


@pytest.mark.parametrize("name", KINDS)
def test_what_is_trained_on_is_never_tested(name: str) -> None:
    task = Written(KINDS[name], "plain", problems=3_000)
    tokens, begins, _ = task.pool
    trained = {text_of(row[:begin]) for row, begin in zip(tokens, begins, strict=True)}
    for split in task.splits:
        tested = {s.prompt for s in task.draw(split.name, 60, rng(5))}
        assert len(tested) == 60
        assert not tested & trained


def test_training_batches_come_from_the_set_and_are_a_function_of_their_randomness() -> None:
    task = Written(KINDS["dp"], "grounded", problems=50)
    first, again, other = (task.batch("train", 200, rng(s)) for s in (1, 1, 2))
    assert np.array_equal(first.tokens, again.tokens)
    assert not np.array_equal(first.tokens, other.tokens)
    assert len({text_of(row) for row in first.tokens}) <= 50


def test_shuffled_solutions_are_those_of_other_problems() -> None:
    true, shuffled = (Written(KINDS["addition"], "plain", problems=300, shuffled=s) for s in (False, True))
    pairs = [
        [(text_of(t[:b]), text_of(t[b:])) for t, b, _ in zip(*task.pool, strict=True)] for task in (true, shuffled)
    ]
    assert [p for p, _ in pairs[0]] == [p for p, _ in pairs[1]]
    assert Counter(t for _, t in pairs[0]) == Counter(t for _, t in pairs[1])
    right = [text.endswith(f"={by_force('addition', prompt)}.") for prompt, text in pairs[1]]
    assert np.mean(right) < 0.05


@pytest.mark.parametrize(
    ("kind", "short", "text"),
    [
        ("last_letter", "βdog γtax>", "βLdog:g|g;γLtax:x|gx;=gx."),
        ("addition", "β2γ7+β4γ5>", "βA2+4:6|6;γA7+5:12|6,12;γC12?yes;γS12-2|0,7,2;βC7?no;βC0?no;=72."),
        ("dp", "β-4,γ5>", "γA5+0:5;γM5,0,0:5|5;βA-4+0:-4;βM-4,5,0:5|5,5;=5."),
    ],
)
def test_hints_by_hand(kind: str, short: str, text: str) -> None:
    """An element and the steps about it share a mark; the place before the first digit has that of the first digit."""
    by_hand: dict[str, tuple[Kind, list[object]]] = {
        "last_letter": (written.last_letters((2,), ()), ["dog", "tax"]),
        "addition": (written.sums((2,), ()), [27, 45]),
        "dp": (written.subsequences((2,), ()), [-4, 5]),
    }
    from unseen.tasks import digits, dp, last_letter
    from unseen.tasks.worked import worked

    family, given = by_hand[kind]
    problem = {
        "last_letter": lambda: last_letter.problem(given),  # type: ignore[arg-type]
        "addition": lambda: digits.addition_problem(*given),  # type: ignore[arg-type]
        "dp": lambda: dp.problem(given),  # type: ignore[arg-type]
    }[kind]()
    task = Written(family, "grounded", hinted=True)
    spelled = task.spelt(worked(kind, task.splits[0], problem), 1)
    assert (spelled.prompt, spelled.text) == (short, text)


def test_all_hints_are_met_in_training_and_follow_one_another() -> None:
    task = Written(KINDS["last_letter"], "plain", hinted=True, problems=2_000)
    tokens, _, _ = task.pool
    assert {WORDS[t] for t in np.unique(tokens)} >= set(HINTS)
    for spelled in task.draw("6 words", 20, rng()):
        marks = [c for c in spelled.prompt if c in HINTS]
        assert "".join(marks) in HINTS
        assert [c for c in spelled.text if c in HINTS] == marks


@pytest.mark.parametrize(
    ("text", "error", "right"),
    [
        ("Ldog:g|g;Ltax:x|gx;=gx.", "", True),
        ("Ldog:d|g;Ltax:x|gx;=gx.", "seen skill", True),
        ("Ldog:g|g;Ltax:x|xg;=gx.", "copying", True),
        ("Ltag:g|g;Ltax:x|gx;=gx.", "copying", True),
        ("Ldog:g|g;=g.", "composition", False),
        ("Adog:g|g;Ltax:x|gx;=gx.", "unseen skill", True),
        ("Ldog:g|g;Ltax:x|gx;=xg.", "copying", False),
        ("Ldog:g|g;Ltax:x|gx;", "other", False),
        ("Ldog:g|g;Ltax:x|gx;=gx", "other", False),
        ("Ldog|g;Ltax:x|gx;=gx.", "other", True),
    ],
)
def test_the_first_error_is_named(text: str, error: str, right: bool) -> None:
    from unseen.tasks.last_letter import problem
    from unseen.tasks.worked import worked

    task = Written(KINDS["last_letter"], "grounded")
    spelled = task.spelt(worked("last_letter", task.splits[1], problem(["dog", "tax"])), 0)
    assert task.graded(spelled, text).error == error
    assert task.score(spelled, text)["exact"] == float(right)


def test_mistakes_are_told() -> None:
    task = Written(KINDS["dp"], "answer", problems=16)
    with pytest.raises(Unknown, match="9 numbers"):
        task.batch("9 numbers", 2, rng())
    with pytest.raises(Invalid, match="cannot be replayed"):
        task.graded(task.draw("4 numbers", 1, rng())[0], "=1.")
    with pytest.raises(Invalid, match="there are 16"):
        Written(written.sums((2,), (17,)), "plain", hinted=True)
