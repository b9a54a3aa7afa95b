"""The study of coherence: claims on records made by hand, its curves and networks against loops written out, its trials."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.studies.worlds import judged_in
from unseen.core.claim import Verdict
from unseen.core.errors import Invalid
from unseen.core.lab import Lab
from unseen.core.record import Row, Scored
from unseen.core.study import TIERS, values_of
from unseen.measures.coherence import coherence
from unseen.methods.suppressed import Medians, Winsorised, backward, rolling
from unseen.studies.generalization_mystery import curves, nets, pictured, seen, strata, tasks, trial
from unseen.studies.generalization_mystery.arms import Pictured, Setting, Strata, Suppressed, Watched
from unseen.studies.generalization_mystery.claims import CUT
from unseen.studies.generalization_mystery.study import STUDY, needs, rehearse, settings
from unseen.tasks.labelled_images import CORRUPTED, PRISTINE, TEST, Split, digits

SEEDS = (0, 1, 2, 3, 4)
World = Callable[[Setting, np.random.Generator], "dict[str, float]"]

# --- claims


def as_the_paper_says(setting: Setting, rng: np.random.Generator) -> dict[str, float]:
    """What a run finds where every claim of the paper holds."""
    noise = 0.0 if isinstance(setting, Strata) else setting.noise
    cut = isinstance(setting, Suppressed | Pictured) and (setting.level, setting.method) != (0.0, "winsorised")
    blurred = isinstance(setting, Watched) and setting.pixels == "random"
    coherent = 2.0 if blurred else 20 - 18 * noise
    told = {"pristine": 0.97, "corrupted": 0.9, "test": 0.7 if noise else 0.95, "coherent": coherent, "halfway": 0.5}
    if blurred or noise == 1:
        told["test"] = 0.1
    if cut:
        level = setting.level if isinstance(setting, Suppressed) else 8
        told |= {"corrupted": 0.9 - 0.1 * level if level else 0.4, "test": 0.85, "halfway": 0.2}
    return {**told, "gain": 3.0, "stopping": 0.15, "peak": 6.0, "rise": 9.0, "fall": 8.0, "spread": 1.0, "bound": 4 + 3 * noise}  # fmt: skip


def turned_around(setting: Setting, rng: np.random.Generator) -> dict[str, float]:
    """A world where noise makes gradients agree, and clipping them makes networks memorise."""
    told = as_the_paper_says(setting, rng)
    noise = 0.0 if isinstance(setting, Strata) else setting.noise
    cut = isinstance(setting, Suppressed | Pictured) and (setting.level, setting.method) != (0.0, "winsorised")
    told |= {"coherent": 2 + 20 * noise, "gain": -1.0, "stopping": -0.1, "peak": 9.5, "bound": 7 - 3 * noise}
    if isinstance(setting, Watched) and setting.pixels == "random":
        told["coherent"] = 30
    level = setting.level if isinstance(setting, Suppressed) else 0
    return told | {"corrupted": 0.95 if cut else 0.6, "halfway": 0.8 if cut else 0.3, "test": told["test"] - 0.2 * cut} | ({"corrupted": 0.6 + level / 25} if level else {})  # fmt: skip


def hardly_trained(setting: Setting, rng: np.random.Generator) -> dict[str, float]:
    """A world where nothing is learned."""
    return as_the_paper_says(setting, rng) | {"pristine": 0.3, "corrupted": 0.1, "share": 0.95}


def rows_of(setting: Setting, world: World) -> Iterator[Row]:
    """The rows of five seeds in a world, as trials yield them."""
    rng = np.random.default_rng(list(str(setting).encode()))
    for seed in SEEDS:
        told = world(setting, rng)
        jitter = float(rng.normal(1, 0.02))

        def scored(measure: str, split: Split, p: float, step: int | None, seed: int = seed) -> Iterator[Row]:
            hits = (rng.random(400) < p).astype(float)[None]
            ids = [[f"{split.name} {seed} {i}" for i in range(400)]]
            return Row.each(measure, Scored([seed], ids, hits), split, step=step)

        if isinstance(setting, Strata):
            yield from _strata_rows(told, scored, seed, jitter)
            continue
        for step, part in ((0, 0.1), (setting.steps, 1.0)):
            for split in (PRISTINE, CORRUPTED, TEST):
                rate = told[split.name] if part == 1 else 0.1
                yield from scored("accuracy", split, rate, step)
        yield from scored("accuracy", PRISTINE, 0.9 * told["pristine"], 10)
        yield from scored("accuracy", PRISTINE, 0.95 * told["pristine"], 20)
        for step in (10, 20):
            yield from scored("accuracy", CORRUPTED, 0.2, step)
            yield from scored("accuracy", TEST, 0.5, step)
        yield from scored("halfway_accuracy", CORRUPTED, told["halfway"], None)
        for step, share, fitted in ((0, 1.0, 0.1), (10, 0.8, 0.4), (setting.steps, told.get("share", 0.01), 1.0)):
            yield Row("loss_share", share, step=step, seed=seed)
            yield Row("train_accuracy", fitted, n=400, step=step, seed=seed)
            yield Row("log2_m_coherence", math.log2(told["coherent"] * jitter), step=step, seed=seed)
            yield Row("m_coherence", told["coherent"] * jitter, step=step, seed=seed)
            yield Row("coherence_gain", told["gain"] * jitter * fitted, step=step, seed=seed)
        for name, value in {
            "band_coherence": told["coherent"], "peak_coherence": 2 * told["coherent"], "early_coherence": told["coherent"],
            "end_coherence": 0.5 * told["coherent"], "mid_gap": 0.6, "stopping_gain": told["stopping"],
            "log2_peak_step": told["peak"], "log2_rise_step": told["rise"], "log2_fall_step": told["fall"],
            "layer_spread": told["spread"], "log2_bound": told["bound"], "gram_error": 1e-6,
        }.items():  # fmt: skip
            yield Row(name, value * float(rng.normal(1, 0.02)), seed=seed)


def _strata_rows(told: dict[str, float], scored: Callable[..., Iterator[Row]], seed: int, jitter: float) -> Iterator[Row]:  # fmt: skip
    good = told["gain"] > 0
    new = {"easy": 0.95 if good else 0.5, "hard": 0.5 if good else 0.95, "random 1": 0.9, "random 2": 0.9}
    for name in strata.STRATA:
        at = {"stratum": name}
        yield from scored("accuracy", Split(f"{name}, trained on", at=at), told["pristine"], 10)
        yield from scored("accuracy", Split(f"{name}, new", axis="example", at=at, shifted=True), new[name], 10)
        for step, share in ((0, 1.0), (10, 0.1)):
            yield Row("loss_share", share, step=step, seed=seed, at=at)
            yield Row("log2_m_coherence", 10 * new[name] * jitter, step=step, seed=seed, at=at)


@pytest.fixture(scope="module")
def judged() -> dict[tuple[str, str], Verdict]:
    """(world, claim id) -> verdict at the paper's tier, where every claim is judged."""
    found: dict[tuple[str, str], Verdict] = {}
    for world in (as_the_paper_says, turned_around, hardly_trained):
        told = judged_in(STUDY, "paper", lambda s, world=world: rows_of(s, world))
        found |= {(world.__name__, i): v for i, v in told.items()}
    return found


def test_a_world_as_the_paper_says_supports_every_claim(judged: dict[tuple[str, str], Verdict]) -> None:
    found = {i: v for (w, i), v in judged.items() if w == "as_the_paper_says"}
    assert not {i: (v.status, v.why) for i, v in found.items() if v.status != "supported"}
    assert found["C1a"].estimate == pytest.approx(10, rel=0.1)
    assert found["C4a"].estimate == pytest.approx(0.8, abs=0.03)
    assert found["C5a"].estimate == pytest.approx(0.45, abs=0.03)


def test_a_world_turned_around_refutes_them(judged: dict[tuple[str, str], Verdict]) -> None:
    refuted = {i for (w, i), v in judged.items() if w == "turned_around" and v.status == "refuted"}
    wanted = {"C1a", "C1b", "C1d", "C2b", "C3a", "C4a", "C4b", "C4c", "C4d", "C4e", "C5a", "C5b", "C6a", "C6b", "C6c", "C7b", "P1a", "P1b", "P2a", "P2b", "P3a", "P3b"}  # fmt: skip
    assert wanted <= refuted, wanted - refuted


def test_networks_that_learned_nothing_decide_nothing(judged: dict[tuple[str, str], Verdict]) -> None:
    bare = {v.claim.id for v in judged.values() if v.claim.given}
    assert len(bare) > 15
    assert {judged["hardly_trained", i].status for i in bare} == {"untested"}


def test_every_claim_of_the_laptop_has_its_arms() -> None:
    for verdict in judged_in(STUDY, "laptop", lambda s: rows_of(s, as_the_paper_says)).values():
        here = "laptop" in verdict.claim.tiers
        assert verdict.status == ("supported" if here else "untested"), (verdict.claim.id, verdict.why)


def test_settings_are_planned_within_their_means() -> None:
    for tier in TIERS:
        found = settings(tier)
        assert len(set(found)) == len(found)
        assert all(needs(s).minutes > 0 for s in found)
    assert sum(needs(s).minutes for s in settings("laptop")) <= 25
    for setting in settings("paper"):
        small = rehearse(setting)
        changed = {k for k, v in values_of(setting).items() if values_of(small)[k] != v}
        sizes = {"data", "depths", "widths", "side", "train", "held", "steps", "batch", "sample", "points", "scored", "width", "judges", "lr"}  # fmt: skip
        assert changed <= sizes
        assert values_of(small)["steps"] >= 20
        assert "lr" not in changed or isinstance(setting, Pictured)


# --- curves


def test_curves_worked_by_hand() -> None:
    share, values = [1.0, 0.8, 0.4, 0.5, 0.1], [1.0, 3.0, 7.0, 6.0, 2.0]
    assert curves.at_share(share, values, 0.6) == pytest.approx(5.0)
    assert curves.at_share(share, values, 1.0) == 1.0
    assert curves.at_share(share, values, 0.4) == 7.0  # the first time
    assert math.isnan(curves.at_share(share, values, 0.05))
    line = np.linspace(1, 0, 11)
    assert curves.in_band(line, 10 * line) == pytest.approx(6.0)
    assert math.isnan(curves.in_band([1, 0.5], [1, 2]))
    assert curves.early([0, 2, 8, 30], [9, 1, 3, 7], 10) == 2.0
    assert math.isnan(curves.early([0, 20], [1, 2], 10))
    assert curves.log2_first([0, 4, 16], np.array([False, True, True])) == 2
    assert curves.log2_first([0, 4, 16], np.array([True, False, False])) == 0
    assert curves.log2_first([0, 4, 16], np.zeros(3, bool)) == 4
    assert curves.fallen([1, 8, 5, 4, 9, 3]).tolist() == [False] * 5 + [True]
    assert curves.fallen([8, 5, 4, 6]).tolist() == [False, False, True, False]
    assert curves.stopped_early([0.1, 0.7, 0.7, 0.6], [0.2, 0.65, 0.9, 0.5]) == pytest.approx(0.15)
    assert curves.to_share(share, [0, 10, 20, 30, 40], 0.45).tolist() == [0, 10, 20]
    assert not len(curves.to_share(share, [0, 10, 20, 30, 40], 0.01))


def test_points_lie_densely_early_on() -> None:
    at = curves.measured_at(400, 4)
    assert at == [0, 25, 100, 200, 225, 400]
    assert curves.measured_at(1, 3) == [0, 1]


def test_the_point_of_learning_worked_by_hand() -> None:
    right = np.array([[0, 1, 1, 0, 1], [1, 0, 1, 0, 1], [1, 1, 1, 0, 0]], bool)  # [point example]
    assert curves.learned_at(right).tolist() == [1, 2, 0, 3, 3]


def test_the_spread_of_layers_is_nothing_where_only_noise_differs() -> None:
    rng = np.random.default_rng(0)
    noise = [curves.spread(np.exp(rng.normal(0, 0.3, (4, 3)))) for _ in range(2000)]
    assert np.mean(noise) == pytest.approx(0, abs=0.03)
    assert curves.spread(np.array([[1.0, 2, 8]] * 4)) == 3
    assert math.isnan(curves.spread(np.array([[0.0, 1]] * 4))) and math.isnan(curves.spread(np.ones((1, 3))))


# --- networks


def made(seeds: tuple[int, ...], lab: Lab) -> nets.Nets:
    return nets.Nets(6, 3, width=5, layers=2, seeds=seeds, lab=lab)


def data_of(seeds: tuple[int, ...], n: int = 24) -> nets.Taught:
    rngs = [np.random.default_rng(s) for s in seeds]
    x = np.stack([r.normal(size=(n, 6)).astype(np.float32) for r in rngs])
    return nets.Taught(torch.from_numpy(x), torch.from_numpy(np.stack([r.integers(0, 3, n) for r in rngs])))


@pytest.mark.parametrize("how", [("winsorised", 0.0), ("winsorised", 20.0), ("medians", 0.0), ("rolling", 0.0)])
def test_a_member_learns_as_a_network_alone_does(how: tuple[nets.Method, float]) -> None:
    """Against one torch.nn.Sequential, PyTorch's SGD, and the library's gradients for modules."""
    lab, seeds = Lab.alone(seeds=(3, 4, 5)), (3, 4, 5)
    stack, taught = made(seeds, lab), data_of(seeds)
    told = nets.How(30, 9, 0.3, *how)
    alone = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 5), nn.ReLU(), nn.Linear(5, 3))
    alone.load_state_dict({k: w[1].detach().clone() for k, w in stack.weights.items()})
    sgd = torch.optim.SGD(alone.parameters(), 0.3)
    if how[0] == "rolling":
        rolling(sgd)
    for batch in nets._batches(seeds, 24, told, lab, "net"):
        x, y = taught.x[1, batch[1]], taught.y[1, batch[1]]
        if how[0] == "rolling" or how == ("winsorised", 0.0):
            sgd.zero_grad()
            F.cross_entropy(alone(x), y).backward()
        else:
            backward(alone, seen.nll, (x, y), Medians(3) if how[0] == "medians" else Winsorised(how[1]))
        sgd.step()
    steps = list(nets.trained(stack, taught, told, at={0, 7, 30}, lab=lab))
    assert steps == [0, 7, 30]
    for key, p in alone.state_dict().items():
        torch.testing.assert_close(stack.weights[key][1].detach(), p, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(stack.logits(taught.x)[1], alone(taught.x[1]).detach(), rtol=1e-4, atol=1e-5)
    single = made((4,), lab)
    list(nets.trained(single, data_of((4,)), told, at={30}, lab=lab))
    for key in single.weights:  # in a block of one
        torch.testing.assert_close(single.weights[key][0], stack.weights[key][1], rtol=1e-5, atol=1e-7)


def test_every_epoch_takes_each_example_once() -> None:
    told = nets.How(8, 6, 0.1)
    batches = list(nets._batches((0, 1), 24, told, Lab.alone(seeds=(0, 1)), "net"))
    for i in (0, 1):
        for epoch in (batches[:4], batches[4:]):
            assert sorted(np.concatenate([b[i] for b in epoch]).tolist()) == list(range(24))
    assert not np.array_equal(batches[0][0], batches[4][0]) and not np.array_equal(batches[0][0], batches[0][1])


def test_batches_that_cannot_be_taken_are_refused() -> None:
    lab = Lab.alone()
    for how in (nets.How(5, 25, 0.1), nets.How(5, 8, 0.1, "medians")):
        with pytest.raises(Invalid, match="multiple of 3"):
            list(nets.trained(made((0,), lab), data_of((0,)), how, at={5}, lab=lab))


def test_first_weights_are_spread_as_pytorchs_are() -> None:
    big = nets.Nets(100, 10, width=400, layers=1, seeds=(0,), lab=Lab.alone())
    wanted = nn.Linear(100, 400)
    assert float(big.weights["0.weight"].detach().std()) == pytest.approx(float(wanted.weight.detach().std()), rel=0.02)
    assert big.weights["0.bias"].abs().max() <= 0.1
    assert big.weights["2.weight"].abs().max() <= 0.05


# --- what is looked at


def test_data_are_each_seeds_own_and_apart() -> None:
    lab = Lab.alone(seeds=(0, 1))
    data = seen.prepared("digits", (100, 60), 0.5, "real", lab)
    whole = digits()
    for i in (0, 1):
        mine, others = data.names[0][i], data.names[1][i]
        assert len({*mine, *others}) == 160
        assert np.array_equal(data.right[i], data.taught.y[i].numpy() == whole.labels[mine])
        assert np.array_equal(data.held.y[i].numpy(), whole.labels[others])
        raw = whole.pixels[mine].reshape(100, 64)
        np.testing.assert_allclose(data.taught.x[i], (raw - raw.mean()) / raw.std(), atol=1e-5)
    assert not np.array_equal(data.names[0][0], data.names[0][1])
    assert 0.35 < data.right.mean() < 0.7
    blurred = seen.prepared("digits", (100, 60), 0.0, "random", lab)
    assert np.array_equal(blurred.names[0], data.names[0]) and blurred.right.all()
    correlation = np.corrcoef(blurred.taught.x[0].flatten(), data.taught.x[0].flatten())[0, 1]
    assert abs(correlation) < 0.05
    with pytest.raises(Invalid, match="more than the 1797 images of digits"):
        seen.prepared("digits", (1200, 598), 0.0, "real", lab)


def test_samples_are_disjoint_where_there_is_room() -> None:
    lab = Lab.alone(seeds=(0, 1))
    found = seen.sampled(1200, 256, 4, lab)
    assert found.shape == (2, 4, 256) and len(set(found[0].ravel())) == 1024
    crowded = seen.sampled(100, 60, 3, lab)
    assert crowded.shape == (2, 3, 60) and all(len(set(s)) == 60 for s in crowded[1])
    assert seen.sampled(20, 60, 2, lab).shape == (2, 2, 20)


def test_accuracy_by_split_is_counted_by_hand() -> None:
    lab = Lab.alone(seeds=(0, 1))
    data = seen.prepared("digits", (50, 30), 0.5, "real", lab)
    stack = nets.Nets(64, 10, width=8, layers=1, seeds=(0, 1), lab=lab)
    loss, taught = seen.answered(stack, data.taught)
    _, held = seen.answered(stack, data.held)
    rows = list(seen.accuracy(data, (0, 1), taught, held, measure="accuracy", step=3))
    for i in (0, 1):
        logits = stack.member(i)(data.taught.x[i]).detach()
        said = logits.argmax(1).numpy()
        assert loss[i] == pytest.approx(float(F.cross_entropy(logits, data.taught.y[i])), rel=1e-5)
        mine = {r.split.name: r for r in rows if r.seed == i and r.split}
        wrong = ~data.right[i]
        assert mine["corrupted"].value == pytest.approx(np.mean(said[wrong] == data.taught.y[i].numpy()[wrong]))
        assert mine["pristine"].n + mine["corrupted"].n == 50 and mine["test"].n == 20
    assert len({r.drawn for r in rows}) == 6


def test_coherence_of_members_is_that_of_networks_alone() -> None:
    lab, seeds = Lab.alone(seeds=(3, 4)), (3, 4)
    stack, taught = made(seeds, lab), data_of(seeds)
    samples = seen.sampled(24, 8, 2, lab)
    found = seen.coherences(stack, taught, samples)
    alone = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 5), nn.ReLU(), nn.Linear(5, 3))
    alone.load_state_dict({k: w[1].detach() for k, w in stack.weights.items()})
    wanted = coherence(alone, seen.nll, (taught.x[1, samples[1, 0]], taught.y[1, samples[1, 0]]))
    assert found[1][0].m_coherence == pytest.approx(wanted.m_coherence) and found[1][0].m == 8
    assert max(seen.gram_error(stack, taught)) < 1e-4
    with torch.no_grad():
        stack.weights["0.weight"][0] = math.nan
    broken = seen.coherences(stack, taught, samples)
    assert math.isnan(broken[0][0].m_coherence) and len(broken[0][0].by_layer) == 3
    assert broken[1][0].m_coherence == found[1][0].m_coherence


# --- trials


def test_a_watched_trial_from_end_to_end() -> None:
    setting = next(s for s in settings("smoke") if isinstance(s, Watched) and s.noise == 0.5)
    both = list(trial.run(setting, Lab.alone(seeds=(0, 1))))
    assert both == list(trial.run(setting, Lab.alone(seeds=(0, 1))))
    told = {r.measure for r in both}
    assert {"m_coherence", "early_coherence", "mid_gap", "log2_rise_step", "gram_error", "layer_m_coherence"} <= told
    alone = {(r.measure, r.split and r.split.name, r.step, str(r.at)): r.value for r in trial.run(setting, Lab.alone(seeds=(1,)))}  # fmt: skip
    for r in both:
        if r.seed == 1 and r.measure != "gram_error":
            assert alone[r.measure, r.split and r.split.name, r.step, str(r.at)] == pytest.approx(r.value, rel=1e-2, abs=1e-2)  # fmt: skip
    at = {k: {r.step: r.value for r in both if r.seed == 0 and r.measure == k} for k in ("m_coherence", "loss_share")}
    until = 3 * setting.train // setting.batch
    wanted = np.mean([v for s, v in at["m_coherence"].items() if s and 0 < s <= until])
    assert next(r.value for r in both if r.measure == "early_coherence") == pytest.approx(wanted)
    assert at["loss_share"][0] == 1


def test_suppressed_trials_differ_only_in_their_gradients() -> None:
    arms = [s for s in settings("smoke") if isinstance(s, Suppressed) and s.level in (0.0, CUT)]
    assert {(s.method, s.level) for s in arms} == {("winsorised", 0.0), ("winsorised", CUT), ("medians", 0.0), ("rolling", 0.0)}  # fmt: skip
    runs = [list(trial.run(s, Lab.alone(seeds=(0,)))) for s in arms]
    firsts = [[r.value for r in rows if r.step == 0] for rows in runs]
    lasts = [[r.value for r in rows if r.step == 60 and r.measure == "train_loss"] for rows in runs]
    assert all(f == firsts[0] for f in firsts)
    assert len({str(v) for v in lasts}) == len(arms)


def test_strata_are_ordered_by_when_images_are_learned() -> None:
    setting = next(s for s in settings("smoke") if isinstance(s, Strata))
    setting = replace(setting, steps=120, lr=0.3, judges=2)
    lab, whole = Lab.alone(seeds=(0, 1)), digits()
    order = strata.ordered(setting, whole, lab)
    assert [sorted(o.tolist()) for o in order] == [list(range(1797))] * 2
    assert not np.array_equal(order[0], order[1])
    shared = len({*order[0][:400]} & {*order[1][:400]})
    assert shared > 1.2 * 400 * 400 / 1797  # what is easy for one is easy for others, more than by chance
    parts = {name: strata.parted(order, 90, name, lab) for name in strata.STRATA}
    assert set(parts["easy"][0]) == set(order[0][:90]) and set(parts["hard"][0]) == set(order[0][-90:])
    assert not set(parts["random 1"][1]) & set(parts["random 2"][1])
    with pytest.raises(Invalid, match="two strata of 1000 images"):
        list(strata.run(replace(setting, train=900, held=100), lab))


def small_pictures(**more: object) -> Pictured:
    return replace(rehearse(next(s for s in settings("paper") if isinstance(s, Pictured))), **more)  # type: ignore[arg-type,return-value]


@pytest.mark.parametrize("block", ["basic", "bottleneck"])
@pytest.mark.parametrize("method", ["winsorised", "medians", "rolling"])
def test_pictures_are_learned_by_residual_networks(block: str, method: str) -> None:
    setting = small_pictures(block=block, method=method, noise=0.5, widths=(16, 32))
    rows = list(trial.run(setting, Lab.alone(seeds=(0,))))
    assert {r.step for r in rows} == {0, 3, 11, 12, 24, None}
    assert {r.split.name for r in rows if r.split} == {"pristine", "corrupted", "test"}
    loss = {r.step: r.value for r in rows if r.measure == "train_loss"}
    assert all(map(math.isfinite, loss.values())) and loss[24] != loss[0]
    assert all(r.at["of"] == 12 for r in rows if r.measure == "m_coherence")


@pytest.mark.parametrize("method", ["winsorised", "rolling"])
def test_an_interrupted_training_on_pictures_goes_on_where_it_was(method: str) -> None:
    setting = small_pictures(method=method, noise=0.5)
    whole = list(trial.run(setting, Lab.alone(seeds=(0, 1))))
    lab = Lab.alone(seeds=(0, 1))
    begun = list(islice(trial.run(setting, lab), len(whole) // 3))
    rest = list(trial.run(setting, lab))
    assert {str(r) for r in [*begun, *rest]} == {str(r) for r in whole}
    assert len(rest) < len(whole)


def test_coherence_of_pictures_is_that_of_one_batch() -> None:
    setting = small_pictures()
    lab = Lab.alone(seeds=(0,))
    training = pictured._Training(setting, 0, lab)
    sample = np.arange(11)
    x, y = training.batch(sample)
    wanted = coherence(training.net, pictured.nll, (x, y)).m_coherence
    assert training.coherence(sample) == pytest.approx(wanted, rel=1e-4)
    assert x.shape == (11, 3, 16, 16)


def test_the_tasks_are_the_digits_with_each_noise() -> None:
    found = {t.name for s in settings("laptop") for t in tasks.tasks(s)}
    assert found == {f"digits, {p}% of labels random" for p in (0, 12, 25, 50, 75, 88, 100)}
