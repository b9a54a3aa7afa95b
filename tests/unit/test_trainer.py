"""What trainers of transformers need of a trial: a model, arguments, and going on where they were interrupted."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from unseen.core.errors import Invalid
from unseen.core.lab import Lab
from unseen.methods.trainer import arguments, opened, trained
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
    with pytest.raises(Invalid, match="at_once must divide batch"):
        arguments(lab(tmp_path), "tuning", seed=3, **{**SIZES, "at_once": 3})


class Recorded:
    """A trainer that says from which checkpoint it was told to go on, and takes two steps."""

    def __init__(self, place: Path) -> None:
        self.args, self.callbacks = SimpleNamespace(output_dir=str(place)), list[Any]()

    def add_callback(self, callback: Any) -> None:
        self.callbacks.append(callback)

    def remove_callback(self, callback: Any) -> None:
        pass

    def train(self, resume_from_checkpoint: str | None) -> str | None:
        for step in (1, 2):
            self.callbacks[0].on_step_end(None, SimpleNamespace(global_step=step, max_steps=2), None)
        return resume_from_checkpoint


def test_training_goes_on_from_the_last_checkpoint(tmp_path: Path) -> None:
    heard: list[tuple[float, float]] = []
    one = lab(tmp_path)
    one.tell = lambda done, of, shown: heard.append((done, of))
    assert trained(Recorded(tmp_path / "tuning"), one) is None
    for step in (5, 20):
        kept = tmp_path / "tuning" / f"checkpoint-{step}"
        kept.mkdir(parents=True)
        (kept / "trainer_state.json").write_text(json.dumps({"global_step": step}))
    assert trained(Recorded(tmp_path / "tuning"), one).endswith("checkpoint-20")
    (tmp_path / "tuning" / "checkpoint-30").mkdir()  # killed while it was written
    (tmp_path / "tuning" / "checkpoint-40").mkdir()
    (tmp_path / "tuning" / "checkpoint-40" / "trainer_state.json").write_text('{"global_st')
    (tmp_path / "tuning" / "checkpoint-mine").mkdir()
    assert trained(Recorded(tmp_path / "tuning"), one).endswith("checkpoint-20")
    assert heard[0] == (1, 2)
