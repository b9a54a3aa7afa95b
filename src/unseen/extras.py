"""Which packages does each extra stand for, and which of them are not here?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

# extra -> {distribution: the module it is imported by}
EXTRAS: Mapping[str, Mapping[str, str]] = {
    "torch": {"torch": "torch", "safetensors": "safetensors"},
    "hub": {
        "torch": "torch",
        "transformers": "transformers",
        "accelerate": "accelerate",
        "peft": "peft",
        "gguf": "gguf",
        "huggingface_hub": "huggingface_hub",
    },
    "server": {"openai": "openai"},
    "quantized": {"bitsandbytes": "bitsandbytes"},
    "data": {"datasets": "datasets", "scikit-learn": "sklearn"},
    "rl": {"trl": "trl"},
    "text": {"wordfreq": "wordfreq"},
    "nearest": {"bm25s": "bm25s"},
    "pathways": {"rapidfuzz": "rapidfuzz"},
    "chemistry": {"rdkit": "rdkit", "selfies": "selfies"},
    "view": {"starlette": "starlette", "uvicorn": "uvicorn", "bm25s": "bm25s", "markdown-it-py": "markdown_it"},
    "digest": {"apprise": "apprise", "feedparser": "feedparser", "bm25s": "bm25s"},
    "ray": {"ray": "ray"},
    "cloud": {"s3fs": "s3fs"},
    "slurm": {"submitit": "submitit"},
    "mlflow": {"mlflow-skinny": "mlflow"},
    "wandb": {"wandb": "wandb"},
    "tensorboard": {"tensorboard": "tensorboard"},
}


def absent(extras: Iterable[str]) -> list[str]:
    """The packages of these extras that cannot be imported; an extra that is not known stands for itself."""
    wanted = {name: module for extra in extras for name, module in EXTRAS.get(extra, {extra: extra}).items()}
    return [name for name, module in wanted.items() if find_spec(module) is None]


def installed(name: str) -> str | None:
    """The version of a distribution, or None where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None
