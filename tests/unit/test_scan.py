"""SCAN: commands worked out by hand, the algebra of its words, and the published numbers of its splits."""

from __future__ import annotations

import itertools
import re
from collections import Counter

import numpy as np
import pytest

from unseen.core.errors import Invalid, Unknown
from unseen.tasks import scan
from unseen.tasks.scan import Pair, actions, clauses, forms, interpret, pairs, primitives_of, split, within

L, R = "I_TURN_LEFT", "I_TURN_RIGHT"
SIZES = {  # of the published files
    "simple": (16_728, 4_182), "length": (16_990, 3_920), "addprim_jump": (14_670, 7_706),
    "addprim_turn_left": (21_890, 1_208), "template_around_right": (15_225, 4_476),
    "template_opposite_right": (15_225, 4_476), "template_right": (15_225, 4_476),
    "template_jump_around_right": (18_528, 1_173), "filler_num0": (15_225, 1_173), "filler_num1": (16_290, 1_173),
    "filler_num2": (17_391, 1_173), "filler_num3": (18_528, 1_173),
}  # fmt: skip


@pytest.fixture(scope="module")
def every() -> list[Pair]:
    """All 20,910 pairs."""
    return list(pairs())


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("jump", "I_JUMP"),
        ("jump left", f"{L} I_JUMP"),
        ("turn left twice", f"{L} {L}"),
        ("turn opposite right", f"{R} {R}"),
        ("turn around left", f"{L} {L} {L} {L}"),
        ("jump around right", f"{R} I_JUMP {R} I_JUMP {R} I_JUMP {R} I_JUMP"),
        ("jump opposite left and walk thrice", f"{L} {L} I_JUMP I_WALK I_WALK I_WALK"),
        ("jump opposite left after walk around left", " ".join([f"{L} I_WALK"] * 4 + [f"{L} {L} I_JUMP"])),
        ("look right thrice after run", f"I_RUN {R} I_LOOK {R} I_LOOK {R} I_LOOK"),
        ("walk7 left and run12", f"{L} I_WALK7 I_RUN12"),
    ],
)
def test_commands_by_hand(command: str, said: str) -> None:
    assert interpret(command) == said


def test_every_pair_is_what_the_interpreter_says(every: list[Pair]) -> None:
    """Two ways to the same set: the grammar's products, and a reader of words."""
    assert len(every) == len(set(every)) == len({c for c, _ in every}) == 20_910
    assert all(interpret(command) == said for command, said in every)
    assert max(map(actions, every)) == 48
    words = {w for c, _ in every for w in c.split()}
    grammar = {"turn", "left", "right", "opposite", "around", "twice", "thrice", "and", "after"}
    assert words == {*scan.PRIMITIVES, *grammar}
    assert {w for _, a in every for w in a.split()} == {L, R, "I_WALK", "I_LOOK", "I_RUN", "I_JUMP"}


def test_the_algebra_of_words() -> None:
    for form, said in forms():
        assert interpret(f"{form} twice") == f"{said} {said}"
        assert interpret(f"{form} thrice") == f"{said} {said} {said}"
    for first, second in itertools.product([c for c, _ in clauses()][::7], repeat=2):
        one, other = interpret(first), interpret(second)
        assert interpret(f"{first} and {second}") == f"{one} {other}" == interpret(f"{second} after {first}")
    for u, (way, turn) in itertools.product(scan.PRIMITIVES, scan.TURNS.items()):
        assert interpret(f"{u} around {way}") == " ".join([interpret(f"{u} {way}")] * 4)
        assert interpret(f"{u} opposite {way}") == f"{turn} {interpret(f'{u} {way}')}"
    left = [interpret(c) for c, _ in clauses() if "left" in c]
    assert [s.replace("LEFT", "RIGHT") for s in left] == [interpret(c) for c, _ in clauses() if "right" in c]


def test_more_clauses_are_read_from_the_right() -> None:
    said = interpret("walk after run and look after jump", clauses=4)
    assert said == "I_RUN I_JUMP I_LOOK I_WALK"
    with pytest.raises(Invalid, match="3 clauses"):
        interpret("walk and walk and walk")


@pytest.mark.parametrize(
    "command",
    [
        "",
        "turn",
        "turn twice",
        "hop",
        "walk walk",
        "walk twice left",
        "left walk",
        "walk and",
        "and walk",
        "walk around",
        "walk opposite",
        "walk around around left",
        "twice",
        "turn1 left",
        "walk left left",
        "Walk",
    ],
)
def test_what_the_grammar_does_not_make_is_refused(command: str) -> None:
    with pytest.raises(Invalid):
        interpret(command)


@pytest.mark.parametrize("p", [1, 4, 9])
def test_the_number_of_commands(p: int) -> None:
    words = [f"walk{i}" for i in range(p)]
    assert (len(forms(words)), len(clauses(words))) == (7 * p + 6, 21 * p + 18)
    s = 21 * p + 18
    assert len(set(pairs(words))) == s + 2 * s * s


@pytest.mark.parametrize("name", scan.SPLITS)
def test_splits_have_their_published_sizes(name: str, every: list[Pair]) -> None:
    train, test = split(name)
    assert (len(train), len(test)) == SIZES[name]
    assert not set(train) & set(test) and set(train) | set(test) <= set(every)
    assert len(set(test)) == len(test)


def test_what_splits_hold_out(every: list[Pair]) -> None:
    """By patterns of text, where `split` reads clauses."""
    jump, test = split("addprim_jump")
    assert Counter(jump)["jump", "I_JUMP"] == 1_467 == round(len(jump) / 10)
    assert {c for c, _ in jump if "jump" in c} == {"jump"}
    assert {c for c, _ in test} == {c for c, _ in every if "jump" in c} - {"jump"}
    turn, test = split("addprim_turn_left")
    assert Counter(turn)["turn left", L] == 2_189 == round(len(turn) / 10)
    assert {c for c, _ in test} == {c for c, _ in every if "turn left" in c} - {"turn left"}
    train, test = split("length")
    assert max(map(actions, train)) == 22 and min(map(actions, test)) == 24
    for way in ("right", "opposite right", "around right"):
        train, test = split(f"template_{way.replace(' ', '_')}")
        held = re.compile(rf"(walk|look|run|jump) {way}\b")
        assert {c for c, _ in every if held.search(c) and f"turn {way}" not in c} == {c for c, _ in test}
        assert not [c for c, _ in train if held.search(c) or f"turn {way}" in c]
        assert [c for c, _ in train if f"turn {'left' if way == 'right' else way.split()[0]}" in c]
    train, test = split("template_jump_around_right")
    assert all("jump around right" in c for c, _ in test)
    assert not [c for c, _ in train if "jump around right" in c or "turn around right" in c]
    assert [c for c, _ in train if "walk around right" in c]
    assert (set(train), test) == (set(split("filler_num3")[0]), split("filler_num3")[1])


def test_fillers_come_one_by_one() -> None:
    seen = [
        {u for c, _ in split(f"filler_num{n}")[0] for u in scan.PRIMITIVES if f"{u} around right" in c}
        for n in range(4)
    ]
    assert seen == [set(), {"look"}, {"look", "walk"}, {"look", "walk", "run"}]


def test_the_simple_split_is_fixed_and_mixed() -> None:
    train, test = split("simple")
    assert split("simple") == (train, test)
    rate = np.mean(["jump" in c for c, _ in test])
    assert abs(rate - 7_707 / 20_910) < 0.03  # a hypergeometric draw: its deviation is 0.007


def test_an_unknown_split_names_the_nearest() -> None:
    with pytest.raises(Unknown, match="addprim_jump"):
        split("addprim_jmp")


def test_difficulty_is_actions_and_primitives(every: list[Pair]) -> None:
    assert primitives_of("walk around left and run12 twice") == ["walk", "run12"]
    assert primitives_of("turn left and turn right") == []
    short = within(every, most_actions=6)
    assert {len(a.split()) for _, a in short} == {1, 2, 3, 4, 5, 6}
    assert len(within(every, most_primitives=1)) == 20_910 - 2 * 12 * 21 * 21  # two clauses of two different primitives
    with pytest.raises(Invalid, match="no command"):
        within(every, most_actions=0)
