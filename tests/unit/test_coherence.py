"""Coherence against the Gram matrix of per-example gradients, cases worked by hand, and what it refuses."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unseen.core.errors import Invalid
from unseen.measures import coherence as module
from unseen.measures.coherence import Coherence, coherence, gradients, of_gradients, of_own_loss, stability_bound


def nll(out: Tensor, y: Tensor) -> Tensor:
    return F.cross_entropy(out, y, reduction="none")


class Transformer(nn.Module):
    """A causal language model with dropout, tied embeddings and PyTorch's own encoder layer."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(11, 16)
        self.place = nn.Parameter(0.1 * torch.randn(6, 16))
        self.block = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.1, batch_first=True, norm_first=True)
        self.head = nn.Linear(16, 11, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, tokens: Tensor) -> Tensor:
        mask = nn.Transformer.generate_square_subsequent_mask(tokens.shape[1])
        return self.head(self.block(self.embed(tokens) + self.place, src_mask=mask, is_causal=True))


def token_nll(out: Tensor, y: Tensor) -> Tensor:
    return F.cross_entropy(out.transpose(1, 2), y, reduction="none").mean(1)


def made(kind: str) -> tuple[nn.Module, Any, tuple[Tensor, Tensor]]:
    torch.manual_seed(3)
    if kind == "mlp":
        net = nn.Sequential(nn.Linear(7, 9), nn.ReLU(), nn.Linear(9, 9), nn.Tanh(), nn.Linear(9, 4))
        return net, nll, (torch.randn(23, 7), torch.randint(4, (23,)))
    if kind == "conv":
        norm = nn.BatchNorm2d(5)
        norm.running_mean.normal_()
        net = nn.Sequential(
            nn.Conv2d(2, 5, 3, padding=1), norm, nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(45, 3)
        )
        return net, nll, (torch.randn(17, 2, 6, 6), torch.randint(3, (17,)))
    if kind == "recurrent":  # which cannot be vectorised
        net = Recurrent()
        return net, nll, (torch.randn(9, 5, 4), torch.randint(3, (9,)))
    tokens = torch.randint(11, (13, 7))
    return Transformer(), token_nll, (tokens[:, :-1], tokens[:, 1:])


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.head = nn.GRU(4, 6, batch_first=True), nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        if bool(x.sum() > 1e9):  # reads the data, as vmap cannot
            raise RuntimeError("too large")
        return self.head(self.rnn(x)[0][:, -1])


def by_gram(model: nn.Module, loss: Any, x: Tensor, y: Tensor) -> dict[str, float]:
    """m-coherence of the whole ("") and of each layer: the sum of the Gram matrix over its trace, by plain backward."""
    rows: dict[str, list[np.ndarray]] = {}
    model.eval()
    for i in range(len(x)):
        model.zero_grad()
        loss(model(x[i : i + 1]), y[i : i + 1]).sum().backward()
        grads = {n: p.grad.double().numpy().ravel().copy() for n, p in model.named_parameters() if p.grad is not None}
        for name, g in grads.items():
            for key in ("", name.rpartition(".")[0] or name):
                rows.setdefault(f"{key}|{i}", []).append(g)
    found = {}
    for key in {k.split("|")[0] for k in rows}:
        g = np.stack([np.concatenate(rows[f"{key}|{i}"]) for i in range(len(x))])
        gram = g @ g.T
        found[key] = float(gram.sum() / np.trace(gram))
    return found


@pytest.mark.parametrize("kind", ["mlp", "conv", "transformer", "recurrent"])
@pytest.mark.parametrize("chunk", [None, 4])
def test_it_is_the_gram_matrix_summed_over_its_trace(kind: str, chunk: int | None) -> None:
    model, loss, (x, y) = made(kind)
    model.train()
    modes = [m.training for m in model.modules()]
    state, source = {k: v.clone() for k, v in model.state_dict().items()}, torch.get_rng_state()
    found = coherence(model, loss, (x, y), chunk=chunk)
    assert [m.training for m in model.modules()] == modes  # put back as it was
    assert all(torch.equal(v, state[k]) for k, v in model.state_dict().items())
    assert torch.equal(source, torch.get_rng_state())
    assert all(p.grad is None for p in model.parameters())
    wanted = by_gram(model, loss, x, y)
    assert found.m == len(x) and found.m_coherence == pytest.approx(wanted.pop(""), rel=1e-4)
    assert found.alpha == pytest.approx(found.m_coherence / found.m)
    assert {k: v.m_coherence for k, v in found.by_layer.items()} == pytest.approx(wanted, rel=1e-4)
    assert all(layer.m == len(x) and not layer.by_layer for layer in found.by_layer.values())


@pytest.mark.parametrize("kind", ["mlp", "transformer", "recurrent"])
def test_gradients_are_those_of_each_example(kind: str) -> None:
    model, loss, (x, y) = made(kind)
    parts = list(gradients(model, loss, (x, y), chunk=5))
    model.eval()
    for i in (0, len(x) - 1):
        model.zero_grad()
        loss(model(x[i : i + 1]), y[i : i + 1]).sum().backward()
        for name, p in model.named_parameters():
            assert p.grad is not None
            torch.testing.assert_close(torch.cat([g[name] for g in parts])[i], p.grad, rtol=1e-4, atol=1e-6)


def test_batches_one_after_another_are_one_sample() -> None:
    model, loss, (x, y) = made("mlp")
    whole = coherence(model, loss, (x, y))
    parts = of_gradients(g for i in (0, 9, 18) for g in gradients(model, loss, (x[i : i + 9], y[i : i + 9])))
    assert parts.m == whole.m == 23 and parts.m_coherence == pytest.approx(whole.m_coherence, rel=1e-5)
    assert parts.by_layer["2"].alpha == pytest.approx(whole.by_layer["2"].alpha, rel=1e-5)


def linear(m: int) -> nn.Linear:
    return nn.Linear(m, 1, bias=False)


def out_itself(out: Tensor, y: Tensor) -> Tensor:
    return out[:, 0] * y  # its gradient is y · x


def test_orthogonal_and_equal_and_opposed_gradients() -> None:
    m = 6
    orthogonal = coherence(linear(m), out_itself, (torch.eye(m), torch.tensor([1.0, -2, 3, 4, 5, 6])))
    assert orthogonal.m_coherence == pytest.approx(1) and orthogonal.alpha == pytest.approx(1 / m)
    assert orthogonal.unbiased == pytest.approx(0, abs=1e-7)
    equal = coherence(linear(m), out_itself, (torch.ones(m, m), torch.ones(m)))
    assert equal.m_coherence == pytest.approx(m) and equal.alpha == pytest.approx(1) == equal.unbiased
    opposed = coherence(linear(2), out_itself, (torch.ones(2, 2), torch.tensor([1.0, -1.0])))
    assert opposed.m_coherence == 0 and opposed.unbiased == pytest.approx(-1)
    by_hand = coherence(linear(2), out_itself, (torch.tensor([[1.0, 0], [1, 1], [0, 2]]), torch.ones(3)))
    assert by_hand.m_coherence == pytest.approx((4 + 9) / (1 + 2 + 4))  # S = (2, 3)
    alone = coherence(linear(2), out_itself, (torch.ones(1, 2), torch.ones(1)))
    assert alone.m_coherence == pytest.approx(1) and math.isnan(alone.unbiased)
    assert math.isnan(coherence(linear(2), out_itself, (torch.zeros(3, 2), torch.ones(3))).alpha)


def test_the_unbiased_estimate_is_that_of_all_examples_on_average() -> None:
    """Over many samples its numerator and denominator average to alpha of the whole; alpha of a sample does not."""
    g = torch.randn(400, 5) + 0.4
    net, rng = linear(5), np.random.default_rng(0)
    whole = coherence(net, out_itself, (g, torch.ones(400)))
    samples = [coherence(net, out_itself, (g[rng.choice(400, 8)], torch.ones(8))) for _ in range(400)]
    assert np.mean([s.unbiased for s in samples]) == pytest.approx(whole.alpha, abs=0.03)
    assert np.mean([s.alpha for s in samples]) > whole.alpha + 0.05


def test_frozen_parameters_are_left_out_and_tied_ones_counted_once() -> None:
    model, loss, (x, y) = made("mlp")
    model[0].requires_grad_(False)
    found = coherence(model, loss, (x, y))
    assert list(found.by_layer) == ["2", "4"]
    tied, loss, (x, y) = made("transformer")
    assert "head" not in coherence(tied, loss, (x, y)).by_layer


def test_half_precision_is_added_up_in_single() -> None:
    model, loss, (x, y) = made("mlp")
    exact = coherence(model, loss, (x, y)).m_coherence
    rough = coherence(model.bfloat16(), lambda out, y: loss(out.float(), y), (x.bfloat16(), y)).m_coherence
    assert rough == pytest.approx(exact, rel=0.05)


def test_what_it_refuses() -> None:
    model, loss, (x, y) = made("mlp")
    bad = x.clone()
    bad[4, 2] = math.nan
    with pytest.raises(Invalid, match="1 of 23 examples hold NaN or infinity, the first at place 4"):
        coherence(model, loss, (bad, y))
    with pytest.raises(Invalid, match="reduction='none'"):
        coherence(model, F.cross_entropy, (x, y))
    with pytest.raises(Invalid, match=r"the shape \[2, 4\]"):
        coherence(model, lambda out, y: out, (x, y))
    with pytest.raises(Invalid, match="ReLU has no parameters"):
        coherence(nn.ReLU(), loss, (x, y))
    with pytest.raises(Invalid, match="no parameters that require"):
        coherence(nn.Linear(7, 4).requires_grad_(False), loss, (x, y))
    with pytest.raises(Invalid, match="empty"):
        coherence(model, loss, (x[:0], y[:0]))
    with pytest.raises(Invalid, match="22 and 23 examples"):
        coherence(model, loss, (x, y[:-1]))
    with pytest.raises(Invalid, match="chunk=0"):
        coherence(model, loss, (x, y), chunk=0)
    with pytest.raises(Invalid, match="is not finite"):
        coherence(model, lambda out, y: loss(out, y) * math.inf, (x, y))
    with pytest.raises(Invalid, match="there is a ndarray"):
        coherence(model, loss, (x, y.numpy()))
    assert model.training
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        coherence(model, loss, (x[:, :3], y))


def test_the_bound_is_its_sum() -> None:
    alphas, rates = [0.0, 0.5, 1.0, 0.19], [0.1, 0.2, 0.3, 0.4]
    beta, m, steep = 0.7, 50, 2.0
    found = stability_bound(alphas, rates, m=m, lipschitz=steep, smoothness=beta)
    for T in range(1, 5):
        grown = [math.prod(1 + r * beta for r in rates[t + 1 : T]) for t in range(T)]
        wanted = sum(g * r * math.sqrt(2 * (1 - a)) for g, r, a in zip(grown, rates[:T], alphas[:T], strict=True))
        assert found[T - 1] == pytest.approx(steep**2 / m * wanted)
    with pytest.raises(Invalid, match="2 alphas for 1"):
        stability_bound([0.1, 0.2], [0.1], m=3)


def test_a_module_of_this_name_has_nothing_else() -> None:
    with pytest.raises(AttributeError, match="Watchful"):
        module.Watchful  # noqa: B018


# --- transformers


def tiny_gpt2() -> Any:
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    return GPT2LMHeadModel(GPT2Config(vocab_size=17, n_positions=12, n_embd=16, n_layer=1, n_head=2, resid_pdrop=0.1))


def tokens(n: int) -> dict[str, Tensor]:
    rng = torch.Generator().manual_seed(1)
    ids = torch.randint(17, (n, 8), generator=rng)
    return {"input_ids": ids, "labels": ids.clone()}


def test_models_that_say_their_own_loss() -> None:
    model, batch = tiny_gpt2(), tokens(7)
    found = of_own_loss(model, batch)

    def loss(out: Any, y: Tensor) -> Tensor:
        return F.cross_entropy(out.logits[:, :-1].transpose(1, 2), y[:, 1:], reduction="none").mean(1)

    wanted = by_gram(model, loss, batch["input_ids"], batch["labels"])
    assert found.m_coherence == pytest.approx(wanted[""], rel=1e-4)
    with pytest.raises(Invalid, match="gives no loss"):
        of_own_loss(model, {"input_ids": batch["input_ids"]})


def trained(folder: Path, *callbacks: Any) -> Any:
    from transformers import Trainer, TrainingArguments

    model, data = tiny_gpt2(), tokens(24)
    rows = [{k: v[i] for k, v in data.items()} for i in range(24)]
    args = TrainingArguments(
        str(folder), max_steps=6, per_device_train_batch_size=4, report_to=[], use_cpu=True, save_strategy="no",
        disable_tqdm=True, logging_strategy="no", seed=5, learning_rate=1e-2,
    )  # fmt: skip
    trainer = Trainer(model=model, args=args, train_dataset=rows, callbacks=list(callbacks))
    trainer.train()
    return trainer


def test_watch_measures_a_trainer_run_and_leaves_it_as_it_was(tmp_path: Path) -> None:
    batch = tokens(9)
    watch = module.Watch(batch, every=4)
    seen = trained(tmp_path / "a", watch)
    plain = trained(tmp_path / "b")
    assert [h["step"] for h in watch.history] == [0, 4, 6]
    first, last = of_own_loss(tiny_gpt2(), batch), of_own_loss(seen.model, batch)
    assert watch.history[0]["coherence/m_coherence"] == pytest.approx(first.m_coherence, rel=1e-5)
    assert watch.history[-1]["coherence/alpha"] == pytest.approx(last.alpha, rel=1e-5)
    assert [h for h in seen.state.log_history if "coherence/alpha" in h] == watch.history
    for a, b in zip(seen.model.parameters(), plain.model.parameters(), strict=True):
        assert torch.equal(a, b)


def test_watch_takes_measures_by_name(tmp_path: Path) -> None:
    from unseen.measures.watch import Watch, coherence_on

    batch = tokens(5)
    size = {"size": lambda model: float(sum(p.detach().norm() ** 2 for p in model.parameters()))}
    watch = Watch({**size, "c": coherence_on(batch, layers=True, chunk=2)}, every=3)
    trained(tmp_path, watch)
    assert len(watch.history) == 3 and watch.history[0]["size"] > 0
    assert "c/layer/transformer.h.0.attn.c_attn" in watch.history[1]
    with pytest.raises(Invalid, match="every=0"):
        Watch(size, every=0)
    with pytest.raises(Invalid, match="without measures"):
        Watch({})
    with pytest.raises(Invalid, match="not both"):
        Watch({**size, **batch})  # type: ignore[dict-item]


def test_it_prints_as_what_it_is() -> None:
    assert Coherence(0.5, 1.0, 2).by_layer == {}
