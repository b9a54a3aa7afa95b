"""Word problems: solutions are read, stories are told and retold, arithmetic is exact, errors are named."""

import json
import os
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from unseen.core.errors import Invalid
from unseen.core.record import Split
from unseen.tasks import gsm8k
from unseen.tasks.gsm8k import equations, evaluated, graded, retold, solved, told, twin
from unseen.tasks.traces import lines
from unseen.tasks.worked import Worked, worked

DUCKS = (
    "Janet’s ducks lay 16 eggs per day. She eats 3 for breakfast and bakes with 4. She sells the rest for $2 each. "
    "How much does she make?"
)
SOLUTION = (
    "Janet sells 16 - 3 - 4 = <<16-3-4=9>>9 duck eggs a day.\nShe makes 9 * 2 = $<<9*2=18>>18 every day.\n#### 18"
)


def ducks() -> Worked:
    return worked("gsm8k", Split("2 calculations"), solved(DUCKS, SOLUTION))


def test_a_released_solution_by_hand() -> None:
    found = solved(DUCKS, SOLUTION)
    assert [s.skill.name for s in found.trace.steps] == ["subtraction", "multiplication"]
    assert [s.result for s in found.trace.steps] == ["9", "18"]
    assert found.trace.answer == "18"
    assert lines(found.trace, "grounded") == (
        "1. Using Skill <subtraction>, Janet sells 16 - 3 - 4 = 9 duck eggs a day.",
        "2. Using Skill <multiplication>, She makes 9 * 2 = $18 every day.",
        "The answer is 18.",
    )


def test_lines_without_a_calculation_or_with_several() -> None:
    found = solved("q", "He has a box.\n2*3=<<2*3=6>>6 and 6+1=<<6+1=7>>7 in all\n2*(3+4)=<<2*(3+4)=14>>14\n#### 1,014")
    assert [s.skill.name for s in found.trace.steps] == ["state_a_fact", "addition", "several_operations"]
    assert found.trace.answer == "1014"
    with pytest.raises(Invalid, match="no number after ####"):
        solved("q", "no end")


@pytest.mark.parametrize(
    ("expression", "value"),
    [("16-3-4", "9"), ("$1,000 * 2", "2000"), ("10%*50", "5"), ("2*(3+4)/7", "2"), ("1/4", "0.25"), ("-3+5", "2"), (".5*3", "1.5")],
)  # fmt: skip
def test_expressions(expression: str, value: str) -> None:
    assert evaluated(expression) == value


@pytest.mark.parametrize("bad", ["__import__('os')", "2**9", "1/0", "", "two + 2", "[1]"])
def test_anything_else_is_refused(bad: str) -> None:
    with pytest.raises(Invalid, match="cannot be calculated"):
        evaluated(bad)


def test_stories_against_fractions_and_retold() -> None:
    for steps in (2, 3, 5, 8):
        for e in twin((1,), (steps,)).draw(f"{steps} calculations", 25, np.random.default_rng(steps)):
            again = retold(e.prompt)
            assert again.question == e.prompt and again.trace == e.trace
            assert len(e.trace.steps) == steps
            value = Fraction(e.prompt.split()[2])
            for s in e.trace.steps:
                left, sign, right = s.args["expression"].split()
                assert Fraction(left) == value
                by = Fraction(right)
                value = {"+": value + by, "-": value - by, "*": value * by, "/": value / by if by else value}[sign]
                assert value.denominator == 1 and value > 0 and str(value) == s.result
            assert e.truth == str(value) == e.parts[-1][1]


def test_a_story_by_hand() -> None:
    found = told("Ana", "apples", 7, [("+", 5), ("/", 3)])
    assert found.question == (
        "Ana has 7 apples. Ana buys 5 more. Ana shares them equally among 3 people and keeps one share. "
        "How many apples does Ana have now?"
    )
    assert lines(found.trace, "plain")[0] == "1. Ana buys 5 more, so Ana has 7 + 5 = 12 apples."
    assert found.trace.answer == "4"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("5 bags * $2 = $10", [("5 * 2", "10")]),
        ("81 points * 2 tests = 162 points", [("81 * 2", "162")]),
        ("30 snakes * 3 birds/snake = 90", [("30 * 3", "90")]),
        ("65 – 44 = 21 and 2 x 3 = 6", [("65 - 44", "21"), ("2 * 3", "6")]),
        ("the 1000-foot reach: 1200-1000=200", [("1200-1000", "200")]),
        ("20% * 50 = 10", [("20% * 50", "10")]),
        ("no calculation = 5", []),
    ],
)
def test_equations_are_read_off_free_text(text: str, found: list[tuple[str, str]]) -> None:
    assert equations(text) == found


@pytest.mark.parametrize(
    ("text", "error", "at"),
    [
        ("16 - 3 - 4 = 9, and 9 * 2 = 18.\nThe answer is 18.", "", None),
        ("16 - 3 - 4 = 8, and 8 * 2 = 16.\nThe answer is 16.", "seen skill", 0),
        ("16 - 3 - 4 = 9, and 9 * 2 = 17.\nThe answer is 17.", "seen skill", 1),
        ("16 - 3 = 13, and 13 * 2 = 26.\nThe answer is 26.", "composition", None),
        ("61 - 3 - 4 = 54.\nThe answer is 54.", "copying", 0),
        ("1. Using Skill <algebra>, x = 5.\nThe answer is 5.", "unseen skill", None),
        ("I cannot tell.", "other", None),
    ],
)
def test_errors_are_named(text: str, error: str, at: int | None) -> None:
    found = graded(ducks(), text, ["subtraction", "multiplication"])
    assert (found.error, found.at) == (error, at)


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "test.jsonl"
    path.write_text(json.dumps({"question": "q"}) + "\n", encoding="utf-8")
    with pytest.raises(Invalid, match="no file of GSM8K"):
        gsm8k.released(lambda part: path, (2,), (5,)).every("2 calculations")


@pytest.mark.realdata
def test_the_released_problems() -> None:
    if not (root := os.environ.get("UNSEEN_DATA")):
        pytest.skip("UNSEEN_DATA is not set; it holds gsm8k/")
    paths = {part: Path(root) / gsm8k.FOLDER / name for part, (name, _) in gsm8k.FILES.items()}
    task = gsm8k.released(paths.__getitem__, (2, 3), (4, 5, 6, 7))
    sizes = {s.name: len(task.every(s.name)) for s in task.splits}
    # counted from the file: lines before ####
    assert list(sizes.values()) == [326, 371, 297, 175, 87, 40]
    every = [e for s in task.splits for e in task.every(s.name)]
    assert all(task.score(e, e.truth)["exact"] == 1 for e in every)
    assert all(task.score(e, "\n".join(lines(e.trace, "plain")))["exact"] == 1 for e in every)
    train = task.every("train")
    assert len(train) > 1500 and {len(e.trace.steps) for e in train} == {2, 3}
    assert not {e.prompt for e in train} & {e.prompt for e in every}
    # of solutions known to be right, nine in ten hold only equations that the grader passes
    wrong = [graded(replace(e, truth="-777"), "\n".join(lines(e.trace, "plain"))).error for e in every]
    assert sum(error == "composition" for error in wrong) > 0.88 * len(wrong)
    kept = [s for e in every for s in e.trace.steps if s.skill in gsm8k.SKILLS]
    true = sum(
        abs(float(s.skill.compute(**s.args)) - float(s.result.replace(",", ""))) < 0.01
        for s in kept
        if _readable(s.result)
    )
    assert true > 0.97 * len(kept)


def _readable(number: str) -> bool:
    try:
        float(number.replace(",", ""))
    except ValueError:
        return False
    return True
