"""gguf:PATH: a GGUF file, dequantised by transformers once into the cache as safetensors.

The first opening takes about ten seconds for 135M parameters, every later one about one.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
from pathlib import Path
from typing import Any

from unseen.core.errors import Damaged, Failed, Missing
from unseen.core.lab import cache_folder

from . import pins


def probe(rest: str) -> None:
    """Raise Missing where the file is not there, or is no GGUF file."""
    path = pins.path_of("gguf", rest)
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise Missing(f"--model gguf:{rest}: this is no GGUF file (it does not begin with GGUF).")


def resolve(rest: str) -> str:
    """The file and its digest."""
    return pins.of_file("gguf", rest)


def open(rest: str, *, device: str, dtype: str, batch_size: str | int) -> Any:
    """The file, converted on first use, as a local model."""
    path, digest = pins.path_of("gguf", rest), pins.split(rest)[1] or pins.split(resolve(rest))[1]
    return opened(converted(path, f"gguf-{digest}"), dtype, device, batch_size)


def converted(source: Path, name: str) -> Path:
    """The folder `name` of the cache with the checkpoint of a GGUF file, made once and shared by all processes."""
    from filelock import FileLock

    place = cache_folder() / "models" / name
    if (place / "config.json").is_file():
        return place
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{place}.lock"):
            if not (place / "config.json").is_file():
                for left in place.parent.glob(f".{name}.*"):  # of a process that was killed
                    shutil.rmtree(left, ignore_errors=True)
                spare = place.with_name(f".{name}.{os.getpid()}")
                _convert(source, spare)
                shutil.rmtree(place, ignore_errors=True)
                os.replace(spare, place)
    except OSError as error:
        raise Failed(
            f"{source} cannot be converted into {place} ({error}); make room there, or set UNSEEN_HOME to another folder."
        ) from None
    return place


def opened(folder: Path, dtype: str, device: str, batch_size: str | int) -> Any:
    """A converted checkpoint as a local model. Raises Damaged where the folder is not what was written."""
    from . import hub

    hub.check_dtype(dtype)
    try:
        model, tokenizer = hub.loaded(folder, dtype, f"the converted checkpoint {folder}", device=device)
    except Missing as error:
        raise Damaged(f"{error} Remove the folder and run again; it is converted anew.") from None
    return hub.local(model, tokenizer, device, batch_size)


def _convert(source: Path, to: Path) -> None:
    """Write a GGUF file as safetensors in float32, exactly what its quantised weights stand for; takes seconds."""
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from .engine import quiet

    quiet()
    try:
        with contextlib.redirect_stderr(io.StringIO()):  # transformers draws a bar of its own here
            given = {"gguf_file": source.name}
            tokenizer = AutoTokenizer.from_pretrained(str(source.parent), **given)
            model = AutoModelForCausalLM.from_pretrained(str(source.parent), dtype="float32", **given)
    except ModuleNotFoundError:
        raise
    except Exception as error:  # readers of files raise all sorts, tokenizers a bare Exception
        raise Missing(
            f"--model gguf:{source}: transformers cannot read it ({' '.join(str(error).split())[:300]})."
        ) from None
    model.hf_quantizer = None  # else the weights would be saved as if they were still quantised
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    try:
        model.save_pretrained(str(to))
        tokenizer.save_pretrained(str(to))
    except (OSError, SafetensorError) as error:
        shutil.rmtree(to, ignore_errors=True)
        raise OSError(str(error)) from error
