"""How does a language model learn an owner's rows? LoRA on every linear layer, or all of its weights, through TRL.

model, tokenizer = trainer.opened("smollm2", "float32", lab)
for row in laid(pairs, chat=True): ...      {"prompt": [{"role": "user", …}], "completion": [{"role": "assistant", …}]}
after = tuned(model, tokenizer, pairs, Recipe("lora", steps=200), lab, callbacks=[Watch(…)])
after.save_pretrained(folder)               # an adapter for LoRA, a checkpoint for full
"""

from __future__ import annotations

import warnings
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, get_args

from unseen.core.errors import Invalid, missing_extra
from unseen.core.lab import Lab
from unseen.models import has_template
from unseen.tasks.owned import Pair

from .trainer import arguments, trained, with_adapter

Method = Literal["lora", "full", "resa"]
METHODS: tuple[Method, ...] = get_args(Method)
RATES = {"lora": 2e-4, "full": 2e-5, "resa": 5e-5}  # learning rates at which each is usually begun
WARMUP = 0.03  # of the steps


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a model is tuned: `batch` rows a step, `at_once` of them in memory (0: all), both of all ranks together; a
    learning rate (0: the method's usual one) that warms up and falls as a cosine, LoRA's `rank`, rows cut at `longest`
    tokens.

    `resa` is tuned by `sae_tuning`, at a constant rate.
    """

    method: Method
    steps: int
    batch: int = 16
    at_once: int = 0
    lr: float = 0.0
    rank: int = 16
    longest: int = 1024
    dtype: str = "float32"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise Invalid(f"method {self.method}: a model is tuned by {' or '.join(METHODS)}.")
        for name in ("steps", "batch", "rank", "longest"):
            if getattr(self, name) < 1:
                raise Invalid(f"{name}={getattr(self, name)}: it is a whole number from 1.")
        if self.lr < 0:
            raise Invalid(f"lr={self.lr}: a learning rate is above 0 (0 takes the method's usual one).")


def laid(rows: Sequence[Pair], *, chat: bool) -> list[dict[str, Any]]:
    """The rows as TRL reads them: prompt and completion, as turns where the model has a chat template or the row was
    written so, else as text."""
    found: list[dict[str, Any]] = []
    for row in rows:
        asked, answer = row.posed(chat=chat), row.completion(chat=chat)
        said = answer if isinstance(asked, str) else [{"role": "assistant", "content": answer}]
        found.append({"prompt": asked, "completion": said})
    return found


def tuned(
    model: Any, tokenizer: Any, rows: Sequence[Pair], how: Recipe, lab: Lab, *, callbacks: Sequence[Any] = ()
) -> Any:
    """The model after training: with a LoRA adapter, or itself. The loss is that of the answers.

    An interrupted training goes on from its last checkpoint, where the Lab keeps any. In ranks (`ranks.run`) the model
    is shared among them; `sharded.save` writes it. Raises Invalid for no rows, for `resa`, and for rows at once that the
    ranks do not divide, Missing without TRL.
    """
    try:
        from datasets import Dataset
        from trl import SFTTrainer  # type: ignore[attr-defined]
    except ModuleNotFoundError as error:
        raise missing_extra("tuning a model", error, "rl") from error
    if not rows:
        raise Invalid("there are no rows to train on.")
    if how.method == "resa":
        raise Invalid("method resa: it is tuned through a dictionary; call sae_tuning.tuned.")
    from .sharded import dealt

    with _quiet():
        args = _asked(how, lab)
        learner = prepared(model, how, lab)
        trainer = dealt(SFTTrainer)(
            model=learner,
            args=args,
            train_dataset=Dataset.from_list(laid(rows, chat=has_template(tokenizer))),
            processing_class=tokenizer,
            callbacks=list(callbacks),
        )
        trained(trainer, lab)
    return learner.eval()


def prepared(model: Any, how: Recipe, lab: Lab) -> Any:
    """What is trained of a model: with an adapter for LoRA, shared among the ranks there are. What is that already stays."""
    from .sharded import shared

    adapted = how.method != "lora" or hasattr(model, "peft_config")
    with _unwarned():
        return shared(model if adapted else with_adapter(model, how.rank, lab, how.seed), lab)


def _asked(how: Recipe, lab: Lab) -> Any:
    """The recipe as TRL's arguments."""
    from trl import SFTConfig  # type: ignore[attr-defined]

    told = arguments(
        lab, how.method, steps=how.steps, batch=how.batch, at_once=how.at_once or how.batch,
        lr=how.lr or RATES[how.method], dtype=how.dtype, seed=how.seed,
    )  # fmt: skip
    return SFTConfig(
        **told,
        max_length=how.longest,
        completion_only_loss=True,
        gradient_checkpointing=False,
        lr_scheduler_type="cosine",
        warmup_steps=max(1, round(WARMUP * how.steps)),
        logging_steps=max(1, how.steps // 50),
        dataloader_pin_memory=lab.device != "cpu",
    )


@contextmanager
def _quiet() -> Generator[None]:
    """Without the libraries' own bars and advice: ours show how far the training is."""
    import datasets

    shown = datasets.is_progress_bar_enabled()
    datasets.disable_progress_bars()
    try:
        with _unwarned():
            yield
    finally:
        if shown:
            datasets.enable_progress_bars()


@contextmanager
def _unwarned() -> Generator[None]:
    """Without warnings of names that libraries we call are about to change."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield
