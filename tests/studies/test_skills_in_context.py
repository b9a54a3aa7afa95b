"""Skills in context: models are asked what the setting says, their answers are scored, and the tool serves others."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unseen.core import find
from unseen.core.claim import judge
from unseen.core.errors import Invalid, Missing, Unknown
from unseen.core.lab import Lab
from unseen.core.model import Answer
from unseen.core.plan import plan
from unseen.core.record import Item, Records, Value
from unseen.core.study import values_of
from unseen.studies.skills_in_context import asked, oracle, prompted, tool
from unseen.studies.skills_in_context.asked import Control, Prompted
from unseen.studies.skills_in_context.study import STUDY
from unseen.studies.skills_in_context.tasks import prompted_task, tasks

SLUG = "skills_in_context"
WORDS = Prompted(asked.UNTRAINED, "last_letter", "skic", (1, 2), (4,), limit=4)


class Speaker:
    """A model whose answers are a function of the prompt."""

    def __init__(self, says: Callable[[Any], str]) -> None:
        self.says, self.prompts, self.words = says, [], {}

    def generate(self, prompts: Any, **words: Any) -> list[Answer]:
        self.prompts += list(prompts)
        self.words = words
        return [Answer(self.says(p), "stop", 3) for p in prompts]


def asked_of(setting: Prompted, says: Callable[[Any], str], monkeypatch: pytest.MonkeyPatch, seeds=(0,)) -> list[Item]:
    monkeypatch.setattr(prompted.models, "open", lambda name, **words: Speaker(says))
    return list(prompted.run(setting, Lab.alone(seeds=seeds)))


def right(prompt: Any) -> str:
    return oracle.answer([prompt])[0]


@pytest.mark.parametrize("setting", asked._controls()[:5], ids=lambda s: s.task)
def test_the_oracle_is_right_and_has_no_errors(setting: Control, home: Path) -> None:
    items = list(prompted.run(setting, Lab.alone(seeds=(0, 1))))
    assert {i.scores["exact"] for i in items} == {1.0}
    assert all(v == 0 for i in items for k, v in i.scores.items() if k != "exact")
    assert {i.split.shifted for i in items} == {True, False}


@pytest.mark.parametrize("method", ["few_shot", "cot", "skic", "skic_without_skills", "skic_without_grounding"])
def test_every_method_is_scored_right_when_it_is(method: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for chat in (False, True):
        items = asked_of(replace(WORDS, method=method, apply_chat_template=chat), right, monkeypatch)
        assert {i.scores["exact"] for i in items} == {1.0}, items[0].answer
        assert len(items) == 3 * 4


@pytest.mark.parametrize(
    ("task", "method"), [("commaqa", "decomp"), ("last_letter", "least_to_most"), ("gsm8k", "least_to_most")]
)
def test_methods_that_ask_in_rounds_run_on_a_model_that_says_nothing(task: Any, method: Any, home: Path) -> None:
    sizes = ((), ()) if task == "commaqa" else ((1,), (2,))
    setting = Prompted(asked.UNTRAINED, task, method, *sizes, limit=2, max_new_tokens=16)
    items = list(prompted.run(setting, Lab.alone(seeds=(0,))))
    assert len(items) == 4 and {i.scores["exact"] for i in items} == {0.0}
    assert all(i.tokens >= 0 and i.answer is not None for i in items)


def test_a_decomposition_that_is_followed_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    from unseen.tasks import commaqa

    def says(prompt: str) -> str:
        question = prompt.rpartition("Question: ")[2]
        if question.endswith("Answer:\n"):
            facts, _, simple = question.removesuffix("\nAnswer:\n").rpartition(". ")
            if "Q1: " not in prompt:
                return f"The answer is {commaqa.looked_up(f'{facts}.', simple)}."
        return [*commaqa.plan(question.partition("\n")[0]), "end"][question.count("] = ")]

    setting = Prompted(asked.UNTRAINED, "commaqa", "decomp", limit=6)
    items = asked_of(setting, says, monkeypatch)
    assert {i.scores["exact"] for i in items} == {1.0}


def test_wrong_answers_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    def shown(prompt: str) -> str:  # the first exemplar's answer, whatever is asked
        return "The answer is " + prompt.partition("The answer is ")[2].partition("\n")[0]

    items = asked_of(replace(WORDS, method="few_shot"), shown, monkeypatch)
    assert all(i.scores["copied"] == 1 - i.scores["exact"] for i in items)
    items = asked_of(WORDS, lambda p: right(p).replace("; now ", "; now q"), monkeypatch)
    assert {i.scores["failed_by_copying"] for i in items} == {1.0}
    items = asked_of(WORDS, lambda p: "1. Using Skill <magic>, abracadabra.\nThe answer is x.", monkeypatch)
    assert {i.scores["failed_by_unseen_skill"] for i in items} == {1.0}
    assert {i.scores["internal"] for i in items} == {1.0}


def test_seeds_have_items_and_exemplars_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    both = asked_of(WORDS, right, monkeypatch, seeds=(0, 1))
    ids = [{i.id for i in both if i.seed == s} for s in (0, 1)]
    assert len(ids[0]) == len(ids[1]) == 12 and not ids[0] & ids[1]
    alone = asked_of(WORDS, right, monkeypatch, seeds=(1,))
    assert [i.id for i in alone] == [i.id for i in both if i.seed == 1]  # whatever block a seed is measured in
    begins = {i.prompt.partition("\n\nQuestion: ")[2][:60] for i in both}
    assert len(begins) == 2


def test_methods_share_items_and_exemplars_and_orders_share_both(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = Lab.alone(seeds=(0,))
    made = {
        name: prompted.material_of(s, prompted_task(s), lab, 0).exemplars
        for name, s in {
            "skic": replace(WORDS, num_fewshot=4),
            "cot": replace(WORDS, num_fewshot=4, method="cot"),
            "order": replace(WORDS, num_fewshot=4, order=2),
            "shuffled": replace(WORDS, num_fewshot=4, exemplars="shuffled"),
        }.items()
    }
    assert made["skic"] == made["cot"] != made["order"]
    assert sorted(e.id for e in made["skic"]) == sorted(e.id for e in made["order"])
    assert [e.id for e in made["skic"]] == [e.id for e in made["shuffled"]]
    ids = [[i.id for i in asked_of(replace(WORDS, method=m), right, monkeypatch)] for m in ("skic", "few_shot")]
    assert ids[0] == ids[1]


def test_no_exemplar_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for setting in STUDY.settings("smoke"):
        if isinstance(setting, Prompted):
            task, lab = prompted_task(setting), Lab.alone(seeds=(0, 1, 2))
            shown = {e.prompt for s in lab.seeds for e in prompted.material_of(setting, task, lab, s).exemplars}
            items = {
                e.prompt for s in lab.seeds for t in task.splits for e in prompted.examples_of(setting, task, t, lab, s)
            }
            assert shown and not shown & items


def test_released_files_are_never_a_silent_twin(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UNSEEN_DATA", raising=False)
    monkeypatch.setenv("UNSEEN_OFFLINE", "1")
    for task in ("commaqa", "gsm8k"):
        made = tasks(Prompted(asked.UNTRAINED, task, "cot", (2,), (5,), data="released"))[0]
        assert made.splits  # known without the files
        with pytest.raises(Missing, match=r"UNSEEN_DATA"):
            made.draw(made.splits[0].name, 2, np.random.default_rng(0))
    with pytest.raises(Invalid, match="has no released files"):
        prompted_task(Prompted(asked.UNTRAINED, "dp", "cot", (4,), (8,), data="released"))


def test_a_card_asks_no_cell_twice_and_drops_controls() -> None:
    found = [t.setting for t in plan(SLUG, STUDY, "smoke", model="smollm2", seeds=1)]
    assert all(isinstance(s, Prompted) and s.model == "smollm2" for s in found)
    cells = {(s.task, s.method) for s in found}
    assert len(cells) == len(found)
    wanted = {(h.where["task"], h.where["method"]) for h in STUDY.headlines}
    for tier in ("smoke", "laptop", "paper"):
        there = {(s.task, s.method) for s in STUDY.settings(tier) if isinstance(s, Prompted)}
        assert wanted <= there  # every headline has numbers at every tier


def test_coordinates_never_meet_the_name_of_a_field() -> None:
    fields = {name for s in STUDY.settings("smoke") for name in values_of(s)}
    for s in STUDY.settings("smoke"):
        if isinstance(s, Prompted | Control):
            assert not fields & {k for split in tasks(s)[0].splits for k in split.at}


def made(accuracy: dict[str, tuple[float, float]], task: str = "last_letter") -> Records:
    """Records of five seeds of 40 items a split: method -> accuracy on the reference and on the shifted split."""
    told: list[tuple[dict[str, Value], int, Item]] = []
    for method, levels in accuracy.items():
        setting = Prompted(asked.SMOLLM2, task, method, *asked.SIZES[task])  # type: ignore[arg-type]
        splits = prompted_task(setting).splits
        for seed in range(5):
            for split in splits:
                hits = round(40 * levels[split.shifted])
                told += [
                    ({"setting": "Prompted", **values_of(setting)}, seed, Item(f"{seed} {split.name} {i}", split, "", "", "", {"exact": float((i + seed) % 40 < hits)}))
                    for i in range(40)
                ]  # fmt: skip
    return Records.of(told)


def status(id: str, records: Records) -> str:
    return judge(next(c for c in STUDY.claims if c.id == id), records, "laptop").status


def test_claims_are_judged_as_they_say() -> None:
    assert status("C1a", made({"skic": (1.0, 0.95), "cot": (1.0, 0.4)})) == "supported"
    assert status("C1a", made({"skic": (1.0, 0.4), "cot": (1.0, 0.95)})) == "refuted"
    assert (
        status("C1a", made({"skic": (1.0, 0.95), "cot": (0.05, 0.0)})) == "untested"
    )  # cot never learned the reference
    assert status("C1b", made({"skic": (1.0, 0.95), "cot": (1.0, 0.2)})) == "supported"
    arms = {"skic": (1.0, 0.98), "skic_without_skills": (1.0, 0.8), "skic_without_grounding": (1.0, 0.4)}
    assert [status(c, made(arms, "dp")) for c in ("C5a", "C5b", "C5c")] == ["supported"] * 3


def test_every_claim_of_prompts_names_arms_that_are_measured() -> None:
    there: dict[str, set[tuple[Value, Value]]] = {}
    for tier in ("laptop", "paper"):
        there[tier] = {(s.task, s.method) for s in STUDY.settings(tier) if isinstance(s, Prompted)}
    for claim in STUDY.claims:
        for term in getattr(claim.effect, "terms", ()):
            where = dict(term.where)
            if where.get("setting") != "Prompted" or where["task"] == "math":
                continue
            assert (where["task"], where["method"]) in there["paper"], claim.id
            if "laptop" in claim.tiers:
                assert (where["task"], where["method"]) in there["laptop"], claim.id


MINE = {
    "skills": [
        {"name": "last_letter", "says": "Find the last letter.", "text": "the last letter of {word} is {result}", "example": {"word": "taxi", "result": "i"}},
        {"name": "free", "says": "Say anything."},
    ],
    "exemplars": [
        {
            "question": "Last letters of apple dog?", "answer": "eg", "parts": [["apple", "e"], ["apple dog", "eg"]],
            "steps": [
                {"skill": "last_letter", "args": {"word": "apple"}, "result": "e", "state": "e"},
                {"skill": "free", "result": "we go on"},
                {"skill": "last_letter", "args": {"word": "dog"}, "result": "g", "state": "eg"},
            ],
        }
    ],
    "questions": ["Last letters of big yellow taxi?"],
}  # fmt: skip
ANSWER = "1. Using Skill <last_letter>, the last letter of apple is e; now e.\n2. Using Skill <free>, we go on.\n3. Using Skill <last_letter>, the last letter of dog is g; now eg.\nThe answer is eg."


def test_prompts_for_skills_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(MINE), encoding="utf-8")
    own = tool.read_own(path)
    skic = tool.built("skic", own.material, own.questions)[0]
    assert "Skill <last_letter>: Find the last letter. For example, the last letter of taxi is i." in skic
    assert ANSWER in skic and str(skic).endswith("Question: Last letters of big yellow taxi?\nAnswer:\n")
    assert "Skill <" not in str(tool.built("cot", own.material, own.questions)[0])
    assert "Part: apple dog" in str(tool.built("least_to_most", own.material, own.questions)[0])
    lines = tmp_path / "mine.jsonl"
    rows = [*MINE["skills"], *MINE["exemplars"], {"question": MINE["questions"][0]}]
    lines.write_text("\n".join(json.dumps(r) for r in rows), encoding="utf-8")
    assert tool.built("skic", tool.read_own(lines).material, own.questions) == [skic]


def test_own_solutions_are_graded() -> None:
    own = tool.own_of(MINE)
    question = "Last letters of apple dog?"
    assert tool.graded(question, ANSWER, own).error == ""
    assert tool.graded(question, ANSWER.replace("dog is g; now eg", "dog is d; now ed"), own).error == "seen skill"
    found = tool.graded(question, ANSWER.replace("<free>", "<magic>"), own)
    assert (found.error, found.at) == ("unseen skill", 1)


def test_built_in_solutions_are_graded() -> None:
    question = "Find the maximum sum of a subsequence of 3, 2, -1, 4 in which no two numbers are adjacent."
    answer = right(f"1. Using Skill <x>\nQuestion: {question}\nAnswer:\n")
    assert tool.graded(question, answer).error == ""
    assert tool.graded(question, answer.replace("3 plus 4 is 7", "3 plus 4 is 8")).error == "seen skill"
    with pytest.raises(Invalid, match="knows no task"):
        tool.graded("What is love?", answer)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"skills": [{"name": "a"}]}, "needs name and says"),
        ({"skills": [{"name": "a", "says": "b", "text": "no result"}]}, "read back"),
        ({"skills": [{"name": "a", "says": "b", "text": "{x} is {result}"}]}, "lacks x"),
        ({"exemplars": [{"question": "q"}]}, "lacks something"),
        ({"exemplars": [{"question": "q", "answer": "a", "steps": [{"skill": "last", "result": ""}]}]}, "nearest"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(change: dict[str, Any], why: str) -> None:
    with pytest.raises((Invalid, Unknown), match=why):
        tool.own_of({**MINE, **change})


def test_the_tool_on_the_command_line(
    unseen: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find, "_places", lambda: [Path(find.__file__).parent.parent / "studies"])
    said = unseen("use", SLUG, "prompt", "skic", "--task", "dp", "--question", "Find it.")
    assert said.code == 0 and "Skill <find_max>" in said.out and said.out.rstrip().endswith("Answer:")
    assert unseen("use", SLUG, "prompt", "skik", "--task", "dp", "--question", "q").code == 2
    assert unseen("use", SLUG, "prompt", "skic", "--question", "q").code == 2
    rows = tmp_path / "answers.jsonl"
    rows.write_text(json.dumps({"question": "What is 12 + 34?", "answer": "1. Using Skill <x>, y."}), encoding="utf-8")
    said = unseen("use", SLUG, "grade", rows)
    assert said.code == 0 and json.loads(said.out)["error"] == "unseen skill"
    assert "add_two_single_digit_number" in unseen("use", SLUG, "skills", "--task", "addition", "--tables").out


def test_departures_are_marked() -> None:
    assert len(find.departures(SLUG)) >= 2


@pytest.mark.smollm2
def test_smollm2_answers_one_word(smollm2_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNSEEN_HOME", str(smollm2_home))
    setting = Prompted(asked.SMOLLM2, "last_letter", "skic", (1,), (3,), limit=4, max_new_tokens=96)
    items = list(prompted.run(setting, Lab.alone(seeds=(0,))))
    short = [i.scores["exact"] for i in items if not i.split.shifted]
    assert sum(short) >= 1  # an untrained model is never right
    assert all("Using Skill <" in i.answer for i in items)
