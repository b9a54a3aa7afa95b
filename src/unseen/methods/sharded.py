"""How does a model that is wider than a device learn? Each rank holds a share of every weight (FSDP2).

learner = shared(model, lab)                 each of n ranks: 1/n of the numbers of every parameter
trainer = dealt(SFTTrainer)(model=learner, …)    a trainer of which each rank takes its rows of every batch
save(learner, folder)                        the files that one process would have written

Every rank draws the same rows and takes its own of them, and the losses are weighed so that their sum is that of one
process: a recipe means the same whatever the number of ranks. transformers' Trainer and accelerate are told nothing of
ranks: accelerate falls back to whole copies where it does not shard, on CPUs for one, without a word.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from unseen.core.errors import Failed, Invalid
from unseen.core.lab import Lab

from . import ranks
from .trainer import IGNORED


def shared(model: Any, lab: Lab) -> Any:
    """The model itself, of which each rank now holds a share: while it computes, one block at a time is whole, and all
    that lies in none, such as embeddings.

    Gradients are summed in float32. A model that is whole in one process stays as it is. All ranks call it. Raises
    Invalid for weights that are no floating numbers, or a model without a list of blocks.
    """
    if ranks.count() == 1 or is_shared(model):
        return model
    from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard

    from .sae_tuning import blocks

    if odd := [name for name, p in model.named_parameters() if not p.is_floating_point()]:
        raise Invalid(f"{odd[0]} holds whole numbers: weights in 8 bits cannot be shared among ranks; use bfloat16.")
    root = getattr(model, "get_base_model", lambda: model)()  # which is what is called when an adapted model is asked
    policy = MixedPrecisionPolicy(reduce_dtype=torch.float32)
    for module in (*blocks(root)[1], root):
        fully_shard(module, mesh=_mesh(lab.device), mp_policy=policy, reshard_after_forward=True)
    root.register_forward_hook(_alike)
    _before_first(root)
    check(model)
    return model


@cache
def _mesh(device: str) -> Any:
    """All ranks in a row."""
    from torch.distributed.device_mesh import init_device_mesh

    return init_device_mesh(device, (ranks.count(),))


def _before_first(root: nn.Module) -> None:
    """Let the first call of a model follow one of a single token. What the first call gathers is used again by all others,
    and what is made in inference mode, such as a look at rows, could not be written to while training."""

    def hook(module: nn.Module, given: Any) -> None:
        handle.remove()
        training = module.training
        with torch.inference_mode(False), torch.no_grad():
            module.eval()(torch.zeros(1, 1, dtype=torch.long, device=next(module.parameters()).device))
        module.train(training)

    handle = root.register_forward_pre_hook(hook, prepend=True)


def _alike(module: nn.Module, given: Any, out: Any) -> None:
    """Asked for answers, every rank reads those of rank 0: ranks that chose another token would wait for ever."""
    if not module.training and isinstance(logits := getattr(out, "logits", None), Tensor):
        torch.distributed.broadcast(logits, 0)


def is_shared(model: nn.Module) -> bool:
    """Whether a rank holds a share of some weight."""
    from torch.distributed.tensor import DTensor

    return any(isinstance(p, DTensor) for p in model.parameters())


def check(model: nn.Module) -> None:
    """Raise Failed where ranks train a model of which a weight is whole in each: it would fit no better than in one, and
    its copies would drift apart."""
    from torch.distributed.tensor import DTensor, Shard

    for name, p in model.named_parameters():
        split = isinstance(p, DTensor) and any(isinstance(s, Shard) for s in p.placements)
        if not split or cast(Any, p).device_mesh.size() != ranks.count():
            raise Failed(f"{name} is not shared among the {ranks.count()} ranks (it is a {type(p).__name__}), so each would train a copy of its own; train with one process, and report this with the versions that `unseen doctor` prints.")  # fmt: skip


def held(model: nn.Module) -> int:
    """Bytes of parameters that this rank holds."""
    from torch.distributed.tensor import DTensor

    parts = [p.to_local() if isinstance(p, DTensor) else p for p in model.parameters()]
    return sum(p.untyped_storage().nbytes() for p in parts)


def gathered(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whole, in the memory of rank 0; nothing in that of others. All ranks call it."""
    from torch.distributed.tensor import DTensor

    found: dict[str, Tensor] = {}
    for name, one in tensors.items():
        full = one.full_tensor() if isinstance(one, DTensor) else one
        if ranks.rank() == 0:
            found[name] = full.detach().to("cpu", copy=True)
    return found


@torch.no_grad()
def put(into: Tensor, value: Tensor) -> Tensor:
    """`into`, with the numbers of a whole tensor of its shape; of a shared one each rank takes its part."""
    from torch.distributed.tensor import DTensor, distribute_tensor

    value = value.to(into.device)
    if isinstance(into, DTensor):
        value = distribute_tensor(value, into.device_mesh, into.placements)
    into.copy_(value)
    return into


def save(model: Any, folder: Path) -> None:
    """Write a model or an adapter as one process does, by rank 0. All ranks call it."""
    if not is_shared(model):
        if ranks.rank() == 0:
            model.save_pretrained(str(folder))
        return
    adapter = hasattr(model, "peft_config")
    state = model.state_dict(keep_vars=True)
    once: dict[int, str] = {}  # weights that are tied are one, and stay so
    named = {k: v for k, v in state.items() if not adapter or v.requires_grad}
    whole = gathered({k: v for k, v in named.items() if once.setdefault(id(v), k) == k})
    if ranks.rank() == 0:
        model.save_pretrained(str(folder), state_dict={k: whole[once[id(v)]] for k, v in named.items()})
    ranks.wait()


@contextmanager
def in_turn(lab: Lab) -> Generator[None]:
    """Within, one rank after the other, so that one whole model is in this machine's memory at a time. All ranks use it."""
    if ranks.count() > 1:
        _mesh(lab.device)  # which all ranks make together
    for _ in range(ranks.rank()):
        ranks.wait()
    yield
    for _ in range(ranks.rank(), ranks.count()):
        ranks.wait()


def dealt(kind: Any) -> Any:
    """A trainer's class, made so that each rank takes its rows of every batch; the class itself in one process.

    What a rank counts of a loss: with `num_items_in_batch` its sum over that number, else its mean by its share of the
    tokens. A mixture of experts' own loss of balance is the ranks' mean.
    """
    if ranks.count() == 1:
        return kind

    class Dealt(kind):
        def compute_loss(
            self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> Any:
            """The loss of this rank's rows, times what it weighs."""
            if return_outputs:
                return super().compute_loss(model, inputs, True, num_items_in_batch)
            mine, weight = share(inputs, ranks.rank(), ranks.count(), counted=num_items_in_batch is not None)
            return weight * super().compute_loss(model, mine, False, num_items_in_batch)

        def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> Tensor:
            """The loss of all rows, as every rank is told. Raises Failed where ranks drew different rows."""
            drawn = float(inputs["input_ids"].double().sum())
            loss = super().training_step(model, inputs, num_items_in_batch)
            told = torch.tensor([float(loss), drawn], dtype=torch.float64, device=loss.device)
            torch.distributed.all_reduce(told)
            if float(told[1]) != drawn * ranks.count():
                raise Failed(f"rank {ranks.rank()} drew other rows than the rest, so its share would be of another batch; train with one process, and report this.")  # fmt: skip
            return (told[0] / ranks.count()).to(loss.dtype)

    return Dealt


def share(inputs: Mapping[str, Tensor], rank: int, n: int, *, counted: bool) -> tuple[dict[str, Tensor], float]:
    """(a rank's rows of a batch, what their loss weighs), such that the mean over n ranks is the loss of the batch.

    `counted`: a loss is a sum over the batch's number of tokens; else it is a mean over the rank's own. A rank
    without a row takes one that counts nothing, since all ranks compute together.
    """
    labels = inputs["labels"]
    begin, end = (len(labels) * i // n for i in (rank, rank + 1))
    rows = slice(begin, end) if end > begin else slice(0, 1)
    mine = {k: v[rows] for k, v in inputs.items() if isinstance(v, Tensor)}
    if end == begin:
        return mine, 0.0
    if counted:
        return mine, float(n)
    own, of = (int((x[..., 1:] != IGNORED).sum()) for x in (mine["labels"], labels))
    if own == 0:
        return {**mine, "labels": mine["input_ids"]}, 0.0  # a mean over no token is no number
    return mine, n * own / of
