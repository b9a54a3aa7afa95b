"""Traces tell themselves, are read back, and name the first error by its kind."""

from dataclasses import replace

import numpy as np
import pytest

from unseen.core.errors import Invalid
from unseen.tasks import commaqa, digits, dp, last_letter
from unseen.tasks.traces import Skill, Trace, internal_share, lines, read, read_terse, replay, terse, use
from unseen.tasks.worked import Sized, Worked

FORMS = ("grounded", "bare", "plain")
SIZED: list[Sized] = [
    last_letter.last_letter((1, 2), (4,)),
    digits.addition((2, 3), (5,)),
    digits.multiplication((2,), (3,)),
    dp.dp((4, 5), (8,)),
    dp.dp((4, 5), (8,), "mask"),
]


def problems() -> list[Worked]:
    rng = np.random.default_rng(1)
    sized = [e for task in SIZED for split in task.splits for e in task.draw(split.name, 4, rng)]
    return [*sized, *commaqa.Twin(3, 2, 4).draw("iid", 8, rng)]


@pytest.mark.parametrize("form", FORMS)
def test_a_trace_replays_to_itself(form: str) -> None:
    for e in problems():
        found = replay(e.trace, read("\n".join(lines(e.trace, form))), form)  # type: ignore[arg-type]
        assert (found.error, found.at) == ("", None), (e.prompt, found)


@pytest.mark.parametrize("form", FORMS)
def test_a_terse_trace_replays_to_itself(form: str) -> None:
    for task in SIZED:
        for e in task.draw(task.splits[0].name, 6, np.random.default_rng(2)):
            told = read_terse(terse(e.trace, form), form, task.skills)  # type: ignore[arg-type]
            assert replay(e.trace, told, form, short=True).error == "", terse(e.trace, form)  # type: ignore[arg-type]


def test_only_grounded_steps_name_their_skill_and_plain_ones_carry_no_state() -> None:
    e = SIZED[0].draw("2 words", 1, np.random.default_rng(0))[0]
    grounded, bare, plain = ("\n".join(lines(e.trace, form)) for form in FORMS)  # type: ignore[arg-type]
    assert grounded.count("Using Skill <last_letter>") == 2
    assert "Skill <" not in bare + plain
    assert "; now " in bare and "; now " not in plain


TRACE = last_letter.problem(["apple", "dog"]).trace
RIGHT = [
    '1. Using Skill <words_to_list>, the words of "apple dog" are apple, dog.',
    '2. Using Skill <last_letter>, the last letter of "apple" is "e"; now e.',
    '3. Using Skill <last_letter>, the last letter of "dog" is "g"; now eg.',
    "The answer is eg.",
]
KNOWN = ("words_to_list", "last_letter")


def test_the_example_is_told_so() -> None:
    assert list(lines(TRACE, "grounded")) == RIGHT


@pytest.mark.parametrize(
    ("line", "written", "error", "at"),
    [
        (1, '2. Using Skill <last_letter>, the last letter of "apple" is "l"; now l.', "seen skill", 1),
        (1, '2. Using Skill <first_letter>, the first letter of "apple" is "a"; now a.', "unseen skill", 1),
        (1, '2. Using Skill <words_to_list>, the words of "apple" are apple.', "composition", 1),
        (1, '2. Using Skill <last_letter>, the last letter of "aple" is "e"; now e.', "copying", 1),
        (2, '3. Using Skill <last_letter>, the last letter of "dog" is "g"; now ge.', "copying", 2),
        (1, "2. Using Skill <last_letter>, well, e I think.", "other", 1),
        (3, "The answer is ge.", "copying", None),
        (3, "4. I am done.", "composition", 3),
    ],
)
def test_an_injected_error_is_named(line: int, written: str, error: str, at: int | None) -> None:
    told = [*RIGHT[:line], written, *RIGHT[line + 1 :]]
    found = replay(TRACE, read("\n".join(told)), "grounded", known=KNOWN)
    assert (found.error, found.at) == (error, at)


def test_steps_left_out_or_added_are_errors_of_composition() -> None:
    assert replay(TRACE, read("\n".join([RIGHT[0], RIGHT[1], RIGHT[3]])), "grounded").error == "composition"
    more = [*RIGHT[:3], RIGHT[2], RIGHT[3]]
    found = replay(TRACE, read("\n".join(more)), "grounded")
    assert (found.error, found.at) == ("composition", 3)


def test_nothing_ends_early_and_no_answer_is_other() -> None:
    assert replay(TRACE, read(""), "grounded").error == "composition"
    assert replay(TRACE, read("\n".join(RIGHT[:3])), "grounded").error == "other"


@pytest.mark.parametrize("form", FORMS)
def test_a_wrong_result_is_an_error_of_the_skill_wherever_it_stands(form: str) -> None:
    for e in problems():
        for at, step in enumerate(e.trace.steps):
            steps = (*e.trace.steps[:at], replace(step, result=f"{step.result}7"), *e.trace.steps[at + 1 :])
            text = "\n".join(lines(Trace(steps, e.truth), form))  # type: ignore[arg-type]
            found = replay(e.trace, read(text), form)  # type: ignore[arg-type]
            assert (found.error, found.at) == ("seen skill", at), (form, step.text(), found)


def test_what_follows_the_answer_is_left_out() -> None:
    text = "\n".join([*RIGHT, "", "Question: more?", "1. Using Skill <nonsense>, x."])
    assert replay(TRACE, read(text), "grounded").error == ""


def test_internal_share_counts_named_skills_that_the_prompt_lacks() -> None:
    told = read("1. Using Skill <last_letter>, x.\n2. Using Skill <algebra>, y.\nThe answer is 3.")
    assert internal_share(told, KNOWN) == 0.5
    assert internal_share(read("The answer is 3."), KNOWN) is None


def test_a_template_that_cannot_be_read_back_is_refused() -> None:
    bad = Skill("bad", "", "{x} and {x} give {result}", lambda x: x, {"x": "1"})
    with pytest.raises(Invalid, match="read back"):
        replay(Trace((use(bad, x="1"),), "1"), read("1. 1 and 1 give 1.\nThe answer is 1."), "plain")
