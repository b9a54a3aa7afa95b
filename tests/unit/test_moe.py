"""Stacked mixtures of experts: what they compute, against transformers' OLMoE and experts written out one by one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from unseen.core.errors import Invalid, Missing
from unseen.core.lab import Lab
from unseen.measures import exact
from unseen.methods import fit
from unseen.models import exporting_moe, moe
from unseen.models.moe import Mixture
from unseen.tasks import copying


def lively(seeds: tuple[int, ...] = (0, 1, 2), **sizes: object) -> Mixture:
    """Mixtures with weights large enough that everything they read matters, gains too."""
    how = {"width": 16, "layers": 2, "heads": 2, "context": 24, "experts": 6, "active": 2, "hidden": 8} | sizes
    models = moe.stack(13, seeds=seeds, **how)  # type: ignore[arg-type]
    with torch.no_grad():
        for row, seed in zip(models.flat, seeds, strict=True):
            row.add_(0.2 * torch.randn(row.shape, generator=torch.Generator().manual_seed(seed)))
    return models


def tokens(*shape: int, seed: int = 0) -> Tensor:
    return torch.randint(1, 13, shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("normalised", [False, True])
@pytest.mark.parametrize("batch,length", [(1, 1), (3, 20)])
@torch.no_grad()
def test_logits_are_those_of_transformers(normalised: bool, batch: int, length: int) -> None:
    models = lively(normalised=normalised)
    given = tokens(3, batch, length)
    routing: list[Tensor] = []
    ours = models.logits(models(given, routing=routing))
    for i, one in enumerate(moe.members(models)):
        theirs = exporting_moe.pretrained(one)
        assert type(theirs).__name__ == "OlmoeForCausalLM"
        told = theirs(given[i], output_router_logits=True)
        assert float((told.logits - ours[i]).abs().max()) <= 1e-5 and float(told.logits.std()) > 0.05
        for layer, logits in zip(routing, told.router_logits, strict=True):
            assert torch.allclose(layer[i].flatten(0, 1), logits.softmax(-1), atol=1e-6)


def test_features_that_transformers_cannot_multiply_are_refused() -> None:
    with pytest.raises(Invalid, match="16 bytes"):
        exporting_moe.pretrained(lively((0,), hidden=10))


@torch.no_grad()
def test_experts_are_those_written_out_token_by_token() -> None:
    models = lively((4,))
    x, router = torch.randn(1, 9, 16, generator=torch.Generator().manual_seed(1)), models.w("layers.0.router")[0]
    shares = models._shares(0, x)
    found = models._experts(0, x, shares)
    for row in range(9):
        probability = (router @ x[0, row]).softmax(0)
        wanted = torch.zeros(16)
        for k in sorted(range(6), key=lambda k: -float(probability[k]))[:2]:
            gate, up = (x[0, row] @ models.w("layers.0.up")[0, k]).chunk(2)
            wanted += probability[k] * ((F.silu(gate) * up) @ models.w("layers.0.down")[0, k])
        assert torch.allclose(found[0, row], wanted, atol=1e-5)


def test_one_expert_may_get_all_tokens() -> None:
    chosen = torch.zeros(2, 11, 1, dtype=torch.long)
    slot, room = moe._rooms(chosen, experts=4)
    assert room == 16 and slot[0, :, 0].tolist() == list(range(11)) and slot[1, :, 0].tolist() == list(range(64, 75))


def test_each_member_computes_what_it_computes_alone() -> None:
    models, given = lively(), tokens(3, 5, 20)
    whole = models(given)
    for i, one in enumerate(moe.members(models)):
        assert torch.allclose(one(given[i : i + 1])[0], whole[i], atol=1e-5)
    alone = moe.stack(13, width=16, seeds=(9,), spread=2.0)
    assert torch.equal(moe.stack(13, width=16, seeds=(4, 9), spread=2.0).flat[1], alone.flat[0])
    first = models.part(0, 2)
    with torch.no_grad():
        models.flat.zero_()
    assert first.seeds == (0, 1) and bool((first.w("embed") == 0).all())


def test_places_that_are_kept_are_those_of_the_whole() -> None:
    models, given = lively(), tokens(3, 4, 10)
    keep = torch.tensor([[0, 9, 17], [3, 3, 39], [11, 12, 13]])
    record: dict[str, Tensor] = {}
    whole = models(given, record=record).flatten(1, 2)
    assert torch.allclose(
        models(given, keep=keep), torch.gather(whole, 1, keep[..., None].expand(-1, -1, 16)), atol=1e-5
    )
    routing: list[Tensor] = []
    models(given, keep=keep, routing=routing)
    read = record["layers.1.routed"].flatten(1, 2)
    again = torch.bmm(read, models.w("layers.1.router").transpose(1, 2)).softmax(-1)
    assert torch.allclose(routing[1].flatten(1, 2), again, atol=1e-6)


def test_no_token_sees_what_follows() -> None:
    models, given = lively(), tokens(3, 2, 12)
    other = given.clone()
    other[:, :, 8:] = other[:, :, 8:] % 12 + 1
    with torch.no_grad():
        before, after = models(given), models(other)
    assert torch.allclose(before[:, :, :8], after[:, :, :8], atol=1e-5)
    assert float((before[:, :, 8:] - after[:, :, 8:]).abs().amax(-1).min()) > 1e-3


def test_imbalance_is_that_of_transformers_and_leaves_padding_out() -> None:
    from transformers.models.olmoe.modeling_olmoe import load_balancing_loss_func

    shares = torch.randn(2, 3, 5, 6, generator=torch.Generator().manual_seed(0)).softmax(-1)
    real = torch.ones(2, 3, 5, dtype=torch.bool)
    real[1, 2, 3:] = False
    found = moe.imbalance(shares, real, active=2)
    for i in range(2):
        wanted = load_balancing_loss_func((shares[i].log().flatten(0, 1),), 6, 2, real[i].int())
        assert float(found[i]) == pytest.approx(float(wanted), rel=1e-5)
    even = torch.eye(6).repeat(2, 1)[None, None] + torch.eye(6).roll(1, 1).repeat(2, 1)[None, None]
    assert float(moe.imbalance(even / 2, torch.ones(1, 1, 12, dtype=torch.bool), 2)) == pytest.approx(2.0)


def test_training_adds_the_load_balancing_loss() -> None:
    models = lively((0, 1))
    given = tokens(2, 4, 9)
    keep, weight = torch.tensor([[2, 5, 11]]).expand(2, -1), torch.full((2, 3), 1 / 3)
    found = fit.answer_losses(models, given, None, keep, weight)
    free = Mixture(replace(models.shape, balance=0.0), models.seeds, flat=models.flat)
    routing: list[Tensor] = []
    models(given[:, :, :-1], routing=routing)
    uneven = torch.stack([moe.imbalance(r, given[:, :, :-1] != 0, 2) for r in routing]).mean(0)
    assert torch.allclose(found, fit.answer_losses(free, given, None, keep, weight) + 0.01 * uneven, atol=1e-6)


def trained(seeds: tuple[int, ...], steps: int, **sizes: object) -> tuple[Mixture, Tensor, list[float]]:
    """Mixtures after training on copying, their routers before, and what was right on the way."""
    task, lab = copying.copies(4, (5,), "repeat"), Lab.alone(seeds)
    models = moe.stack(
        task.vocab,
        width=32,
        layers=2,
        heads=2,
        context=24,
        experts=4,
        hidden=32,
        spread=4.0,
        seeds=seeds,
        lab=lab,
        **sizes,
    )  # type: ignore[arg-type]
    before, right = models.routers().detach().clone(), list[float]()
    recipe = fit.Recipe(lr=5e-3, batch=32, warmup=10, precision="float32", weight_decay=0.1)
    for _ in fit.next_token(models, task, "train", steps=steps, every=steps // 2, recipe=recipe, lab=lab):
        right.append(float(np.mean(exact.greedy(models, task, task.splits[0], n=60, lab=lab).values)))
    return models, before, right


def test_mixtures_learn_stacked_as_they_learn_alone() -> None:
    models, before, right = trained((3, 5), 160)
    assert right[-1] > 0.9 and not torch.equal(models.routers(), before)
    short, _, _ = trained((3, 5), 6)
    alone, _, _ = trained((5,), 6)
    assert torch.allclose(short.flat[1], alone.flat[0], atol=1e-4)


def test_frozen_routers_stay_and_the_rest_learns() -> None:
    models, before, _ = trained((3,), 6, frozen=True)
    assert torch.equal(models.routers(), before)
    begun = moe.stack(
        models.shape.vocab, width=32, layers=2, heads=2, context=24, experts=4, hidden=32, spread=4.0, seeds=(3,)
    )
    assert not torch.equal(models.w("layers.0.up"), begun.w("layers.0.up"))


def test_saved_mixtures_load_and_open_in_transformers(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    models = lively((4, 11))
    moe.save(models, tmp_path / "kept")
    again = moe.load(tmp_path / "kept")
    assert torch.equal(again.flat, models.flat) and again.shape == models.shape and again.seeds == (4, 11)
    written = moe.export(tmp_path / "kept", tmp_path / "out")
    assert [path.name for path in written] == ["seed-4", "seed-11"]
    given = tokens(3, 12)
    with torch.no_grad():
        ours = models.logits(models(given.expand(2, 3, 12)))
        for i, path in enumerate(written):
            theirs = AutoModelForCausalLM.from_pretrained(str(path)).eval()(given).logits
            assert float((theirs - ours[i]).abs().max()) <= 1e-5


def test_what_is_no_mixture_is_told(tmp_path: Path) -> None:
    with pytest.raises(Missing, match=r"holds no mixture of experts \(weights.safetensors is not there\)"):
        moe.load(tmp_path)
    moe.save(lively((0,)), tmp_path)
    told = (tmp_path / "mixture.json").read_text()
    (tmp_path / "mixture.json").write_text(told.replace('"experts": 6', '"experts": 5'))
    with pytest.raises(Invalid, match="another version"):
        moe.load(tmp_path)


@pytest.mark.parametrize(
    "wrong,why",
    [
        ({"active": 9}, "more than the 6"),
        ({"heads": 16}, "even number"),
        ({"experts": 0}, "from 1"),
        ({"balance": -1.0}, "at least 0"),
    ],
)
def test_sizes_that_cannot_be_are_refused(wrong: dict[str, object], why: str) -> None:
    with pytest.raises(Invalid, match=why):
        lively((0,), **wrong)
