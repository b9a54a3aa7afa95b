"""The RASP-L interpreter against a slow double loop, its library by hand, and its programs on thousands of items."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.core.errors import Invalid, Unknown
from unseen.measures import rasp
from unseen.measures import rasp_library as library
from unseen.measures import rasp_programs as programs
from unseen.measures.rasp import (
    COMPARE,
    Node,
    aggr,
    breaches,
    complexity,
    full,
    indices,
    kqv,
    run,
    sel_width,
    select,
    seq_map,
    tok_map,
    tokens,
    where,
    written,
)
from unseen.tasks import addition, conjunction, copying, count, mode, parity, sorting
from unseen.tasks.layout import EOS, Lengthwise

PREDICATE = {
    "==": lambda k, q: k == q,
    "!=": lambda k, q: k != q,
    "<": lambda k, q: k < q,
    "<=": lambda k, q: k <= q,
    ">": lambda k, q: k > q,
    ">=": lambda k, q: k >= q,
    "true": lambda k, q: True,
}
sequences = st.lists(st.integers(-3, 6), min_size=1, max_size=9)


def slow_kqv(k: list[int], q: list[int], v: list[int], predicate: str, default: int, reduction: str) -> list[int]:
    """Attention as a double loop over positions."""
    said = []
    for i in range(len(v)):
        chosen = [v[j] for j in range(i + 1) if PREDICATE[predicate](k[j], q[i])]
        if not chosen:
            said.append(default)
        elif reduction == "mean":
            said.append(sum(chosen) // len(chosen))
        else:
            said.append(max(chosen) if reduction == "max" else min(chosen))
    return said


@settings(max_examples=300, deadline=None)
@given(
    sequences,
    st.sampled_from(list(COMPARE)),
    st.sampled_from(["mean", "max", "min"]),
    st.integers(-5, 5),
    st.integers(-2, 2),
)
def test_kqv_is_a_double_loop(x: list[int], predicate: str, reduction: str, default: int, step: int) -> None:
    at = list(range(len(x)))
    node = kqv(tokens(), indices() + step, tokens() * 2, predicate, default=default, reduction=reduction)  # type: ignore[arg-type]
    wanted = slow_kqv(x, [i + step for i in at], [2 * t for t in x], predicate, default, reduction)
    assert run(node, [x])[0].tolist() == wanted


@settings(max_examples=100, deadline=None)
@given(
    st.integers(1, 6).flatmap(
        lambda n: st.lists(st.lists(st.integers(0, 4), min_size=n, max_size=n), min_size=1, max_size=5)
    )
)
def test_rows_do_not_touch_and_nothing_looks_ahead(rows: list[list[int]]) -> None:
    node = library.mode(tokens()) + library.cumsum(tokens() > 1) - library.shift_right(tokens(), 2, default=9)
    whole = run(node, rows)
    for row, said in zip(rows, whole, strict=True):
        assert run(node, [row])[0].tolist() == said.tolist()
        for cut in range(1, len(row)):
            assert run(node, [row[:cut]])[0].tolist() == said[:cut].tolist()


@settings(max_examples=200, deadline=None)
@given(sequences, st.integers(0, 3), st.integers(-3, 6))
def test_library_is_what_python_says(x: list[int], n: int, q: int) -> None:
    t = tokens()

    def said(node: Node) -> list[int]:
        return run(node, [x])[0].tolist()

    prefixes = [x[: i + 1] for i in range(len(x))]
    assert said(library.shift_right(t, n, default=7)) == ([7] * n + x)[: len(x)]
    assert said(library.cumsum(t > 0)) == [sum(v > 0 for v in p) for p in prefixes]
    assert said(library.maximum(t)) == [max(p) for p in prefixes]
    assert said(library.minimum(t)) == [min(p) for p in prefixes]
    assert said(library.argmax(t)) == [max(i for i, v in enumerate(p) if v == max(p)) for p in prefixes]
    assert said(library.num_prev(t, q)) == [p.count(q) for p in prefixes]
    assert said(library.has_seen(t, q)) == [int(q in p) for p in prefixes]
    assert said(library.firsts(t, q)) == [p.index(q) if q in p else -1 for p in prefixes]
    assert said(library.lasts(t, q)) == [max((i for i, v in enumerate(p) if v == q), default=-1) for p in prefixes]
    assert said(library.first_true(t > 2)) == [next((i for i, v in enumerate(p) if v > 2), -1) for p in prefixes]
    assert said(library.index_select(t, full(n), default=8)) == [p[n] if n < len(p) else 8 for p in prefixes]
    assert said(library.mask(t, t > 0, -9)) == [v if v > 0 else -9 for v in x]
    after = [[p[i + 1] for i in range(len(p) - 1) if p[i] == p[-1]] for p in prefixes]
    assert said(library.induct(t, t, default=-7))[1:] == [sum(a) // len(a) if a else -7 for a in after][1:] or 0 in x
    before = [max(i for i, v in enumerate(p) if v == p[-1]) for p in prefixes]
    assert said(library.induct_prev(t, t, default=0)) == [
        p[i - 1] if i > 0 else 0 for p, i in zip(prefixes, before, strict=True)
    ]
    bits = [v % 2 for v in x]
    assert run(library.binary_mode(tokens()), [bits])[0].tolist() == [
        int(2 * sum(bits[: i + 1]) >= i + 1) for i in range(len(x))
    ]


@settings(max_examples=100, deadline=None)
@given(sequences)
def test_mode_is_the_most_frequent(x: list[int]) -> None:
    for i, said in enumerate(run(library.mode(tokens()), [x])[0]):
        seen = x[: i + 1]
        assert seen.count(int(said)) == max(map(seen.count, seen))


def test_elementwise_operations() -> None:
    t = tokens()
    x = [[5, 2, 0, 7]]
    assert run(where(t > 1, t - 1, 100), x).tolist() == [[4, 1, 100, 6]]
    assert run(seq_map(t, indices(), "*"), x).tolist() == [[0, 2, 0, 21]]
    assert run((t % 2).eq(0) & ~t.eq(0), x).tolist() == [[0, 1, 0, 0]]
    assert run((t < 2) | (t >= 7), x).tolist() == [[0, 0, 1, 1]]
    assert run(tok_map(t, "//", 2) + t, x).tolist() == [[7, 3, 0, 10]]
    assert run(aggr(select(t, t, "<="), t, reduction="mean"), x).tolist() == [[5, 2, 0, 3]]
    assert run(full(3), x).tolist() == [[3, 3, 3, 3]]


def test_complexity_counts_equal_parts_once() -> None:
    x = tokens()
    assert str(complexity(kqv(x, x, x, ">", default=EOS, reduction="min"))) == "Complexity(kqv=1, nodes=2, depth=1)"
    once = library.shift_right(x, 1)
    twice = seq_map(library.shift_right(tokens(), 1), library.shift_right(tokens(), 1), "+")
    assert complexity(once).kqv == complexity(twice).kqv == 1
    assert complexity(twice).nodes == complexity(once).nodes + 1
    deep = x
    for _ in range(40):
        deep = kqv(deep, deep, deep, "==")  # a tree of 3^40 leaves
    assert (complexity(deep).kqv, complexity(deep).depth) == (40, 40)
    assert run(deep, [[1, 2, 1]]).tolist() == [[1, 2, 1]]


def test_what_rasp_l_forbids_is_named() -> None:
    at, x = indices(), tokens()
    n = sel_width(select(x, 1, "=="))
    assert breaches(n % 2) == ["% 2 of a position or count"]
    assert breaches(at + n) == ["+ of positions or counts"]
    assert breaches(kqv(at, n, x, "==")) == ["a match of positions or counts that were not found by attention"]
    assert breaches(kqv(at * 2, at, x, "=="))[0] == "* 2 of a position or count"
    for fine in (
        library.mode(x),
        library.shift_right(x, 3),
        library.index_select(x, library.lasts(x, 5)),
        where(n < at, x, 0),
        n + 1,
    ):
        assert not breaches(fine)


def test_mistakes_are_told() -> None:
    with pytest.raises(Invalid, match="no predicate 'near'"):
        select(tokens(), 1, "near")  # type: ignore[arg-type]
    with pytest.raises(Invalid, match="no reduction 'sum'"):
        kqv(tokens(), 1, tokens(), "==", reduction="sum")  # type: ignore[arg-type]
    with pytest.raises(Invalid, match=r"shape \(3,\)"):
        run(tokens(), np.array([1, 2, 3]))
    with pytest.raises(Unknown, match="'copying'; the nearest"):
        programs.program("copying")
    with pytest.raises(Invalid, match="no operation"):
        run(Node("convolve"), [[1]])


TASKS: list[Lengthwise] = [
    conjunction.conjunctions(7, (9, 14, 40)),
    conjunction.places(20),
    count.counts(7, (9, 14, 40)),
    copying.copies(7, (9, 14, 40), "unique"),
    copying.copies(7, (9, 14, 40), "repeat"),
    sorting.sorts(7, (9, 14, 40)),
    *[mode.modes(7, (9, 14, 40), s) for s in ("none", "counts", "itemized")],
    *[parity.parities(7, (9, 14, 40), s, hinted=h) for s in ("none", "ones", "every") for h in (False, True)],
    *[
        addition.sums(4, (5, 8, 20), f, carries=c)
        for f in ("plain", "reversed", "hints", "reversed+hints")
        for c in ("standard", "balanced", "chain")
    ],
]


@pytest.mark.parametrize("task", TASKS, ids=[f"{t.name}-{i}" for i, t in enumerate(TASKS)])
def test_programs_answer_exactly_at_every_length(task: Lengthwise) -> None:
    node = programs.program(task.name)
    for split in ("train", *(s.name for s in task.splits)):
        batch = task.batch(split, 1000, np.random.default_rng(11))
        assert programs.exact(node, batch).all()


def test_a_wrong_program_is_caught() -> None:
    task = sorting.sorts(6, (8,))
    assert (
        programs.exact(programs.program("copy-unique"), task.batch("length 8", 300, np.random.default_rng(0))).mean()
        < 0.01
    )


def test_greedy_writing_equals_the_one_pass_check() -> None:
    """A program writes token by token what the one pass over the right answer says it would."""
    for task in (sorting.sorts(5, (7,)), mode.modes(5, (7,), "itemized"), addition.sums(2, (4,), "hints")):
        node = programs.program(task.name)
        for e in task.draw(task.splits[-1].name, 5, np.random.default_rng(1)):
            row = [1, *(task.words.index(w) for w in e.prompt.split())]
            while row[-1] != EOS and len(row) < 60:
                row.append(int(run(node, [row])[0, -1]))
            assert [task.words[t] for t in row[len(e.prompt.split()) + 1 : -1]] == e.truth.split()


def test_which_programs_keep_to_rasp_l() -> None:
    outside = {name for name in programs.PROGRAMS if not programs.in_rasp_l(name)}
    assert outside == {"copy-repeat", "parity", "parity+hints", "parity+every", "addition", "addition+reversed"}
    kqvs = {name: complexity(programs.program(name)).kqv for name in programs.PROGRAMS}
    assert kqvs["sort"] == kqvs["and"] == 1
    assert kqvs["mode"] < kqvs["mode+itemized"] < kqvs["mode+counts"]
    assert kqvs["addition+reversed+hints"] < kqvs["addition+hints"]


def test_programs_do_not_depend_on_how_they_are_listed() -> None:
    names = list(programs.PROGRAMS)
    random.Random(0).shuffle(names)
    assert {n: complexity(programs.program(n)) for n in names} == {
        n: complexity(programs.program(n)) for n in sorted(names)
    }


@pytest.mark.parametrize("name", list(programs.PROGRAMS))
def test_a_program_written_out_is_the_same_program(name: str) -> None:
    node = programs.program(name)
    space: dict[str, object] = {**vars(rasp), "x": tokens(), "at": indices()}
    exec(written(node), space)
    again = space["next"]
    assert isinstance(again, Node)
    assert complexity(again) == complexity(node)
    x = np.random.default_rng(0).integers(0, 20, (50, 25))
    assert np.array_equal(run(again, x), run(node, x))


def test_signs_without_an_operator_are_written_as_calls() -> None:
    node = seq_map(tok_map(tokens(), "//", 2), indices(), "!=")
    assert written(node) == 'next = seq_map(seq_map(x, 2, "//"), at, "!=")'
    assert written(full(1) > tokens()) == "next = (full(1) > x)"
