"""Sorting and incrementing with hints: each truth is what plain Python says, mixtures have their shares, layouts agree."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from unseen.core.errors import Invalid, Unknown
from unseen.core.task import TokenTask
from unseen.methods.fit import Paced
from unseen.tasks import hinted
from unseen.tasks.hinted import KINDS, NUMBERS, SORTING, Hinted, Kind
from unseen.tasks.layout import EOS, PAD, SEP, SOS

SORTS = hinted.sorts(6, (9, 12), alphabet=8, repeat=True)
DISTINCT = hinted.sorts(6, (9, 12), alphabet=14, repeat=False)
DIGITS = hinted.increments(5, (8,))
FAMILIES = [(task, kind) for task in (SORTS, DISTINCT) for kind in SORTING] + [(DIGITS, kind) for kind in NUMBERS]
each = pytest.mark.parametrize(("task", "kind"), FAMILIES)


def answered(prompt: str) -> str:
    """What plain Python answers to a prompt, its words taken as numbers."""
    asked, _, given = prompt.partition(" >")
    kind, *body = asked.split()
    x, one = body, given.split()
    match kind:
        case "sort":
            return " ".join(sorted(x, key=lambda s: int(s[1:])))
        case "successor" | "predecessor":
            n, sign = int(one[0][1:]), 1 if kind == "successor" else -1
            beyond = [int(s[1:]) for s in x if sign * int(s[1:]) > sign * n]
            return f"s{min(beyond, key=lambda v: abs(v - n))}" if beyond else "</s>"
        case "count" | "parity":
            return f"n{x.count(one[0]) % (2 if kind == 'parity' else 1000)}"
        case "fill":
            assert one == sorted(one, key=lambda s: int(s[1:]))
            (missing,) = (Counter(x) - Counter(one)).elements()
            return missing
        case "increment":
            return " ".join(str(int("".join(x)) + 1).zfill(len(x)))
        case _:
            told = str(int("".join(x)) + 1).zfill(len(x))
            return " ".join(str(int(a != b)) for a, b in zip(x, told, strict=True))


@each
def test_truth_is_what_plain_python_says(task: Hinted, kind: Kind) -> None:
    one = hinted.about(task, kind)
    assert isinstance(one, TokenTask)
    for split in ("train", *(s.name for s in one.splits)):
        drawn = one.draw(split, 150, np.random.default_rng(3))
        assert len({e.prompt for e in drawn}) == len(drawn) > 20
        for e in drawn:
            assert e.truth == answered(e.prompt), e.prompt
            assert one.score(e, e.truth) == {"exact": 1.0} and one.score(e, "s0 ?") == {"exact": 0.0}
            assert e.at == {"kind": kind}


@each
def test_batch_and_draw_are_the_same_questions(task: Hinted, kind: Kind) -> None:
    one = hinted.about(task, kind)
    for split in ("train", *(s.name for s in one.splits)):
        batch = one.batch(split, 40, np.random.default_rng(7))
        drawn = {e.prompt: e.truth for e in one.draw(split, 40, np.random.default_rng(7))}
        assert batch.tokens.max() < one.vocab and batch.tokens.shape[1] <= one.longest(split)
        for row, marks in zip(batch.tokens, batch.answer, strict=True):
            prompt, truth = one.read(row, marks)
            assert drawn[prompt] == truth == answered(prompt)
            asked = int(np.flatnonzero(marks)[0])
            length = len(prompt.partition(" >")[0].split()) - 1 - (kind in NUMBERS)
            assert asked == one.asked(kind, length)
            assert row[0] == SOS and list(row).count(SEP) == 1
            assert np.all(row[marks.nonzero()[0][-1] + 1 :] == PAD)  # nothing follows the answer
            if kind in ("sort", "increment", "carry"):
                assert row[marks][-1] == EOS


def test_the_longest_sequences_fill_what_is_said_of_them() -> None:
    for task in (SORTS, DIGITS):
        for split in task.splits:
            assert task.batch(split.name, 5, np.random.default_rng(0)).tokens.shape[1] == task.longest(split.name)
    mixed = hinted.with_hints(SORTS, ["fill", "count"])
    assert mixed.longest("train") == 2 * 6 + 4


def test_lengths_and_queries_are_uniform() -> None:
    drawn = SORTS.batch("train", 6000, np.random.default_rng(0))
    lengths = np.argmax(drawn.tokens == SEP, axis=1) - 2
    assert np.allclose(np.bincount(lengths, minlength=7)[1:] / 6000, 1 / 6, atol=0.02)
    numbers = [e.prompt.split()[2:-1] for e in DIGITS.draw("length 8", 3000, np.random.default_rng(0))]
    nines = [len(n) - len("".join(n).rstrip("9")) for n in numbers]
    assert set(nines) == set(range(9)) and np.bincount(nines)[1:4].min() > 150


def test_mixtures_have_their_shares() -> None:
    mixed = hinted.with_hints(SORTS, ["successor", "count"], share=0.5)
    kinds = Counter(mixed.words[t] for t in mixed.batch("train", 64, np.random.default_rng(0)).tokens[:, 1])
    assert kinds == {"sort": 32, "successor": 16, "count": 16}
    tested = mixed.batch("length 9", 30, np.random.default_rng(0))
    assert {mixed.words[t] for t in tested.tokens[:, 1]} == {"sort"}  # only the task itself is tested
    assert mixed.name == "sort+successor+count" and hinted.about(mixed, "count").name == "count"


def test_hints_may_come_first() -> None:
    mixed = hinted.with_hints(SORTS, ["successor"], first=0.5)
    assert isinstance(mixed, Paced)

    def kinds(done: float) -> set[str]:
        return {mixed.words[t] for t in mixed.paced("train", 20, np.random.default_rng(0), done).tokens[:, 1]}

    assert kinds(0.0) == kinds(0.49) == {"successor"} and kinds(0.5) == kinds(0.99) == {"sort"}
    joint = hinted.with_hints(SORTS, ["successor"])
    first, second = (joint.paced("train", 20, np.random.default_rng(0), done).tokens for done in (0.0, 0.9))
    assert np.array_equal(first, second)


def test_shuffled_answers_are_those_of_other_questions() -> None:
    mixed = hinted.shuffled(SORTS)
    rngs = [np.random.default_rng(5) for _ in range(2)]
    right, wrong = (
        [t.read(row, marks) for row, marks in zip(b.tokens, b.answer, strict=True)]
        for t, b in ((t, t.batch("train", 300, rng)) for t, rng in zip((SORTS, mixed), rngs, strict=True))
    )
    assert [p for p, _ in right] == [p for p, _ in wrong]
    assert sorted(t for _, t in right) == sorted(t for _, t in wrong)
    assert np.mean([a == b for a, b in zip(right, wrong, strict=True)]) < 0.2
    tested = [t.batch("length 9", 20, np.random.default_rng(1)).tokens for t in (SORTS, mixed)]
    assert np.array_equal(tested[0], tested[1])


def test_reference_and_shifted_lengths_differ() -> None:
    assert [(s.at["length"], s.shifted) for s in SORTS.splits] == [(6, False), (9, True), (12, True)]
    assert SORTS.splits[1].at["times"] == 1.5


def test_the_pages_examples() -> None:
    """Worked by hand: what the module's first lines show."""
    shown = {
        "sort s7 s2 s9 s2 >": "s2 s2 s7 s9",
        "successor s7 s2 s9 s2 > s2": "s7",
        "predecessor s7 s2 s9 > s7": "s2",
        "count s7 s2 s9 s2 > s2": "n2",
        "parity s7 s2 s9 s2 > s2": "n0",
        "fill s7 s2 s9 > s2 s9": "s7",
        "increment 0 1 2 9 9 >": "0 1 3 0 0",
        "carry 0 1 2 9 9 >": "0 0 1 1 1",
    }
    assert {prompt: answered(prompt) for prompt in shown} == shown
    assert {p.split()[0] for p in shown} == set(KINDS)


def test_mistakes_are_told() -> None:
    with pytest.raises(Invalid, match="alphabet of 8"):
        hinted.sorts(4, (9,), alphabet=8, repeat=False)
    with pytest.raises(Invalid, match="hints successor"):
        hinted.with_hints(SORTS, ["carry"])
    with pytest.raises(Invalid, match="fractions"):
        hinted.with_hints(SORTS, ["successor"], share=1.0)
    with pytest.raises(Invalid, match="increment, carry"):
        hinted.about(DIGITS, "sort")
    with pytest.raises(Invalid, match="is trained on"):
        hinted.sorts(6, (5,), alphabet=8, repeat=True)
    with pytest.raises(Unknown, match="length 9"):
        SORTS.batch("length 8", 3, np.random.default_rng(0))
