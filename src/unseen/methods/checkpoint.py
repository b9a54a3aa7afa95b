"""What does a training keep of itself, so that one that was killed goes on? Tensors as safetensors, all else as JSON.

checkpoint-50/state.safetensors       the weights that are trained, the optimizer's tensors, its settings and the schedule
checkpoint-50/random-0.safetensors    where the random numbers of rank 0 stand
checkpoint-50/trainer_state.json      the trainer's own words: steps, epoch, what it logged

transformers' own checkpoints hold pickles (`optimizer.pt`, `scheduler.pt`, `rng_state.pth`, `training_args.bin`); nothing
here is one. Ranks that share a model write it whole, so that any number of ranks goes on from it.
"""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import TrainerCallback

from unseen.core.errors import Damaged

from . import ranks
from .sharded import gathered, put

STATE, TOLD = "state.safetensors", "trainer_state.json"


class Keeping(TrainerCallback):
    """Keeps a checkpoint every `save_steps` steps of the trainer's arguments, the last one only; goes on from `before`."""

    def __init__(self, place: Path, before: Path | None) -> None:
        self.place, self.before, self.back = place, before, before is None

    def on_train_begin(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        """The optimizer and the schedule stand where they stood."""
        if self.before is not None:
            _put_back(self.before, given["optimizer"], given["lr_scheduler"])

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        """Between two epochs random numbers go on before the rows are shuffled anew."""
        if float(state.epoch or 0).is_integer():
            self._random()

    def on_step_begin(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        """Within an epoch they do once the rows that were seen already have been passed over."""
        self._random()

    def on_step_end(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        """Keep one, now and then."""
        if state.global_step % args.save_steps == 0:
            keep(self.place, state, given["model"], given["optimizer"], given["lr_scheduler"])

    def _random(self) -> None:
        if not self.back and self.before is not None:
            _random_back(self.before / f"random-{ranks.rank()}.safetensors")
        self.back = True


def keep(place: Path, state: Any, model: nn.Module, optimizer: Any, schedule: Any) -> None:
    """Write `checkpoint-STEP` in a folder, whole or not at all, and remove those before it. All ranks call it."""
    name = f"checkpoint-{state.global_step}"
    spare = place / f".{name}"
    if ranks.rank() == 0:
        shutil.rmtree(spare, ignore_errors=True)
        spare.mkdir(parents=True)
    ranks.wait()
    tensors = gathered({f"weights/{k}": v for k, v in trained(model).items()})
    told = optimizer.state_dict()
    each = {f"optimizer/{i}/{k}": v for i, its in told["state"].items() for k, v in its.items()}
    tensors |= gathered({k: v for k, v in each.items() if isinstance(v, Tensor)})
    rest = {k: v for k, v in each.items() if not isinstance(v, Tensor)}
    notes = {"groups": told["param_groups"], "schedule": schedule.state_dict(), "rest": rest}
    _write(spare / f"random-{ranks.rank()}.safetensors", *_random())
    if ranks.rank() == 0:
        _write(spare / STATE, tensors, notes)
        state.save_to_json(str(spare / TOLD))
    ranks.wait()
    if ranks.rank() == 0:
        shutil.rmtree(place / name, ignore_errors=True)
        os.replace(spare, place / name)
        for old in place.glob("checkpoint-*"):
            if old.name != name:
                shutil.rmtree(old, ignore_errors=True)


def last(place: Path) -> Path | None:
    """The last checkpoint in a folder that is whole, or None."""
    found = {int(p.name.removeprefix("checkpoint-")): p for p in place.glob("checkpoint-*") if p.name[11:].isdigit()}
    for step in sorted(found, reverse=True):
        try:
            told = json.loads((found[step] / TOLD).read_text(encoding="utf-8"))
            if told["global_step"] == step and (found[step] / STATE).is_file():
                return found[step]
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return None


def trained(model: nn.Module) -> dict[str, Tensor]:
    """What training changes of a model, by name: parameters that take a gradient, and buffers that are part of it."""
    state = model.state_dict(keep_vars=True)
    learned = {name: p for name, p in model.named_parameters() if p.requires_grad}
    return learned | {name: b for name, b in model.named_buffers() if name in state}


def weights_back(model: nn.Module, checkpoint: Path) -> None:
    """Put a checkpoint's weights into a model. Raises Damaged where they are another model's, or cannot be read."""
    kept, _ = _read(checkpoint / STATE, "weights/")
    now = trained(model)
    if kept.keys() != now.keys():
        other = sorted(kept.keys() ^ now.keys())
        raise Damaged(f"the checkpoint {checkpoint} is of another model: {len(other)} weights differ, the first being {other[0]}; begin anew.")  # fmt: skip
    with torch.no_grad():
        for name, value in kept.items():
            if value.shape != now[name].shape:
                raise Damaged(f"the checkpoint {checkpoint} is of another model: {name} is {tuple(value.shape)} there and {tuple(now[name].shape)} here; begin anew.")  # fmt: skip
            put(now[name], value)


def _put_back(checkpoint: Path, optimizer: Any, schedule: Any) -> None:
    """The optimizer's and the schedule's states."""
    kept, notes = _read(checkpoint / STATE, "optimizer/")
    learned = [p for group in optimizer.param_groups for p in group["params"]]
    state: dict[int, dict[str, Any]] = {}
    for name, value in (*kept.items(), *((k.removeprefix("optimizer/"), v) for k, v in notes["rest"].items())):
        i, _, key = name.partition("/")
        owner = learned[int(i)]
        if isinstance(value, Tensor) and value.shape == owner.shape:
            value = put(torch.zeros_like(owner, dtype=value.dtype), value)
        state.setdefault(int(i), {})[key] = value
    optimizer.load_state_dict({"state": state, "param_groups": notes["groups"]})
    schedule.load_state_dict(notes["schedule"])


def _random() -> tuple[dict[str, Tensor], dict[str, Any]]:
    """(tensors, notes) of where the random numbers of Python, numpy and torch stand."""
    version, words, gauss = random.getstate()
    theirs = np.random.get_state(legacy=False)
    tensors = {
        "python": torch.tensor(words, dtype=torch.int64),
        "numpy": torch.from_numpy(theirs["state"]["key"].astype(np.int64)),
        "torch": torch.get_rng_state(),
    }
    if torch.cuda.is_available():
        tensors |= {f"cuda/{i}": state for i, state in enumerate(torch.cuda.get_rng_state_all())}
    notes = {"version": version, "gauss": gauss, "numpy": {k: theirs[k] for k in ("bit_generator", "has_gauss", "gauss")}, "pos": int(theirs["state"]["pos"])}  # fmt: skip
    return tensors, notes


def _random_back(path: Path) -> None:
    """Random numbers go on where they stood; those of a rank that was not there begin where they are."""
    if not path.is_file():
        return
    kept, notes = _read(path)
    random.setstate((notes["version"], tuple(kept["python"].tolist()), notes["gauss"]))
    key = kept["numpy"].numpy().astype(np.uint32)
    np.random.set_state({**notes["numpy"], "state": {"key": key, "pos": notes["pos"]}})
    torch.set_rng_state(kept["torch"])
    for i in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        if f"cuda/{i}" in kept:
            torch.cuda.set_rng_state(kept[f"cuda/{i}"], i)


def _write(path: Path, tensors: Mapping[str, Tensor], notes: Mapping[str, Any]) -> None:
    save_file({k: v.detach().cpu().contiguous() for k, v in tensors.items()}, str(path), {"notes": json.dumps(notes)})
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _read(path: Path, begin: str = "") -> tuple[dict[str, Tensor], dict[str, Any]]:
    """(tensors whose names begin so, without that beginning, notes). Raises Damaged for a file that cannot be read."""
    try:
        with safe_open(str(path), framework="pt") as file:
            found = {k.removeprefix(begin): file.get_tensor(k) for k in file.keys() if k.startswith(begin)}  # noqa: SIM118
            return found, json.loads((file.metadata() or {})["notes"])
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise Damaged(f"the checkpoint {path} cannot be read ({error}); begin anew.") from None
