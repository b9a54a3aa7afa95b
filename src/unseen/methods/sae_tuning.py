"""How is a model tuned through a dictionary of another's activations? SAE-Tuning (Resa, arXiv 2506.09967).

    found = activations(source, rows, [12])[12]                      # float[token width] after block 12
    sae = fit(found, 65_536, k=32)
    after = tuned(target, rows, Recipe("resa", steps=500), lab, layer=12, replace=sae)
    after.merge_and_unload()                                          # the dictionary is no part of it

The student is the target with LoRA on the blocks after `layer`, and what that block puts out replaced by its
reconstruction; the teacher is the target as it is. The loss is KL(teacher || student) summed over tokens, a row's mean.
Layers are counted from 1, and layer l is the output of block l, the residual stream.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unseen.core.errors import Invalid
from unseen.core.lab import Lab
from unseen.tasks.owned import Pair

from .trainer import IGNORED, arguments, collated, trained
from .tuning import RATES, Recipe

Replace = Callable[[Tensor], Tensor]  # activations [… width] -> what stands in their place
Row = dict[str, list[int]]  # input_ids, and labels where a row is learned token by token
ALPHA = 4  # times the rank: the official recipe's 128 at rank 32
DROPOUT = 0.05
ROWS_AT_ONCE = 32
# DEPARTS: the layout of the paper's rows, without the system prompt that stands before them
ASKED, TOLD = "User:\n{}\n\nAssistant:\n", "<think> {0} </think>\n<answer> Answer: {0}</answer>"
MARKS = re.compile(r"</?think>")


def blocks(model: Any) -> tuple[str, nn.ModuleList]:
    """(name, blocks) of a causal language model: its list of as many modules as its configuration has layers.

    Raises Invalid where there is none.
    """
    config = model.config.get_text_config()
    wanted = getattr(config, "num_hidden_layers", None)
    for name, module in model.named_modules():
        if isinstance(module, nn.ModuleList) and len(module) == wanted:
            return name, module
    raise Invalid(f"{type(model).__name__} has no list of {wanted} blocks, so no layer of it can be read or replaced.")


def block(model: Any, layer: int) -> nn.Module:
    """The block whose output is layer `layer`. Raises Invalid for a layer that the model has not."""
    found = blocks(model)[1]
    if not 1 <= layer <= len(found):
        raise Invalid(f"layer={layer}: {type(model).__name__} has the layers 1 to {len(found)}.")
    return found[layer - 1]


@contextmanager
def inserted(model: Any, layer: int, replace: Replace) -> Generator[None]:
    """Replace what a block puts out, while this lasts; no gradient passes through. Blocks may give tensors or tuples."""

    def hook(module: nn.Module, given: Any, out: Any) -> Any:
        with torch.no_grad():
            told = replace(_hidden(out))
        return (told, *out[1:]) if isinstance(out, tuple) else told

    handle = block(model, layer).register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()


@torch.no_grad()
def activations(model: Any, rows: Sequence[Row], layers: Sequence[int]) -> dict[int, Tensor]:
    """What the blocks of these layers put out at every token of the rows: {layer: float32[token width]}, padding left out.

    Tokens come row by row, as in `tokens_of`.
    """
    seen: dict[int, list[Tensor]] = {layer: [] for layer in layers}  # of the batch in hand
    handles = [
        block(model, layer).register_forward_hook(lambda m, given, out, into=into: into.append(_hidden(out)))
        for layer, into in seen.items()
    ]
    training, device = model.training, next(model.parameters()).device
    kept: dict[int, list[Tensor]] = {layer: [] for layer in layers}
    try:
        model.eval()
        for part in _parts(rows):
            batch = {k: v.to(device) for k, v in collated(part).items() if k != "labels"}
            model(**batch, use_cache=False)
            for layer, one in seen.items():
                kept[layer].append(one.pop()[batch["attention_mask"].bool()].float())
    finally:
        model.train(training)
        for handle in handles:
            handle.remove()
    return {layer: torch.cat(one) for layer, one in kept.items()}


def tokens_of(rows: Sequence[Row]) -> Tensor:
    """The tokens of all rows, one after another int[token]."""
    return torch.tensor([token for row in rows for token in row["input_ids"]])


def tuned(
    model: Any,
    rows: Sequence[Row],
    how: Recipe,
    lab: Lab,
    *,
    layer: int,
    replace: Replace | None,
    phase: str = "resa",
    callbacks: Sequence[Any] = (),
) -> Any:
    """The model with a LoRA adapter on the blocks after `layer`, tuned through `replace`; its own weights stay.

    Without `replace` the adapter learns the rows' labels by next-token cross-entropy, all else equal: plain LoRA. An
    interrupted training goes on from its last checkpoint, which `phase` names. Raises Invalid for no rows, and for a
    layer after which there is no block.
    """
    if not rows:
        raise Invalid("there are no rows to tune on.")
    told = arguments(
        lab, phase, steps=how.steps, batch=how.batch, at_once=how.at_once or how.batch,
        lr=how.lr or RATES["resa"], dtype=how.dtype, seed=how.seed,
    )  # fmt: skip
    with quietly():
        learner = _adapted(model, layer, how, lab)
        trainer = _trainer(learner, rows, told, lab, callbacks, None if replace is None else (layer, replace))
        trained(trainer, lab)
    return learner.eval()


def moved(model: Any, folder: Path) -> Any:
    """A model with an adapter that was tuned in another one, and saved in a folder."""
    from peft import PeftModel

    with quietly():
        return PeftModel.from_pretrained(model, str(folder))


@contextmanager
def quietly() -> Generator[None]:
    """Without warnings of names that the libraries we call are about to change."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield


def divergence(teacher: Tensor, student: Tensor, mask: Tensor) -> Tensor:
    """KL(teacher || student) in nats of logits [row token vocab], summed over tokens that count [row token], a row's mean."""
    theirs, ours = teacher.float().log_softmax(-1), student.float().log_softmax(-1)
    each = F.kl_div(ours, theirs, reduction="none", log_target=True).sum(-1)
    return (each * mask).sum() / len(mask)


def _trainer(
    learner: Any, rows: Sequence[Row], told: dict[str, Any], lab: Lab, callbacks: Sequence[Any],
    through: tuple[int, Replace] | None,
) -> Any:  # fmt: skip
    """A Trainer whose loss is the divergence where something is inserted, else the labels' cross-entropy."""
    from transformers import Trainer, TrainingArguments

    class Distilling(Trainer):
        def compute_loss(self, model: Any, inputs: Any, *given: Any, **more: Any) -> Any:
            if through is None:
                return super().compute_loss(model, inputs, *given, **more)
            return _distilled(model, {k: v for k, v in inputs.items() if k != "labels"}, *through)

    trainer = Distilling(
        model=learner,
        args=TrainingArguments(
            **told,
            # DEPARTS: the recipe's constant rate is kept, without a warm-up
            lr_scheduler_type="constant",
            max_grad_norm=1.0,
            weight_decay=0.0,
            logging_strategy="no",
            remove_unused_columns=False,
            dataloader_pin_memory=lab.device != "cpu",
        ),
        train_dataset=list(rows),  # type: ignore[arg-type]
        data_collator=collated,
        callbacks=list(callbacks),
    )
    if through is not None:
        trainer.model_accepts_loss_kwargs = False  # each part of a batch is a mean over its rows, to be averaged
    return trainer


def _distilled(model: Any, inputs: dict[str, Tensor], layer: int, replace: Replace) -> Tensor:
    """The loss of a batch: teacher without adapter and insertion, student with both."""
    training = model.training
    with torch.no_grad(), model.disable_adapter():
        teacher = model.eval()(**inputs, use_cache=False).logits
    model.train(training)
    with inserted(model.get_base_model(), layer, replace):
        student = model(**inputs, use_cache=False).logits
    return divergence(teacher, student, inputs["attention_mask"])


def _adapted(model: Any, layer: int, how: Recipe, lab: Lab) -> Any:
    """The model with an adapter on every linear layer of the blocks after `layer` (0: of all blocks)."""
    from peft import LoraConfig, get_peft_model
    from transformers.pytorch_utils import Conv1D

    name, found = blocks(model)
    if not 0 <= layer < len(found):
        raise Invalid(
            f"layer={layer}: after it there is no block of {type(model).__name__}'s {len(found)} to be tuned."
        )
    linear = [n for b in found[layer:] for n, m in b.named_modules() if isinstance(m, nn.Linear | Conv1D)]
    if not linear:
        raise Invalid(f"the blocks of {type(model).__name__} hold no linear layer, so LoRA has nothing to adapt.")
    torch.manual_seed(lab.stream("adapter", seed=how.seed))
    return get_peft_model(
        model,
        LoraConfig(
            r=how.rank,
            lora_alpha=ALPHA * how.rank,
            lora_dropout=DROPOUT,
            target_modules=sorted({n.rpartition(".")[2] for n in linear}),
            layers_to_transform=list(range(layer, len(found))),
            layers_pattern=name.rpartition(".")[2],
            fan_in_fan_out=any(isinstance(m, Conv1D) for m in found.modules()),
            task_type="CAUSAL_LM",
        ),
    )


def laid(tokenizer: Any, rows: Sequence[Pair], longest: int) -> tuple[list[Row], Tensor]:
    """(rows of tokens in the paper's layout, which of all their tokens belong to thinking marks bool[token]).

    Rows are cut at `longest` tokens. Raises Invalid for a tokenizer that cannot tell where its tokens stand.
    """
    if not getattr(tokenizer, "is_fast", False):
        raise Invalid(
            f"{type(tokenizer).__name__} does not tell where in a text its tokens stand; use a fast tokenizer."
        )
    found: list[Row] = []
    marked: list[bool] = []
    for row in rows:
        asked = ASKED.format(row.told())
        text = asked + TOLD.format(row.answer.strip())
        told = tokenizer(text, return_offsets_mapping=True, truncation=True, max_length=longest)
        spans = [m.span() for m in MARKS.finditer(text, len(asked))]
        at = told["offset_mapping"]
        marked += [any(a < end and b > begin for begin, end in spans) for a, b in at]
        found.append({"input_ids": told["input_ids"], "labels": [t if b > len(asked) else IGNORED for t, (_, b) in zip(told["input_ids"], at, strict=True)]})  # fmt: skip
    return found, torch.tensor(marked)


def labelled(asked: Sequence[int], told: Sequence[int]) -> Row:
    """A row of tokens whose loss, where it has one, is that of what is told after what is asked."""
    return {"input_ids": [*asked, *told], "labels": [*([IGNORED] * len(asked)), *told]}


def _hidden(out: Any) -> Tensor:
    """What a block puts out: older blocks of transformers give tuples, newer ones a tensor."""
    return out[0] if isinstance(out, tuple) else out


def _parts(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    for i in range(0, len(rows), ROWS_AT_ONCE):
        yield rows[i : i + ROWS_AT_ONCE]
