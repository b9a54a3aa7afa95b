"""OMEGA: items, their splits, who is judged how, what decoders read, and the tool."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unseen.core.claim import judge_study
from unseen.core.errors import Invalid, Missing, Unknown
from unseen.core.lab import Lab
from unseen.core.record import Item, Records, Row
from unseen.core.study import Model, values_of
from unseen.studies.omega import catalogue, controls, judged, learned, tool, tuned
from unseen.studies.omega.arms import Control, Judged, Learned, Setting
from unseen.studies.omega.posed import BOXED, asked
from unseen.studies.omega.problem import Problem
from unseen.studies.omega.spelled import WORDS, spelled
from unseen.studies.omega.study import COMPOSED, EVERY, STUDY, TEMPLATES, TRANSFORMED, rehearse
from unseen.studies.omega.tasks import compact, posed, tasks
from unseen.tasks.layout import EOS, SEP, SOS

SMALL = Learned(("twin_rotation", "twin_pattern"), also="twin_n_gon", problems=120, width=16, layers=1, heads=2, steps=20, batch=8, warmup=5, items=12)  # fmt: skip


def test_the_plan_names_every_family_there_is() -> None:
    assert set(EVERY) == set(catalogue.FAMILIES) and len(TEMPLATES) == 40 and tuple(sorted(TEMPLATES)) == tuple(sorted(catalogue.TEMPLATES))  # fmt: skip
    assert set(COMPOSED) == set(catalogue.PAIRS) - {"twin_n_gon"} and set(TRANSFORMED) == set(catalogue.SHIFTS)
    assert len(COMPOSED) == len(TRANSFORMED) == 7
    assert catalogue.known(["gcd"]) == ("gcd",)
    with pytest.raises(Unknown, match="matrix_rank"):
        catalogue.family("matrix_ranks")


def test_two_seeds_are_asked_nothing_alike_or_all_the_same() -> None:
    setting = Control("oracle", ("distribution", "matrix_rank", "gcd", "digit_sum"), 4)
    told: dict[str, dict[int | None, set[str]]] = {}
    for i in judged.run(setting, Lab.alone(seeds=(0, 1, 2))):
        told.setdefault(i.split.name, {}).setdefault(i.seed, set()).add(i.id)
    shared = {name for name, its in told.items() if its[0] == its[1] == its[2]}
    assert "digit_sum level 1" in shared and "gcd level 1" not in shared, "a small split is shared by all seeds"
    for its in (its for name, its in told.items() if name not in shared):
        assert not its[0] & its[1] and not its[0] & its[2] and not its[1] & its[2]


@pytest.mark.parametrize("name", EVERY)
def test_items_of_every_family(name: str) -> None:
    task = asked(name)
    assert {s.shifted for s in task.splits} == {True, False} and {s.axis for s in task.splits} == {task.axis}
    split = task.splits[-1]
    drawn = task.draw(split.name, 2, np.random.default_rng(0))
    again = task.draw(split.name, 2, np.random.default_rng(0))
    assert [e.id for e in drawn] == [e.id for e in again] and len({e.id for e in drawn}) == len(drawn) > 0
    for e in drawn:
        assert task.score(e, e.truth) == {"exact": 1.0} and e.prompt.endswith(BOXED)
        assert e.split.at == {"family": name, "level": split.at["level"], "role": split.at["role"]}
        if e.familiar is not None:
            assert task.score(e, e.familiar) == {"exact": 0.0} and name in TRANSFORMED
        told = controls.latex(e.truth, e.kind, np.random.default_rng(1))
        assert task.score(e, f"So $\\boxed{{{told}}}$")["exact"] == 1.0


def test_no_problem_that_is_asked_on_a_reference_split_is_trained_on() -> None:
    for name in ("gcd", "vertex_color", "trans_prob_letter", "prime_mod"):
        task = asked(name)
        trained = {e.question for e in task.draw("train", 300, np.random.default_rng(0))}
        for split in task.splits:
            if not split.shifted:
                found = task.draw(split.name, 60, np.random.default_rng(1))
                assert found and not trained & {e.question for e in found}
    (train, *_) = asked("vertex_color").draw("train", 5, np.random.default_rng(0))
    assert {"family", "level", "role"} <= set(train.at) and train.at["role"] in ("first", "second")
    with pytest.raises(Unknown, match="gcd level 3"):
        asked("gcd").draw("gcd level 9", 1, np.random.default_rng(0))


@pytest.mark.parametrize("setting", STUDY.settings("smoke"), ids=lambda s: type(s).__name__)
def test_tasks_of_settings(setting: Setting) -> None:
    for task in tasks(setting):
        (one,) = task.draw(task.splits[0].name, 1, np.random.default_rng(0))
        assert min(task.score(one, one.truth).values()) == 1.0


def test_right_answers_are_read_and_those_of_others_are_not(home: Path) -> None:
    names = ("gcd", "list_prime_factors", "mixed_arithmetic", "pattern_matching", "twin_rotation")
    found = {}
    for who in ("oracle", "guesser"):
        items = list(judged.run(Control(who, names, 3), Lab.alone(seeds=(0, 1))))  # type: ignore[arg-type]
        found[who] = np.mean([i.scores["exact"] for i in items if isinstance(i, Item)])
    assert found["oracle"] == 1.0 and found["guesser"] < 0.3


def verdicts(setting: Judged, model: str, monkeypatch: pytest.MonkeyPatch) -> tuple[list[Item], dict[str, str]]:
    monkeypatch.setattr(sys, "path", [str(Path(__file__).parent), *sys.path])
    items = list(judged.run(replace(setting, model=Model(model)), Lab.alone(seeds=(0, 1))))
    told = {"setting": "Judged", **values_of(setting)}
    records = Records.of([(told, i.seed, i) for i in items])
    return items, {v.claim.id: v.status for v in judge_study(STUDY, records, "laptop")}


def test_a_right_and_a_random_model_are_told_apart(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    setting = Judged(Model(""), "complexity", ("gcd",), limit=4, num_fewshot=2)
    items, found = verdicts(setting, "py:omega_models:right", monkeypatch)
    assert {i.scores["exact"] for i in items} == {1.0} and {i.scores["spiral"] for i in items} == {0.0}
    assert found["C1a"] in ("refuted", "undecided") and found["C1b"] != "supported"
    items, found = verdicts(setting, "py:omega_models:chance", monkeypatch)
    assert np.mean([i.scores["exact"] for i in items]) < 0.1
    assert found["C1a"] == found["C1b"] == found["C1c"] == found["C5a"] == "untested"  # level 1 is at the floor
    for name in ("vertex_color", "trans_prob_letter"):
        along = catalogue.axis_of(name)
        items, _ = verdicts(replace(setting, along=along, families=(name,), num_fewshot=0, most_level=2), "py:omega_models:right", monkeypatch)  # fmt: skip
        assert {i.scores["exact"] for i in items} == {1.0} and {i.split.axis for i in items} == {along}


def test_what_an_answer_is_worth() -> None:
    (one,) = asked("trans_gridworld").draw("trans_gridworld level 1", 1, np.random.default_rng(0))
    assert one.familiar is not None
    told = judged.scores(one, f"\\boxed{{{one.familiar}}}", 7)
    assert told == {"exact": 0.0, "tokens": 7.0, "spiral": 0.0, "familiar": 1.0}
    told = judged.scores(one, f"It is {one.truth}. No: \\boxed{{{one.familiar}}}", 9)
    assert told["spiral"] == 1.0 and told["familiar"] == 1.0
    assert judged.scores(one, one.truth, 1) == {"exact": 1.0, "tokens": 1.0, "spiral": 0.0, "familiar": 0.0}


def test_prompts() -> None:
    one, *shown = asked("gcd").draw("gcd level 1", 3, np.random.default_rng(0))
    assert judged.prompt_of(one, [], chat=False) == f"{one.prompt}\n"
    assert judged.prompt_of(one, [], chat=True) == [{"role": "user", "content": one.prompt}]
    few = judged.prompt_of(one, shown, chat=False)
    assert isinstance(few, str) and few.endswith(f"Question: {one.question}\nAnswer:") and few.count("Answer:") == 3
    turns = judged.prompt_of(one, shown, chat=True)
    assert [t["role"] for t in turns] == ["user", "assistant"] * 2 + ["user"]  # type: ignore[index]


def read(row: Sequence[int]) -> str:
    return "".join(WORDS[t] for t in row if t)


def test_sequences_hold_the_problem_and_mark_its_answer() -> None:
    task = spelled(("gcd",), "", 3, 50, 0)
    batch = task.batch("gcd level 3", 4, np.random.default_rng(0))
    drawn = task.draw("gcd level 3", 4, np.random.default_rng(0))
    for row, marks, e in zip(batch.tokens, batch.answer, drawn, strict=True):
        assert read(row) == f"<s>{e.prompt}>{e.truth}</s>" and e.prompt.startswith("[gcd]")
        assert read(row[marks]) == f"{e.truth}</s>" and row[0] == SOS and SEP in row and EOS in row
    assert int(batch.tokens.max()) < task.vocab and task.longest("train") >= task.batch("train", 9, np.random.default_rng(0)).tokens.shape[1]  # fmt: skip
    with pytest.raises(Invalid):
        task.longest("gcd level 3")
    with pytest.raises(Unknown, match="gcd level 2"):
        task.draw("gcd level 8", 1, np.random.default_rng(0))


def test_training_sets_differ_between_seeds_hold_no_test_problem_and_may_be_muddled() -> None:
    one, two, wrong = (compact(replace(SMALL, learner=who), seed=s) for who, s in (("trained", 0), ("trained", 1), ("shuffled", 0)))  # type: ignore[arg-type]  # fmt: skip
    told = [{read(row) for row in t._training().tokens} for t in (one, two, wrong)]
    assert told[0] != told[1] and len(told[0] & told[2]) < len(told[0]) / 2
    asked_ = {row.partition(">")[0] for row in told[0]}
    for split in one.splits:
        if not split.shifted:
            drawn = one.draw(split.name, 30, np.random.default_rng(5))
            assert not asked_ & {f"<s>{e.prompt}" for e in drawn}
    roles = [p.role for p in one.parts]
    assert {"first", "second", "beyond", "composed"} == set(roles)
    assert one.batch("train", 6, np.random.default_rng(0)).tokens.shape[0] == 6


@pytest.mark.parametrize("learner", ["trained", "untrained", "shuffled"])
def test_decoders_yield_their_rows(learner: Any, home: Path) -> None:
    rows = list(learned.run(replace(SMALL, learner=learner), Lab.alone(seeds=(0, 1))))
    final = [r for r in rows if r.step == (0 if learner == "untrained" else SMALL.steps)]
    assert {r.measure for r in final} == {"exact", "shortfall"} and {r.seed for r in final} == {0, 1}
    assert all(0 <= r.value <= 1 for r in final if r.measure == "exact")


def test_the_shortfall_is_that_of_independent_components() -> None:
    assert learned.shortfall({"first": [0.8, 1.0], "second": [1.0], "composed": [0.1, 0.3]}) == pytest.approx(0.7)


def test_the_reward_is_the_score_and_that_of_unseen(home: Path) -> None:
    from unseen import items
    from unseen.rewards import reward

    rows = [d.row() for d in items.draw("omega/gcd", n=4, tier="smoke", splits=["train"])]
    said = [f"\\boxed{{{r['truth']}}}" if i % 2 else "\\boxed{-1}" for i, r in enumerate(rows)]
    columns = {name: [r[name] for r in rows] for name in ("id", "receipt")}
    assert reward("omega/gcd")(prompts=[""] * len(rows), completions=said, **columns) == [i % 2 for i in range(len(rows))]  # fmt: skip
    task = asked("gcd")
    drawn = task.draw("train", 3, np.random.default_rng(0))
    own = tuned.rewarded(task, {e.id: e for e in drawn})
    chat = [[{"role": "assistant", "content": f"It is {e.truth}."}] for e in drawn]
    assert own(completions=chat, id=[e.id for e in drawn], prompts=[]) == [1.0] * 3
    assert tuned.rows_of(drawn, chat=True)[0]["prompt"][0]["content"] == drawn[0].prompt
    with pytest.raises(Invalid, match="py:f:x is not computed here by transformers, so it cannot be trained"):
        tuned.opened("py:f:x", "float32", Lab.alone())


def test_trials_and_rehearsals_are_of_their_class() -> None:
    for setting in STUDY.settings("paper"):
        assert type(rehearse(setting)) is type(setting) and STUDY.needs(setting).minutes > 0
    assert len(posed(Control("oracle", EVERY, 1))) == len(EVERY)


def test_the_tool_draws_reads_and_grades(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tool.families_command()
    assert "polynomial_gcd" in (told := capsys.readouterr().out) and "from polynomial_roots and gcd" in told
    tool.problems_command("trans_gridworld", level=1, n=2)
    assert "the familiar strategy says" in capsys.readouterr().out
    tool.problems_command("gcd", n=3, jsonl=True)
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [r["level"] for r in rows] == [1, 2, 3] and rows[0]["messages"][0]["content"].endswith(BOXED)
    answered = [{**r, "answer": f"I say {r['ground_truth']}" if i else "none"} for i, r in enumerate(rows)]
    path = tmp_path / "answers.jsonl"
    path.write_text("\n".join(map(json.dumps, answered)), encoding="utf-8")
    tool.grade_command(path)
    assert [json.loads(x)["exact"] for x in capsys.readouterr().out.splitlines()[:3]] == [False, True, True]
    tool.read_command("so \\boxed{\\frac{3}{4}}", kind="fraction")
    assert capsys.readouterr().out == "3/4\n"
    assert tool.graded({"answer": "5", "kind": "integer", "truth": "4", "familiar": "5"})["familiar"] is True


def test_the_tool_names_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(Missing):
        tool.grade_command(tmp_path / "none.jsonl")
    (tmp_path / "bad.jsonl").write_text("{", encoding="utf-8")
    with pytest.raises(Invalid, match="line 1"):
        tool.grade_command(tmp_path / "bad.jsonl")
    (tmp_path / "bare.jsonl").write_text('{"answer": "5"}', encoding="utf-8")
    with pytest.raises(Invalid, match="needs answer, kind"):
        tool.grade_command(tmp_path / "bare.jsonl")
    with pytest.raises(Unknown):
        tool.read_command("5", kind="whole")
    with pytest.raises(Unknown):
        tool.graded({"answer": "5", "kind": "whole", "truth": "4"})
    with pytest.raises(Unknown, match="gcd"):
        tool.drawn("gdc", 1, 1)


def test_rows_and_problems_are_frozen() -> None:
    p = Problem("q", "c", "1", "integer")
    with pytest.raises(AttributeError):
        p.answer = "2"  # type: ignore[misc]
    assert Row("exact", 1.0).value == 1.0
