"""The study of length: claims on records made by hand, its tasks, its tool, and one tiny trial from end to end."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from unseen.core.claim import Verdict, judge_study
from unseen.core.errors import Invalid, Missing, Mistake, Unknown
from unseen.core.lab import Lab
from unseen.core.record import Records, Row, Scored, Split
from unseen.core.study import Tier, values_of
from unseen.measures.rasp import Node, complexity
from unseen.measures.rasp_programs import program
from unseen.studies.length_generalization import tasks, tool, trial
from unseen.studies.length_generalization.arms import Interpolated, Learned, Written
from unseen.studies.length_generalization.claims import EASY
from unseen.studies.length_generalization.study import STUDY, rehearse, settings

SEEDS = (0, 1, 2, 3, 4)
Chance = Callable[[Learned, Split], float]
FURTHER = (*EASY, "and-places", "parity+ones", "parity+ones+hints", "addition+reversed+hints", "mode+itemized")


def as_the_paper_says(setting: Learned, split: Split) -> float:
    """The probability of a right answer in a world where every claim of the paper holds."""
    if setting.labels == "shuffled":
        return 0.2
    if not split.shifted:
        return 0.99
    if setting.positions == "unshifted":
        return 0.01
    if setting.span == "short":
        return 0.1
    if setting.task == "addition+hints":
        return 0.6
    return 0.99 if setting.task in FURTHER else 0.5 if setting.task == "parity" else 0.02


def turned_around(setting: Learned, split: Split) -> float:
    """A world where the tasks that the paper calls hard are the ones that go on, and nothing else does."""
    if setting.labels == "shuffled" or not split.shifted:
        return as_the_paper_says(setting, split)
    return (
        0.95
        if setting.task in ("addition", "copy-repeat", "parity", "mode+counts") or setting.span == "short"
        else 0.05
    )


def hardly_trained(setting: Learned, split: Split) -> float:
    """A world where nothing is learned."""
    return 0.05


Told = list[tuple[dict[str, object], int, Row]]


def told(chance: Chance | None) -> Told:
    """Records of decoders at the paper's tier by this chance; or, without one, of the laptop tier's programs and
    interpolator, really run."""
    found: Told = []
    for setting in settings("paper" if chance else "laptop"):
        if isinstance(setting, Learned) == (chance is None):
            continue
        if isinstance(setting, Learned):
            rows = _learned(setting, chance)
        else:
            setting = replace(setting, items=100)
            rows = trial.run(setting, Lab.alone(seeds=SEEDS))
        head = {"setting": type(setting).__name__, **values_of(setting)}
        found += [(head, row.seed, row) for row in rows]
    return found


def _learned(setting: Learned, chance: Chance) -> Iterator[Row]:
    rng = np.random.default_rng(len(setting.task) + setting.train)
    task = tasks.of(setting)
    final = []
    for split in task.splits:
        values = (rng.random((5, 500)) < chance(setting, split)).astype(float)
        ids = [[f"{split.name} {s} {i}" for i in range(500)] for s in SEEDS]
        final.append((split, Scored(SEEDS, ids, values)))
        yield from Row.each("exact_untrained", Scored(SEEDS, ids, values * 0), split)
    yield from trial._final(setting, task, final)


@pytest.fixture(scope="module")
def judged() -> dict[str, dict[str, Verdict]]:
    """Claim id -> verdict, for each world."""
    run = told(None)
    return {
        world.__name__: {v.claim.id: v for v in judge_study(STUDY, Records.of([*run, *told(world)]), "paper")}
        for world in (as_the_paper_says, turned_around, hardly_trained)
    }


def test_a_world_as_the_paper_says_supports_every_claim(judged: dict[str, dict[str, Verdict]]) -> None:
    found = judged["as_the_paper_says"]
    wrong = {i: v.why for i, v in found.items() if v.status != "supported"}
    assert not wrong
    assert found["C1a"].estimate == pytest.approx(0.99 - (0.02 + 0.5) / 2, abs=0.01)
    assert found["C5b"].estimate == pytest.approx(0.58, abs=0.04)


def test_a_world_turned_around_refutes_them(judged: dict[str, dict[str, Verdict]]) -> None:
    found = judged["turned_around"]
    refuted = {i for i, v in found.items() if v.status == "refuted"}
    assert {"C1a", "C1b", "C1c", "C1d", "C2a", "C2b", "C3", "C4", "C5b", "C5c", "C6a", "C6b", "C7a"} <= refuted
    assert found["C5a"].status == "undecided"  # two arms alike
    assert {found[i].status for i in ("C7b", "K1", "K2", "K3", "K4")} == {"supported"}  # nothing of decoders' beyond


def test_models_that_learned_nothing_decide_nothing(judged: dict[str, dict[str, Verdict]]) -> None:
    found = judged["hardly_trained"]
    about_decoders = [v for v in found.values() if v.claim.given and v.claim.id != "C7b"]
    assert len(about_decoders) > 15
    assert all(v.status == "untested" and "precondition" in v.why for v in about_decoders)


def test_every_claim_of_the_laptop_has_its_arms() -> None:
    """What the laptop tier judges it also trains: no claim of it lacks a setting."""
    found = [(h, s, r) for h, s, r in told(as_the_paper_says) if h["task"] in {x.task for x in _trained("laptop")}]
    for verdict in judge_study(STUDY, Records.of([*told(None), *found]), "laptop"):
        here = "laptop" in verdict.claim.tiers
        fine = ("supported", "undecided") if verdict.claim.id == "C1e" else ("supported",)  # a rank of ten tasks
        assert verdict.status in (fine if here else ("untested",)), (verdict.claim.id, verdict.why)


def _trained(tier: Tier) -> list[Learned]:
    return [s for s in settings(tier) if isinstance(s, Learned)]


def test_names_are_those_of_tasks_and_programs() -> None:
    for name in tasks.NAMES:
        made = tasks.named(name, 8, (10, 12))
        assert made.name == name
        assert complexity(program(name)).nodes > 0
    with pytest.raises(Unknown, match="copy-unique"):
        tasks.named("copy-uniqe", 8, (10,))


def test_examples_are_those_of_the_pages() -> None:
    """Worked by hand: the prompts that the modules' first lines show, and what the programs answer to them."""
    shown = {
        "mode+counts": ("a b b c", "1 a 1 c 2 b b"),
        "mode+itemized": ("a b b c", "a 1 b 2 c 1 b"),
        "parity+ones+hints": ("i4 1 i5 0 i6 1", "i4 1 i6 0 0"),
        "parity+every+hints": ("i4 1 i5 0 i6 1", "i4 1 i5 1 i6 0 0"),
        "addition": ("0 2 7 + 0 4 5", "0 7 2"),
        "addition+reversed": ("0 2 7 + 0 4 5", "2 7 0"),
        "addition+hints": ("i3 0 i4 2 i5 7 + i3 0 i4 4 i5 5", "i3 0 i4 7 i5 2"),
        "addition+reversed+hints": ("i3 0 i4 2 i5 7 + i3 0 i4 4 i5 5", "i5 2 i4 7 i3 0"),
        "sort": ("s7 s2 s9", "s2 s7 s9"),
        "count": ("3 7", "3 4 5 6 7"),
        "and": ("1 1 0 1", "0"),
    }
    for name, (prompt, truth) in shown.items():
        assert tool.answer(name, prompt.split()) == truth.split(), name


def test_shuffled_answers_are_those_of_other_questions() -> None:
    true = tasks.named("sort", 6, (8,))
    mixed = tasks.shuffled(true)
    rng = [np.random.default_rng(3) for _ in range(2)]
    right, wrong = (dict(map(t.read, t.batch("train", 400, r).tokens)) for t, r in zip((true, mixed), rng, strict=True))
    assert list(right) == list(wrong)
    assert sorted(right.values()) != sorted(wrong) and np.mean([right[p] == wrong[p] for p in right]) < 0.1
    tested = [dict(map(t.read, t.batch("length 8", 50, np.random.default_rng(4)).tokens)) for t in (true, mixed)]
    assert tested[0] == tested[1]


def test_the_longest_length_reached_stops_at_the_first_failure() -> None:
    setting = next(s for s in _trained("laptop") if s.task == "copy-repeat")
    task = tasks.of(setting)
    right = np.array([[1.0, 1.0, 0.5, 1.0], [0.4, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 0.95]])  # [seed split]
    final = [
        (
            s,
            Scored(
                (0, 1, 2),
                [[f"{i}" for i in range(20)]] * 3,
                np.tile(np.arange(20) < 20 * right[:, [j]], 1).astype(float),
            ),
        )
        for j, s in enumerate(task.splits)
    ]
    rows = list(trial._final(setting, task, final))
    assert [r.value for r in rows if r.measure == "reach"] == [1.25, 0.0, 2.0]
    assert {r.at["program"] for r in rows if r.measure == "exact_beyond"} == {trial.NONE_KNOWN}
    assert [r.value for r in rows if r.measure == "exact_beyond"] == [1.0, 1.0, 1.0]


def test_a_trial_from_end_to_end(tmp_path: Path) -> None:
    from unseen.models import decoder

    setting = next(s for s in _trained("smoke") if s.task == "sort")
    setting = replace(setting, steps=8)
    lab = Lab.alone(seeds=(0, 1))
    rows = list(trial.run(setting, lab))
    assert {r.measure for r in rows} == {"exact", "exact_untrained", "exact_beyond", "reach"}
    assert {r.step for r in rows if r.measure == "exact"} == {2, 4, 6, 8}
    assert all(r.n == setting.items for r in rows if r.measure == "exact" and r.step == 8)
    (kept,) = lab.folder.glob("**/decoder.json")
    assert decoder.load(kept.parent).seeds == (0, 1)
    resumed = replace(lab, folder=tmp_path)
    again = [r for r in trial.run(setting, resumed) if r.step == 8]
    assert again == [r for r in rows if r.step == 8]


def test_the_interpolator_and_the_programs_measure_what_is_known() -> None:
    lab = Lab.alone(seeds=(0,))
    told = {(r.measure, r.split.name): r.value for r in trial.run(Interpolated(12, 300), lab) if r.split}
    assert told["interpolator_exact", "zero early"] == told["interpolator_as_closed", "zero late"] == 1.0
    assert 0.4 < told["interpolator_exact", "zero late"] < 0.6
    sizes = {r.measure: r.value for r in trial.run(Written("sort", 4, (5,), 50), lab) if not r.split}
    assert sizes == {"program_kqv": 1, "program_nodes": 2, "program_depth": 1, "program_in_rasp_l": 1}


def test_paper_settings_shrink_in_size_only() -> None:
    for setting in settings("paper"):
        small = rehearse(setting)
        changed = {k for k, v in values_of(setting).items() if values_of(small)[k] != v}
        assert changed <= {"width", "layers", "heads", "steps", "batch", "warmup", "items"}


def test_the_tool_describes_and_checks_programs(tmp_path: Path) -> None:
    assert tool.described("sort")["nodes"] == 2 and not tool.described("sort")["breaches"]
    assert tool.described("parity")["breaches"]
    mine = tmp_path / "mine.py"
    mine.write_text(
        "from unseen.measures.rasp import kqv, tokens\n"
        "def program():\n    x = tokens()\n    return kqv(x, x, x, '>', default=2, reduction='min')\n"
    )
    good = tool.checked("sort", tool.load(mine)(), items=50)
    assert good["exact"] == {"length 32": 1.0, "length 64": 1.0} and good["kqv"] == 1
    assert tool.checked("copy-unique", program("sort"), items=50)["exact"]["length 64"] == 0.0
    assert isinstance(tool.load(mine)(), Node)


def test_the_tool_tells_mistakes(tmp_path: Path) -> None:
    with pytest.raises(Unknown, match="no word 's9999'"):
        tool.answer("sort", ["s9999"])
    with pytest.raises(Invalid, match="well formed"):
        tool.answer("addition", ["1", "2"])
    with pytest.raises(Invalid, match="empty"):
        tool.answer("sort", [])
    with pytest.raises(Missing, match="no file"):
        tool.load(tmp_path / "none.py")
    (tmp_path / "bad.py").write_text("1 / 0")
    with pytest.raises(Mistake, match="ZeroDivisionError"):
        tool.load(tmp_path / "bad.py")
    (tmp_path / "empty.py").write_text("")
    with pytest.raises(Mistake, match="no function `program`"):
        tool.load(tmp_path / "empty.py")


def test_the_tool_on_the_command_line(tmp_path: Path) -> None:
    run = CliRunner()
    assert run.invoke(tool.app, ["run", "sort", "s7", "s2", "s9"]).stdout == "s2 s7 s9\n"
    listed = run.invoke(tool.app, ["tasks"]).stdout.splitlines()
    assert listed[0].startswith("sort ") and len(listed) == len(tasks.NAMES)
    assert json.loads(run.invoke(tool.app, ["program", "mode", "--json"]).stdout)["kqv"] == 4
    assert "it keeps to RASP-L" in run.invoke(tool.app, ["program", "count"]).stdout
    (tmp_path / "p.py").write_text(
        "from unseen.measures.rasp_programs import program as p\ndef program():\n    return p('and')\n"
    )
    assert (
        "length 64    1.000" in run.invoke(tool.app, ["check", "and", str(tmp_path / "p.py"), "--items", "20"]).stdout
    )
