"""hf:ORG/NAME[@rev][+ADAPTER]: a checkpoint of the hub or a local folder, with or without a PEFT adapter."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from unseen.core.errors import Invalid, Missing, Unknown
from unseen.core.lab import digest_of_file, offline

WEIGHTS = (".safetensors", ".bin", ".json", ".model", ".txt", ".gguf")


def parts(rest: str) -> tuple[str, str | None, str | None]:
    """(checkpoint, revision, adapter) of what stands after `hf:`; a pin's digest is dropped."""
    base, _, adapter = rest.partition("#")[0].partition("+")
    if Path(base).is_dir():
        return base, None, adapter or None
    name, _, revision = base.partition("@")
    return name, revision or None, adapter or None


def probe(rest: str) -> None:
    """Raise Missing or Unknown where the checkpoint or adapter is not there."""
    name, revision, adapter = parts(rest)
    for one, its in ((name, revision), (adapter, None)):
        if one is None:
            continue
        if Path(one).is_dir():
            wanted = "config.json" if one == name else "adapter_config.json"
            if not (Path(one) / wanted).is_file():
                raise Missing(
                    f"--model hf:{rest}: the folder {one} holds no {wanted}, so it is no {'checkpoint' if one == name else 'adapter'} of transformers; `save_pretrained` writes one."
                )
        else:
            _commit(one, its)


def resolve(rest: str) -> str:
    """`hf:NAME@commit`, or `hf:FOLDER#digest` for a local folder; an adapter's own follows a plus."""
    name, revision, adapter = parts(rest)
    told = _pin(name, revision) + (f"+{_pin(adapter, None)}" if adapter else "")
    digests = [d for part in (name, adapter) if part and Path(part).is_dir() for d in [folder_digest(Path(part))]]
    return f"hf:{told}" + (f"#{'-'.join(digests)}" if digests else "")


def open(
    rest: str, *, device: str, dtype: str, batch_size: str | int, device_map: str | None = None, peft: str | None = None
) -> Any:
    """The checkpoint as a local model."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from .engine import Local, quiet

    quiet()
    name, revision, adapter = parts(rest)
    given = {"revision": revision} if revision else {}
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, **given)
        model = AutoModelForCausalLM.from_pretrained(name, dtype=torch_dtype(dtype), device_map=device_map, **given)
    except (OSError, ValueError) as error:
        raise Missing(
            f"--model hf:{rest}: transformers cannot load it ({' '.join(str(error).split())[:300]})."
        ) from None
    if adapter or peft:
        model = _adapted(model, adapter or str(peft))
    return Local(model if device_map else model.to(device), tokenizer, batch_size=batch_size)


def torch_dtype(name: str) -> Any:
    """The torch type of that name. Raises Invalid for one that is no floating type."""
    import torch

    found = getattr(torch, name, None)
    if not isinstance(found, torch.dtype) or not found.is_floating_point:
        raise Invalid(f"--dtype {name}: models compute in float32, bfloat16 or float16.")
    return found


def folder_digest(folder: Path) -> str:
    """16 hex digits over the names and digests of a checkpoint's files."""
    told = hashlib.sha256()
    for path in sorted(p for p in folder.iterdir() if p.suffix in WEIGHTS):
        told.update(f"{path.name} {digest_of_file(path)}\n".encode())
    return told.hexdigest()[:16]


def _adapted(model: Any, adapter: str) -> Any:
    from peft import PeftModel

    try:
        return PeftModel.from_pretrained(model, adapter).merge_and_unload()
    except (OSError, ValueError, RuntimeError) as error:
        raise Missing(
            f"the adapter {adapter} cannot be put on its base ({' '.join(str(error).split())[:300]})."
        ) from None


def _pin(name: str, revision: str | None) -> str:
    return name if Path(name).is_dir() else f"{name}@{_commit(name, revision)}"


def _commit(name: str, revision: str | None) -> str:
    """The commit a hub name means now, from the hub or, offline, from its cache."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, RepositoryNotFoundError, RevisionNotFoundError

    if offline():
        return _cached_commit(name, revision)
    try:
        return str(HfApi().model_info(name, revision=revision, timeout=5).sha)
    except HFValidationError:
        raise Unknown(f"--model hf:{name}: there is no such folder, and it is no name of the hub (ORG/NAME).") from None
    except (RepositoryNotFoundError, RevisionNotFoundError):
        at = f" at revision {revision}" if revision else ""
        raise Unknown(f"--model hf:{name}: the hub has no such model{at}, or it is private (set HF_TOKEN).") from None
    except (HfHubHTTPError, OSError, RuntimeError, ValueError) as error:
        try:
            return _cached_commit(name, revision)
        except Missing:
            raise Missing(
                f"--model hf:{name}: the hub does not answer ({type(error).__name__}), and the model is not in the cache; check the network, or give a local folder."
            ) from None


def _cached_commit(name: str, revision: str | None) -> str:
    from huggingface_hub.constants import HF_HUB_CACHE

    place = Path(os.environ.get("HF_HUB_CACHE", HF_HUB_CACHE)) / f"models--{name.replace('/', '--')}"
    ref = place / "refs" / (revision or "main")
    if ref.is_file():
        return ref.read_text(encoding="utf-8").strip()
    if revision and (place / "snapshots" / revision).is_dir():
        return revision
    raise Missing(
        f"--model hf:{name}: it is not in the cache ({place.parent}) and nothing may be fetched (offline); fetch it once with a network, or give a local folder."
    )
