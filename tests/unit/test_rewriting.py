"""Rewriting: truths against a plain interpreter and by hand, shapes against regular expressions, splits that never mix."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unseen.core.errors import Invalid, Unknown
from unseen.tasks.layout import EOS, PAD, SEP, SOS
from unseen.tasks.rewriting import ALPHABET, Asked, Rewriting, interpret, rewriting, tokens
from unseen.tasks.rewriting_rules import Rules, Taught, World, counts, fates, marks, mixed, rules_of
from unseen.tasks.rewriting_strings import DOMAINS, SHAPES, drawn, has, matches, planted, rewritten, without

SMALL = World(alphabet=5, sides=(1, 3), length=(4, 9), seed=7)
EVEN = World(alphabet=8, sides=(4, 6), length=(8, 8), seed=7)


def slowly(left: str, right: str, string: str) -> tuple[str, int, int]:
    """The reference interpreter, letter by letter: result, place (−1: none), occurrences."""
    places = []
    for start in range(len(string) - len(left) + 1):
        if all(string[start + k] == left[k] for k in range(len(left))):
            places.append(start)
    if not places:
        return string, -1, 0
    first = min(places)
    out = [string[k] for k in range(first)] + list(right) + [string[k] for k in range(first + len(left), len(string))]
    return "".join(out), first, len(places)


def text(row: np.ndarray) -> str:
    return "".join(ALPHABET[i - 1] for i in row if i)


def letters(*words: str) -> np.ndarray:
    longest = max(map(len, words))
    return np.array([[ALPHABET.index(c) + 1 for c in w] + [0] * (longest - len(w)) for w in words])


@given(st.integers(0, 10_000))
def test_truths_are_those_of_the_reference_interpreter(seed: int) -> None:
    """Two letters, so that rules overlap themselves and occur often; sides and strings of every length: 60 items each."""
    rng = np.random.default_rng(seed)
    side = [np.where(np.arange(4) < rng.integers(1, 5, 60)[:, None], rng.integers(1, 3, (60, 4)), 0) for _ in "xy"]
    strings = np.where(np.arange(9) < rng.integers(1, 10, 60)[:, None], rng.integers(1, 3, (60, 9)), 0)
    made = rewritten(*side, strings)
    for i in range(60):
        out, place, occurrences = slowly(text(side[0][i]), text(side[1][i]), text(strings[i]))
        assert (text(made.out[i]), made.place[i], made.occurrences[i]) == (out, place, occurrences)


def test_cases_worked_by_hand() -> None:
    cases = [
        ("ab", "cd", "eabfab", "ecdfab", 1, 2),  # the leftmost of two
        ("ab", "cd", "efefba", "efefba", -1, 0),  # does not apply
        ("aa", "b", "aaaa", "baa", 0, 3),  # overlaps itself; the result is shorter
        ("a", "bca", "dad", "dbcad", 1, 1),  # grows; the new a is not rewritten again
        ("abc", "c", "ababc", "abc", 2, 1),  # a false start before it
        ("ab", "ba", "bbab", "bbba", 2, 1),  # at the very end
    ]
    left, right, strings, outs, places, occurrences = zip(*cases, strict=True)
    made = rewritten(letters(*left), letters(*right), letters(*strings))
    assert [text(row) for row in made.out] == list(outs)
    assert made.place.tolist() == list(places)
    assert made.occurrences.tolist() == list(occurrences)
    for x, y, z, out, *_ in cases:
        assert interpret(f"{' '.join(x)} -> {' '.join(y)} : {' '.join(z)} >") == " ".join(out)


def test_thousands_of_items_are_right_as_tokens_and_as_text() -> None:
    for world, taught, asked in (
        (SMALL, Taught(60, 900, idle=0.4), ("free",)),
        (EVEN, Taught(60, 900, SHAPES), DOMAINS),
    ):
        task = rewriting(world, taught, asked=asked, longer=12)
        for name in ("train", *(s.name for s in task.splits)):
            batch = task.batch(name, 300, np.random.default_rng(1))
            assert batch.tokens.shape[1] <= task.longest(name)
            for row, mask in zip(batch.tokens, batch.answer, strict=True):
                kept = row[row != PAD].tolist()
                assert kept[0] == SOS and kept[-1] == EOS and kept.count(SEP) == 1
                words = [task.words[t] for t in kept[1:-1]]
                at = words.index(">")
                assert words[at + 1 :] == interpret(" ".join(words[: at + 1])).split()
                assert np.flatnonzero(mask).tolist() == list(range(at + 2, len(kept)))
            for e in task.draw(name, 60, np.random.default_rng(2)):
                x, y, z = (p.strip().replace(" ", "") for p in re.split("->|:", e.prompt.removesuffix(">")))
                out, place, occurrences = slowly(x, y, z)
                assert e.truth == " ".join(out) == interpret(e.prompt)
                assert (e.at["place"], e.at["occurrences"], e.at["letters"]) == (place, occurrences, len(z))
                assert e.at["rule"] == f"{' '.join(x)} -> {' '.join(y)}" and (e.at["left"], e.at["right"]) == (
                    len(x),
                    len(y),
                )
                assert task.score(e, e.truth)["exact"] == 1 and task.score(e, e.truth + " a")["exact"] == 0
                assert e.split.at.get("applies", place >= 0) == (place >= 0)


PATTERNS = {  # two copies of two or three letters
    "repeat": r"(.)\1(.)\2|(.)\3(.)\4(.)\5",
    "periodic": r"(..)\1|(...)\2",
    "mirror": r"(.)(.)\2\1|(.)(.)(.)\5\4\3",
}


def test_shapes_are_what_their_patterns_say() -> None:
    rng = np.random.default_rng(0)
    for domain in DOMAINS:
        made = drawn(domain, rng.choice([4, 6], 500), 6, 2, rng)
        for row in map(text, made):
            fits = {s for s in SHAPES if re.fullmatch(PATTERNS[s], row) and len(set(row)) == len(row) // 2}
            assert fits == ({domain} - {"free"})
        assert [has(d, made, 2).all() for d in DOMAINS] == [d == domain for d in DOMAINS]
        assert not any(has(d, made, 2).any() for d in DOMAINS if d != domain)
    three = [text(drawn(d, np.array([9]), 6, 3, rng)[0]) for d in SHAPES]
    assert re.fullmatch(r"(.)\1\1(.)\2\2(.)\3\3", three[0]) and re.fullmatch(r"(...)\1\1", three[1])
    assert re.fullmatch(r"(.)(.)(.)\3\2\1\1\2\3", three[2])


@given(st.integers(0, 10_000))
def test_strings_with_and_without_a_left_side(seed: int) -> None:
    rng = np.random.default_rng(seed)
    lengths = rng.integers(4, 8, 40)
    left = np.where(np.arange(3) < rng.integers(1, 4, 40)[:, None], rng.integers(1, 5, (40, 3)), 0)
    for made, there in ((planted(left, lengths, 4, rng), True), (without(left, lengths, 4, rng), False)):
        assert [text(x) in text(z) for x, z in zip(left, made, strict=True)] == [there] * 40
        assert (made > 0).sum(1).tolist() == lengths.tolist()
        assert matches(left, made).any(1).tolist() == [there] * 40


def test_the_place_of_a_planted_left_side_is_uniform() -> None:
    left = np.tile(letters("abc"), (6000, 1))
    made = planted(left, np.full(6000, 7), 26, np.random.default_rng(0))
    found = np.bincount(matches(left, made).argmax(1), minlength=5)
    assert found.sum() == 6000 and np.all(np.abs(found - 1200) < 150)  # five standard deviations


def rules_in(asked: Asked | Rules) -> set[tuple[str, str]]:
    return {(text(x), text(y)) for x, y in zip(asked.left, asked.right, strict=True)}


def test_reference_and_shifted_rules_never_meet() -> None:
    for world, domains in ((SMALL, ("free",)), (EVEN, DOMAINS)):
        task = rewriting(world, Taught(200, 2000, domains), asked=domains, tested=50)
        taught = rules_in(task.examples)
        assert taught == rules_in(task.rules) and len(taught) == 200
        assert all(x != y for x, y in taught)
        for split in task.splits:
            asked = rules_in(task.asked(split.name, 500, np.random.default_rng(0)))
            if split.at["novel"] == "nothing":
                assert asked <= taught
            elif split.at["novel"] == "rules":
                assert not asked & taught
            elif split.at["novel"] == "left sides":
                assert not {x for x, _ in asked} & {x for x, _ in taught}


def test_rules_held_out_are_the_same_whatever_is_taught() -> None:
    few, many = (rewriting(EVEN, Taught(n, 4000, d)) for n, d in ((10, ("repeat",)), (300, DOMAINS)))
    for fate in ("new rules, free", "new left sides, free"):
        one, two = (t.sources[fate].rules for t in (few, many))
        assert np.array_equal(one.left, two.left) and np.array_equal(one.right, two.right)
    assert rules_in(few.rules) <= rules_in(many.rules)
    assert rules_in(few.rules) != rules_in(rewriting(replace(EVEN, seed=8), Taught(10, 4000, ("repeat",))).rules)


def test_fates_are_a_function_of_the_rule() -> None:
    for fate in ("taught", "new rules", "new left sides"):
        rules = rules_of(SMALL, "free", fate, 300)
        assert set(fates(SMALL, rules).tolist()) == {fate} and len(rules_in(rules)) == 300
    every = np.array([[a, b] for a in range(1, 13) for b in range(1, 13)])
    both = Rules(np.repeat(every, 144, 0), np.tile(every, (144, 1)))
    world = World(alphabet=12, sides=(2, 2), seed=5)
    share = Counter(fates(world, both).tolist())
    assert share["new left sides"] % 144 == 0 and 5 <= share["new left sides"] / 144 <= 35
    assert abs(share["new rules"] / (len(both.left) - share["new left sides"]) - 1 / 8) < 0.01
    assert len(np.unique(marks(both.left, both.right))) == 144**2
    assert np.unique(marks(both.left)).size == 144


def test_marks_do_not_depend_on_padding_and_tell_sides_apart() -> None:
    a, b = letters("ab", "abc"), letters("abd", "ab")
    wide = np.pad(a, ((0, 0), (0, 3)))
    assert marks(a, b).tolist() == marks(wide, np.pad(b, ((0, 0), (0, 2)))).tolist()
    assert marks(letters("ab"), letters("c"))[0] != marks(letters("a"), letters("bc"))[0]
    assert marks(letters("ab"), letters("cd"))[0] != marks(letters("cd"), letters("ab"))[0]


def test_examples_are_as_many_as_asked() -> None:
    assert counts(4, 100, 0).tolist() == [25] * 4
    assert counts(3, 14, 1).tolist() == [1 + 6, 1 + 3, 1 + 2]  # 11 in the ratio 6 : 3 : 2
    assert counts(5, 5, 1.5).tolist() == [1] * 5
    big = counts(1000, 128_000, 1.5)
    assert big.sum() == 128_000 and np.all(np.diff(big) <= 0) and big.min() >= 1
    assert big[0] / big[8] == pytest.approx(9**1.5, rel=0.01)
    task = rewriting(SMALL, Taught(40, 1000, alpha=1.0, idle=0.25))
    told = task.examples.told()
    assert (told.place < 0).sum() == 250
    held = Counter(zip(map(text, task.examples.left), map(text, task.examples.right), strict=True))
    assert [n for _, n in held.most_common()] == counts(40, 1000, 1.0).tolist()
    assert held.most_common(1)[0][0] == (text(task.rules.left[0]), text(task.rules.right[0]))


def test_domains_share_the_rules_as_told() -> None:
    rules, domain = mixed(EVEN, Taught(100, 1000, ("repeat", "free"), (0.9, 0.1)))
    assert np.bincount(domain).tolist() == [90, 10]
    assert has("repeat", rules.left[domain == 0], 2).all() and has("free", rules.right[domain == 1], 2).all()
    assert np.diff(np.flatnonzero(domain == 1)).tolist() == [10] * 9  # evenly, so that alpha favours no domain


def made(seed: int) -> Rewriting:
    return rewriting(replace(SMALL, seed=seed), Taught(30, 300))


def test_batches_are_functions_of_world_split_and_randomness() -> None:
    def drawn_of(seed: int, split: str, rng: int) -> list[int]:
        return made(seed).batch(split, 20, np.random.default_rng(rng)).tokens.ravel().tolist()

    for split in ("train", "new rules, free"):
        assert drawn_of(1, split, 2) == drawn_of(1, split, 2)
        assert drawn_of(1, split, 2) != drawn_of(1, split, 3)
        assert drawn_of(1, split, 2) != drawn_of(2, split, 2)


def test_training_questions_with_the_answers_of_others() -> None:
    right = made(1)
    muddled = replace(right, muddled=True)
    for split, same in (("train", False), ("new rules, free", True)):
        pairs = [t.batch(split, 200, np.random.default_rng(0)).tokens for t in (right, muddled)]
        assert np.array_equal(*pairs) == same
    asked = right.asked("train", 3, np.random.default_rng(0))
    out = asked.told().out
    batch = tokens(asked, out[::-1])
    assert (batch.tokens == EOS).sum() == 3


def test_the_familiar_answer_is_that_of_a_trained_rule() -> None:
    task = rewriting(World(6, (2, 2), (6, 6), seed=3), Taught(300, 3000))
    known = {}
    for x, y in zip(map(text, task.rules.left), map(text, task.rules.right), strict=True):
        known.setdefault(x, y)  # rules stand in the order of their frequency
    found = 0
    for e in task.draw("new rules, free", 200, np.random.default_rng(0)):
        x, _, z = (p.strip().replace(" ", "") for p in re.split("->|:", e.prompt.removesuffix(">")))
        expected = z.replace(x, known[x], 1) if x in known else None
        assert e.familiar == (" ".join(expected) if expected else None)
        assert e.familiar != e.truth
        found += e.familiar is not None
    assert found > 150
    assert all(e.familiar is None for e in task.draw("new left sides, free", 50, np.random.default_rng(0)))
    assert all(e.familiar is None for e in task.draw("new rules, free, idle", 50, np.random.default_rng(0)))


def test_mistakes_are_told() -> None:
    with pytest.raises(Invalid, match="alphabet=1"):
        World(alphabet=1)
    with pytest.raises(Invalid, match="does not fit"):
        World(sides=(2, 5), length=(4, 4))
    with pytest.raises(Invalid, match="at least one example"):
        Taught(10, 9)
    with pytest.raises(Unknown, match="nearest is mirror"):
        Taught(10, 10, ("miror",))  # type: ignore[arg-type]
    with pytest.raises(Invalid, match=r"idle=1"):
        Taught(10, 10, idle=1)
    with pytest.raises(Invalid, match="one above 0"):
        Taught(10, 10, ("free", "mirror"), (1.0,))
    with pytest.raises(Invalid, match="ask for fewer"):
        rewriting(World(alphabet=3, sides=(1, 1)), Taught(50, 100))
    with pytest.raises(Invalid, match="no length of a mirror"):
        rewriting(World(), Taught(5, 10, ("mirror",)))
    with pytest.raises(Invalid, match="leave none"):
        mixed(EVEN, Taught(2, 10, SHAPES))
    with pytest.raises(Invalid, match="longer=3"):
        rewriting(SMALL, Taught(5, 10), longer=3)
    with pytest.raises(Invalid, match="seed must have"):
        drawn("mirror", np.array([6]), 2, 2, np.random.default_rng(0))
    with pytest.raises(Invalid, match="does not fit"):
        planted(letters("abc"), np.array([2]), 3, np.random.default_rng(0))
    with pytest.raises(Invalid, match="make it larger"):
        without(letters("a"), np.array([3]), 1, np.random.default_rng(0))
    with pytest.raises(Unknown, match="nearest"):
        made(1).batch("new rule, free", 1, np.random.default_rng(0))
    with pytest.raises(Invalid, match="no prompt"):
        interpret("a b : c >")
