"""What happens inside while a Trainer trains? Measures of the model, taken every so many steps of any Trainer run.

Trainer(…, callbacks=[Watch({"coherence": coherence_on(batch), "pathways": pathways_on(batch)}, every=50)])
watch.history  ->  [{"step": 0, "coherence/m_coherence": 6.1, …}, {"step": 50, …}]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from unseen.core.errors import Invalid

from . import coherence, pathways, routing

Measure = Callable[[nn.Module], Mapping[str, float] | float]


def coherence_on(batch: Mapping[str, Tensor], *, layers: bool = False, chunk: int | None = None) -> Measure:
    """The measure of coherence on a fixed batch of the keyword arguments a model is called with, targets included.

    It gives `alpha` and `m_coherence`, with `layers` also each layer's m-coherence. Hold the batch fixed: m-coherence
    depends on its size.
    """

    def measure(model: nn.Module) -> dict[str, float]:
        place = next((p.device for p in model.parameters()), torch.device("cpu"))
        found = coherence.of_own_loss(model, {k: v.to(place) for k, v in batch.items()}, chunk=chunk)
        told = {"alpha": found.alpha, "m_coherence": found.m_coherence}
        return told | ({f"layer/{k}": v.m_coherence for k, v in found.by_layer.items()} if layers else {})

    return measure


def pathways_on(batch: Mapping[str, Tensor], *, threshold: float = 0.7) -> Measure:
    """The measure of routing pathways of a mixture of experts on a fixed batch of samples (`input_ids`, and `attention_mask`
    where some are padded): mean `distance` over pairs and by `expert_distance`, mean `consistency` and `entropy` (nats).

    Compare what it finds with log(step), which predicts anything that rises (`pathways.log_steps`).
    """

    def measure(model: nn.Module) -> dict[str, float]:
        place = next((p.device for p in model.parameters()), torch.device("cpu"))
        given = {k: batch[k].to(place) for k in ("input_ids", "attention_mask") if k in batch}
        weights = routing.of_pretrained(model, given["input_ids"], given.get("attention_mask"))
        return pathways.told(weights, routing.routers_of(model), threshold)

    return measure


class Watch(TrainerCallback):
    """A callback that measures the model before the first step, every so many steps, and after the last.

    Each measure is a function of the model to a number or to several by name. What it finds is added to `history` and
    to the Trainer's log_history (so it lands in trainer_state.json), with the step. Measures here draw no random
    numbers and leave weights and gradients alone: training goes on as without it. Not for weights that are sharded.
    """

    def __init__(
        self,
        measures: Mapping[str, Measure] | Mapping[str, Tensor],
        *,
        every: int = 100,
        tell: Callable[[Mapping[str, float]], None] | None = None,
    ) -> None:
        """Measures by name, or a batch, whose coherence is then measured; `tell` is called with what each look found.

        Raises Invalid for every < 1 or no measure."""
        if every < 1:
            raise Invalid(f"every={every}: a Watch measures every so many steps, at least 1.")
        if not measures:
            raise Invalid("a Watch without measures sees nothing; give a batch, or measures by name.")
        batch = {k: v for k, v in measures.items() if isinstance(v, Tensor)}
        if batch and len(batch) < len(measures):
            raise Invalid("a Watch takes a batch of tensors or measures by name, not both in one mapping.")
        self.measures: dict[str, Any] = {"coherence": coherence_on(batch)} if batch else dict(measures)
        self.every, self.tell = every, tell
        self.history: list[dict[str, float]] = []

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Measure before the first step (or that a run resumed from)."""
        self._look(state, kwargs["model"])

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Measure every so many steps."""
        if state.global_step % self.every == 0:
            self._look(state, kwargs["model"])

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Measure after the last step, unless that was done."""
        if not self.history or self.history[-1]["step"] != state.global_step:
            self._look(state, kwargs["model"])

    def _look(self, state: TrainerState, model: nn.Module) -> None:
        told: dict[str, float] = {"step": state.global_step}
        for name, measure in self.measures.items():
            found = measure(model)
            told |= {f"{name}/{k}": v for k, v in found.items()} if isinstance(found, Mapping) else {name: found}
        self.history.append(told)
        state.log_history.append(dict(told))
        if self.tell is not None:
            self.tell(told)
