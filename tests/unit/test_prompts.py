"""Prompts hold what their method shows, and nothing else; exemplars are never among what is asked."""

from typing import Any, get_args

import numpy as np
import pytest

from unseen.core.errors import Invalid
from unseen.core.model import Answer
from unseen.methods import prompts, rounds
from unseen.methods.prompts import METHODS, Material, assembled, build, solution
from unseen.studies.skills_in_context import asked, oracle
from unseen.tasks import commaqa, digits, dp, gsm8k, last_letter
from unseen.tasks.worked import Sized, Worked

TASKS = [
    last_letter.last_letter((1, 2), (4,)),
    digits.addition((2, 3), (5,)),
    digits.multiplication((2, 3), (4,)),
    dp.dp((4, 5), (8,)),
    gsm8k.twin((2, 3), (5,)),
    commaqa.Twin(3, 2, 3),
]
ONCE = [m for m in METHODS if m not in prompts.IN_ROUNDS]


def material(task: Sized) -> Material:
    return Material(task.skills, tuple(task.shown(3, np.random.default_rng(0))))


def text(prompt: Any) -> str:
    return prompt if isinstance(prompt, str) else "\n".join(turn["content"] for turn in prompt)


def test_the_study_and_the_library_name_the_same_methods() -> None:
    assert get_args(asked.Method) == METHODS


@pytest.mark.parametrize("chat", [False, True])
@pytest.mark.parametrize("task", TASKS, ids=lambda t: t.name)
def test_a_prompt_holds_what_its_method_shows(task: Sized, chat: bool) -> None:
    given = material(task)
    question = task.draw(task.splits[-1].name, 1, np.random.default_rng(1))[0].prompt
    told = {m: text(build(m, given, question, chat=chat)) for m in ONCE}
    for method, prompt in told.items():
        assert prompt.count(f"Question: {question}") == 1
        listed = [prompt.count(f"Skill <{s.name}>: {s.says}") for s in task.skills]
        assert listed == [int(method in prompts.LISTS_SKILLS)] * len(task.skills), method
        grounded = method in ("skic", "skic_without_skills")
        assert ("Using Skill <" in prompt) == grounded
        assert (". Using Skill <" in prompt) == grounded
        shown = [prompt.count(e.prompt) for e in given.exemplars]
        assert all(n >= 1 for n in shown) == (method != "zero_shot")
        assert prompt.count("The answer is ") == (0 if method == "zero_shot" else len(given.exemplars))
    assert "Skill <" not in told["cot"] + told["few_shot"] + told["zero_shot"]
    assert "; now " not in told["cot"]


@pytest.mark.parametrize("task", TASKS, ids=lambda t: t.name)
def test_methods_with_steps_show_the_same_problems(task: Sized) -> None:
    given = material(task)
    for e in given.exemplars:
        steps = [len(solution(m, e).splitlines()) for m in prompts.FORMS]
        assert set(steps) == {len(e.trace.steps) + 1}
        assert {solution(m, e).splitlines()[-1] for m in METHODS} == {f"The answer is {e.truth}."}


@pytest.mark.parametrize("task", TASKS, ids=lambda t: t.name)
def test_exemplars_are_never_asked(task: Sized) -> None:
    for seed in range(5):
        shown = {e.prompt for e in task.shown(4, np.random.default_rng(seed))}
        for split in task.splits:
            assert not shown & {e.prompt for e in task.draw(split.name, 20, np.random.default_rng(seed))}


def test_a_plain_prompt_in_full() -> None:
    task = last_letter.last_letter((2,), (4,))
    shown = (worked_of("apple dog"),)
    assert build("skic", Material(task.skills, shown), 'Take the last letters of the words in "big taxi" and concatenate them.') == (
        "Answer the last question step by step, as the others are answered. Use these skills.\n\n"
        "Skills:\n"
        "Skill <words_to_list>: Put the words that are separated by spaces into a list. For example, the words of "
        '"big yellow taxi" are big, yellow, taxi.\n'
        'Skill <last_letter>: Find the last letter of a word. For example, the last letter of "taxi" is "i".\n\n'
        'Question: Take the last letters of the words in "apple dog" and concatenate them.\nAnswer:\n'
        '1. Using Skill <words_to_list>, the words of "apple dog" are apple, dog.\n'
        '2. Using Skill <last_letter>, the last letter of "apple" is "e"; now e.\n'
        '3. Using Skill <last_letter>, the last letter of "dog" is "g"; now eg.\n'
        "The answer is eg.\n\n"
        'Question: Take the last letters of the words in "big taxi" and concatenate them.\nAnswer:\n'
    )  # fmt: skip


def worked_of(words: str) -> Worked:
    from unseen.core.record import Split
    from unseen.tasks.worked import worked

    return worked("last_letter", Split("train"), last_letter.problem(words.split()))


def test_turns_of_a_chat() -> None:
    turns = assembled("Lead.", [("q1", "a1"), ("q2", "a2")], "q3", chat=True)
    assert [t["role"] for t in turns] == ["user", "assistant", "user", "assistant", "user"]  # type: ignore[index]
    assert turns[0]["content"] == "Lead.\n\nQuestion: q1"  # type: ignore[index]
    assert turns[-1]["content"] == "Question: q3"  # type: ignore[index]


def test_tables_stand_under_their_skill() -> None:
    given = Material(
        digits.ADDITION_SKILLS, (), {s.name: digits.table(s) for s in digits.ADDITION_SKILLS if s.name in digits.TABLED}
    )
    told = prompts.skill_list(given)
    assert "Skill <add_two_single_digit_number>: " in told and told.count(" plus ") == 101
    assert told.index("\n0 plus 0 is 0.\n") > told.index("Skill <add_two_single_digit_number>")


def test_shuffled_answers_all_move_and_stay_the_same_set() -> None:
    shown = [worked_of(w) for w in ("apple", "dog", "fish", "ant")]
    for seed in range(20):
        moved = prompts.shuffled(shown, np.random.default_rng(seed))
        assert all(a.truth != b.truth for a, b in zip(shown, moved, strict=True))
        assert sorted(e.truth for e in moved) == sorted(e.truth for e in shown)
    assert prompts.shuffled(shown[:1], np.random.default_rng(0))[0].truth == "e"


@pytest.mark.parametrize(
    ("method", "given", "why"),
    [
        ("skic", Material(), "solved problems"),
        ("skic", Material((), (worked_of("a"),)), "lists the skills"),
        ("least_to_most", Material(), "asks in rounds"),
    ],
)
def test_what_is_lacking_is_named(method: Any, given: Material, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        build(method, given, "q")


class Scripted:
    """A model that answers by a function of the prompt, and keeps what it was asked."""

    def __init__(self, answer: Any) -> None:
        self.answer, self.asked = answer, []

    def generate(self, prompts: Any, **words: Any) -> list[Answer]:
        self.asked += list(prompts)
        return [Answer(self.answer(p), "stop", 1) for p in prompts]


def by_parts(prompt: str) -> str:
    """A perfect least-to-most speaker of last letters, who reads only what is in the prompt."""
    asked = prompt.rpartition("Question: ")[2]
    words = asked.partition('"')[2].partition('"')[0].split()
    if asked.endswith("Answer:\n"):
        return "\n".join(f'Part: "{" ".join(words[: i + 1])}"' for i in range(len(words)))
    part = asked.rpartition("Part: ")[2].strip().strip('"').split()
    before = asked.count("The answer is ")
    assert before == len(part) - 1  # every easier part stands there with its answer
    last = asked.rpartition("The answer is ")[2].partition(".")[0] if before else ""
    return f"The answer is {last}{part[-1][-1]}."


def test_least_to_most_gives_answers_back() -> None:
    task = last_letter.last_letter((2,), (4,))
    items = task.draw("4 words", 3, np.random.default_rng(0))
    model = Scripted(by_parts)
    found = rounds.least_to_most(model, material(task), [e.prompt for e in items], most=(64, 32))
    assert [r.answer for r in found] == [e.truth for e in items]
    assert [r.calls for r in found] == [5, 5, 5] and len(model.asked) == 15


def test_least_to_most_without_parts_asks_the_question_itself() -> None:
    task = last_letter.last_letter((2,), (4,))
    found = rounds.least_to_most(Scripted(lambda p: "no idea"), material(task), ["What?"], most=(8, 8))
    assert found[0].parts == ("What?",) and found[0].answer == "no idea"


def test_decomposed_prompting_asks_every_name_and_pools() -> None:
    passage = (
        "movie: Riften ; directed by: Ada. movie: Skob ; director: Ada. movie: Vex ; director: Bob. "
        "Ada is from the country of Whime. Bob grew up in the nation of Whime."
    )
    question = "What movies have the directors from Whime directed?"

    shown = [rounds.Hops("q", "facts", ("Who?",), ("Ada",), (("Who?", "Ada"),))]
    asks = {0: "Who is from the country Whime?", 1: "Which movies did [A1] direct?", 2: "end"}

    def scripted(prompt: str) -> str:
        asked = prompt.rpartition("Question: ")[2]
        if asked.startswith(question):
            return f" {asks[asked.count('] = ')]} [A9] = nonsense"
        facts, _, simple = asked.removesuffix("\nAnswer:\n").rpartition(". ")
        return f"The answer is {commaqa.looked_up(facts + '.', simple)}."

    found = rounds.decomp(Scripted(scripted), shown, [(passage, question)], most=(32, 32))[0]
    assert found.done == [
        ("Who is from the country Whime?", "Ada, Bob"),
        ("Which movies did [A1] direct?", "Riften, Skob, Vex"),
    ]
    assert found.answer == "Riften, Skob, Vex" and found.calls == 6


def test_the_oracle_answers_every_task_in_every_form() -> None:
    for task in TASKS:
        items = task.draw(task.splits[-1].name, 3, np.random.default_rng(2))
        for method in (m for m in ONCE if m != "zero_shot"):
            for chat in (False, True):
                asked_ = [build(method, material(task), e.prompt, chat=chat) for e in items]
                said = oracle.answer(asked_)
                assert said == [solution(method, e) for e in items]
