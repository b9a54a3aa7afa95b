"""How is a stack of models kept? Its weights by name, and beside them its shape and seeds.

save(models, folder, "decoder")     ->  folder/weights.safetensors, folder/decoder.json
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

from unseen.core.errors import Invalid, Missing

WEIGHTS = "weights.safetensors"


class Named(Protocol):
    """A stack whose weights [seed …] are had by name."""

    shape: Any
    seeds: tuple[int, ...]
    names: list[str]

    def w(self, name: str) -> Tensor: ...


M = TypeVar("M", bound=Named)


def save(models: Named, folder: Path, kind: str) -> None:
    """Write a stack as `weights.safetensors` and `<kind>.json`."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: models.w(name).detach().contiguous() for name in models.names}, str(folder / WEIGHTS))
    told = {"shape": asdict(models.shape), "seeds": models.seeds}
    (folder / f"{kind}.json").write_text(json.dumps(told), encoding="utf-8")


def load(folder: Path, kind: str, what: str, make: Callable[[Mapping[str, Any], Sequence[int]], M]) -> M:
    """The stack that `save` wrote, in one that `make` makes of shape and seeds; `what` it is, in words for errors.

    Raises Missing where there is none, Invalid where its weights have other names or sizes."""
    from safetensors.torch import load_file

    if gone := [name for name in (WEIGHTS, f"{kind}.json") if not (folder / name).is_file()]:
        raise Missing(f"{folder} holds no {what} ({gone[0]} is not there); name a folder that one was saved in.")
    told = json.loads((folder / f"{kind}.json").read_text(encoding="utf-8"))
    models = make(told["shape"], told["seeds"])
    kept = load_file(str(folder / WEIGHTS))
    if kept.keys() != set(models.names) or any(kept[name].shape != models.w(name).shape for name in models.names):
        raise Invalid(f"the {what} in {folder} was written by another version: its weights have other names or sizes.")
    with torch.no_grad():
        for name, value in kept.items():
            models.w(name).copy_(value)
    return models


def export(members: Iterable[M], seeds: Sequence[int], out: Path, write: Callable[[M, Path], None]) -> list[Path]:
    """Every member as a folder of its own, `out/seed-<n>`, as `write` writes one."""
    written = [out / f"seed-{seed}" for seed in seeds]
    for one, path in zip(members, written, strict=True):
        write(one, path)
    return written
