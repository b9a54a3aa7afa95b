"""Are models asked, graded and compared as the settings say? Null and oracle models, graders by chance, and a student."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unseen.core.claim import judge
from unseen.core.errors import Failed, Invalid
from unseen.core.lab import Lab
from unseen.core.record import Item, Records, Row
from unseen.core.study import Model, values_of
from unseen.methods.trainer import IGNORED, collated
from unseen.studies.skill_composition import arms_mix, asked, compared, speakers, tuned
from unseen.studies.skill_composition.arms_mix import PROGRAM, READER, Compared, MixSetting, Speaker, Taught, Written
from unseen.studies.skill_composition.claims_mix import MIX_CLAIMS
from unseen.studies.skill_composition.posed import mixes

HERE = "py:unseen.studies.skill_composition.speakers:"
SMALL = Taught("tiny:qwen2", (2, 3), "oracle", 40, (1, 4), 4, steps=20, batch=4, at_once=4, rank=2, apply_chat_template=False, dtype="float32", max_new_tokens=8)  # fmt: skip


def measured(setting: MixSetting, seeds: tuple[int, ...] = (0, 1)) -> list[Item | Row]:
    module = compared if isinstance(setting, Compared) else asked
    return list(module.run(setting, Lab.alone(seeds)))  # type: ignore[arg-type]


def means(told: list[Item | Row]) -> dict[str, float]:
    items = [i for i in told if isinstance(i, Item)]
    return {name: float(np.mean([i.scores[name] for i in items])) for name in items[0].scores}


def status(id: str, *told: tuple[MixSetting, list[Item | Row]]) -> str:
    rows = [({"setting": type(s).__name__, **values_of(s)}, r.seed or 0, r) for s, rs in told for r in rs]
    return judge(next(c for c in MIX_CLAIMS if c.id == id), Records.of(rows), "laptop").status


@pytest.mark.parametrize("chat", [True, False])
@pytest.mark.parametrize("grader", [PROGRAM, READER])
def test_an_oracle_and_a_namer_are_told_apart(grader: str, chat: bool, home: Path) -> None:
    setting = Written(Model(""), "own", (1, 2, 4), 3, generations=2, grader=grader, gradings=2, apply_chat_template=chat)  # fmt: skip
    right = measured(replace(setting, model=Model(f"{HERE}oracle")))
    assert means(right)["full"] == means(right)["best_full"] == means(right)["shown"] == 1.0
    wrong = measured(replace(setting, model=Model(f"{HERE}namer")))
    assert means(wrong)["full"] == means(wrong)["best_fraction"] == means(wrong)["shown"] == 0.0
    rows = {r.measure: r.value for r in right if isinstance(r, Row)}
    assert rows == ({} if grader == PROGRAM else {"unread": 0.0, "wavering": 0.0})
    assert ("swapped" in means(right)) == (grader == PROGRAM)


def test_claims_about_models_are_judged_as_they_say(home: Path) -> None:
    setting = Written(Model(f"{HERE}oracle"), "own", (1, 2, 3), 12, generations=3, form="two turns")
    right = (setting, measured(setting, tuple(range(5))))
    assert status("M5a", right) in ("undecided", "refuted") and status("M5e", right) == "supported"
    null = replace(setting, model=Model(f"{HERE}namer"))
    found = (null, measured(null, tuple(range(5))))
    assert status("M5a", found) == "untested" and status("M5e", found) != "supported"


def test_controls_come_out_as_they_must(home: Path) -> None:
    told = [(s, measured(s, tuple(range(5)))) for s in arms_mix.settings("laptop") if isinstance(s, Speaker)]
    assert [status(id, *told) for id in ("L1", "L2", "L3", "L4", "L5")] == ["supported"] * 5


def test_the_same_grader_twice_agrees_and_one_by_chance_does_not(home: Path) -> None:
    read = Compared((PROGRAM, READER), limit=6)
    by = {(r.measure, r.at.get("point")): r.value for r in measured(read, (0,)) if isinstance(r, Row)}
    assert by["kappa", "skills"] == by["informed", "skills"] == by["tau", None] == by["ordered", None] == 1
    chance = replace(read, graders=(PROGRAM, f"{HERE}guesser"), gradings=3)
    by = {(r.measure, r.at.get("point")): r.value for r in measured(chance, (0,)) if isinstance(r, Row)}
    assert abs(by["kappa", "skills"]) < 0.3 and abs(by["informed", "skills"]) < 0.4 and by["wavering", None] > 0.3


def test_seeds_have_combinations_of_their_own(home: Path) -> None:
    items = [i for i in measured(Speaker("oracle", (1, 2), 5), (0, 1, 2)) if isinstance(i, Item)]
    assert len({i.id for i in items}) == len(items) == 30
    alone = [i for i in measured(Speaker("oracle", (1, 2), 5), (2,)) if isinstance(i, Item)]
    assert [i.id for i in alone] == [i.id for i in items if i.seed == 2]


def test_an_untrained_model_has_no_marks(home: Path) -> None:
    setting = next(s for s in arms_mix.settings("smoke") if isinstance(s, Written))
    assert means(measured(replace(setting, limit=2), (0,)))["full"] == 0


def test_forms_are_asked_as_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    prompts: list[Any] = []

    class Noted:
        def generate(self, given: Any, **words: Any) -> list[Any]:
            prompts.extend(given)
            told = speakers.oracle([str(p) for p in given], max_new_tokens=1, temperature=0, seed=words["seed"], stop=()) if "Begin the text" in str(given[0]) else ["Bread."] * len(given)  # fmt: skip
            return [type("A", (), {"text": t}) for t in told]

    monkeypatch.setattr(asked.models, "open", lambda name, **words: Noted())
    measured(Written(Model("x"), sizes=(2,), limit=2), (0,))
    assert len(prompts) == 4 and "look over your text" in prompts[2] and "look over your text" not in prompts[0]
    prompts.clear()
    measured(Written(Model("x"), sizes=(2,), limit=2, form="shown"), (0,))
    assert len(prompts) == 2 and prompts[0].count("A text of at most") == 4


def test_speakers_answer_this_studys_prompts_alone() -> None:
    with pytest.raises(Invalid, match="this study's prompts"):
        speakers.oracle(["2 + 2 ="], max_new_tokens=1, temperature=0, seed=0, stop=())


def test_lessons_have_full_marks_and_equal_shares_at_matched_totals() -> None:
    lab = Lab.alone((0,))
    for mixture in ((1,), (1, 2), (1, 2, 3), (2, 3)):
        setting = replace(SMALL, mixture=mixture, texts=60)
        (task,) = mixes(setting)
        pairs = tuned.lessons(setting, task, lab, 0)
        sizes = [e.combination.k for e, _ in pairs]
        assert len(pairs) == 60 and {sizes.count(k) for k in mixture} == {60 // len(mixture)}
        assert all(task.score(e, text)["full"] == 1 and task.trainable(e.combination) for e, text in pairs)
    with pytest.raises(Failed, match="name a better teacher"):
        tuned.lessons(replace(SMALL, teacher="words"), task, lab, 0)
    with pytest.raises(Invalid, match="nothing to train on"):
        tuned.lessons(replace(SMALL, mixture=(4,)), mixes(replace(SMALL, mixture=(4,)))[0], lab, 0)


@pytest.mark.parametrize("chat", [True, False])
def test_the_loss_is_that_of_what_the_student_says(chat: bool) -> None:
    class Letters:
        eos_token_id = 0

        def __call__(self, text: str, **words: Any) -> dict[str, list[int]]:
            return {"input_ids": [ord(c) for c in text]}

        def apply_chat_template(self, turns: Any, **words: Any) -> str:
            return "".join(f"<{t['role']}>{t['content']}" for t in turns) + "<assistant>"

    (task,) = mixes(SMALL)
    pair = tuned.lessons(SMALL, task, Lab.alone((0,)), 0)[0]
    row = tuned.encoded(pair, Letters(), chat=chat)
    assert len(row["input_ids"]) == len(row["labels"])
    kept = [t for t, label in zip(row["input_ids"], row["labels"], strict=True) if label != IGNORED]
    said = "".join(map(chr, kept[:-1]))
    assert said.replace(" Answer", "Answer") == f"Answer: {pair[1]}" * 2 and kept[-1] == 0
    padded = collated([row, {"input_ids": [1], "labels": [1]}])
    assert padded["labels"].shape == padded["attention_mask"].shape and padded["attention_mask"][1].sum() == 1


@pytest.mark.slow
def test_a_student_is_taught_and_asked_before_and_after(home: Path) -> None:
    rows = list(tuned.run(SMALL, Lab.alone((0,))))
    splits = {r.split.name for r in rows if r.split is not None}
    assert splits == {"1 train skill", "4 train skills", "1 held out skill", "4 held out skills"}
    assert {r.at.get("phase") for r in rows if r.measure == "full"} == {"before", "after"}
    assert next(r.value for r in rows if r.measure == "tuning_loss") > 0


@pytest.mark.parametrize("tier", ["smoke", "laptop", "paper"])
def test_settings_are_whole(tier: Any) -> None:
    for setting in arms_mix.settings(tier):
        assert type(arms_mix.rehearse(setting)) is type(setting) and arms_mix.needs(setting).minutes > 0
        assert not {"k", "among", "phase", "point"} & set(values_of(setting))  # no field is called as a coordinate is
        if getattr(setting, "skills", "own") == "own":
            assert mixes(setting)[0].splits
