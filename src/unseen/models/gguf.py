"""gguf:PATH: a GGUF file, read and dequantised by transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from unseen.core.errors import Missing
from unseen.core.lab import digest_of_file


def path_of(rest: str) -> Path:
    """The file a name stands for."""
    return Path(rest.partition("#")[0]).expanduser()


def probe(rest: str) -> None:
    """Raise Missing where the file is not there, or is no GGUF file."""
    path = path_of(rest)
    if not path.is_file():
        raise Missing(f"--model gguf:{rest}: there is no such file.")
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise Missing(f"--model gguf:{rest}: this is no GGUF file (it does not begin with GGUF).")


def resolve(rest: str) -> str:
    """The file and its digest."""
    return f"gguf:{path_of(rest)}#{digest_of_file(path_of(rest))[:16]}"


def open(rest: str, *, device: str, dtype: str, batch_size: str | int) -> Any:
    """The file as a local model."""
    from .engine import Local

    model, tokenizer = loaded(path_of(rest), dtype)
    return Local(model.to(device), tokenizer, batch_size=batch_size)


def loaded(path: Path, dtype: str) -> tuple[Any, Any]:
    """A GGUF file as (model, tokenizer) of transformers, dequantised; takes seconds."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from .engine import quiet
    from .hub import torch_dtype

    quiet()
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(path.parent), gguf_file=path.name)
        model = AutoModelForCausalLM.from_pretrained(str(path.parent), gguf_file=path.name, dtype=torch_dtype(dtype))
    except (OSError, ValueError, KeyError) as error:
        raise Missing(
            f"--model gguf:{path}: transformers cannot read it ({' '.join(str(error).split())[:300]})."
        ) from None
    return model, tokenizer
