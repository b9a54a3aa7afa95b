"""The networks of multimodal reasoning against plain PyTorch with their weights, and what their trial yields."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unseen.core.errors import Invalid
from unseen.core.lab import Lab
from unseen.core.record import Records
from unseen.methods import fit
from unseen.studies.multimodal_reasoning import learned, nets, trial
from unseen.studies.multimodal_reasoning.arms import Learned
from unseen.studies.multimodal_reasoning.families import halves
from unseen.studies.multimodal_reasoning.nets import Net
from unseen.studies.multimodal_reasoning.shape import Kind, Shape
from unseen.studies.multimodal_reasoning.tasks import family_of
from unseen.studies.multimodal_reasoning.world import OPERATORS

SIZES = {"rule": 7, "stim": 4, "nodes": 4, "cells": 9, "classes": 11, "width": 8}
SHAPES: dict[str, Shape] = {
    "rnn": Shape("rnn", **SIZES),
    "gru": Shape("gru", **SIZES),
    "single": Shape("single", **SIZES, layers=3, heads=2),
    "single learned": Shape("single", **SIZES, layers=2, places="learned"),
    "dual": Shape("dual", **SIZES, heads=2),
    "dual relative": Shape("dual", **SIZES, heads=2, positions="relative"),
    "cross": Shape("cross", **SIZES, heads=2),
    "cross learned": Shape("cross", **SIZES, heads=2, places="learned"),
    "cross relative": Shape("cross", **SIZES, positions="relative"),
    "perceiver": Shape("perceiver", **SIZES, heads=2),
    "perceiver as released": Shape("perceiver", **SIZES, latents="zero"),
}


def begun(name: str, seeds: tuple[int, ...] = (0, 1)) -> Net:
    """Networks whose biases and norms have left their beginnings, so that none can be forgotten."""
    models = nets.stack(SHAPES[name], seeds=seeds)
    with torch.no_grad():
        for i, seed in enumerate(seeds):
            models.flat[i].add_(0.1 * torch.randn(models.flat.shape[1], generator=torch.Generator().manual_seed(seed)))
    return models


def drawn(seeds: int = 2, n: int = 5) -> tuple[Tensor, Tensor, Tensor]:
    """Questions of different lengths, what stands after their ends being noise, and scenes."""
    made = torch.Generator().manual_seed(7)
    last = torch.randint(1, 5, (seeds, n), generator=made)
    return torch.randn(seeds, n, 5, 7, generator=made), torch.randn(seeds, n, 10, 4, generator=made), last


class Plain:
    """One member as PyTorch modules, one item at a time: no padding, no masks."""

    def __init__(self, models: Net, s: int) -> None:
        self.models, self.s, self.shape = models, s, models.shape

    def of(self, name: str) -> Tensor:
        return self.models.w(name)[self.s].detach()

    def linear(self, name: str) -> nn.Linear:
        weight = self.of(f"{name}.weight")
        made = nn.Linear(*weight.shape)
        made.load_state_dict({"weight": weight.T, "bias": self.of(f"{name}.bias")})
        return made

    def norm(self, name: str) -> nn.LayerNorm:
        made = nn.LayerNorm(len(self.of(f"{name}.gain")))
        made.load_state_dict({"weight": self.of(f"{name}.gain"), "bias": self.of(f"{name}.bias")})
        return made

    def heads(self, name: str) -> nn.MultiheadAttention:
        made = nn.MultiheadAttention(self.shape.width, self.shape.heads, batch_first=True)
        out = self.linear(f"{name}.out").state_dict()
        told = {"in_proj_weight": self.of(f"{name}.qkv.weight").T, "in_proj_bias": self.of(f"{name}.qkv.bias")}
        made.load_state_dict({**told, "out_proj.weight": out["weight"], "out_proj.bias": out["bias"]})
        return made

    def attend(self, x: Tensor, y: Tensor, name: str) -> Tensor:
        return self.heads(name)(x, y, y, need_weights=False)[0]

    def block(self, x: Tensor, name: str, act: Any = F.relu) -> Tensor:
        seen = self.near(x, name) if f"{name}.near" in self.models.names else self.attend(x, x, name)
        x = self.norm(f"{name}.norm1")(seen + x)
        return self.norm(f"{name}.norm2")(act(self.linear(f"{name}.down")(act(self.linear(f"{name}.up")(x)))) + x)

    def near(self, x: Tensor, name: str) -> Tensor:
        """Causal attention with an embedding for every distance back, by loops."""
        d, heads, t = self.shape.width, self.shape.heads, x.shape[1]
        e, table = d // heads, self.of(f"{name}.near")
        q, k, v = (x[0] @ self.of(f"{name}.qkv.weight") + self.of(f"{name}.qkv.bias")).split(d, 1)
        rows = []
        for i in range(t):
            told = []
            for h in range(heads):
                at = slice(h * e, (h + 1) * e)
                scores = torch.stack([q[i, at] @ (k[j, at] + table[len(table) - 1 - (i - j)]) for j in range(i + 1)])
                told.append((scores / e**0.5).softmax(0) @ v[: i + 1, at])
            rows.append(torch.cat(told))
        return torch.stack(rows)[None]

    def embedded(self, x: Tensor, name: str) -> Tensor:
        x = self.linear(f"{name}.embed")(x)
        if name == "rule" and self.shape.positions == "relative":
            return x
        return x + (self.of("stim.place") if name == "stim" and self.shape.places == "learned" else sinusoids(x.shape[1], x.shape[2]))  # fmt: skip

    def answer(self, rule: Tensor, stim: Tensor) -> Tensor:
        """The logits of one item; rule [1 token feature] ends where its question does."""
        kind = self.shape.kind
        if kind in ("rnn", "gru"):
            hidden = self.recurrent(rule, stim)
        elif kind == "single":
            hidden = self.single(rule, stim)
        else:
            one = self.block(self.embedded(rule, "rule"), "rule")
            other = self.block(self.embedded(stim, "stim"), "stim")
            hidden = {"dual": self.dual, "cross": self.cross, "perceiver": self.perceiver}[kind](one, other)
        return self.linear("read")(hidden)[0]

    def recurrent(self, rule: Tensor, stim: Tensor) -> Tensor:
        h = self.shape.width
        made = nn.GRU if self.shape.kind == "gru" else nn.RNN
        more = {} if self.shape.kind == "gru" else {"nonlinearity": "relu"}
        plain = made(rule.shape[2] + stim[0].numel(), h, batch_first=True, **more)
        into = torch.cat([self.of("in.rule"), self.of("in.stim")]).T
        plain.load_state_dict(
            {"weight_ih_l0": into, "weight_hh_l0": self.of("back.weight").T, "bias_ih_l0": self.of("in.bias"), "bias_hh_l0": self.of("back.bias")}
        )  # fmt: skip
        steps = torch.cat([rule, stim.reshape(1, 1, -1).expand(1, rule.shape[1], -1)], 2)
        return self.norm("norm")(plain(steps)[0][:, -1])

    def single(self, rule: Tensor, stim: Tensor) -> Tensor:
        both = torch.zeros(1, rule.shape[1] + stim.shape[1], rule.shape[2] + stim.shape[2])
        both[:, : rule.shape[1], : rule.shape[2]] = rule
        both[:, rule.shape[1] :, rule.shape[2] :] = stim
        x = self.linear("both.embed")(both)
        for i in range(self.shape.layers):
            x = self.block(x + self.places(rule.shape[1], x), f"layers.{i}", F.gelu)
        return x[:, -1]

    def places(self, asked: int, x: Tensor) -> Tensor:
        """Positions of a stream in which questions are filled up to five tokens, of which those beyond are left out."""
        whole = sinusoids(5 + x.shape[1] - asked, x.shape[2])
        if self.shape.places == "learned":
            return torch.cat([whole[:asked], self.of("stim.place")])
        return torch.cat([whole[:asked], whole[5:]])

    def dual(self, one: Tensor, other: Tensor) -> Tensor:
        x = F.relu(self.linear("rule.last")(one[:, -1])) + F.relu(self.linear("stim.last")(other[:, -1]))
        x = self.norm("joined")(x)
        for i in range(3):
            x = F.relu(self.linear(f"mlp.{i}")(x))
        return self.norm("norm")(x)

    def cross(self, one: Tensor, other: Tensor) -> Tensor:
        x = self.norm("crossed")(self.attend(one, other, "cross")) + one
        for i in range(2):
            x = F.relu(self.linear(f"mlp.{i}")(x))
        return self.norm("norm")(x)[:, -1]

    def perceiver(self, one: Tensor, other: Tensor) -> Tensor:
        latents = self.of("latents")[None] if self.shape.latents == "learned" else torch.zeros(1, 10, self.shape.width)
        for name, told in (("ask_rule", one), ("ask_stim", other)):
            x = self.norm(f"{name}.norm")(self.attend(latents, told, name))
            x = F.relu(self.linear(f"{name}.up")(x)) + x
            latents = self.norm("latent")(x + latents)
            latents = self.norm("latent")(self.attend(latents, latents, "within") + latents)
        return F.relu(self.linear("latent.up")(latents))[:, -1]


def sinusoids(t: int, d: int) -> Tensor:
    """Positions, one number at a time."""
    angle = [[place / 10_000 ** (2 * (i // 2) / d) for i in range(d)] for place in range(t)]
    return torch.tensor([[np.cos(a) if i % 2 else np.sin(a) for i, a in enumerate(row)] for row in angle]).float()


@pytest.mark.parametrize("name", SHAPES)
def test_a_network_is_plain_pytorch(name: str) -> None:
    models = begun(name)
    rule, stim, last = drawn()
    with torch.no_grad():
        found = models(rule, stim, last)
        for s in range(2):
            plain = Plain(models, s)
            for i in range(5):
                wanted = plain.answer(rule[s, i : i + 1, : int(last[s, i]) + 1], stim[s, i : i + 1])
                assert torch.allclose(found[s, i], wanted, atol=1e-5, rtol=1e-5), (s, i)


@pytest.mark.parametrize("name", SHAPES)
def test_what_stands_after_a_questions_end_is_never_read(name: str) -> None:
    models = begun(name)
    rule, stim, last = drawn()
    beyond = (torch.arange(5) > last[..., None])[..., None]
    with torch.no_grad():
        assert torch.allclose(models(rule, stim, last), models(rule.masked_fill(beyond, 9.0), stim, last), atol=1e-5)
        assert not torch.allclose(models(rule, stim, last), models(rule * 1.5, stim, last), atol=1e-3)
        assert not torch.allclose(models(rule, stim, last), models(rule, stim * 1.5, last), atol=1e-3)


@pytest.mark.parametrize("name", SHAPES)
def test_all_weights_learn_and_members_are_by_themselves(name: str) -> None:
    both, alone = nets.stack(SHAPES[name], seeds=(0, 1)), nets.stack(SHAPES[name], seeds=(1,))
    assert torch.equal(both.flat[1], alone.flat[0])
    before = both.flat.clone()
    given = (*drawn(), torch.randint(0, 11, (2, 5), generator=torch.Generator().manual_seed(0)))
    recipe = fit.Recipe(batch=5, warmup=2, precision="float32", weight_decay=0.0)
    for models, its in ((both, slice(0, 2)), (alone, slice(1, 2))):
        told = tuple(x[its] for x in given)
        for _ in fit.train(models, lambda step: told, nets.losses, steps=5, every=5, recipe=recipe, lab=Lab.alone(seeds=models.seeds)):  # noqa: B023 # fmt: skip
            pass
    rule, stim, last = drawn()
    with torch.no_grad():  # what they say, for the bias of keys changes nothing and moves by rounding alone
        assert torch.allclose(both(rule, stim, last)[1], alone(rule[1:], stim[1:], last[1:])[0], atol=1e-4)
    for weight in both.names:
        assert not torch.equal(both.w(weight), Net(both.shape, both.seeds, before).w(weight)), weight
    assert both.part(1, 2).flat.data_ptr() == both.flat[1].data_ptr()


def test_matrices_come_before_vectors() -> None:
    for name in SHAPES:
        models = begun(name)
        marked = Net(models.shape, models.seeds, torch.arange(models.parameters_each).expand(2, -1).float())
        for weight in marked.names:
            assert (marked.w(weight).max() < marked.decayed) == (marked.w(weight).dim() > 2), weight
        assert sum(marked.w(n)[0].numel() for n in marked.names) == models.parameters_each


def test_losses_are_cross_entropies() -> None:
    models = begun("cross")
    rule, stim, last = drawn()
    answer = torch.arange(10).view(2, 5)
    with torch.no_grad():
        shares = models(rule, stim, last).softmax(-1)
        wanted = [-np.mean([float(shares[s, i, answer[s, i]].log()) for i in range(5)]) for s in (0, 1)]
        assert nets.losses(models, rule, stim, last, answer).tolist() == pytest.approx(wanted, rel=1e-4)


def test_latents_that_begin_at_zero_are_one() -> None:
    record: dict[str, Tensor] = {}
    with torch.no_grad():
        begun("perceiver as released")(*drawn(), record)
        assert (record["latents"] - record["latents"][:, :, :1]).abs().max() < 1e-6
        begun("perceiver")(*drawn(), record)
        assert (record["latents"] - record["latents"][:, :, :1]).abs().max() > 0.1


def test_mistakes_name_what_is_wrong() -> None:
    with pytest.raises(Invalid, match="width=9"):
        Shape("cross", **{**SIZES, "width": 9})
    with pytest.raises(Invalid, match="positions=relative"):
        Shape("single", **SIZES, positions="relative")
    with pytest.raises(Invalid, match="layers=2"):
        Shape("cross", **SIZES, layers=2)
    models = begun("cross")
    with pytest.raises(Invalid, match="make it larger"):
        models(torch.zeros(2, 1, 8, 7), torch.zeros(2, 1, 10, 4), torch.ones(2, 1, dtype=torch.long))


# the trial

ONE = Learned("distractor", "cross", (8, 12), 4, 4, 4, 4, 3, width=16, steps=8, batch=16, lr=2e-3, warmup=2, items=60)  # fmt: skip


def rows(setting: Learned, seeds: tuple[int, ...] = (0, 1)) -> Records:
    return Records.of([({"setting": "Learned"}, int(r.seed or 0), r) for r in trial.run(setting, Lab.alone(seeds=seeds))])  # type: ignore[union-attr] # fmt: skip


@pytest.mark.parametrize("kind", ["rnn", "gru", "single", "dual", "cross", "perceiver"])
def test_every_kind_yields_every_split(kind: Kind) -> None:
    found = rows(replace(ONE, kind=kind, part="productive", tests=(5,), side=6, queried=4))
    assert {r["split"] for r in found} == {"trained depths", "depth 5"}
    wanted = {"accuracy", "kappa", "by_operator", "untrained"}
    assert set(found.columns["measure"].present()) == wanted | {"cross": {"looked"}, "perceiver": {"latents_apart"}}.get(kind, set())  # fmt: skip


def test_kappa_and_operators_agree_with_accuracy() -> None:
    found, world = rows(ONE).final, family_of(ONE).world
    for split in ("0 to 3 distractors", "12 distractors"):
        for seed in (0, 1):
            here = found.where(split=split, seed=seed)
            by = here.where(measure="by_operator")
            n, hits = by.column("n"), by.column("n") * by.value
            assert hits.sum() / n.sum() == pytest.approx(here.mean("accuracy"))
            guess = np.array([world.guess()[OPERATORS.index(o)] for o in by.column("operator")])
            assert ((hits - n * guess) / (1 - guess)).sum() / n.sum() == pytest.approx(here.mean("kappa"))
    assert len(set(found.where(measure="accuracy", split="8 distractors").column("drawn"))) == 2  # seeds have their own


def test_a_seed_is_the_same_alone_and_in_a_block() -> None:
    both, alone = rows(replace(ONE, steps=3)), rows(replace(ONE, steps=3), seeds=(1,))
    told = [r["value"] for r in both if r["seed"] == 1]
    assert told == pytest.approx([r["value"] for r in alone], abs=0.05)


def test_attention_is_counted_on_the_cells_asked_about() -> None:
    family = family_of(ONE)
    lab = Lab.alone(seeds=(0, 1))
    test = learned.drawn(ONE, family, family.splits[0], lab)
    shares = torch.zeros(2, 60, 1, 1, 17)
    for s in (0, 1):
        items = test.items[s][0]
        for i in range(60):
            shares[s, i, 0, 0, items.cell[i, 0, 0]] = 0.25 if items.cell[i, 0, 0] >= 0 else 0
    found = list(learned._looked(test, [{"cross.weights": shares}], 3, lab))
    assert [r.value for r in found] == [0.25, 0.25]
    gone = [int((test.items[s][0].cell[:, 0, 0] < 0).sum()) for s in (0, 1)]
    assert [r.n for r in found] == [60 - g for g in gone] and max(gone) > 0


def test_shuffled_answers_keep_what_an_operator_says() -> None:
    rng = np.random.default_rng(0)
    operator, answers = rng.integers(0, 3, 300), rng.integers(0, 50, 300)
    found = learned.shuffled(answers, operator, rng)
    for op in range(3):
        assert sorted(found[operator == op]) == sorted(answers[operator == op])
    assert (found != answers).mean() > 0.8


def test_pairs_that_leak_are_told_apart() -> None:
    setting = replace(ONE, part="opsys", fidelity="as_released", tests=())
    family = family_of(setting)
    items = family.draw("new pairs", 400, np.random.default_rng(0))
    known = learned._trained(items, family)
    op, shape, colour = items[0].trees.op[:, 0], items[0].trees.shape[:, 0, 0], items[0].trees.colour[:, 0, 0]
    shared = {tuple(x) for x in halves(family.world, "as_released")[0].tolist()} & {tuple(x) for x in halves(family.world, "as_released")[1].tolist()}  # fmt: skip
    assert known.tolist() == [(s, c) in shared for s, c in zip(shape.tolist(), colour.tolist(), strict=True)]
    assert 0.4 < known.mean() < 0.6 and len(set(op.tolist())) == 8
    found = rows(setting).final.where(measure="by_pair")
    assert set(found.column("pair")) == {"trained", "never trained"}


@pytest.mark.slow
def test_cross_attention_learns_to_find_a_colour() -> None:
    """On a small grid, three of four looked-up attributes within some hundred steps; untrained it knows nothing."""
    setting = replace(ONE, width=32, steps=600, batch=64, lr=3e-3, warmup=20, items=300)
    found = rows(setting, seeds=(0,)).final.where(split="0 to 3 distractors", measure="by_operator")
    told = dict(zip(found.column("operator"), found.value, strict=True))
    assert told["getcolor"] > 0.75 and told["getshape"] > 0.75
