"""The study of difficulty: claims on records made by hand, exact figures, networks against plain ones, data of one's own."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from tests.studies.worlds import judged_in
from unseen.core.claim import Verdict
from unseen.core.errors import Mistake
from unseen.core.lab import Lab
from unseen.core.record import Row, Split
from unseen.core.study import TIERS
from unseen.measures import difficulty
from unseen.measures.difficulty import Constants
from unseen.studies.generalization_difficulty import estimated, learned, nets, published, reading, trial
from unseen.studies.generalization_difficulty.arms import Estimated, Known, Learned, Published, Setting
from unseen.studies.generalization_difficulty.claims import ONLINE
from unseen.studies.generalization_difficulty.study import LOCAL, STUDY, needs, rehearse, settings
from unseen.studies.generalization_difficulty.tool import app

SEEDS = (0, 1, 2, 3, 4)
TINY = Learned(2, points=60, tested=40, ambient=16, width=12, steps=6, batch=16)
World = Callable[[Setting, np.random.Generator], "dict[str, float]"]

# --- claims


def as_claimed(setting: Setting, rng: np.random.Generator) -> dict[str, float]:
    """What a run finds where every claim holds: MNIST to ImageNet in order, networks that err with the bits."""
    told = {
        "train_error": 0.01,
        "untrained": 0.5,
        "padded": 4.0,
        "shuffled": 2.0,
        "part": 0.8,
        "range": 0.1,
        "off": 0.2,
    }
    if isinstance(setting, Learned):
        told |= {
            "error": 0.5 if setting.labels == "shuffled" else 0.02 * setting.m,
            "noise": 0.1,
            "measured": float(setting.m),
        }
    if isinstance(setting, Estimated):
        names = {v: k for k, v in ONLINE.items()}
        constants = (
            published.IMAGES[names[setting.data]] if setting.data in names else Constants(1437, 8, 1.2, 4.8, 10, 0.01)
        )
        told |= {"m": constants.m, "delta": constants.delta, "log10": difficulty.of_task(constants).log10}
    if isinstance(setting, Known):
        told |= {"m": setting.m + 0.8 * setting.always}
    return told


def turned_around(setting: Setting, rng: np.random.Generator) -> dict[str, float]:
    """A world where more dimensions are learned better, and nothing about data is as it should be."""
    told = as_claimed(setting, rng) | {
        "padded": 0.2,
        "shuffled": -1.0,
        "part": 0.1,
        "range": 0.6,
        "off": 1.5,
        "untrained": 0.2,
    }
    if isinstance(setting, Learned):
        told |= {
            "error": 0.4 - 0.02 * setting.m if setting.labels == "true" else 0.3,
            "noise": -0.05,
            "measured": -float(setting.m),
        }
    if isinstance(setting, Estimated):
        told |= {"m": 1.5 * told["m"], "delta": 0.5 * told["delta"], "log10": 80 - told["log10"]}
    if isinstance(setting, Known):
        told |= {"m": float(setting.m)}
    return told


def hardly_trained(setting: Setting, rng: np.random.Generator) -> dict[str, float]:
    """A world where networks do not fit what they are trained on."""
    return as_claimed(setting, rng) | {"train_error": 0.3}


def rows_of(setting: Setting, world: World) -> Iterator[Row]:
    """The rows of five seeds in a world; constants are the real ones, for they follow from nothing that is measured."""
    rng = np.random.default_rng(list(str(setting).encode()))
    told = world(setting, rng)
    if isinstance(setting, Published):
        yield from published.rows(0.01 if setting.spread else 0.0, {s: np.random.default_rng(s) for s in SEEDS})
        return
    for seed in SEEDS:
        jitter = float(rng.normal(0, 0.003))
        if isinstance(setting, Learned):
            known = max(0.0, learned.known_bits(setting).log10)
            for split in (Split("test"), Split("noise", "dimension", {"noise": 8}, shifted=True)):
                error = told["error"] + jitter + (told["noise"] if split.shifted else 0)
                yield Row("error", round(error, 3), split, 1000, at={"log10_known": known}, seed=seed, drawn=f"{seed}")
            yield Row("train_error", told["train_error"], Split("train"), 1000, seed=seed, drawn=f"{seed}")
            untrained = round(told["untrained"] + jitter, 3)
            yield Row("untrained", untrained, Split("test"), 1000, seed=seed, drawn=f"{seed}")
            yield Row("measured_log10", told["measured"] + jitter, seed=seed)
            continue
        yield Row("dimension", told["m"] + jitter, seed=seed)
        if isinstance(setting, Known):
            yield Row("off_dimension", told["off"] + jitter, seed=seed)
            continue
        yield Row("delta", told["delta"] * (1 + jitter), seed=seed)
        yield Row("log10_bits", told["log10"] + jitter, seed=seed)
        if setting.ablated:
            yield Row("dimension_range", told["range"] + jitter, seed=seed)
            yield Row("log10_by_part", 10 + told["part"] + jitter, at={"part": 1.0}, seed=seed)
            yield Row("log10_by_part", 10.0, at={"part": 0.1}, seed=seed)
            yield Row("dimension_padded", told["m"] + told["padded"] + 2 * jitter, seed=seed)
            yield Row("log10_shuffled", told["log10"] + told["shuffled"] + 2 * jitter, seed=seed)
            yield Row("scaled_off", 0.0, seed=seed)


@pytest.fixture(scope="module")
def judged() -> dict[tuple[str, str], Verdict]:
    """(world, claim id) -> verdict at the paper's tier, where every claim is judged."""
    found: dict[tuple[str, str], Verdict] = {}
    for world in (as_claimed, turned_around, hardly_trained):
        told = judged_in(STUDY, "paper", lambda s, world=world: rows_of(s, world))
        found |= {(world.__name__, i): v for i, v in told.items()}
    return found


def test_a_world_as_claimed_supports_every_claim(judged: dict[tuple[str, str], Verdict]) -> None:
    found = {i: v for (w, i), v in judged.items() if w == "as_claimed"}
    assert not {i: (v.status, v.why) for i, v in found.items() if v.status != "supported"}
    assert found["C3b"].estimate == pytest.approx(np.polyfit(range(1, 6), np.log10([4.41e9, 3.33e17, 1.46e25, 4.69e32, 1.19e40]), 1)[0], abs=0.001)  # fmt: skip
    assert found["C2b"].estimate == pytest.approx(math.log10(1.8e145 / 3.58e41), abs=0.01)
    assert found["C1d"].low == found["C1d"].high == found["C1d"].estimate == pytest.approx(math.log10(3.58e41 / 3.44e32), abs=0.01)  # fmt: skip
    assert found["C7a"].estimate == pytest.approx(1.0)


def test_a_world_turned_around_refutes_what_is_measured(judged: dict[tuple[str, str], Verdict]) -> None:
    found = {i: v.status for (w, i), v in judged.items() if w == "turned_around"}
    measured = {
        "C7a",
        "C7b",
        "C8a",
        "C8b",
        "C8c",
        "C8d",
        "P1a",
        "P1b",
        "P1c",
        "P2a",
        "P2b",
        "P3a",
        "P3c",
        "K1",
        "K2",
        "K3",
        "K8",
    }
    assert not {i: found[i] for i in measured if found[i] != "refuted"}
    assert found["C1b"] == found["C5a"] == "supported"


def test_networks_that_fit_nothing_say_nothing(judged: dict[tuple[str, str], Verdict]) -> None:
    for id in ("C7a", "C7c"):
        assert judged["hardly_trained", id].status == "untested"
        assert "precondition not met: mean train_error" in judged["hardly_trained", id].why


def test_claims_of_constants_say_that_they_are_not_estimated_again() -> None:
    exact = [c for c in STUDY.claims if c.unit == "exact" and c.kind == "finding"]
    assert len(exact) == 19 and all(c.reported.startswith("constants, not re-estimated") for c in exact)


# --- constants


def test_exact_rows_are_the_figures_and_their_slopes() -> None:
    rows = list(published.exact())
    bits = {at["task"]: value for measure, value, at in rows if measure == "log10_bits"}
    for task, told in published.TOLD.items():
        assert bits[task] == pytest.approx(math.log10(told), abs=0.003)
    along = {(measure, at["along"]): value for measure, value, at in rows if "slope" in measure}
    by_m = {m: math.log10(told) for m, told in ((48, 3.58e41), (60, 5.02e44), (80, 1.47e48), (99, 1.09e50))}
    curve = {at["to"]: v for measure, v, at in rows if measure == "log10_along" and at["along"] == "m"}
    for m in set(by_m) & set(curve):
        assert curve[m] == pytest.approx(by_m[int(m)], abs=0.002)
    assert along["least_slope", "m"] == pytest.approx(by_m[99] - published._imagenet(m=98.0), abs=0.002)
    assert along["whole_slope", "classes"] == pytest.approx(math.log10(3.58e41 / 1.90e37) / 2, abs=0.01)
    assert along["whole_slope", "n"] == pytest.approx(math.log10(3.455 / 3.624) / 17, abs=1e-4)
    assert along["whole_slope", "delta"] == pytest.approx(math.log10(9.98e29 / 1.901e57) / math.log10(119 / 30), abs=0.01)  # fmt: skip


def test_scattered_constants_lie_about_the_published_ones() -> None:
    drawn: dict[str, list[float]] = {}
    for seed in range(300):
        for _, value, at in published.scattered(0.02, np.random.default_rng(seed)):
            drawn.setdefault(str(at["task"]), []).append(value)
    for task, values in drawn.items():
        c = published.IMAGES[task]
        by_delta = (difficulty.of_task(replace(c, delta=c.delta * 1.02)).log10 - difficulty.of_task(c).log10)  # fmt: skip
        by_m = difficulty.of_task(replace(c, m=c.m * 1.02)).log10 - difficulty.of_task(c).log10
        assert np.mean(values) == pytest.approx(difficulty.of_task(c).log10, abs=0.15)
        assert np.std(values) == pytest.approx(math.hypot(by_delta, by_m), rel=0.2)


def test_without_a_spread_all_seeds_have_the_same_rows() -> None:
    lab = Lab.alone(seeds=(3, 4))
    rows = list(trial.run(Published(), lab))
    first, second = ([(r.measure, r.value, dict(r.at)) for r in rows if r.seed == s] for s in (3, 4))
    assert first == second
    loose = list(trial.run(Published(0.1), lab))
    assert len({r.value for r in loose}) == len(loose) == 8


# --- networks


def test_networks_answer_as_plain_ones_do() -> None:
    stacked = nets.stack((5, 7, 7, 1), (0, 1), Lab.alone(seeds=(0, 1)))
    x = torch.randn(2, 9, 5, generator=torch.Generator().manual_seed(0))
    for i in range(2):
        layers: list[nn.Module] = []
        for j in range(3):
            plain = nn.Linear(*stacked.sizes[j : j + 2])
            plain.weight.data, plain.bias.data = (
                stacked.w(f"{j}.weight")[i].T.detach(),
                stacked.w(f"{j}.bias")[i, 0].detach(),
            )
            layers += [plain, nn.ReLU()]
        assert torch.allclose(stacked(x)[i], nn.Sequential(*layers[:-1])(x[i])[:, 0], atol=1e-6)
    y = (torch.arange(18).view(2, 9) % 2).float()
    told = nets.losses(stacked, x, y)
    assert told[1].item() == pytest.approx(nn.functional.binary_cross_entropy_with_logits(stacked(x)[1], y[1]).item())


def test_a_seed_learns_the_same_alone_and_in_a_block() -> None:
    def rows(seeds: tuple[int, ...]) -> dict[tuple[Any, ...], float]:
        found = trial.run(TINY, Lab.alone(seeds=seeds))
        return {(r.measure, r.split and r.split.name): r.value for r in found if r.seed == 2}

    both, alone = rows((1, 2)), rows((2,))
    assert both.keys() == alone.keys() and len(both) == 9
    assert both == pytest.approx(alone, abs=1e-6)


def test_what_is_learned_is_on_the_manifold_and_halved() -> None:
    lab = Lab.alone(seeds=(0,))
    drawn = learned._drawn(replace(TINY, points=400, tested=400), 0, lab)
    x, y = drawn["train"]
    assert x.shape == (400, 16) and y.mean() == 0.5
    assert np.linalg.matrix_rank(x, 1e-3) == 3 and np.linalg.matrix_rank(drawn["noise"][0], 1e-3) == 11
    assert np.linalg.norm(x, axis=1) == pytest.approx(np.full(400, 4.0), rel=1e-4)
    again = learned._drawn(replace(TINY, points=400, tested=400, labels="shuffled"), 0, lab)
    assert np.array_equal(again["train"][0], x) and 0.4 < np.mean(again["train"][1] == y) < 0.6


def test_networks_learn_a_circle_and_nothing_of_shuffled_labels() -> None:
    small = Learned(1, points=300, tested=300, ambient=16, width=32, steps=400, batch=64, frequency=3.0)
    lab = Lab.alone(seeds=(0, 1))
    for labels, low, high in (("true", 0.0, 0.1), ("shuffled", 0.4, 0.6)):
        rows = list(trial.run(replace(small, labels=labels), lab))  # type: ignore[arg-type]
        assert low <= np.mean([r.value for r in rows if r.measure == "error" and r.split and r.split.name == "test"]) <= high  # fmt: skip


def test_known_bits_are_those_of_the_highest_frequency() -> None:
    # S^1, M = 12: E = 13 + 12 functions, 4 · 25 = 100 dimensions of hypotheses
    assert learned.known_bits(replace(TINY, m=1, points=100)).state == "data suffice"
    few = learned.known_bits(replace(TINY, m=1, points=99))
    assert few.state == "" and few == difficulty.bits(99, 1, 2 * math.pi / 12, 1.0, 2, 0.01)


# --- data


def test_noise_and_scale_and_labels_are_varied_on_digits() -> None:
    rows = list(trial.run(Estimated("digits", share=0.3), Lab.alone(seeds=(0,))))
    told = {(r.measure, *sorted(r.at.items())): r.value for r in rows}
    assert told["dimension_padded",] > told["dimension",] + 1 and told["scaled_off",] < 1e-9
    assert told["log10_shuffled",] > told["log10_bits",]
    parts = [told["delta_by_part", ("part", p)] for p in (0.1, 0.2, 0.5, 1.0)]
    assert parts == sorted(parts, reverse=True) and parts[-1] == pytest.approx(told["delta",])
    assert told["delta_reach", ("part", 1.0)] == 0 < told["delta_reach", ("part", 0.1)]
    assert told["log10_low",] <= told["log10_bits",] <= told["log10_high",]
    assert told["log10_by_part", ("part", 1.0)] == pytest.approx(told["log10_bits",])


def test_the_reach_of_a_mean_is_students() -> None:
    from scipy import stats

    values = [1.0, 2.0, 4.0, 9.0]
    low, high = stats.t.interval(0.95, 3, loc=4, scale=stats.sem(values))
    assert estimated._reach(values) == pytest.approx((high - low) / 2)


def test_bundled_sets_hold_no_copies() -> None:
    x, y = reading.bundled("iris")
    assert len(x) == len(y) == 149 and len(np.unique(x, axis=0)) == 149  # of 150: one flower stands twice
    assert reading.bundled("digits")[0].max() == 1


def test_pictures_of_a_folder_are_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, labels = reading.pictures("twin", 0, Lab.alone())
    x, y = reading.bundled("digits")
    assert np.array_equal(labels, y) and len(rows) == len(y)
    assert np.asarray(rows[np.array([5, 17])]) == pytest.approx(x[[5, 17]], abs=1 / 255)  # gray: one channel
    monkeypatch.setattr(reading, "IN_MEMORY", 0)
    kept, _ = reading.pictures("twin", 0, Lab.alone())
    assert isinstance(kept, reading.Flat) and np.array_equal(kept[np.array([5, 17])], rows[np.array([5, 17])])
    monkeypatch.undo()
    found = list(trial.run(replace(rehearse(Estimated("uoft-cs/cifar10")), ablated=False), Lab.alone(seeds=(0,))))
    assert {r.measure for r in found} >= {"dimension", "delta", "radius", "log10_bits"}


def test_every_tier_can_be_priced_and_rehearsed() -> None:
    for tier in TIERS:
        assert all(needs(s).minutes > 0 for s in settings(tier))
    laptop = sum(needs(s).minutes for s in settings("laptop"))
    assert laptop < 20
    for s in settings("paper"):
        assert type(rehearse(s)) is type(s)
    assert {s.data for s in settings("paper") if isinstance(s, Estimated)} - set(LOCAL) == set(ONLINE.values())


# --- from outside


@pytest.fixture
def mine(tmp_path: Path) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((120, 3))
    return x, (x[:, 0] > 0).astype(int)


@dataclass(frozen=True)
class Said:
    """What the tool came to."""

    code: int
    out: str
    err: str


def tool(*words: object) -> Said:
    """A command of the tool, in this process; mistakes as the command line tells them."""
    found = CliRunner().invoke(app, [str(w) for w in words])
    if found.exception and not isinstance(found.exception, Mistake | SystemExit):
        raise found.exception
    code = found.exception.code if isinstance(found.exception, Mistake) else found.exit_code
    return Said(code, found.output, str(found.exception or ""))


def test_arrays_tables_and_folders_give_the_same_bits(mine: Any, tmp_path: Path) -> None:
    import polars as pl

    x, y = mine
    np.savez(tmp_path / "a.npz", X=x, target=y)
    frame = pl.DataFrame({"a": x[:, 0], "kind": np.where(y, "up", "down"), "b": x[:, 1], "c": x[:, 2]})
    frame.write_csv(tmp_path / "a.csv")
    frame.write_parquet(tmp_path / "a.parquet")
    told = [json.loads(tool("bits", tmp_path / "a.npz", "--json").out)]
    told += [json.loads(tool("bits", tmp_path / f"a.{e}", "--label", "kind", "--json").out) for e in ("csv", "parquet")]
    found = difficulty.of(x, y, error=0.01, rng=np.random.default_rng(0))
    for one in told:
        assert (one["rows"], one["features"], one["classes"]) == (120, 3, 2)
        assert one["log10_bits"]["value"] == pytest.approx(found.bits.log10)
        assert one["m"]["low"] < one["m"]["value"] < one["m"]["high"]
    said = tool("bits", tmp_path / "a.npz", "--error", "0.1").out
    assert "120 rows of 3 features, 2 classes" in said and "for an error of 0.1; log10" in said


def test_a_folder_of_pictures_from_outside(tmp_path: Path) -> None:
    reading._write_twin(tmp_path / "pictures")
    told = json.loads(tool("bits", tmp_path / "pictures", "--json", "--anchors", "300").out)
    assert (told["rows"], told["features"], told["classes"]) == (1797, 64, 10)
    assert told["delta"]["value"] == pytest.approx(1.179, abs=0.01)


def test_data_that_suffice_are_flagged(tmp_path: Path) -> None:
    x = np.concatenate([np.linspace(0, 1, 400), np.linspace(3, 4, 400)])[:, None]
    np.savez(tmp_path / "line.npz", x=x, y=np.arange(800) >= 400)
    said = tool("bits", tmp_path / "line.npz").out
    assert "data suffice" in said and "bits         0  [0, 0]" in said
    told = json.loads(tool("bits", tmp_path / "line.npz", "--json").out)
    assert told["state"] == "data suffice" and told["log10_bits"] == {"value": None, "low": None, "high": None}


def test_the_published_figures_from_outside() -> None:
    command = [sys.executable, "-m", "unseen", "use", "generalization_difficulty", "published"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "ImageNet       3.58e+41 bits" in said and "cartpole 5     1.19e+40 bits" in said
    told = json.loads(tool("published", "--json").out)
    assert told["MNIST"]["log10_bits"] == pytest.approx(math.log10(1.48e16), abs=0.002)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"y": np.zeros(120)}, "two classes are needed"),
        ({"x": np.full((120, 3), np.nan)}, "row 0 of the inputs is lacking, or no finite number"),
        ({"x": np.ones((4, 3)), "y": np.arange(4)}, "4 rows have no 5 neighbours each"),
        ({"y": np.zeros(7)}, "inputs of 120 rows and targets of 7"),
        ({"x": np.array([["a"] * 3] * 120)}, "values of the inputs are no numbers"),
    ],
)
def test_data_that_cannot_be_measured_are_refused(change: dict[str, Any], told: str, mine: Any, tmp_path: Path) -> None:  # fmt: skip
    np.savez(tmp_path / "a.npz", **({"x": mine[0], "y": mine[1]} | change))
    said = tool("bits", tmp_path / "a.npz")
    assert said.code == 2 and told in " ".join(said.err.split())


def test_copies_under_two_labels_are_refused_unless_passed_over(mine: Any, tmp_path: Path) -> None:
    x, y = mine
    np.savez(tmp_path / "a.npz", x=np.concatenate([x, x[:2]]), y=np.concatenate([y, 1 - y[:2]]))
    said = tool("bits", tmp_path / "a.npz")
    assert said.code == 2 and "4 rows stand under two labels each" in said.err and "min_distance" in said.err
    assert tool("bits", tmp_path / "a.npz", "--min-distance", "1e-9").code == 0


def test_a_file_that_holds_no_data_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,label\n1,0\n2,1\n")
    said = tool("bits", tmp_path / "a.csv", "--label", "labl")
    assert said.code == 2 and "no column 'labl'; the nearest are label, a" in said.err and "--label" in said.err
    assert tool("bits", tmp_path / "gone.npz").code == 2
