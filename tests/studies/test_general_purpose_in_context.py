"""The study of in-context learners: claims on records made by hand, its trials from end to end, and its tool."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from unseen.core.claim import Verdict, judge_study
from unseen.core.effect import Untested
from unseen.core.errors import Invalid, Missing, Unknown
from unseen.core.lab import Lab
from unseen.core.record import Records, Row, Scored, Split
from unseen.core.study import values_of
from unseen.studies.general_purpose_in_context import designed, effects, embedded, tasks, tool, trial
from unseen.studies.general_purpose_in_context.arms import Designed, Learned
from unseen.studies.general_purpose_in_context.effects import Midpoint, Steeper, difference, passing
from unseen.studies.general_purpose_in_context.study import STUDY, rehearse, settings
from unseen.tasks.worlds import ELSEWHERE, SPLITS

SEEDS = (0, 1, 2, 3, 4)
World = Callable[["Learned | Designed", str, str], float]
HALF = {"few": 0.0, "between": 0.5, "most": 1.0}


def doublings(setting: Learned) -> float:
    return math.log2(min(setting.tasks or math.inf, setting.steps * setting.batch))


def as_the_paper_says(setting: Learned | Designed, split: str, place: str) -> float:
    """The probability of a right answer at the first or last example in a world where every claim of the paper holds."""
    chance = 1 / setting.classes
    if isinstance(setting, Designed):
        return chance if place == "first" else 0.85
    if setting.part == "shuffled":
        return chance
    if setting.part == "map":
        if setting.amount == "few" and split == "seen tasks":
            return 0.98
        if place == "first":
            return chance
        if split == "seen tasks":
            return 0.96
        top = 0.94 if setting.size == "wide" else 0.7
        begun = 13.5 if setting.classes == 10 else 7.0
        return chance + (top - chance) / (1 + math.exp(-3 * (doublings(setting) - begun)))
    if place == "first":
        return chance
    return {"lstm": 0.35, "fast": 0.85, "transformer": 0.93}[setting.kind] - (0.05 if setting.size == "narrow" else 0)


def turned_around(setting: Learned | Designed, split: str, place: str) -> float:
    """A world where few tasks teach and many do not, LSTMs are best, and learners know the first label already."""
    if isinstance(setting, Designed) or setting.part == "shuffled":
        return as_the_paper_says(setting, split, place)
    if setting.part == "map" and setting.amount == "few":
        return 0.1 if place == "first" else 0.9
    if split == "seen tasks":
        return 0.95
    if setting.part == "state":
        return {"lstm": 0.9, "fast": 0.5, "transformer": 0.6}[setting.kind] if place == "last" else 0.1
    if setting.part == "plateau":
        return 0.9 - 0.2 * (setting.fixed > 0)
    return 0.2 - 0.02 * doublings(setting) / 25 + 0.3 * (setting.size == "narrow")


def hardly_trained(setting: Learned | Designed, split: str, place: str) -> float:
    """A world where nothing is learned."""
    return as_the_paper_says(setting, split, place) if isinstance(setting, Designed) else 1 / setting.classes


def begun_at(setting: Learned, world: World) -> float:
    """The share of training at which the plateau of the loss ends."""
    if world is hardly_trained:
        return 2.0
    at = 0.2 if setting.fixed else 0.5 if setting.size == "wide" else 0.8
    return at if world is as_the_paper_says else 1 - at


Told = list[tuple[dict[str, object], int, Row]]


def told(world: World, tier: str) -> Told:
    found: Told = []
    for setting in settings(tier):  # type: ignore[arg-type]
        head = {"setting": type(setting).__name__, **values_of(setting)}
        found += [(head, int(row.seed or 0), row) for row in rows(setting, world)]
    return found


@dataclass
class Names:
    names: list[str]


def rows(setting: Learned | Designed, world: World) -> Iterator[Row]:
    rng = np.random.default_rng(len(repr(setting)))
    lab = SimpleNamespace(seeds=SEEDS)
    elsewhere = tuple(Split(ELSEWHERE + name, "data set", {"set": name}, True) for name in setting.others)
    for split in (*SPLITS, *elsewhere):
        names = [Names([f"{split.name} {s} {i}" for i in range(500)]) for s in SEEDS]
        hits = np.stack([rng.random((5, 500)) < world(setting, split.name, place) for place in ("first", "last")], 2)
        step = setting.steps if isinstance(setting, Learned) else None
        yield from trial._rows(setting, hits, names, split, lab, step)  # type: ignore[arg-type]
        if not isinstance(setting, Learned):
            continue
        if split.name == "new tasks":
            last = Scored(SEEDS, [n.names for n in names], hits[:, :, 1].astype(float))
            yield from Row.each("last_by_tasks", last, split, step=step, at={"doublings": doublings(setting)})
            state = {"transformer": 13.0, "fast": 11.0, "lstm": 8.0}[setting.kind] - (setting.size == "narrow")
            size = {"state": state, "parameters": 15.0 - 2 * (setting.size == "narrow")}
            yield from Row.each("last_by_size", last, split, step=step, at=size)
        if split.name == "seen tasks":
            scored = Scored(SEEDS, [n.names for n in names], (rng.random((5, 500)) < 1 / setting.classes).astype(float))
            yield from trial._beyond("untrained", 1 / setting.classes, scored, split, 0)
            for at in range(1, 21):
                for s in SEEDS:
                    learnt = at / 20 >= begun_at(setting, world) + 0.01 * s
                    yield Row("gained", 1.0 if learnt else 0.02, split, 64, setting.steps * at // 20, seed=s)


@pytest.fixture(scope="module")
def judged() -> dict[tuple[str, str], dict[str, Verdict]]:
    """(world, tier) -> claim id -> verdict."""
    return {
        (world.__name__, tier): {v.claim.id: v for v in judge_study(STUDY, Records.of(told(world, tier)), tier)}
        for world in (as_the_paper_says, turned_around, hardly_trained)
        for tier in ("laptop", "paper")
    }


@pytest.mark.parametrize("tier", ["laptop", "paper"])
def test_a_world_as_the_paper_says_supports_every_claim(
    judged: dict[tuple[str, str], dict[str, Verdict]], tier: str
) -> None:
    found = judged["as_the_paper_says", tier]
    asked = {i: v for i, v in found.items() if tier in v.claim.tiers}
    assert {i: (v.status, v.why) for i, v in asked.items() if v.status != "supported"} == {}
    assert len(asked) >= 21
    if tier == "paper":
        assert found["C1d"].estimate == pytest.approx(12.9, abs=0.2)
        assert found["C4b"].estimate == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("tier", ["laptop", "paper"])
def test_a_world_turned_around_refutes_them(judged: dict[tuple[str, str], dict[str, Verdict]], tier: str) -> None:
    found = judged["turned_around", tier]
    refuted = {i for i, v in found.items() if v.status == "refuted"}
    assert {"C1a", "C1b", "C1e", "C2a", "C3a", "C3b", "C3c", "C3d", "C4a", "C4b", "C4c", "C5a", "C5b", "C5c"} <= refuted
    assert {found[i].status for i in ("K1", "K2", "K3", "K4", "K5")} == {"supported"}


@pytest.mark.parametrize("tier", ["laptop", "paper"])
def test_networks_that_learned_nothing_decide_nothing(
    judged: dict[tuple[str, str], dict[str, Verdict]], tier: str
) -> None:
    found = judged["hardly_trained", tier]
    about_networks = [v for v in found.values() if v.claim.given]
    assert len(about_networks) > 15
    assert all(v.status == "untested" and "precondition" in v.why for v in about_networks if tier in v.claim.tiers)


def test_a_midpoint_is_where_a_line_through_points_passes() -> None:
    x = np.array([0.0, 2.0, 4.0])
    assert passing(x, np.array([0.1, 0.3, 0.7]), 0.4) == pytest.approx(2.5)
    assert math.isnan(passing(x, np.array([0.5, 0.3, 0.7]), 0.4)) and math.isnan(
        passing(x, np.array([0.1, 0.2, 0.3]), 0.4)
    )
    records = Records.of(told(as_the_paper_says, "laptop"))
    where = (("part", "map"), ("setting", "Learned"), ("size", "wide"))
    over = ("tasks", "amount")
    found = Midpoint("last_by_tasks", "doublings", 0.6, where).per_unit(records, "seed", over)
    assert found.runs == pytest.approx(np.full(5, 7.0), abs=0.3)
    with pytest.raises(Untested, match="5 of 5 seeds"):
        Midpoint("last_by_tasks", "doublings", 0.99, where).per_unit(records, "seed", over)
    with pytest.raises(Untested, match="unit 'tasks'"):
        Midpoint("last_by_tasks", "doublings", 0.6, where).per_unit(records, "tasks", over)
    assert str(Midpoint("a", "b", 0.5, (("c", 1),))) == "b at which a first passes 0.5 (c 1)"


def test_two_slopes_at_once_are_those_of_least_squares() -> None:
    rng = np.random.default_rng(0)
    first, second, y = rng.standard_normal((3, 7))
    z = [(v - v.mean()) / v.std() for v in (first, second)]
    plane, *_ = np.linalg.lstsq(np.stack([np.ones(7), *z], 1), y, rcond=None)
    assert difference(first, second) @ y == pytest.approx(plane[1] - plane[2])
    for other in (2 * first + 1, np.ones(7)):
        with pytest.raises(Untested, match="told apart"):
            difference(first, other)
    assert "minus that over b" in str(Steeper("m", "a", "b", ()))
    assert effects.told(()) == ""


def test_kinds_of_algorithms_are_told_apart() -> None:
    def kind(first_seen: float, last_seen: float, last_new: float) -> set[str]:
        levels = {"first seen tasks": first_seen, "last seen tasks": last_seen, "last new tasks": last_new}
        return {name for name, holds in trial.kind_of(levels, 0.25).items() if holds}

    assert kind(0.25, 0.95, 0.9) == {"learns"} == kind(0.7, 0.95, 0.9)
    assert kind(0.9, 0.95, 0.3) == {"memorises"}
    assert kind(0.25, 0.95, 0.3) == {"identifies"}
    assert kind(0.25, 0.6, 0.3) == {"fails"}


def test_designed_learners_are_those_of_scikit_learn() -> None:
    neighbors = pytest.importorskip("sklearn.neighbors")
    linear_model = pytest.importorskip("sklearn.linear_model")
    setting = next(s for s in settings("laptop") if isinstance(s, Designed) and s.base == "gaussian")
    drawn = tasks.world(replace(setting, noise=0.8), Lab.alone(), 0).sample("new tasks", 60, np.random.default_rng(0))
    near, straight = (f(drawn.x, drawn.y, 4) for f in (designed.neighbours, designed.linear))
    alike = 0
    for i, (x, y) in enumerate(zip(drawn.x, drawn.y, strict=True)):
        for place in (3, 9, 19):
            knn = neighbors.KNeighborsClassifier(3, weights=lambda d: 1 + 0.1 / 2.0 ** np.arange(3) * np.ones_like(d))
            assert knn.fit(x[:place], y[:place]).predict(x[place : place + 1])[0] == near[i, place]
        theirs = linear_model.LogisticRegression(C=1 / (0.01 * 19), max_iter=1000).fit(x[:19], y[:19])
        alike += theirs.predict(x[19:])[0] == straight[i, 19]
    assert alike >= 57  # 60 steps stop short of the optimum
    assert not near[:, 0].any() and not straight[:, 0].any()


def test_shots_are_doubled() -> None:
    assert trial.shots(20) == [0, 1, 2, 4, 8, 16, 19] and trial.shots(1) == [0] and trial.shots(100)[-2:] == [64, 99]


def arm(part: str, **changed: object) -> Learned:
    setting = next(s for s in settings("smoke") if isinstance(s, Learned) and s.part == part)
    return replace(setting, **changed)  # type: ignore[arg-type]


def test_a_trial_from_end_to_end(tmp_path: Path) -> None:
    from unseen.models import learner

    setting = arm("map", steps=8)
    lab = Lab.alone(seeds=(0, 1))
    found = list(trial.run(setting, lab))
    assert {r.measure for r in found} >= {"first", "last", "gained", "last_by_tasks", "last_by_size", "learns", "fails"}
    assert [r.step for r in found if r.measure == "gained" and r.seed == 0] == list(range(1, 9))
    for seed in (0, 1):
        kinds = [
            r.value for r in found if r.measure in ("learns", "memorises", "identifies", "fails") and r.seed == seed
        ]
        assert sum(kinds) == 1
    (kept,) = lab.folder.glob("**/learner.json")
    assert learner.load(kept.parent).seeds == (0, 1)
    again = list(trial.run(setting, replace(lab, folder=tmp_path)))  # goes on from the last step
    assert [r for r in again if r.step == 8 and r.measure != "gained"] == [
        r for r in found if r.step == 8 and r.measure != "gained"
    ]
    alone = [r for r in trial.run(setting, Lab.alone(seeds=(1,))) if r.measure == "gained"]
    together = [r for r in found if r.measure == "gained" and r.seed == 1]
    assert [r.value for r in alone] == pytest.approx([r.value for r in together], abs=5e-3)


def test_a_learner_learns_and_a_memoriser_remembers() -> None:
    """The smallest pair that shows the paper's point, at chance 1/2: two tasks, or a new one every time."""
    tiny = arm(
        "map", classes=2, features=2, width=16, length=6, steps=300, batch=32, warmup=10, lr=5e-3, items=300, noise=0.02
    )
    levels = {}
    for tasks_ in (1, 0):
        for row in trial.run(replace(tiny, tasks=tasks_), Lab.alone(seeds=(0,))):
            if row.split is not None and row.measure in ("first", "last"):
                levels[tasks_, row.measure, row.split.name] = row.value
    assert levels[1, "first", "seen tasks"] > 0.9 and levels[0, "first", "seen tasks"] < 0.65
    assert levels[0, "last", "new tasks"] > 0.8 > levels[1, "last", "new tasks"]


def test_embedded_sets_are_those_of_a_frozen_network(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    lab = Lab((0,), tmp_path / "files", tmp_path / "cache")
    found = embedded.embedded("glyphs", "random", 8, lab)
    assert found.features == 8 and found.classes == 10
    again = embedded.embedded("glyphs", "random", 8, lab)
    assert np.array_equal(found.train.x, again.train.x)
    model, prepare = embedded.opened("random")
    assert not model.training
    assert prepare(np.full((2, 32, 32, 3), 255, np.uint8)).shape == (2, 3, 32, 32)


def test_labelled_sets_have_names() -> None:
    with pytest.raises(Unknown, match="digits"):
        tasks.labelled_set("digit", arm("map"), Lab.alone(), 0, "base")


def test_paper_settings_shrink_in_size_only() -> None:
    sizes = {"width", "layers", "heads", "steps", "batch", "warmup", "items", "length", "features", "tasks"}
    for setting in settings("paper"):
        small = rehearse(setting)
        changed = {k for k, v in values_of(setting).items() if values_of(small)[k] != v}
        assert changed <= sizes | {"base", "others", "embed"}  # sets that need no network


def written(path: Path, x: np.ndarray, y: np.ndarray | None) -> Path:
    names = [f"f{i}" for i in range(x.shape[1])] + (["kind"] if y is not None else [])
    lines = [",".join(map(str, (*row, *([] if y is None else [y[i]])))) for i, row in enumerate(x.tolist())]
    path.write_text("\n".join([",".join(names), *lines]) + "\n")
    return path


def test_the_tool_classifies_tables(tmp_path: Path) -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    held = datasets.load_iris()
    y = held.target_names[held.target]
    shown = written(tmp_path / "train.csv", held.data[::2], y[::2])
    asked = written(tmp_path / "test.csv", held.data[1::2], y[1::2])
    run = CliRunner().invoke(tool.app, ["predict", str(shown), str(asked), "--label", "kind", "--json"])
    said = json.loads(run.stdout)
    assert said["accuracy"] > 0.9 and said["accuracy"] == np.mean(np.array(said["predicted"]) == y[1::2])
    bare = written(tmp_path / "bare.csv", held.data[1:5:2], None)
    run = CliRunner().invoke(tool.app, ["predict", str(shown), str(bare), "--label", "kind"])
    assert run.stdout.split() == said["predicted"][:2]


def test_the_tool_tells_mistakes(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="no file"):
        tool.table(tmp_path / "none.csv", "y")
    (tmp_path / "words.csv").write_text("a,y\nred,1\n")
    with pytest.raises(Invalid, match=r"'a'.*no numbers"):
        tool.table(tmp_path / "words.csv", "y")
    for name, text, why in (("empty.csv", "", "cannot be read"), ("head.csv", "a,y\n", "no rows")):
        (tmp_path / name).write_text(text)
        with pytest.raises(Invalid, match=why):
            tool.table(tmp_path / name, "y")
    (tmp_path / "other.csv").write_text("b,y\n1,1\n")
    with pytest.raises(Invalid, match="no column 'a'"):
        tool.table(tmp_path / "other.csv", "y", ["a"])


def test_the_tool_meta_trains(tmp_path: Path) -> None:
    sizes = ["--features", "3", "--classes", "2", "--length", "4", "--width", "8", "--layers", "1"]
    run = CliRunner().invoke(tool.app, ["train", "--out", str(tmp_path / "mine"), "--steps", "3", *sizes])
    assert run.exit_code == 0, run.output
    found = tool.classifier(tmp_path / "mine", views=2).fit(np.eye(6)[:, :4], np.array(["a", "b"] * 3))
    assert set(found.predict(np.eye(6)[:, :4])) <= {"a", "b"}
