"""Which device do trials use, and how many prompts does a local model take at once?

choose(device="cuda:1", batch_size="auto")     # said through the environment, so that workers hear it too
"""

from __future__ import annotations

import os

from .core.errors import Invalid, Missing
from .extras import absent

MAPS = ("auto", "balanced", "balanced_low_0", "sequential", "replicas")  # accelerate's, and a whole copy on each


def choose(*, device: str | None = None, batch_size: str | None = None, device_map: str | None = None) -> None:
    """Tell trials, in workers too, which device to use, how many prompts a local model takes at once, and how a
    checkpoint is spread over devices (`auto`, `balanced`, …, as accelerate calls it; `replicas`: a copy on each)."""
    if device_map is not None and device_map not in MAPS:
        raise Invalid(f"--device-map {device_map}: write {', '.join(MAPS)}.")
    if batch_size is not None and batch_size != "auto" and not (batch_size.isdigit() and int(batch_size) > 0):
        raise Invalid(f"--batch-size {batch_size}: write auto, or a whole number from 1.")
    if device is not None:
        _check_device(device)
    for name, value in (
        ("UNSEEN_DEVICE", device),
        ("UNSEEN_BATCH_SIZE", batch_size),
        ("UNSEEN_DEVICE_MAP", device_map),
    ):
        if value is not None:
            os.environ[name] = value


def fastest() -> str:
    """The device that was named, else an accelerator where there is one, else the CPU."""
    if named := os.environ.get("UNSEEN_DEVICE"):
        return named
    if absent(["torch"]):
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"


def _check_device(device: str) -> None:
    """Raise Invalid for a word that is no device, Missing for one that this machine has not."""
    kind, _, number = device.partition(":")
    if kind not in ("cpu", "cuda", "mps") or (number and (kind != "cuda" or not number.isdigit())):
        raise Invalid(f"--device {device}: there is no such device; write cpu, cuda, cuda:1 or mps.")
    if kind == "cpu":
        return
    if gone := absent(["torch"]):
        raise Missing(f"--device {device} needs {', '.join(gone)}. Install it: pip install 'unseen[torch]'")
    import torch

    count = torch.cuda.device_count() if kind == "cuda" else int(torch.backends.mps.is_available())
    if int(number or 0) >= count:
        raise Missing(f"--device {device}: this machine has {count} of that kind; `unseen doctor` lists its devices.")
