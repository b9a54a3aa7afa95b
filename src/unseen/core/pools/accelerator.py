"""Which accelerators does a trial get, where several share a machine? Whole ones, or a share of one with others.

Shares(("0", "1")).take(0.5)  ->  ("0",)         the fullest that still has room, so that whole ones stay free
"""

from __future__ import annotations

import math
import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ..plan import Trial

NVIDIA = Path("/proc/driver/nvidia/gpus")  # where NVIDIA's driver lists its devices on Linux
VISIBLE = "CUDA_VISIBLE_DEVICES"


def here() -> tuple[str, ...]:
    """The accelerators of this machine that may be used: those that $CUDA_VISIBLE_DEVICES names, else all of NVIDIA's."""
    named = os.environ.get(VISIBLE)
    if named is not None:
        return tuple(word.strip() for word in named.split(",") if word.strip() not in ("", "-1"))
    return tuple(str(i) for i, _ in enumerate(sorted(NVIDIA.iterdir()))) if NVIDIA.is_dir() else ()


@dataclass
class Shares:
    """How much of each accelerator is free (fraction 0..1)."""

    names: tuple[str, ...]
    free: dict[str, float] = field(default_factory=dict[str, float])

    def __post_init__(self) -> None:
        self.free = dict.fromkeys(self.names, 1.0)

    def take(self, gpus: float) -> tuple[str, ...] | None:
        """The accelerators for a trial that needs so many (below 1: a share of one); None while they are in use."""
        wanted = min(gpus, float(len(self.names)))
        if wanted <= 0:
            return ()
        if wanted < 1:
            room = [n for n in self.names if self.free[n] >= wanted - 1e-9]
            if not room:
                return None
            chosen = (min(room, key=lambda n: self.free[n]),)
            self.free[chosen[0]] -= wanted
            return chosen
        whole = [n for n in self.names if self.free[n] >= 1 - 1e-9][: math.ceil(wanted)]
        if len(whole) < math.ceil(wanted):
            return None
        self.free.update(dict.fromkeys(whole, 0.0))
        return tuple(whole)

    def give_back(self, taken: Sequence[str], gpus: float) -> None:
        """What a trial took is free again."""
        share = min(gpus, 1.0)
        for name in taken:
            self.free[name] = min(1.0, self.free[name] + share)


def needed(trial: Trial) -> float:
    """How many accelerators a trial needs; none where all work was sent to the CPU."""
    return 0.0 if os.environ.get("UNSEEN_DEVICE", "").startswith("cpu") else float(trial.needs.gpus)


def asked(trial: Trial, workers: int, devices: int) -> float:
    """How many accelerators of this machine a trial takes: what it needs; an equal share where all work was sent to
    accelerators with `--device cuda`; none that is accounted for where the device was named."""
    said, needs = os.environ.get("UNSEEN_DEVICE", ""), needed(trial)
    if not devices or ":" in said:
        return 0.0
    return min(1.0, devices / workers) if said == "cuda" and not needs else needs


@contextmanager
def visible(names: Sequence[str]) -> Generator[None]:
    """Within, processes that are started see these accelerators alone; all of them where none are named."""
    before = os.environ.get(VISIBLE)
    if names:
        os.environ[VISIBLE] = ",".join(names)
    try:
        yield
    finally:
        if before is not None:
            os.environ[VISIBLE] = before
        elif names:
            del os.environ[VISIBLE]
