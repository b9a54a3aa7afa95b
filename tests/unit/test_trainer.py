"""What trainers of transformers need of a trial: a model, arguments, and going on where they were interrupted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from transformers import Trainer, TrainerCallback, TrainingArguments

from unseen.core.errors import Damaged, Failed, Invalid
from unseen.core.lab import Lab
from unseen.methods import checkpoint, ranks
from unseen.methods.trainer import IGNORED, arguments, collated, opened, trained
from unseen.models import tiny

SIZES = {"steps": 40, "batch": 8, "at_once": 2, "lr": 1e-3, "dtype": "float32"}


def lab(tmp_path: Path) -> Lab:
    return Lab(seeds=(3,), device="cpu", folder=tmp_path / "out", cache=tmp_path / "cache", state=tmp_path / "state")


def test_a_checkpoint_is_opened_as_it_is(tmp_path: Path) -> None:
    model, tokenizer = opened("tiny:llama", "float32", lab(tmp_path))
    for ours, theirs in zip(model.parameters(), tiny.made("llama").parameters(), strict=True):
        assert torch.equal(ours, theirs)
    assert Path(model.name_or_path).is_dir() and tokenizer("ab")["input_ids"]
    for name in ("tiny:decoder", "api:m@http://localhost:1/v1"):
        with pytest.raises(Invalid, match=f"{name} is not computed here by transformers, so it cannot be trained"):
            opened(name, "float32", lab(tmp_path))


def test_arguments_of_a_trial(tmp_path: Path) -> None:
    told = arguments(lab(tmp_path), "tuning", seed=3, **SIZES)
    assert (told["gradient_accumulation_steps"], told["save_steps"], told["use_cpu"]) == (4, 10, True)
    assert told["output_dir"] == str(tmp_path / "state" / "tuning-3")
    assert told["seed"] != arguments(lab(tmp_path), "tuning", seed=4, **SIZES)["seed"]
    assert told["save_strategy"] == "no", "the trainer's own checkpoints hold pickles"
    with pytest.raises(Invalid, match="at_once must divide batch"):
        arguments(lab(tmp_path), "tuning", seed=3, **{**SIZES, "at_once": 3})


ROWS = [{"input_ids": [5 + i % 7, 9, 3 + i % 5, 1], "labels": [IGNORED, 9, 3 + i % 5, 1]} for i in range(10)]
STEPS = 9


class Cut(Exception):
    """Stands for the end of the process."""


def trainer(place: Path, cut: int = 0, kind: str = "gpt2", told: list[Any] | None = None) -> Trainer:
    """Of a model with dropout, whose every step draws random numbers; it ends after the step `cut`."""

    class Cutting(TrainerCallback):
        def on_step_begin(self, args: Any, state: Any, control: Any, **given: Any) -> None:
            if cut and state.global_step == cut:
                raise Cut
            if told is not None:
                told.append(state.global_step)

    sizes = {**SIZES, "steps": STEPS, "batch": 4, "lr": 1e-2}
    args = TrainingArguments(**arguments(lab(place), "tuning", seed=3, **sizes), logging_strategy="no")
    torch.manual_seed(7)
    model = tiny.made(kind).train()
    return Trainer(model=model, args=args, train_dataset=ROWS, data_collator=collated, callbacks=[Cutting()])  # type: ignore[arg-type]


def weights(model: Any) -> dict[str, torch.Tensor]:
    return {k: v.clone() for k, v in model.state_dict().items()}


@pytest.mark.parametrize(("cut", "kept"), [(5, 4), (7, 6)], ids=["within an epoch", "between two"])
def test_training_goes_on_from_the_last_checkpoint(tmp_path: Path, cut: int, kept: int) -> None:
    """Dropout, rows in another order each epoch, momenta and the schedule: as one training at a stretch has them."""
    heard: list[tuple[float, float]] = []
    one = lab(tmp_path / "whole")
    one.tell = lambda done, of, shown: heard.append((done, of))
    whole = trainer(tmp_path / "whole")
    trained(whole, one)
    assert heard[0] == (1, STEPS)
    first = trainer(tmp_path / "cut", cut=cut)
    with pytest.raises(Cut):
        trained(first, lab(tmp_path / "cut"))
    place = Path(first.args.output_dir)
    assert [p.name for p in place.iterdir()] == [f"checkpoint-{kept}"], "the last one only"
    torch.rand(99)  # random numbers of a new process stand elsewhere
    steps: list[int] = []
    again = trainer(tmp_path / "cut", told=steps)
    trained(again, lab(tmp_path / "cut"))
    assert steps == list(range(kept, STEPS)), "at most an interval is repeated"
    ours, theirs = weights(again.model), weights(whole.model)
    assert all(torch.equal(ours[k], theirs[k]) for k in theirs)


def test_a_checkpoint_holds_no_pickle(tmp_path: Path) -> None:
    first = trainer(tmp_path)
    trained(first, lab(tmp_path))
    place = checkpoint.last(Path(first.args.output_dir))
    assert place is not None
    assert sorted(p.name for p in place.iterdir()) == [
        "random-0.safetensors",
        "state.safetensors",
        "trainer_state.json",
    ]
    with safe_open(str(place / "state.safetensors"), framework="pt") as file:
        names = set(file.keys())
    assert "weights/transformer.wte.weight" in names and "optimizer/0/exp_avg_sq" in names
    other = trainer(tmp_path, kind="llama")
    with pytest.raises(Damaged, match=r"is of another model: .* weights differ"):
        trained(other, lab(tmp_path))
    (place / "state.safetensors").write_bytes(b"\0" * 64)
    with pytest.raises(Damaged, match="cannot be read"):
        trained(trainer(tmp_path), lab(tmp_path))


def test_ranks_train_no_model_that_is_whole_in_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after accelerate's silent fall back to whole copies: refused before the first step, whatever made it so."""
    steps: list[int] = []
    made = trainer(tmp_path, told=steps)
    monkeypatch.setattr(ranks, "count", lambda: 2)
    with pytest.raises(Failed, match=r"transformer.wte.weight is not shared among the 2 ranks \(it is a Parameter\)"):
        trained(made, lab(tmp_path))
    assert steps == []


def test_checkpoints_in_part_are_passed_over(tmp_path: Path) -> None:
    assert checkpoint.last(tmp_path) is None
    for step, files in ((5, 2), (20, 2), (30, 0), (40, 1), (50, 2)):
        kept = tmp_path / f"checkpoint-{step}"
        kept.mkdir()
        for name in ("trainer_state.json", "state.safetensors")[:files]:
            (kept / name).write_text(json.dumps({"global_step": step}))
    (tmp_path / "checkpoint-50" / "trainer_state.json").write_text('{"global_st')
    (tmp_path / "checkpoint-mine").mkdir()
    (tmp_path / ".checkpoint-60").mkdir()  # killed while it was written
    assert checkpoint.last(tmp_path) == tmp_path / "checkpoint-20"
