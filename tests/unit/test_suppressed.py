"""Suppressed gradients against numpy's percentiles and medians, cases worked by hand, and loops of other people."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unseen.core.errors import Invalid
from unseen.methods.suppressed import Medians, Winsorised, backward, median, rolling, winsorised


def nll(out: Tensor, y: Tensor) -> Tensor:
    return F.cross_entropy(out, y, reduction="none")


def made() -> tuple[nn.Module, tuple[Tensor, Tensor]]:
    torch.manual_seed(1)
    net = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3))
    return net, (torch.randn(12, 5), torch.randint(3, (12,)))


def each_gradient(net: nn.Module, x: Tensor, y: Tensor) -> dict[str, np.ndarray]:
    """The gradient of every example [example …], by plain backward passes."""
    found: dict[str, list[np.ndarray]] = {}
    for i in range(len(x)):
        net.zero_grad()
        nll(net(x[i : i + 1]), y[i : i + 1]).sum().backward()
        for name, p in net.named_parameters():
            assert p.grad is not None
            found.setdefault(name, []).append(p.grad.numpy().copy())
    net.zero_grad()
    return {name: np.stack(g) for name, g in found.items()}


def by_hand(g: np.ndarray, level: float) -> np.ndarray:
    """Clipped at numpy's percentiles, then averaged, over the first axis."""
    return np.clip(g, np.percentile(g, level, axis=0), np.percentile(g, 100 - level, axis=0)).mean(0)


@pytest.mark.parametrize("level", [0, 1, 7.5, 10, 25, 49, 50])
@pytest.mark.parametrize("n", [1, 2, 9, 50])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_winsorised_is_numpys_clip_at_percentiles(level: float, n: int, dtype: torch.dtype) -> None:
    rng = np.random.default_rng(n)
    g = rng.standard_t(2, (n, 4, 3)).astype(np.float64)
    wanted = by_hand(g, level)
    t = torch.from_numpy(g).to(dtype)
    rough = 1e-5 if dtype == torch.float32 else 1e-12
    np.testing.assert_allclose(winsorised(t, level, dim=0), wanted, rtol=rough, atol=rough)
    np.testing.assert_allclose(winsorised(t.movedim(0, -1), level), wanted, rtol=rough, atol=rough)
    half = winsorised(t.to(torch.bfloat16), level, dim=0)  # which numpy has not: sorted by torch
    np.testing.assert_allclose(half.float(), wanted, rtol=0.05, atol=0.05)


def test_winsorised_worked_by_hand() -> None:
    g = torch.tensor([0.0, 1, 2, 3, 99])
    assert winsorised(g, 25) == pytest.approx((1 + 1 + 2 + 3 + 3) / 5)
    assert winsorised(g, 12.5) == pytest.approx((0.5 + 1 + 2 + 3 + 51) / 5)
    assert winsorised(g, 50) == 2 and winsorised(g, 0) == 21
    assert g.tolist() == [0, 1, 2, 3, 99]
    with pytest.raises(Invalid, match="level=51"):
        winsorised(g, 51)


def test_one_example_alone_cannot_move_it_far() -> None:
    """However large one of twenty gradients grows, the winsorised mean stays within those of the others."""
    g = torch.randn(20, 30, generator=torch.Generator().manual_seed(0))
    g[0] = 1e6
    found = winsorised(g, 10, dim=0)
    assert bool((found < g[1:].max(0).values).all()) and bool(g.mean(0).min() > 1e4)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_the_median_is_numpys(n: int) -> None:
    parts = torch.randn(n, 40, generator=torch.Generator().manual_seed(n))
    np.testing.assert_allclose(median(list(parts)), np.median(parts.numpy(), axis=0), rtol=1e-6)


@pytest.mark.parametrize("level", [0, 8, 50])
def test_backward_leaves_the_winsorised_gradient(level: float) -> None:
    net, (x, y) = made()
    wanted = {n: by_hand(g, level) for n, g in each_gradient(net, x, y).items()}
    for chunk in (None, 5):
        backward(net, nll, (x, y), Winsorised(level), chunk=chunk)
        for name, p in net.named_parameters():
            np.testing.assert_allclose(p.grad, wanted[name], rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("groups", [1, 3, 4])
def test_backward_leaves_the_median_of_means(groups: int) -> None:
    net, (x, y) = made()
    each = each_gradient(net, x, y)
    backward(net, nll, (x, y), Medians(groups))
    for name, p in net.named_parameters():
        means = each[name].reshape(groups, 12 // groups, *each[name].shape[1:]).mean(1)
        np.testing.assert_allclose(p.grad, np.median(means, axis=0), rtol=1e-4, atol=1e-7)
    with pytest.raises(Invalid, match="12 examples does not fall into 5"):
        backward(net, nll, (x, y), Medians(5))
    with pytest.raises(Invalid, match="groups=0"):
        Medians(0)


def test_what_is_cut_off_nowhere_is_gradient_descent() -> None:
    """Ten steps of plain SGD, and of winsorised at 0 and medians of one group in front of it."""
    net, (x, y) = made()
    plain = deepcopy(net)
    sgd = torch.optim.SGD(plain.parameters(), 0.3, momentum=0.9)
    for _ in range(10):
        sgd.zero_grad()
        nll(plain(x), y).mean().backward()
        sgd.step()
    for how in (Winsorised(0), Medians(1)):
        other = deepcopy(net)
        sgd = torch.optim.SGD(other.parameters(), 0.3, momentum=0.9)
        for _ in range(10):
            backward(other, nll, (x, y), how)
            sgd.step()
        for a, b in zip(plain.parameters(), other.parameters(), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


def test_frozen_parameters_have_no_gradient() -> None:
    net, (x, y) = made()
    net[0].requires_grad_(False)
    for how in (Winsorised(10), Medians(3)):
        backward(net, nll, (x, y), how)
        assert [p.grad is None for p in net.parameters()] == [True, True, False, False]


# --- rolling


def steps_by_hand(net: nn.Module, batches: list[tuple[Tensor, Tensor]], lr: float, window: int) -> None:
    """Gradient descent by the median of the last gradients, written out."""
    seen: dict[str, list[np.ndarray]] = {n: [] for n, _ in net.named_parameters()}
    for x, y in batches:
        net.zero_grad()
        nll(net(x), y).mean().backward()
        for name, p in net.named_parameters():
            assert p.grad is not None
            seen[name].append(p.grad.numpy().copy())
            p.data -= lr * torch.from_numpy(np.median(seen[name][-window:], axis=0))


@pytest.mark.parametrize("window", [1, 2, 3, 5])
def test_rolling_steps_by_the_median_of_the_last_gradients(window: int) -> None:
    net, (x, y) = made()
    batches = [(x[i : i + 3], y[i : i + 3]) for i in (0, 3, 6, 9)] * 2
    other = deepcopy(net)
    steps_by_hand(net, batches, 0.5, window)
    sgd = torch.optim.SGD(other.parameters(), 0.5)
    rolled = rolling(sgd, window=window)
    for part in batches:
        sgd.zero_grad()
        nll(other(part[0]), part[1]).mean().backward()
        sgd.step()
    for a, b in zip(net.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-7)
    rolled.remove()
    p = next(other.parameters())
    before, p.grad = p.detach().clone(), torch.ones_like(p)
    sgd.step()
    torch.testing.assert_close(p.detach(), before - 0.5)


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.AdamW])
def test_a_saved_optimizer_goes_on_with_its_earlier_gradients(kind: Any) -> None:
    net, (x, y) = made()

    def train(model: nn.Module, optimizer: Any, parts: list[int]) -> None:
        for i in parts:
            optimizer.zero_grad()
            nll(model(x[i : i + 4]), y[i : i + 4]).mean().backward()
            optimizer.step()

    whole = deepcopy(net)
    optimizer = kind(whole.parameters(), 0.1)
    rolling(optimizer)
    train(whole, optimizer, [0, 4, 8, 0])
    saved, kept = deepcopy(whole), deepcopy(optimizer.state_dict())
    train(whole, optimizer, [4, 8, 0])
    optimizer = kind(saved.parameters(), 0.1)
    rolling(optimizer)
    optimizer.load_state_dict(kept)
    train(saved, optimizer, [4, 8, 0])
    for a, b in zip(whole.parameters(), saved.parameters(), strict=True):
        assert torch.equal(a, b)


def test_rolling_refuses_what_it_cannot_do() -> None:
    net, _ = made()
    sgd = torch.optim.SGD(net.parameters(), 0.1)
    with pytest.raises(Invalid, match="window=0"):
        rolling(sgd, window=0)
    rolling(sgd)
    with pytest.raises(Invalid, match="closure"):
        sgd.step(lambda: 0.0)


def test_rolling_in_a_trainer(tmp_path: Path) -> None:
    """A Trainer's own optimizer, given the hook, steps as the loop written out does."""
    from transformers import Trainer, TrainingArguments
    from transformers.modeling_outputs import SequenceClassifierOutput

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = made()[0]

        def forward(self, x: Tensor, labels: Tensor) -> Any:
            out = self.net(x)
            return SequenceClassifierOutput(loss=nll(out, labels).mean(), logits=out)

    _, (x, y) = made()
    by_trainer, alone = Net(), Net().net
    args = TrainingArguments(
        str(tmp_path), max_steps=4, per_device_train_batch_size=12, report_to=[], use_cpu=True, save_strategy="no",
        disable_tqdm=True, logging_strategy="no", learning_rate=0.2, optim="sgd", lr_scheduler_type="constant",
        max_grad_norm=0.0,
    )  # fmt: skip
    trainer = Trainer(by_trainer, args, train_dataset=[{"x": a, "labels": b} for a, b in zip(x, y, strict=True)])
    rolling(trainer.create_optimizer())
    trainer.train()
    steps_by_hand(alone, [(x, y)] * 4, 0.2, 3)
    for a, b in zip(by_trainer.net.parameters(), alone.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)
