"""Multimodal reasoning: scenes against a second program, networks against plain PyTorch, claims on records made by hand."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen import items as kept_items
from unseen.core.claim import Verdict, judge_study
from unseen.core.errors import Invalid, Missing, Unknown
from unseen.core.lab import Lab
from unseen.core.record import Item, Records, Row
from unseen.core.study import values_of
from unseen.studies.multimodal_reasoning import (
    asked,
    evaluator,
    families,
    oracle,
    orders,
    pictures,
    said,
    tasks,
    tool,
    trees,
    trial,
)
from unseen.studies.multimodal_reasoning.arms import Asked, Audited, Control, Designed, Learned
from unseen.studies.multimodal_reasoning.coded import coded, longest, sizes
from unseen.studies.multimodal_reasoning.evaluator import If, Leaf, Object, Thing
from unseen.studies.multimodal_reasoning.families import Family, Fidelity, Part
from unseen.studies.multimodal_reasoning.scenes import Items
from unseen.studies.multimodal_reasoning.study import STUDY
from unseen.studies.multimodal_reasoning.study import settings as settings_of
from unseen.studies.multimodal_reasoning.world import COLOURS, LETTERS, OPERATORS, World

SLUG = "multimodal_reasoning"
SMALL, LARGE = World(6, 6, 6, 6), World()
FAMILIES: tuple[tuple[Part, Fidelity, World, tuple[int, ...]], ...] = (
    ("iid", "as_intended", World(4, 4, 4, 4), ()),
    ("iid", "as_intended", World(5, 9, 4, 3), ()),
    ("distractor", "as_intended", LARGE, (10, 40)),
    ("distractor", "as_intended", SMALL, (10, 30)),
    ("opsys", "as_intended", LARGE, ()),
    ("opsys", "as_released", LARGE, ()),
    ("optree", "as_intended", SMALL, ()),
    ("optree", "as_intended", LARGE, ()),
    ("productive", "as_intended", LARGE, (5, 7)),
    ("productive", "as_released", SMALL, (5,)),
)


def family(part: Part, fidelity: Fidelity, world: World, tests: tuple[int, ...]) -> Family:
    return Family(part, world, fidelity, tests=tests)


def every_split() -> list[Any]:
    made = [family(*told) for told in FAMILIES]
    return [pytest.param(f, s.name, id=f"{f.part} {f.world.side} {s.name}") for f in made for s in f.splits]


# scenes


@pytest.mark.parametrize(("of", "split"), every_split())
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_second_program_gives_every_answer(of: Family, split: str, seed: int) -> None:
    for items in of.draw(split, 40, np.random.default_rng(seed)):
        for i in range(len(items)):
            question, scene = evaluator.question_of(items, i), evaluator.scene_of(items, i)
            assert evaluator.answer(question, scene) == of.world.answer(int(items.answer[i]))
            assert evaluator.complete(question, scene)  # whichever branch counts
            assert len({(t.x, t.y) for t in scene}) == len(scene)
            asked_for = int((items.cell[i] >= 0).sum())
            assert len(scene) == asked_for + items.distractors[i]


@pytest.mark.parametrize(("of", "split"), every_split())
def test_words_hold_all_that_arrays_do(of: Family, split: str) -> None:
    for items in of.draw(split, 30, np.random.default_rng(1)):
        prompts = [said.prompt(items, i) for i in range(len(items))]
        for i, back in enumerate(said.items_of(prompts, of.world)):
            side, question, scene = said.read(prompts[i])
            assert (side, question, scene) == (of.world.side, evaluator.question_of(items, i), evaluator.scene_of(items, i))  # fmt: skip
            for name in ("shape", "colour", "answer", "leaf", "distractors", "cell"):
                assert np.array_equal(getattr(back, name)[0], getattr(items, name)[i]), name
            for name in ("op", "said_shape", "said_colour"):
                assert np.array_equal(getattr(back.trees, name)[0], getattr(items.trees, name)[i]), name


def test_the_rules_worked_by_hand() -> None:
    scene = [Thing("a", "red", 3, 2), Thing("b", "blue", 1, 5), Thing("c", "blue", 0, 0)]
    red, blue = Object("a", "red"), Object("b", "blue")

    def told(operator: str, *objects: Object) -> str:
        return evaluator.answer(Leaf(operator, objects), scene)

    assert told("exist", red) == "true" and told("exist", Object("a", "blue")) == "false"
    assert told("go", red) == "(3, 2)"
    assert told("getcolor", Object("a", None)) == "red" and told("getshape", Object(None, "red")) == "a"
    assert told("sumeven", red) == "false" and told("sumodd", red) == "true"  # 3 + 2
    assert told("sumodd", red, blue) == "true"  # 3 + 2 + 1 + 5
    assert told("producteven", red) == "true" and told("productodd", blue) == "true"  # 6, 5
    assert told("productodd", red, blue) == "false"  # 30
    one = If(Leaf("exist", (blue,)), Leaf("go", (red,)), Leaf("getcolor", (Object("a", None),)))
    assert evaluator.answer(one, scene) == "(3, 2)"
    assert evaluator.answer(replace(one, condition=Leaf("sumodd", (blue,))), scene) == "red"
    with pytest.raises(Invalid, match="no one answer"):
        told("getshape", Object(None, "blue"))
    assert not evaluator.complete(If(Leaf("exist", (red,)), Leaf("go", (red,)), Leaf("go", (Object("z", "red"),))), scene)  # fmt: skip


def test_trees_are_laid_out_level_by_level() -> None:
    assert [trees.nodes(d) for d in (1, 3, 5, 7)] == [1, 4, 10, 22]
    assert trees.conditions(5) == [0, 2, 3] and trees.leaves(5) == [6, 7, 8, 9]
    items = Family("productive", LARGE, tests=(5,)).draw("depth 5", 1, np.random.default_rng(0))[0]
    question = evaluator.question_of(items, 0)
    assert isinstance(question, If) and isinstance(question.then, If) and isinstance(question.other, If)
    names = [OPERATORS[o] for o in items.trees.op[0, [0, 2, 3, 6, 7, 8, 9]]]
    parts = (question.condition, question.then.condition, question.other.condition, question.then.then, question.then.other, question.other.then, question.other.other)  # fmt: skip
    assert names == [p.operator for p in parts if isinstance(p, Leaf)]
    with pytest.raises(Invalid, match="depth=2"):
        trees.nodes(2)


def test_answers_are_balanced_and_places_even() -> None:
    items = Family("iid", SMALL).draw("new scenes", 40_000, np.random.default_rng(0))[0]
    for op, guess in enumerate(SMALL.guess()):
        counts = np.bincount(items.answer[items.operator == op], minlength=SMALL.classes)
        n = counts.sum()
        used = counts[counts > 0]
        assert len(used) == round(1 / guess), OPERATORS[op]
        assert np.abs(used / n - guess).max() < 5 * np.sqrt(guess * (1 - guess) / n)
    held = (items.shape >= 0).mean(0)  # every cell as often as any other, though parities choose among cells
    assert np.ptp(held) < 0.035
    odd = items.cell[(items.trees.op[:, 0] == OPERATORS.index("productodd")) & (items.answer == 0), 0, 0]
    assert set(np.unique(odd)) == {c for c in range(36) if (c % 6) % 2 and (c // 6) % 2}


def test_pairs_of_cells_are_as_likely_as_each_other() -> None:
    """Products of two objects that are even: the pairs of cells that make it so are all alike likely."""
    world, rng = World(2, 6, 6, 6), np.random.default_rng(0)
    n = 30_000
    op = np.full((n, 4), trees.SWITCH, np.int8)
    op[:, [0, 2, 3]] = np.array([6, 0, 0])
    made, fine = trees.grown(op, 3, world, rng)
    two = np.flatnonzero(made.used[:, 0, 1] & fine)
    from unseen.studies.multimodal_reasoning import scenes

    items, room = scenes.of(made.take(two), world, np.zeros(len(two), int), rng)
    held = items.cell[room & (items.cell[:, 0, 0] >= 0)][:, 0]
    code = held[:, 0] * 4 + held[:, 1]
    true = ~((held == 3).all(1))
    counts = np.bincount(code[true], minlength=16).reshape(4, 4)
    assert np.all(np.diag(counts) == 0)
    off = counts[~np.eye(4, dtype=bool)]
    assert off.max() / off.min() < 1.25


def test_distractors_never_collide_and_are_even_otherwise() -> None:
    items = Family("distractor", SMALL, tests=(30,)).draw("30 distractors", 4000, np.random.default_rng(0))[0]
    op, asked_for = items.trees.op[:, 0], (items.trees.shape[:, 0, 0], items.trees.colour[:, 0, 0])
    code = items.shape.astype(int) * 6 + items.colour
    wanted = asked_for[0].astype(int) * 6 + asked_for[1]
    same = (code == wanted[:, None]) & (items.shape >= 0)
    gone = (op == OPERATORS.index("exist")) & (items.answer == 1)
    assert np.array_equal(same.sum(1), (~gone).astype(int))
    for name, table, own in (("getcolor", items.shape, asked_for[0]), ("getshape", items.colour, asked_for[1])):
        mine = op == OPERATORS.index(name)
        assert np.all((table[mine] == own[mine, None]).sum(1) == 1)
    exist = op == OPERATORS.index("exist")
    counts = np.bincount(code[exist][(items.shape[exist] >= 0) & ~same[exist]], minlength=36)
    assert np.abs(counts - counts.mean()).max() < 5 * np.sqrt(counts.mean())
    assert np.ptp((items.shape >= 0).mean(0)) < 0.05


@settings(max_examples=30, deadline=None)
@given(n=st.integers(1, 6), size=st.integers(2, 1200), share=st.floats(0, 1), seed=st.integers(0, 99))
def test_orders_are_orders(n: int, size: int, share: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    most, later = max(1, int(share * size)), rng.random((n, size)) < 0.3
    found = orders.first(n, size, most, rng, later)
    assert found.shape == (n, most) and all(len(set(row)) == most for row in found.tolist())
    for row, last in zip(found, later, strict=True):
        free = int((~last).sum())
        assert not last[row[:free]].any() and last[row[free:]].all()


def test_orders_are_all_alike_likely() -> None:
    found = orders.first(24_000, 4, 4, np.random.default_rng(0))
    counts = np.unique(found @ [64, 16, 4, 1], return_counts=True)[1]
    assert len(counts) == 24 and np.abs(counts - 1000).max() < 5 * np.sqrt(1000)


def test_a_world_without_room_is_refused() -> None:
    with pytest.raises(Invalid, match="no room"):
        Family("distractor", SMALL, tests=(36,))
    with pytest.raises(Invalid, match="no room"):  # four leaves may ask four letters of which there are three
        Family("productive", World(2, 3, 3, 3), most=0, tests=(7,)).draw("depth 7", 300, np.random.default_rng(0))
    few = Family("productive", World(6, 4, 4, 4), tests=(5,)).draw("depth 5", 200, np.random.default_rng(0))[0]
    assert len(few) == 200  # where questions ask about every object there could be, no distractor is left: drawn again
    with pytest.raises(Invalid, match="lack conditions"):
        Family("productive", SMALL, allowed=(1, 2))
    with pytest.raises(Unknown, match="10 distractors"):
        Family("distractor", SMALL, tests=(10,)).draw("10 distractor", 3, np.random.default_rng(0))
    with pytest.raises(Invalid, match="queried=9"):
        World(6, 8, 10, 9)


# splits


@pytest.mark.parametrize("world", [SMALL, LARGE], ids=["small", "large"])
def test_halves_as_intended_share_nothing_and_hold_every_value(world: World) -> None:
    first, second = families.halves(world, "as_intended")
    assert not set(map(tuple, first.tolist())) & set(map(tuple, second.tolist()))
    assert len(first) + len(second) == world.queried**2
    for half in (first, second):
        assert set(half[:, 0]) == set(half[:, 1]) == set(range(world.queried))


def test_halves_as_released_leak() -> None:
    """By the released code's own loops: first half of colours with all letters, all colours with the last letters."""
    first, second = (set(map(tuple, h.tolist())) for h in families.halves(LARGE, "as_released"))
    assert first == {(s, c) for s in range(10) for c in range(5)}
    assert second == {(s, c) for s in range(5, 10) for c in range(10)}
    assert len(first & second) == 25 and 100 - len(first | second) == 25


@pytest.mark.parametrize("fidelity", ["as_intended", "as_released"])
def test_opsys_asks_what_it_says(fidelity: Fidelity) -> None:
    of = Family("opsys", LARGE, fidelity)
    first, second = (set(map(tuple, h.tolist())) for h in families.halves(LARGE, fidelity))
    seen = {}
    for split in of.splits:
        items = of.draw(split.name, 20_000, np.random.default_rng(0))[0]
        told = zip(items.trees.op[:, 0], items.trees.shape[:, 0, 0], items.trees.colour[:, 0, 0], strict=True)
        seen[split.shifted] = {(int(o), int(s), int(c)) for o, s, c in told}
    for far, pairs in seen.items():
        one = {(o, *x) for o in families.FIRST for x in (second if far else first)}
        assert pairs == one | {(o, *x) for o in families.SECOND for x in (first if far else second)}
    shared = len(seen[True] & seen[False]) / len(seen[True])
    assert shared == (0.0 if fidelity == "as_intended" else 0.5)


def test_optree_pairs_are_disjoint_and_all_asked() -> None:
    of = Family("optree", LARGE)
    seen = []
    for split in of.splits:
        op = of.draw(split.name, 4000, np.random.default_rng(0))[0].trees.op
        seen.append({(c, leaf) for row in op.tolist() for c, leaf in ((row[0], row[2]), (row[0], row[3]))})
    assert not seen[0] & seen[1] and len(seen[0]) + len(seen[1]) == 5 * 8
    assert {leaf for _, leaf in seen[0]} == set(range(8))


def test_training_is_like_the_reference_and_a_function_of_its_generator() -> None:
    of = Family("productive", SMALL, tests=(5,))
    parts = of.draw("train", 400, np.random.default_rng(3))
    assert [p.trees.depth for p in parts] == [1, 3] and sum(map(len, parts)) == 400
    again = of.draw("trained depths", 400, np.random.default_rng(3))
    assert all(np.array_equal(a.shape, b.shape) for a, b in zip(parts, again, strict=True))
    assert Family("productive", SMALL, "as_released", tests=(5,)).trained == (3,)


# arrays and pictures


def test_one_hot_tokens_say_what_is_said() -> None:
    items = Family("optree", SMALL).draw("train", 50, np.random.default_rng(0))[0]
    told = coded([items], "onehot", nodes=6)
    assert told.rule.shape == (50, 7, sizes(SMALL, "onehot")[0]) and told.stim.shape == (50, 37, 13)
    assert np.all(told.last == 4) and np.all(told.rule[:, 4].sum(1) == told.rule[:, 4, -1])
    assert not told.rule[:, 5:].any() and np.all(told.stim[:, :-1].sum(2) == 2 * (items.shape >= 0))
    for i in range(50):
        for place in range(4):
            row = told.rule[i, place]
            assert OPERATORS.index("exist") <= row[:9].argmax() == items.trees.op[i, place]
            slots = row[9:-1].reshape(2, 12)
            for slot in (0, 1):
                for part, code in ((slots[slot, :6], items.trees.said_shape), (slots[slot, 6:], items.trees.said_colour)):  # fmt: skip
                    wanted = code[i, place, slot]
                    assert part.sum() == (wanted >= 0) and (wanted < 0 or part.argmax() == wanted)


def test_scalar_tokens_are_the_released_ones() -> None:
    """Worked by hand: go of a green c (letter 3, colour 2), and the colour of a c, on the released code's numbers."""
    (one,) = said.items_of([_prompt("where is the green c?")], SMALL)
    assert coded([one], "scalar", nodes=1).rule[0].tolist() == [[2, 3, 2, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 1]]
    (two,) = said.items_of([_prompt("what is the colour of the c?")], SMALL)
    told = coded([two], "scalar", nodes=1)
    assert told.rule[0, 0].tolist() == [3, 3, 1, 1, 0, 0, 0, 0]  # 1: a colour that is not said, and red as well
    assert told.stim[0, 0].tolist() == [2, 3, 0] and told.stim[0, 1].tolist() == [0, 0, 0]
    assert told.stim[0, -1].tolist() == [0, 0, 1] and told.answer[0] == 2 + 36 + 6 + 1


def _prompt(question: str) -> str:
    rows = "\n".join(f"row {y}: {'green-c' if y == 0 else '.'} . . . . ." for y in range(6))
    return f"Grid of 6 columns and 6 rows:\n{rows}\nQuestion: {question}\nAnswer:"


def test_pictures_show_every_letter_in_its_colour_and_place() -> None:
    items = Family("distractor", LARGE, tests=(40,)).draw("40 distractors", 20, np.random.default_rng(0))[0]
    many = pictures.pictures(items, dot=2)
    assert many.shape == (20, 220, 220, 3) and many.dtype == np.uint8
    inked = pictures.glyphs()
    for i in range(20):
        assert np.array_equal(many[i], pictures.picture(items, i, dot=2))
        for cell in range(100):
            y, x = divmod(cell, 10)
            inside = many[i, 22 * y + 4 : 22 * y + 18, 22 * x + 6 : 22 * x + 16][::2, ::2]
            s, c = items.shape[i, cell], items.colour[i, cell]
            lit = (inside == pictures.PALETTE[c]).all(2) if s >= 0 else (inside != pictures.GROUND).any(2)
            assert np.array_equal(lit, inked[s] if s >= 0 else np.zeros((7, 5), bool))
    assert len({g.tobytes() for g in inked}) == 26 and len(set(pictures.PALETTE)) == len(COLOURS)


def test_a_png_is_read_back_by_its_own_rules() -> None:
    """PNG by hand: signature, chunks with their checks, and rows without filters."""
    pixels = np.random.default_rng(0).integers(0, 256, (7, 9, 3), np.uint8)
    data = pictures.png(pixels)
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, body = 8, b""
    while at < len(data):
        n = int.from_bytes(data[at : at + 4], "big")
        kind, told = data[at + 4 : at + 8], data[at + 8 : at + 8 + n]
        assert int.from_bytes(data[at + 8 + n : at + 12 + n], "big") == zlib.crc32(kind + told)
        body += told if kind == b"IDAT" else b""
        at += 12 + n
    rows = np.frombuffer(zlib.decompress(body), np.uint8).reshape(7, 28)
    assert not rows[:, 0].any() and np.array_equal(rows[:, 1:].reshape(7, 9, 3), pixels)


# language models


HEARD: tuple[tuple[str, str | None], ...] = (
    (" true", "true"), ("True.", "true"), ("yes", "true"), ("No.", "false"), ("**false**", "false"),
    ("The answer is false.", "false"), ("Answer: (3, 2)", "(3, 2)"), ("(3,2)", "(3, 2)"), ("3, 2", "(3, 2)"),
    ("It stands at (4, 0).", "(4, 0)"), ("(1, 2) or (2, 1)", None), ("column 3, row 2", "(3, 2)"), ("red", "red"),
    ("It is Red.", "red"), ("red or blue", None), ("a", "a"), ("'k'", "k"), ("The letter is k.", "k"),
    ("The letter k", "k"), ("it is a red thing", "red"), ("", None), ("I do not know", None), ("\n\nblue\n", "blue"),
    ("Let me see.\nThe final answer is: green", "green"), ("The answer is a.", "a"), ("(07, 1)", "(7, 1)"),
    ("true, for there is a red a", None), ("the answer: q", "q"),
)  # fmt: skip


@pytest.mark.parametrize(("answer", "wanted"), HEARD)
def test_answers_are_heard_as_they_are_meant(answer: str, wanted: str | None) -> None:
    if answer.startswith("true, for"):
        assert tasks.heard(answer) is None  # two different words: true and red
    else:
        assert tasks.heard(answer) == wanted


@settings(max_examples=60, deadline=None)
@given(number=st.integers(0, LARGE.classes - 1), dressing=st.sampled_from(("{}", " {}.", "Answer: {}", "The answer is {}", "**{}**", "`{}`")))  # fmt: skip
def test_every_answer_is_heard_in_every_dress(number: int, dressing: str) -> None:
    assert tasks.heard(dressing.format(LARGE.answer(number))) == LARGE.answer(number)
    assert LARGE.number(LARGE.answer(number)) == number


def guessed(prompts: Any, **words: Any) -> list[str]:
    """A model that says something possible, whatever is asked."""
    rng = np.random.default_rng(0)
    return [f" {SMALL.answer(int(rng.integers(SMALL.classes)))}" for _ in prompts]


ASKED = Asked(asked.UNTRAINED, "distractor", (10,), 6, 6, 6, 6, 5, limit=40)


def test_the_oracle_is_right_and_a_guesser_is_not(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = Lab.alone(seeds=(0, 1))
    for part, tests in (("distractor", (10, 30)), ("productive", (5,)), ("opsys", ())):
        setting = replace(ASKED, model=asked.ORACLE, part=part, tests=tests, apply_chat_template=part == "opsys")
        right = list(asked.run(setting, lab))
        assert {i.scores["exact"] for i in right} == {1.0} and {i.scores["heard"] for i in right} == {1.0}
        assert {i.split.shifted for i in right} == {True, False}
    monkeypatch.setattr(asked.models, "open", lambda name, **words: _Speaker())
    wrong = list(asked.run(ASKED, lab))
    assert np.mean([i.scores["exact"] for i in wrong]) < 0.15
    assert abs(np.mean([i.scores["above"] for i in wrong]) + 0.45) < 0.35  # below guessing by the operator
    ids = [{i.id for i in wrong if i.seed == s} for s in (0, 1)]
    assert not ids[0] & ids[1] and len(ids[0]) == 80


class _Speaker:
    def generate(self, prompts: Any, **words: Any) -> list[Any]:
        from unseen.core.model import Answer

        return [Answer(a, "stop", 3) for a in guessed(prompts)]


def test_a_prompt_shows_solved_items_of_training_once_each(home: Path) -> None:
    task = tasks.Scenes(tasks.family_of(ASKED))
    shown = task.draw("train", 3, np.random.default_rng(0))
    one = task.draw("10 distractors", 1, np.random.default_rng(1))[0]
    text = asked.prompt(one, shown)
    assert text.count(said.RULES) == 1 and text.count("Question: ") == 4 and text.endswith("Answer:")
    assert all(f"Answer: {e.truth}\n" in text for e in shown)
    assert oracle.answer([text]) == [f" {one.truth}"] == oracle.answer([[{"role": "user", "content": text}]])


# the trial's rows and the claims


def test_audits_count_exactly() -> None:
    found = {}
    for fidelity in ("as_released", "as_intended"):
        for row in trial.run(Audited(fidelity), Lab.alone(seeds=(0, 1))):
            found[fidelity, row.measure, row.seed] = (row.value, row.n)  # type: ignore[union-attr]
    assert found["as_released", "leaked", 0] == (0.5, 400) and found["as_released", "unasked", 1] == (0.25, 100)
    assert found["as_intended", "leaked", 0] == (0.0, 400) and found["as_intended", "unasked", 0] == (0.0, 100)


def test_what_answers_by_design_is_right_or_at_zero() -> None:
    one = Designed("evaluator", "productive", (5,), 6, 6, 6, 6, 5, items=300)
    rows = list(trial.run(one, Lab.alone(seeds=(0,))))
    assert {r.value for r in rows if r.measure == "accuracy"} == {1.0}  # type: ignore[union-attr]
    rows = list(trial.run(replace(one, method="guess"), Lab.alone(seeds=(0, 1))))
    assert all(abs(r.value) < 0.12 for r in rows if r.measure == "kappa")  # type: ignore[union-attr]


World_ = Callable[[Learned, bool, bool], float]


def as_the_paper_says(s: Learned, shifted: bool, far: bool) -> float:
    """Kappa in a world where every claim holds."""
    if s.labels == "shuffled":
        return 0.0
    if not shifted:
        return 0.95
    if s.part == "productive":
        return 0.05
    top = {"cross": 0.9, "perceiver": 0.85, "single": 0.5 + 0.09 * s.layers, "dual": 0.4, "gru": 0.2, "rnn": 0.15}[s.kind]  # fmt: skip
    return top - (0.05 if far else 0)


def turned_around(s: Learned, shifted: bool, far: bool) -> float:
    """Kappa in a world where attention does not help, and deeper trees are no harder for it."""
    if s.labels == "shuffled" or not shifted:
        return as_the_paper_says(s, shifted, far) if not shifted else 0.5
    if s.part == "productive":
        return {"gru": 0.3}.get(s.kind, 0.94) - 0.3 * (s.positions == "relative")
    return {"cross": 0.2, "gru": 0.9, "rnn": 0.9, "dual": 0.8, "single": 0.6 - 0.1 * s.layers + 0.5 * (s.heads == 8)}.get(s.kind, 0.5)  # fmt: skip


def nothing_learned(s: Learned, shifted: bool, far: bool) -> float:
    """Kappa in a world where nothing is learned."""
    return 0.0


def rows_of(setting: Any, world: World_) -> list[Row]:
    """What a setting would yield, five seeds of 2,000 items a split."""
    if isinstance(setting, Designed | Audited):
        return [r for r in trial.run(replace(setting, items=200) if isinstance(setting, Designed) else setting, Lab.alone(seeds=(0, 1, 2, 3, 4))) if isinstance(r, Row)]  # fmt: skip
    made: list[Row] = []
    rng = np.random.default_rng(len(repr(setting)))
    for split in tasks.family_of(setting).splits:
        for seed in range(5):
            kappa = world(setting, split.shifted, split.at.get("far") == "most")
            hits = rng.binomial(2000, 0.36 + 0.64 * kappa) / 2000
            told = {"seed": seed, "step": setting.steps, "split": split, "n": 2000, "drawn": f"{seed}{split.name}"[:8]}
            made.append(Row("accuracy", hits, **told))
            made.append(Row("kappa", (hits - 0.36) / 0.64, **told))
            if not split.shifted:
                made.append(Row("untrained", rng.normal(0, 0.03), split, 500, 0, seed=seed))
            if setting.part == "opsys" and setting.fidelity == "as_released" and split.shifted:
                for pair, value in (("trained", 0.95), ("never trained", kappa)):
                    made.append(Row("by_pair", value + rng.normal(0, 0.01), **told, at={"pair": pair}))
            if setting.kind == "perceiver" and not split.shifted:
                made.append(Row("latents_apart", 1e-7 * (1 + seed) if setting.fidelity == "as_released" else 1.0, **told))  # fmt: skip
    return made


def judged(world: World_, tier: Any) -> dict[str, Verdict]:
    told: list[tuple[dict[str, Any], int, Row | Item]] = []
    for setting in settings_of(tier):
        head = {"setting": type(setting).__name__, **values_of(setting)}
        if isinstance(setting, Asked | Control):
            continue
        told += [(head, int(r.seed or 0), r) for r in rows_of(setting, world)]
    return {v.claim.id: v for v in judge_study(STUDY, Records.of(told), tier)}


@pytest.mark.parametrize("tier", ["laptop", "paper"])
def test_a_world_as_the_paper_says_supports_every_claim(tier: Any) -> None:
    found = judged(as_the_paper_says, tier)
    of_models = {"K5", "K6"}
    asked_for = {i: v for i, v in found.items() if tier in v.claim.tiers and i not in of_models}
    assert {i: (v.status, v.why) for i, v in asked_for.items() if v.status != "supported"} == {}
    assert len(asked_for) >= {"laptop": 15, "paper": 30}[tier]


def test_a_world_turned_around_refutes_and_one_untrained_tests_nothing() -> None:
    found = judged(turned_around, "paper")
    for id in ("C1a", "C1b", "C2a", "C4a", "C4g", "C5a", "C5d", "C6"):
        assert found[id].status == "refuted", (id, found[id].why)
    untaught = judged(nothing_learned, "paper")
    assert {v.status for i, v in untaught.items() if i.startswith("C")} == {"untested"}


def test_coordinates_never_meet_the_name_of_a_field() -> None:
    fields = {name for s in settings_of("smoke") for name in values_of(s)}
    splits = [s for told in FAMILIES for s in family(*told).splits]
    assert not fields & {k for split in splits for k in split.at} and not fields & {"operator", "pair"}


# what is left behind


def test_data_are_written_and_loaded_for_training(unseen: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    torch = pytest.importorskip("torch")
    datasets = pytest.importorskip("datasets")
    from unseen.core import find

    monkeypatch.undo()
    for name in ("distractor", "opsys", "opsys_as_released", "optree", "productive", "iid"):
        out = tmp_path / f"{name}.jsonl"
        kept_items.write(kept_items.draw(f"{SLUG}/{name}", n=12, tier="smoke"), "jsonl", out)
        rows = [json.loads(line) for line in out.read_text().splitlines()]
        loaded = tool.Loaded(rows, picture=True)
        batch = next(iter(torch.utils.data.DataLoader(loaded, batch_size=6)))
        assert batch["rule"].shape[:2] == (6, loaded.nodes + 1) and batch["stim"].shape[:2] == (6, 26)
        assert batch["picture"].shape == (6, 165, 165, 3)
        for row, items in zip(rows, loaded.items, strict=True):
            assert row["truth"] == items.world.answer(int(items.answer[0]))
    folder = kept_items.write(kept_items.draw(f"{SLUG}/productive", n=12, tier="smoke"), "hf", tmp_path / "hf")
    assert folder is not None
    held = datasets.load_from_disk(str(folder))
    assert {len(held[k]) for k in held} == {12} and len(tool.Loaded(list(held["depth_5"]))) == 12
    kept_items.write(kept_items.draw(f"{SLUG}/iid", n=12, tier="smoke"), "parquet", tmp_path / "iid.parquet")
    assert (tmp_path / "iid.parquet").stat().st_size > 0
    assert find.has(SLUG, "tool")
    with pytest.raises(Invalid, match="needs prompt and receipt"):
        tool.Loaded([{"prompt": "x"}])


def test_the_tool_draws_solves_and_writes_arrays(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    run = CliRunner().invoke
    out = tmp_path / "pictures"
    done = run(tool.app, ["render", "10 distractors", "--out", str(out), "--n", "3"])
    assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in (out / "answers.jsonl").read_text().splitlines()]
    assert len(rows) == 3 and all((out / r["picture"]).read_bytes()[:4] == b"\x89PNG" for r in rows)
    solved = run(tool.app, ["solve", str(out / "answers.jsonl")])
    assert solved.output.split("\n")[:3] == [r["answer"] for r in rows]
    made = run(tool.app, ["arrays", "depth 5", "--out", str(tmp_path / "a.npz"), "--n", "20", "--pixels"])
    assert made.exit_code == 0, made.output
    with np.load(tmp_path / "a.npz") as held:
        assert held["rule"].shape == (20, 11, 82) and held["pixels"].shape == (20, 330, 330, 3)
    small = run(tool.app, ["render", "opsys_as_released", "--out", str(out), "--n", "2", "--side", "6", "--letters", "6", "--colours", "6", "--queried", "6", "--dot", "1"])  # fmt: skip
    assert small.exit_code == 0 and "66 × 66" in small.output
    assert isinstance(run(tool.app, ["render", "opsis", "--out", str(out)]).exception, Unknown)
    assert isinstance(run(tool.app, ["solve", str(tmp_path / "none")]).exception, Missing)


def test_items_can_be_taken_and_joined() -> None:
    items = Family("optree", SMALL).draw("train", 10, np.random.default_rng(0))[0]
    both = Items.concat([items.take([0, 1]), items.take(np.arange(2, 10))])
    assert len(both) == 10 and np.array_equal(both.answer, items.answer) and np.array_equal(both.trees.op, items.trees.op)  # fmt: skip
    assert len(longest_of(items)) == 4 and len(LETTERS) == 26


def longest_of(items: Items) -> range:
    return range(longest([items]))
