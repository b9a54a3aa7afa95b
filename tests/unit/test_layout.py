"""Every family of lengths: layout, splits, text and tokens agree, and each truth is what plain Python says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.core.errors import Invalid, Unknown
from unseen.core.task import Example, TokenTask
from unseen.tasks import addition, conjunction, copying, count, mode, parity, sorting
from unseen.tasks.layout import EOS, PAD, SEP, SOS, Drawn, Lengthwise, assembled, distinct, hints, packed

Oracle = Callable[[list[str]], list[str]]


def counted(p: list[str]) -> list[str]:
    return [str(i) for i in range(int(p[0]), int(p[1]) + 1)]


def most(p: list[str]) -> str:
    (winner, n), *others = Counter(p).most_common()
    assert all(n > m for _, m in others), "the mode is not unique"
    return winner


def itemized(p: list[str]) -> list[str]:
    return [w for s in dict.fromkeys(p) for w in (s, str(p.count(s)))] + [most(p)]


def by_count(p: list[str]) -> list[str]:
    ranked = sorted(dict.fromkeys(p), key=p.count)  # stable: ties stay as they first occurred
    return [w for s in ranked for w in (str(p.count(s)), s)] + [most(p)]


def parity_of(which: str, hinted: bool) -> Oracle:
    def oracle(p: list[str]) -> list[str]:
        pairs = list(zip(p[::2], p[1::2], strict=True)) if hinted else [("", b) for b in p]
        if hinted:
            first = int(pairs[0][0][1:])
            assert [i for i, _ in pairs] == [f"i{first + k}" for k in range(len(pairs))]
        said, odd = [], 0
        for index, bit in pairs:
            odd ^= int(bit)
            if which == "every" or (which == "ones" and bit == "1"):
                said += [index] * hinted + [str(odd)]
        return [*said, str(odd)]

    return oracle


def added(form: str) -> Oracle:
    def oracle(p: list[str]) -> list[str]:
        plus = p.index("+")
        left, right = p[:plus], p[plus + 1 :]
        index: list[str] = []
        if "hints" in form:
            assert left[::2] == right[::2]
            index, left, right = left[::2], left[1::2], right[1::2]
        assert left[0] == right[0] == "0"
        total = list(str(int("".join(left)) + int("".join(right))).zfill(len(left)))
        pairs = list(zip(index, total, strict=True)) if index else [(t,) for t in total]
        return [w for pair in (pairs[::-1] if "reversed" in form else pairs) for w in pair]

    return oracle


FAMILIES: list[tuple[Lengthwise, Oracle]] = [
    (count.counts(5, (6, 10)), counted),
    (copying.copies(5, (6, 10), "unique"), list),
    (copying.copies(5, (6, 10), "repeat"), list),
    (sorting.sorts(5, (6, 10)), lambda p: sorted(p, key=lambda s: int(s[1:]))),
    (mode.modes(5, (6, 10)), lambda p: [most(p)]),
    (mode.modes(5, (6, 10), "itemized"), itemized),
    (mode.modes(5, (6, 10), "counts"), by_count),
    (conjunction.conjunctions(5, (6, 10)), lambda p: ["0" if "0" in p else "1"]),
    (conjunction.places(12), lambda p: ["0" if "0" in p else "1"]),
    *[
        (parity.parities(5, (6, 10), s, hinted=h), parity_of(s, h))
        for s in ("none", "ones", "every")
        for h in (False, True)
    ],
    *[
        (addition.sums(3, (4, 6), f, carries=c), added(f))
        for f in ("plain", "reversed", "hints", "reversed+hints")
        for c in ("standard", "balanced", "chain")
    ],
]
NAMES = [f"{t.name}-{i}" for i, (t, _) in enumerate(FAMILIES)]
each = pytest.mark.parametrize(("task", "oracle"), FAMILIES, ids=NAMES)


def every_split(task: Lengthwise) -> list[str]:
    return ["train", *(s.name for s in task.splits)]


@each
def test_truth_is_what_plain_python_says(task: Lengthwise, oracle: Oracle) -> None:
    for split in every_split(task):
        for e in task.draw(split, 200, np.random.default_rng(5)):
            words = e.prompt.split()
            assert words[-1] == ">"
            assert e.truth.split() == oracle(words[:-1])


@each
def test_batch_and_draw_are_the_same_items(task: Lengthwise, oracle: Oracle) -> None:
    for split in every_split(task):
        batch = task.batch(split, 60, np.random.default_rng(9))
        read = [task.read(row) for row in batch.tokens]
        drawn = task.draw(split, 60, np.random.default_rng(9))
        told = {e.prompt: e.truth for e in drawn}
        assert all(told.get(p, t) == t for p, t in read)
        assert list(dict.fromkeys(p for p, _ in read))[: len(drawn)] == [e.prompt for e in drawn][: len(dict(read))]
        for row, answer, (_, truth) in zip(batch.tokens, batch.answer, read, strict=True):
            assert row[0] == SOS
            assert [task.words[t] for t in row[answer][:-1]] == truth.split()
            assert row[answer][-1] == EOS
            assert row[np.flatnonzero(answer)[0] - 1] == SEP
            assert not row[np.flatnonzero(answer)[-1] + 1 :].any()
        assert batch.tokens.shape == batch.answer.shape
        assert batch.tokens.max() < task.vocab
        assert batch.tokens.shape[1] <= task.longest(split)


@each
def test_draw_is_a_function_of_its_randomness(task: Lengthwise, oracle: Oracle) -> None:
    split = task.splits[-1].name
    one, same, other = (task.draw(split, 20, np.random.default_rng(s)) for s in (1, 1, 2))
    assert list(one) == list(same)
    assert list(one) != list(other)


@each
def test_reference_and_shifted_are_disjoint(task: Lengthwise, oracle: Oracle) -> None:
    drawn = {
        s.name: {
            e.prompt
            for e in task.draw(s.name, 150, np.random.default_rng(3))
            if e.truth != "1" or task.name != "and-places"
        }
        for s in task.splits
    }
    reference = set().union(*(drawn[s.name] for s in task.splits if not s.shifted))
    assert not any(reference & drawn[s.name] for s in task.splits if s.shifted)
    trained = {
        e.prompt
        for e in task.draw("train", 300, np.random.default_rng(4))
        if e.truth != "1" or task.name != "and-places"
    }
    assert not any(trained & drawn[s.name] for s in task.splits if s.shifted)


@each
def test_ids_are_distinct_and_the_right_answer_scores_one(task: Lengthwise, oracle: Oracle) -> None:
    assert isinstance(task, TokenTask)
    for split in every_split(task):
        drawn = task.draw(split, 40, np.random.default_rng(8))
        assert len({e.id for e in drawn}) == len(drawn) > 0
        for e in drawn:
            assert task.score(e, f"  {e.truth} \n") == {"exact": 1.0}
            assert task.score(e, f"{e.truth} 0") == {"exact": 0.0}
            assert task.score(e, "") == {"exact": 0.0}


@each
def test_every_token_is_met_in_training(task: Lengthwise, oracle: Oracle) -> None:
    met = set(np.unique(task.batch("train", 6000, np.random.default_rng(0)).tokens).tolist())
    numbers = set(range(task.vocab)) - met - {PAD}  # strings of one length need no padding
    if task.name.startswith("mode+"):  # counts above the longest length trained on cannot be met
        numbers = {t for t in numbers if not task.words[t].isdigit()}
    assert not numbers


def test_training_covers_lengths_evenly() -> None:
    task = copying.copies(8, (10,), "unique")
    lengths = np.array(
        [len(t.split()) for _, t in map(task.read, task.batch("train", 8000, np.random.default_rng(0)).tokens)]
    )
    assert np.all(np.abs(np.bincount(lengths, minlength=9)[1:] - 1000) < 150)
    assert set(len(e.truth.split()) for e in task.draw("length 10", 30, np.random.default_rng(0))) == {10}


def test_balanced_carries_make_chains_of_every_length() -> None:
    task = addition.sums(6, (8,), "plain")
    chains = [longest_chain(e) for e in task.draw("length 6", 3000, np.random.default_rng(0))]
    share = np.bincount(chains, minlength=7) / len(chains)
    assert share[0] == pytest.approx(1 / 7, abs=0.05)
    assert share[6] > 0.08  # uniform digits make a chain of six in 0.45 * 0.1**5 of sums
    plain = addition.sums(6, (8,), "plain", carries="standard")
    assert np.mean([longest_chain(e) >= 5 for e in plain.draw("length 6", 3000, np.random.default_rng(0))]) < 0.01


def test_the_probe_carries_through_all_digits() -> None:
    task = addition.sums(4, (7,), "reversed+hints", carries="chain")
    for e in task.draw("length 7", 100, np.random.default_rng(0)):
        left, right = (e.prompt.replace(" >", "").split(" + ")[i].split()[1::2] for i in (0, 1))
        sums = [int(a) + int(b) for a, b in zip(left, right, strict=True)]
        assert sums[0] == 0
        assert sums[1:-1] == [9] * 6
        assert sums[-1] >= 10


def longest_chain(e: Example) -> int:
    """How far a carry travels: made where two digits exceed nine, passed on where they are nine."""
    left, right = (side.split() for side in e.prompt.replace(" >", "").split(" + "))
    longest = here = 0
    for a, b in zip(left[::-1], right[::-1], strict=True):
        total = int(a) + int(b)
        here = 1 if total >= 10 else here + 1 if total == 9 and here else 0
        longest = max(longest, here)
    return longest


def test_the_familiar_answer_ignores_the_last_quarter() -> None:
    task = conjunction.places(8)
    for e in task.draw("zero late", 20, np.random.default_rng(0)):
        assert (e.familiar == "1") == (e.truth == "0")
        assert "0" not in e.prompt.split()[:6]
    assert all(
        e.familiar is None and "0" not in e.prompt.split()[6:8]
        for e in task.draw("zero early", 20, np.random.default_rng(0))
    )


def test_splits_carry_length_and_its_ratio() -> None:
    found = copying.copies(8, (12, 10), "unique").splits
    assert [(s.name, dict(s.at), s.shifted) for s in found] == [
        ("length 8", {"length": 8, "times": 1.0}, False),
        ("length 10", {"length": 10, "times": 1.25}, True),
        ("length 12", {"length": 12, "times": 1.5}, True),
    ]


def test_mistakes_are_told() -> None:
    task = sorting.sorts(4, (6,))
    with pytest.raises(Unknown, match=r"'length 5'; the nearest.*length 4"):
        task.batch("length 5", 3, np.random.default_rng(0))
    with pytest.raises(Invalid, match="4 is trained on"):
        sorting.sorts(4, (4, 6))
    with pytest.raises(Invalid, match="at least 3"):
        mode.modes(2, (6,))
    with pytest.raises(Invalid, match="alphabet of 3"):
        copying.copies(4, (6,), "unique", alphabet=3).batch("train", 50, np.random.default_rng(0))
    with pytest.raises(Invalid, match="formats are plain"):
        addition.sums(4, (6,), "backwards")  # type: ignore[arg-type]
    with pytest.raises(Invalid, match="at least 4"):
        conjunction.places(3)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.lists(st.integers(4, 9), max_size=5), st.lists(st.integers(4, 9), min_size=1, max_size=5)),
        min_size=1,
        max_size=6,
    )
)
def test_assembling_is_what_a_loop_would_do(rows: list[tuple[list[int], list[int]]]) -> None:
    wide = [max(1, *(len(r[i]) for r in rows)) for i in (0, 1)]
    prompt, answer = (np.array([r[i] + [0] * (wide[i] - len(r[i])) for r in rows]) for i in (0, 1))
    batch = assembled(Drawn(prompt, answer))
    for got, mask, (p, a) in zip(batch.tokens, batch.answer, rows, strict=True):
        want = [SOS, *p, SEP, *a, EOS]
        assert got.tolist() == want + [PAD] * (len(got) - len(want))
        assert np.flatnonzero(mask).tolist() == list(range(len(p) + 2, len(want)))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=8), st.integers(0, 2**32))
def test_hints_and_symbols(lengths: list[int], seed: int) -> None:
    n, rng = np.array(lengths), np.random.default_rng(seed)
    index = hints(n, 9, rng)
    for row, k in zip(index, n, strict=True):
        assert row[:k].tolist() == list(range(row[0], row[0] + k))
        assert row[0] >= 0 and row[k - 1] < 9
    assert all(len(set(row.tolist())) == len(row) for row in distinct(n, 9, rng))
    assert packed(np.array([[0, 4, 0], [5, 0, 0]]), np.array([[6], [7]])).tolist() == [[4, 6], [5, 7]]
