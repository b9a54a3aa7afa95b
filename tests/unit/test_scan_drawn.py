"""SCAN with copies and with more clauses: counts by formula, meanings by the interpreter."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from unseen.core.errors import Invalid
from unseen.tasks import scan
from unseen.tasks.scan_drawn import Limits, drawn, listed, primitives, sampled


def test_copies_are_of_all_but_jump() -> None:
    assert primitives(9) == ("walk", "look", "run", "jump", "walk1", "look1", "run1", "walk2", "look2")
    assert len(set(primitives(200))) == 200
    with pytest.raises(Invalid, match="primitives=3"):
        primitives(3)


@pytest.mark.parametrize("p", [4, 11])
def test_all_commands_of_one_clause(p: int) -> None:
    every = listed(primitives(p), Limits())
    assert len(dict(every)) == 21 * p + 18
    assert all(scan.interpret(c) == said for c, said in every)
    short = listed(primitives(p), Limits(most_actions=8, least_actions=3))
    assert {len(said.split()) for _, said in short} == {3, 4, 6, 8}
    assert listed(primitives(p), Limits(most_in_clause=2)) == listed(primitives(p), Limits(most_actions=2))


def test_a_sample_of_the_grammar_is_of_its_commands() -> None:
    words = primitives(5)
    every = dict(scan.pairs(words))
    some = sampled(words, 5_000, np.random.default_rng(0))
    assert len(dict(some)) == 5_000 and all(every[c] == said for c, said in some)
    assert sampled(words, 10**6, np.random.default_rng(0)) == list(scan.pairs(words))
    two = np.mean([" and " in c or " after " in c for c, _ in some])
    assert two > 0.99  # of 30,753 commands 123 have one clause


def test_every_number_is_the_command_at_its_place() -> None:
    words = primitives(4)
    few = sampled(words, 20_909, np.random.default_rng(1))
    assert len(set(few)) == 20_909 and set(few) < set(scan.pairs(words))


@pytest.mark.parametrize(
    "limits", [Limits(4, 30), Limits(3, 10, 1), Limits(3, 40, 2, 12), Limits(2, 9, most_in_clause=4)]
)
def test_drawn_commands_keep_within_limits(limits: Limits) -> None:
    made = drawn(primitives(40), limits, 300, np.random.default_rng(2))
    assert len(dict(made)) == 300
    for command, said in made:
        assert scan.interpret(command, clauses=4) == said
        n = command.count(" and ") + command.count(" after ") + 1
        assert n <= limits.clauses and limits.least_actions <= len(said.split()) <= limits.most_actions
        assert len(scan.primitives_of(command)) <= (limits.most_primitives or n)
        assert all(len(scan.interpret(c).split()) <= limits.most_in_clause for c in clauses_of(command))


def clauses_of(command: str) -> list[str]:
    return command.replace(" after ", " and ").split(" and ")


def test_clauses_are_uniform_and_no_place_is_longer() -> None:
    made = drawn(primitives(4), Limits(2, 48), 8_000, np.random.default_rng(3))
    two = [clauses_of(c) for c, _ in made if " and " in c or " after " in c]
    first, second = (np.mean([len(scan.interpret(c[i]).split()) for c in two]) for i in (0, 1))
    mean = np.mean([scan.actions(c) for c in scan.clauses()])
    assert first == pytest.approx(mean, rel=0.05) and second == pytest.approx(mean, rel=0.05)
    heads = Counter(c[0].split()[0] for c in two)
    assert heads["turn"] / len(two) == pytest.approx(18 / 102, abs=0.02)
    assert heads["walk"] / len(two) == pytest.approx(21 / 102, abs=0.02)


def test_a_space_too_small_gives_what_it_has() -> None:
    assert {c for c, _ in drawn(("jump",), Limits(most_actions=1), 50, np.random.default_rng(0))} == {
        "jump",
        "turn left",
        "turn right",
    }
    with pytest.raises(Invalid, match="no command"):
        drawn(("jump",), Limits(most_actions=2, least_actions=3), 5, np.random.default_rng(0))
