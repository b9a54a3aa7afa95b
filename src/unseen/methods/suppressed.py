"""What if few examples had no say? Gradients without the directions that only few examples pull in, for any optimizer.

Three estimates of the mean gradient that single examples cannot move far, each coordinate by itself:

    winsorised   clip the examples' values at their c-th and (100 − c)-th percentile, then average
    medians      average in three groups, take the median of the three means (M3)
    rolling      the median of this step's gradient and of those of the two steps before (RM3)

    winsorised(torch.tensor([0.0, 1.0, 2.0, 3.0, 99.0]), 25)  ->  2.0, the mean of 1 1 2 3 3

They stand in front of the optimizer, which sees nothing of them:

    backward(model, loss, (x, y), Winsorised(8))        or     rolling(optimizer), once; then loss.backward() as ever
    optimizer.step()                                           optimizer.step()

Sources: Chatterjee, "Coherent Gradients" (2020); Zielinski, Krishnan and Chatterjee, "Weak and Strong Gradient
Directions" (2020).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from unseen.core.errors import Failed, Invalid
from unseen.measures.coherence import Loss, gradients


@dataclass(frozen=True, slots=True)
class Winsorised:
    """Every example's gradient is clipped at its level-th and (100 − level)-th percentile: 0 is the mean, 50 the median."""

    level: float  # percent, 0..50

    def __post_init__(self) -> None:
        _check_level(self.level)


@dataclass(frozen=True, slots=True)
class Medians:
    """The median of the mean gradients of so many groups of equal size; three are the paper's M3."""

    groups: int = 3

    def __post_init__(self) -> None:
        if self.groups < 1:
            raise Invalid(f"groups={self.groups}: a batch falls into at least one group.")


def winsorised(gradients: Tensor, level: float, *, dim: int = -1) -> Tensor:
    """The mean over a dimension (the examples) of values clipped at their level-th and (100 − level)-th percentile.

    Percentiles are interpolated between neighbours, as numpy's are. On a CPU numpy sorts, which takes a twentieth of
    torch's time; examples that lie last and next to each other are sorted fastest. Raises Invalid for a level outside
    0..50.
    """
    _check_level(level)
    if level == 0:
        return gradients.mean(dim)
    values = gradients.movedim(dim, -1).contiguous()
    ordered = _sorted(values)
    place = level / 100 * (values.shape[-1] - 1)
    below, share = int(place), place - int(place)
    above = min(below + 1, values.shape[-1] - 1)
    low = torch.lerp(ordered[..., below], ordered[..., above], share)
    high = torch.lerp(ordered[..., -1 - below], ordered[..., -1 - above], share)
    return values.clamp(low[..., None], high[..., None]).mean(-1)


def median(parts: Sequence[Tensor]) -> Tensor:
    """The median of some tensors, each coordinate by itself; of an even number the mean of the middle two."""
    if len(parts) == 3:
        a, b, c = parts
        return torch.maximum(torch.minimum(a, b), torch.minimum(torch.maximum(a, b), c))
    ordered = _sorted(torch.stack(tuple(parts), -1))
    return (ordered[..., (len(parts) - 1) // 2] + ordered[..., len(parts) // 2]) / 2


def backward(
    model: nn.Module, loss: Loss, batch: tuple[Any, Any], how: Winsorised | Medians, *, chunk: int | None = None
) -> None:
    """Leave in `.grad` a gradient of the mean of `loss(model(x), y)` that few examples cannot move, as `how` says.

    `loss` gives one number for each example [batch]. Earlier gradients are replaced. `Winsorised` holds every example's
    gradient at once (`chunk` of them are differentiated at a time) and measures the model as in evaluation, for batch
    norms mix examples; `Medians` takes one backward pass for each group, the model being as it is. Raises Invalid for a
    batch that does not divide into the groups and as `coherence.coherence`, Failed where memory runs out.
    """
    learned = {name: p for name, p in model.named_parameters() if p.requires_grad}
    try:
        if isinstance(how, Winsorised):
            parts = list(gradients(model, loss, batch, chunk=chunk))
            found = {n: winsorised(torch.cat([part[n] for part in parts]), how.level, dim=0) for n in learned}
        else:
            means = [_mean_gradient(loss(model(x), y).mean(), learned) for x, y in _groups(batch, how.groups)]
            found = {n: median([mean[n] for mean in means]) for n in learned}
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise Failed(
            "memory ran out holding the gradients of a batch; lower its size, or use Medians or rolling, which keep three."
        ) from error
    for name, p in learned.items():
        p.grad = found[name]


class Rolled:
    """What `rolling` added to an optimizer; `remove()` takes it away again."""

    def __init__(self, optimizer: Optimizer, window: int) -> None:
        if window < 1:
            raise Invalid(f"window={window}: a rolling median is taken over at least one step.")
        self.window = window
        self._raw: dict[Tensor, Tensor] = {}
        self._hooks = (
            optimizer.register_step_pre_hook(self._before),
            optimizer.register_step_post_hook(self._after),
        )

    def remove(self) -> None:
        """Let the optimizer see plain gradients again."""
        for hook in self._hooks:
            hook.remove()

    def _before(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        """Put the median in the place of every gradient."""
        if any(callable(a) for a in (*args, *kwargs.values())):
            raise Invalid("a rolling median needs its gradients before the step, so the step takes no closure.")
        self._raw.clear()
        for p in _stepped(optimizer):
            grad = p.grad
            assert grad is not None
            self._raw[p] = grad.detach().clone()
            held = optimizer.state.get(p, {})
            earlier = [held[k] for k in self._names() if k in held]
            grad.copy_(median([self._raw[p], *earlier]))

    def _after(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        """Keep the gradients as they were, in the optimizer's own state, so that they are saved and resumed with it."""
        for p, raw in self._raw.items():
            held, newest = optimizer.state[p], raw
            for name in self._names():
                before = held.get(name)
                held[name] = newest
                if before is None:
                    break
                newest = before
        self._raw.clear()

    def _names(self) -> list[str]:
        return [f"gradient_{k}_before" for k in range(1, self.window)]


def rolling(optimizer: Optimizer, *, window: int = 3) -> Rolled:
    """Have an optimizer step by the median of this and the last `window` − 1 gradients, whatever loop it is used in.

    Until so many steps are taken, the median is over those there are. It takes `window` − 1 more copies of the weights,
    kept in the optimizer's state and so in its `state_dict()`. Raises Invalid for a window below 1, and at a step that is
    given a closure. Gradients are read when `step` is called: what a loop does to them before (clipping) comes first.
    """
    return Rolled(optimizer, window)


def _stepped(optimizer: Optimizer) -> list[Tensor]:
    return [p for group in optimizer.param_groups for p in group["params"] if p.grad is not None]


def _sorted(values: Tensor) -> Tensor:
    """The values in rising order along the last dimension."""
    if values.device.type == "cpu" and values.dtype in (torch.float32, torch.float64):
        return torch.from_numpy(np.sort(values.detach().numpy(), axis=-1))
    return values.detach().sort(-1).values


def _groups(batch: tuple[Any, Any], groups: int) -> list[tuple[Any, Any]]:
    x, y = batch
    if len(x) % groups or not len(x):
        raise Invalid(
            f"a batch of {len(x)} examples does not fall into {groups} equal groups; make it a multiple of {groups}."
        )
    size = len(x) // groups
    return [(x[i : i + size], y[i : i + size]) for i in range(0, len(x), size)]


def _mean_gradient(loss: Tensor, learned: dict[str, nn.Parameter]) -> dict[str, Tensor]:
    found = torch.autograd.grad(loss, list(learned.values()), allow_unused=True, materialize_grads=True)
    return dict(zip(learned, found, strict=True))


def _check_level(level: float) -> None:
    if not 0 <= level <= 50:
        raise Invalid(f"level={level}: gradients are clipped at a percentile of 0 (the mean) to 50 (the median).")
