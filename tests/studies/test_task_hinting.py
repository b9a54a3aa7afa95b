"""The study of task hinting: claims on records made by hand, its tasks, its tool, and tiny trials from end to end."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import unseen as library
from unseen import items
from unseen.core.claim import Verdict, judge_study
from unseen.core.errors import Invalid
from unseen.core.lab import Lab
from unseen.core.record import Records, Row, Scored, Split
from unseen.core.study import Tier, values_of
from unseen.studies.task_hinting import tasks, tool, trial
from unseen.studies.task_hinting.arms import FAR, Built, Learned
from unseen.studies.task_hinting.claims import CLAIMS
from unseen.studies.task_hinting.study import STUDY, rehearse, settings

SEEDS = (0, 1, 2, 3, 4)
ITEMS = 500
World = Callable[[Learned, Split], tuple[float, float]]  # -> exact match and the best head's mass


def as_the_paper_says(setting: Learned, split: Split) -> tuple[float, float]:
    """A world where every claim of the paper holds."""
    if setting.labels == "shuffled":
        return 0.0, 0.3
    if not split.shifted:
        return 0.99, 0.9
    helped = setting.hint in ("successor", "carry") and setting.pace == "joint"
    sharp = setting.temper != "none"
    if helped:
        return (0.999 if sharp else 0.85 if split.at["times"] == FAR else 0.96), 0.8
    return (0.4 if sharp else 0.0), (0.85 if sharp else 0.5)


def turned_around(setting: Learned, split: Split) -> tuple[float, float]:
    """A world where hints hurt, sharpening hurts, size helps, and heads read elsewhere."""
    if setting.labels == "shuffled" or not split.shifted:
        return as_the_paper_says(setting, split)[0], 0.2
    if setting.size != "one":
        return 0.95, 0.2
    if setting.temper != "none":
        return 0.0, 0.05
    return (0.05 if setting.hint in ("successor", "carry") else 0.6), 0.2


def hardly_trained(setting: Learned, split: Split) -> tuple[float, float]:
    """A world where nothing is learned."""
    return 0.05, 0.3


Told = list[tuple[dict[str, Any], int, Row]]


def told(world: World, tier: Tier) -> Told:
    """Records of decoders by this world, and of a sorter built by hand that is as it should be."""
    found: Told = []
    for setting in settings(tier):
        rows = _built(setting) if isinstance(setting, Built) else _learned(setting, world)
        found += [({"setting": type(setting).__name__, **values_of(setting)}, int(r.seed or 0), r) for r in rows]
    return found


def _learned(setting: Learned, world: World) -> Iterator[Row]:
    rng = np.random.default_rng(zlib.crc32(repr(setting).encode()))
    for split in tasks.of(setting).splits:
        chance, mass = world(setting, split)
        ids = [[f"{split.name} {s} {i}" for i in range(ITEMS)] for s in SEEDS]
        values = (rng.random((5, ITEMS)) < chance).astype(float)
        yield from Row.each("exact", Scored(SEEDS, ids, values), split, step=setting.steps)
        yield from Row.each("exact_untrained", Scored(SEEDS, ids, values * 0), split)
        if setting.family == "sort":
            for seed in SEEDS:
                yield Row("mass", mass + 0.01 * rng.normal(), split, 100, setting.steps, seed=seed)
                yield Row("mass_untrained", 0.2 + 0.01 * rng.normal(), split, 100, seed=seed)


def _built(setting: Built) -> Iterator[Row]:
    for split in tasks.of(setting).splits:
        right = float(setting.sharpness == "log" or not split.shifted)
        ids = [[f"{split.name} {s} {i}" for i in range(setting.items)] for s in SEEDS]
        yield from Row.each("built_exact", Scored(SEEDS, ids, np.full((5, setting.items), right)), split)
        for seed in SEEDS:
            yield Row("built_mass", 0.98 + 0.001 * seed, split, setting.items, seed=seed)


@pytest.fixture(scope="module")
def judged() -> dict[str, dict[str, Verdict]]:
    """Claim id -> verdict, for each world."""
    return {
        world.__name__: {v.claim.id: v for v in judge_study(STUDY, Records.of(told(world, "paper")), "paper")}
        for world in (as_the_paper_says, turned_around, hardly_trained)
    }


def test_a_world_as_the_paper_says_supports_every_claim(judged: dict[str, dict[str, Verdict]]) -> None:
    found = judged["as_the_paper_says"]
    assert {i: v.why for i, v in found.items() if v.status != "supported"} == {}
    assert found["C1a"].estimate == pytest.approx(0.85, abs=0.02)
    assert found["C5c"].estimate == pytest.approx((0.9 - 0.5) - (0.9 - 0.85), abs=0.02)


def test_a_world_turned_around_refutes_them(judged: dict[str, dict[str, Verdict]]) -> None:
    found = judged["turned_around"]
    findings = {c.id for c in CLAIMS if c.kind == "finding"}
    refuted = {i for i, v in found.items() if v.status == "refuted"}
    assert findings - refuted == {"C4d"}  # the reference is the same in both worlds
    assert {found[c.id].status for c in CLAIMS if c.kind == "control"} == {"supported"}


def test_models_that_learned_nothing_decide_nothing(judged: dict[str, dict[str, Verdict]]) -> None:
    found = [v for v in judged["hardly_trained"].values() if v.claim.kind == "finding"]
    assert len(found) > 12
    assert all(v.status == "untested" and "precondition" in v.why for v in found)


def test_every_claim_of_the_laptop_has_its_arms() -> None:
    for verdict in judge_study(STUDY, Records.of(told(as_the_paper_says, "laptop")), "laptop"):
        here = "laptop" in verdict.claim.tiers
        assert verdict.status == ("supported" if here else "untested"), (verdict.claim.id, verdict.why)


def _arm(tier: Tier, **fields: Any) -> Learned:
    """The first decoder of a tier with these fields."""
    found = [s for s in settings(tier) if isinstance(s, Learned) and fields.items() <= values_of(s).items()]
    return found[0]


def test_a_trial_from_end_to_end(tmp_path: Path) -> None:
    from unseen.models import decoder

    setting = replace(_arm("smoke", hint="successor", temper="log"), steps=8)
    lab = Lab.alone(seeds=(0, 1))
    rows = list(trial.run(setting, lab))
    wanted = {"exact", "exact_untrained", "hint_exact", "mass", "mass_untrained", "margin", "probe", "sharpness"}
    assert {r.measure for r in rows} == wanted
    assert {r.step for r in rows if r.measure == "exact"} == {2, 4, 6, 8}
    assert {r.at["layer"] for r in rows if r.measure == "probe"} == {1, 2}
    assert all(0 <= r.value <= 1 for r in rows if r.measure in ("mass", "mass_untrained", "probe", "hint_exact"))
    (kept,) = lab.folder.glob("**/decoder.json")
    assert decoder.load(kept.parent).seeds == (0, 1)
    resumed = replace(lab, folder=tmp_path)  # a trial killed after its last step measures it again
    assert [r for r in trial.run(setting, resumed) if r.step == 8] == [r for r in rows if r.step == 8]


def test_the_sorter_built_by_hand_is_measured() -> None:
    found: dict[tuple[str, str, int], list[float]] = {}
    for setting in settings("laptop"):
        if isinstance(setting, Built):
            for row in trial.run(replace(setting, items=12), Lab.alone(seeds=(0, 1))):
                assert row.split
                key = row.measure, setting.sharpness, int(str(row.split.at["length"]))
                found.setdefault(key, []).append(row.value)
    assert all(found["built_exact", "log", n] == [1.0, 1.0] for n in (10, 20, 30, 100))
    assert min(found["built_exact", "fixed", 10]) > 0.8 and max(found["built_exact", "fixed", 100]) < 0.4
    assert all(0.9 < x < 1 for n in (10, 20, 30, 100) for x in found["built_mass", "log", n])
    assert max(found["built_mass", "fixed", 100]) < 0.9


def test_a_table_goes_on_by_the_logarithm() -> None:
    setting = replace(_arm("smoke", temper="table"), steps=12)
    rows = [r for r in trial.run(setting, Lab.alone(seeds=(0,))) if r.measure == "sharpness" and r.at["layer"] == 1]
    assert len(rows) == 3 and len({r.value for r in rows}) == 3
    assert tasks.prompt_lengths(setting) == [4, 5, 6, 7]
    assert tasks.prompt_lengths(replace(setting, hint="fill")) == [4, 5, 6, 7, 8, 10]


def test_the_best_head_is_chosen_and_read() -> None:
    """Against the measure taken by hand of a whole pass: the head is that of the items looked at first."""
    from unseen.models import decoder

    setting, lab = _arm("smoke", hint="none", family="sort"), Lab.alone(seeds=(3, 4))
    task = tasks.of(setting)
    models = decoder.stack(
        task.vocab, width=16, layers=2, heads=2, context=40, positions="none", spread=8, seeds=(3, 4), lab=lab
    )
    rows = list(trial._looked(setting, models, lab, task, untrained=True))
    assert [r.seed for r in rows] == [3, 4]
    for i, row in enumerate(rows):
        stream = [lab.rng(name, task.splits[0].name, seed=row.seed) for name in ("look", "looked")]
        first, then = (
            trial._masses(trial._seen(models, i, task.batch(task.splits[0].name, setting.looked, r))) for r in stream
        )
        assert row.value == pytest.approx(then.flatten()[first.argmax()])
        assert then.min() > 0 and then.max() < 1 and first.shape == (2, 2)


def test_curricula_and_shuffled_answers_are_taught() -> None:
    later = tasks.taught(_arm("smoke", pace="hint first"))
    assert later.first == 0.5 and later.kinds == ("sort", "successor")
    assert tasks.taught(_arm("smoke", labels="shuffled")).shuffled
    assert [t.name for t in tasks.tasks(_arm("smoke", hint="carry"))] == ["increment", "carry"]
    assert not tasks.taught(_arm("laptop", hint="none")).shuffled


def test_settings_of_one_tier_differ_in_what_they_say() -> None:
    for tier in ("smoke", "laptop", "paper"):
        learned = [s for s in settings(tier) if isinstance(s, Learned)]
        more = next(s for s in learned if s.size == "4 x data")
        plain = next(s for s in learned if s.size == "one" and s.hint == "none" and s.family == "sort")
        assert more.steps == 4 * plain.steps and replace(more, steps=plain.steps, size="one") == plain
        wide = next(s for s in learned if s.size == "2 x width")
        assert wide.width == 2 * plain.width and replace(wide, width=plain.width, size="one") == plain
        assert FAR * plain.train in plain.test


def test_paper_settings_shrink_in_size_only() -> None:
    for setting in settings("paper"):
        small = rehearse(setting)
        changed = {k for k, v in values_of(setting).items() if values_of(small)[k] != v}
        assert changed <= {"width", "layers", "heads", "steps", "batch", "warmup", "items", "looked"}


def test_questions_go_out_and_rewards_come_back() -> None:
    for kind in ("sort", "successor", "carry"):
        rows = [d.row() for d in items.draw(f"task_hinting/{kind}", n=3, tier="smoke")]
        columns = {name: [row[name] for row in rows] for name in ("id", "receipt")}
        prompts, truths = ([row[name] for row in rows] for name in ("prompt", "truth"))
        assert all(p.startswith(f"{kind} ") and row["at"]["kind"] == kind for p, row in zip(prompts, rows, strict=True))
        give = library.reward(f"task_hinting/{kind}")
        assert give(prompts=prompts, completions=truths, **columns) == [1.0] * len(rows)
        assert give(prompts=prompts, completions=["s99"] * len(rows), **columns) == [0.0] * len(rows)


def test_the_tool_sorts_and_shows_where_heads_read() -> None:
    found = tool.written([7, 2, 9, 2])
    assert found.said == [2, 2, 7, 9]
    assert next(iter(found.successor[0])) == "2" and next(iter(found.successor[2])) == "7"
    assert [next(iter(r)) for r in found.identity[1:]] == ["2", "2", "7", "9"]
    numbers = np.random.default_rng(0).integers(-50, 50, 60).tolist()
    assert tool.written(numbers).said == sorted(numbers)
    assert tool.written(numbers, 0.3).said != sorted(numbers)
    with pytest.raises(Invalid, match="1 to 200"):
        tool.written([])
    with pytest.raises(Invalid, match="above 0"):
        tool.written([1], -1.0)


def test_the_tool_on_the_command_line() -> None:
    run = CliRunner()
    assert run.invoke(tool.app, ["sort", "7", "2", "9", "2"]).stdout == "2 2 7 9\n"
    assert json.loads(run.invoke(tool.app, ["sort", "3", "1", "--json"]).stdout)["right"] is True
    assert "at 1: identity reads 1 1.00; successor 3 1.00" in run.invoke(tool.app, ["sort", "3", "1", "--heads"]).stdout
    crowd = ["1", "2", *["3"] * 40]
    assert "a sharper attention is needed" in run.invoke(tool.app, ["sort", *crowd, "--sharpness", "1"]).stdout
