"""The study of inductive bias: claims on records made by hand, its networks against torch's modules, its trials."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tests.studies.worlds import judged_in
from unseen.core.claim import Verdict
from unseen.core.errors import Invalid
from unseen.core.lab import Lab
from unseen.core.record import Row
from unseen.core.study import TIERS, values_of
from unseen.studies.inductive_bias import ensembles, nets, spheres, trial
from unseen.studies.inductive_bias.arms import DEEP, EPS, FAR, Ensemble, Setting, Sphere
from unseen.studies.inductive_bias.claims import CLAIMS
from unseen.studies.inductive_bias.ensembles import KERNELS, PAIRED, TEST, TRAIN
from unseen.studies.inductive_bias.study import STUDY, needs, rehearse, settings
from unseen.tasks.labelled_images import digits

SEEDS = (0, 1, 2, 3, 4)
World = dict[str, float]
PAPER: World = {"rise": 5.0, "space": 1.0, "loss": 0.001, "mean": 0.01, "slope": -0.5, "off": 0.1, "oracle": 0.001, "random": 80.0}  # fmt: skip
TURNED: World = PAPER | {"rise": -5.0, "space": -1.0, "slope": -0.1, "off": 0.4}
UNLEARNED: World = PAPER | {"loss": 0.05, "mean": 0.4}

# --- claims


def rows_of(setting: Setting, world: World) -> Iterator[Row]:
    """The rows of five seeds in a world, as trials yield them."""
    rng = np.random.default_rng(list(str(setting).encode()))
    for seed in SEEDS:
        made = _sphere(setting, world) if isinstance(setting, Sphere) else _ensemble(setting, world)
        for row in made:
            drawn = row.measure != "oracle_error"  # which is worked out: every run has the same
            yield replace(row, seed=seed, value=row.value * (float(rng.normal(1, 2e-4)) if drawn else 1.0))


def _sphere(setting: Sphere, world: World) -> Iterator[Row]:
    bits = 100 + world["rise"] * setting.m + (world["random"] if setting.labels == "random" else 0)
    yield Row("bits", bits, at={"eps": EPS})
    yield Row("unreachable", 1.0, at={"eps": FAR})
    yield Row("mean_loss", world["mean"])
    yield Row("oracle_error", world["oracle"])
    if setting.sampled:
        for fit in ("cumulants", "ncx2", "gamma", "lognormal", "mle", "whole"):
            yield Row("relative_error", world["off"], at={"fit": fit})
            for k in (6, 8, 10, 12, 13):
                yield Row("log2_error", 3 + world["slope"] * k, at={"fit": fit, "log2_samples": float(k)})
        yield Row("covered", 0.96, n=100, at={"fit": "cumulants"})


BITS = {"rbf": 3000.0, "median": 500.0, "matern": 400.0, "ntk": 2000.0, "mlp": 20.0, "narrow": 40.0, "deep": 50.0, "cnn": -100.0}  # fmt: skip


def _ensemble(setting: Ensemble, world: World) -> Iterator[Row]:
    names = [f"{e:g}" for e in DEEP] + [s for s in setting.spaces if s not in KERNELS]
    names += [f"{a} and {b}" for a, b in PAIRED if {a, b} <= set(setting.spaces)]
    random = setting.labels == "random"
    for space in setting.spaces:
        yield Row("loss", 0.11 if random else world["loss"], TEST, at={"space": space})
        if space not in KERNELS:
            yield Row("loss", world["loss"], TRAIN, at={"space": space})
            yield Row("own_bits", 1.0, at={"space": space})
        yield Row("unreachable", 1.0, at={"space": space, "target": "far"})
        for target in names:
            bits = 500 + world["space"] * BITS[space] + (world["random"] if random else 0)
            for measure, more in (("bits", 0), ("bits_low", -1), ("bits_high", 1)):
                yield Row(measure, bits + more, at={"space": space, "target": target})


def judged(tier: str, world: World) -> dict[str, Verdict]:
    return judged_in(STUDY, tier, lambda s: rows_of(s, world))  # type: ignore[arg-type]


@pytest.mark.parametrize("tier", ["laptop", "paper"])
def test_a_world_as_the_paper_says_supports_every_claim(tier: str) -> None:
    found = judged(tier, PAPER)
    here = {i for i, v in found.items() if tier in v.claim.tiers}
    assert not {i: (found[i].status, found[i].why) for i in here if found[i].status != "supported"}
    assert len(here) > 12


def test_a_world_turned_around_refutes_them() -> None:
    found = judged("laptop", TURNED)
    wanted = {"C1a", "C1b", "C1c", "C2a", "C2b", "C2c", "C2d", "C3a", "C3b", "C3c", "C3d", "C4a", "C4b", *(f"C5{x}" for x in "abcdef")}  # fmt: skip
    assert {i for i in wanted if found[i].status == "refuted"} == wanted


def test_spaces_that_learned_nothing_decide_nothing() -> None:
    found = judged("laptop", UNLEARNED)
    bare = {v.claim.id for v in found.values() if v.claim.given and "laptop" in v.claim.tiers}
    assert len(bare) >= 11
    assert {found[i].status for i in bare} == {"untested"}


def test_every_finding_on_learned_spaces_has_its_precondition() -> None:
    assert {c.id for c in CLAIMS if not c.given and c.kind == "finding"} == {
        "C4a",
        "C4b",
        *(f"C5{x}" for x in "abcdef"),
    }


def test_settings_are_planned_within_their_means() -> None:
    for tier in TIERS:
        found = settings(tier)
        assert len(set(found)) == len(found)
        assert all(needs(s).minutes > 0 for s in found)
    assert sum(needs(s).minutes * STUDY.seeds["laptop"] for s in settings("laptop")) <= 20
    for setting in settings("paper"):
        changed = {k for k, v in values_of(setting).items() if values_of(rehearse(setting))[k] != v}
        sizes = [
            "train",
            "tested",
            "draws",
            "sampled",
            "data",
            "members",
            "together",
            "width",
            "channels",
            "epochs",
            "batch",
        ]
        assert changed <= set(sizes)


# --- networks


def setting(**changed: object) -> Ensemble:
    return replace(Ensemble(("mlp",), train=40, tested=20, members=3, together=2, width=6, channels=(3, 5), epochs=6, batch=10), **changed)  # type: ignore[arg-type] # fmt: skip


def dense(weights: list[torch.Tensor], i: int) -> nn.Sequential:
    parts: list[nn.Module] = []
    for w, b in zip(weights[::2], weights[1::2], strict=True):
        layer = nn.Linear(w.shape[1], w.shape[2])
        layer.weight.data, layer.bias.data = w[i].detach().T.clone(), b[i, 0].detach().clone()
        parts += [layer, nn.ReLU()]
    return nn.Sequential(nn.Flatten(), *parts[:-1])


def convolved(weights: list[torch.Tensor], i: int, channels: int) -> nn.Sequential:
    parts: list[nn.Module] = []
    for w, b in zip(weights[:-2:2], weights[1:-2:2], strict=True):
        layer = nn.Conv2d(channels, w.shape[2], 3, padding=1, stride=2)
        layer.weight.data = w[i].detach().T.reshape(w.shape[2], channels, 3, 3).clone()
        layer.bias.data = b[i, 0].detach().clone()
        parts += [layer, nn.ReLU()]
        channels = w.shape[2]
    return nn.Sequential(*parts, *dense(weights[-2:], i))


@pytest.mark.parametrize("name", nets.NAMES)
@pytest.mark.parametrize("picture", [(1, 8, 8), (3, 9, 9)])
def test_a_member_is_torchs_network(name: str, picture: tuple[int, ...]) -> None:
    stack = nets.Stack(name, setting(), picture, 4)
    weights = stack.weights(3, np.random.default_rng(0), "cpu")
    x = torch.randn(3, 5, *picture)
    found = stack.outputs(weights, x)
    for i in range(3):
        net = convolved(weights, i, picture[0]) if name == "cnn" else dense(weights, i)
        assert torch.allclose(found[i], net(x[i]), atol=1e-5)
    assert [len(w) for w in weights] == [3] * len(weights)


def test_widths_and_depths() -> None:
    shapes = {n: nets.Stack(n, setting(width=8), (1, 2, 2), 3).shapes for n in ("mlp", "narrow", "deep")}
    assert shapes["mlp"] == [(4, 8), (8, 8), (8, 3)]
    assert shapes["narrow"] == [(4, 4), (4, 4), (4, 3)]
    assert shapes["deep"] == [(4, 8), (8, 8), (8, 8), (8, 8), (8, 3)]


def test_members_learn_as_they_would_alone() -> None:
    """Six epochs of one stack against Adam on each member's own network, batch by batch."""
    rng, how = np.random.default_rng(1), setting(together=3)
    x, y = rng.normal(size=(40, 1, 2, 2)).astype(np.float32), rng.normal(size=(40, 3)).astype(np.float32)
    lab = Lab.alone()
    found = nets.trained("mlp", how, (x, y), (x[:20], y[:20]), lab)
    first = nets.Stack("mlp", how, (1, 2, 2), 3).weights(3, lab.rng("weights", "mlp", 0), "cpu")
    batches = list(nets._batches(40, 3, how, lab.rng("order", "mlp", 0)))
    for i in range(3):
        net = dense(first, i)
        optimizer = torch.optim.Adam(net.parameters(), how.lr)
        for batch in batches:
            loss = (net(torch.from_numpy(x[batch[i]])) - torch.from_numpy(y[batch[i]])).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            out = net(torch.from_numpy(x)).numpy()
        assert found.taught[i] == pytest.approx(((out - y) ** 2).mean(), rel=1e-4)
        assert found.tested[i] == pytest.approx(((out - y) ** 2)[:20].mean(), rel=1e-4)
        assert found.right[i] == pytest.approx((out.argmax(1) == y.argmax(1))[:20].mean())


def test_every_epoch_shows_every_example_once() -> None:
    batches = [b.numpy() for b in islice(nets._batches(12, 2, setting(batch=4), np.random.default_rng(0)), 6)]
    for member in range(2):
        for epoch in (batches[:3], batches[3:]):
            assert sorted(np.concatenate([b[member] for b in epoch])) == list(range(12))
    assert (batches[0][0] != batches[0][1]).any()
    with pytest.raises(Invalid, match="batch=13"):
        next(nets._batches(12, 1, setting(batch=13), np.random.default_rng(0)))


# --- trials


def test_targets_worked_by_hand() -> None:
    found = ensembles.targets({"mlp": np.array([1.0, 2.0, 4.0]), "cnn": np.array([0.1, 0.2, 0.5])})
    assert found["mlp"], found["cnn"] == (2.0, 0.2)
    assert found["mlp and cnn"] == pytest.approx(0.75)
    assert found["far"] == FAR
    assert "mlp and deep" not in found


def test_moved_digits_are_whole_and_somewhere() -> None:
    whole = digits().take(np.arange(50))
    found = ensembles.moved(whole, np.random.default_rng(0))
    assert found.pixels.shape == (50, 1, 10, 10)
    assert np.allclose(found.pixels.sum((1, 2, 3)), whole.pixels.sum((1, 2, 3)))
    assert len({tuple(np.argwhere(p[0]).min(0)) for p in found.pixels}) > 5


def test_a_sphere_yields_what_claims_read() -> None:
    rows = list(trial.run(Sphere(6, train=60, tested=30, draws=2, sampled=300), Lab.alone()))
    assert {r.measure for r in rows} >= {"bits", "unreachable", "mean_loss", "oracle_error"}
    assert rows == list(trial.run(Sphere(6, train=60, tested=30, draws=2, sampled=300), Lab.alone()))
    by = {(r.measure, *r.at.values()): r.value for r in rows}
    assert by["bits", 0.4] <= by["bits", 0.1] <= by["bits", 0.02]
    assert by["oracle_error",] < 0.02


def test_random_labels_need_more_bits() -> None:
    found = {k: list(trial.run(Sphere(6, train=100, tested=50, draws=2, labels=k), Lab.alone())) for k in ("real", "random")}  # type: ignore[arg-type] # fmt: skip
    real, random = ([r.value for r in rows if r.measure == "bits"] for rows in found.values())
    assert all(a <= b for a, b in zip(real, random, strict=True))


def test_estimates_of_a_law_that_is_known() -> None:
    assert spheres._off_chi_square(100) < 0.01
    rows = list(spheres.run(Sphere(8, draws=1, sampled=1000), Lab.alone()))
    off = {r.at["fit"]: r.value for r in rows if r.measure == "relative_error"}
    if off:  # the draw's exact bits lie between 1 and 100
        assert off["whole"] < 0.1
        assert set(off) == {"whole", "cumulants", "ncx2", "gamma", "lognormal", "mle"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The digits as a folder that `datasets` saved, as MNIST and CIFAR-10 may be given."""
    datasets = pytest.importorskip("datasets")
    pillow = pytest.importorskip("PIL.Image")
    whole = digits().take(np.arange(240))
    images = [pillow.fromarray((p[0] * 255).astype(np.uint8)) for p in whole.pixels]
    told = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(num_classes=10)})
    parts = {"train": slice(0, 160), "test": slice(160, 240)}
    held = {s: datasets.Dataset.from_dict({"image": images[p], "label": whole.labels[p].tolist()}, told) for s, p in parts.items()}  # fmt: skip
    path = tmp_path_factory.mktemp("pictures") / "mnist"
    datasets.DatasetDict(held).save_to_disk(str(path))
    return path


def test_the_papers_pictures_run_from_a_local_folder(folder: Path) -> None:
    whole = next(s for s in settings("paper") if isinstance(s, Ensemble) and s.data == "ylecun/mnist")
    small = replace(rehearse(whole), data=str(folder), side=8)
    assert isinstance(small, Ensemble)
    rows = list(trial.run(small, Lab.alone()))
    spaces = {r.at["space"] for r in rows if r.measure == "bits"}
    assert spaces == set(small.spaces)
    assert {r.at["target"] for r in rows if r.measure == "bits"} >= {"mlp", "cnn", "mlp and cnn", "0.08"}
    assert all(math.isfinite(r.value) for r in rows)
    with pytest.raises(Invalid, match="lower train or tested"):
        list(trial.run(replace(small, train=1000), Lab.alone()))


def test_a_space_that_is_none_is_an_error() -> None:
    with pytest.raises(Invalid, match="spaces=tree"):
        list(trial.run(setting(spaces=("tree",)), Lab.alone()))
    with pytest.raises(Invalid, match="lower train or tested"):
        list(trial.run(setting(train=1790), Lab.alone()))


def test_equal_seeds_train_equal_networks() -> None:
    run: Callable[[], list[Row]] = lambda: list(trial.run(setting(spaces=("mlp", "cnn"), members=8), Lab.alone()))  # noqa: E731
    assert run() == run()
