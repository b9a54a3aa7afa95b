"""hf:ORG/NAME[@rev][+ADAPTER]: a checkpoint of the hub or a local folder, with or without a PEFT adapter.

hf:Qwen/Qwen3-0.6B          pinned: hf:Qwen/Qwen3-0.6B@c1899de289a04d12100db370d81485cdf75e47ca
hf:./mine+./adapter         pinned: hf:./mine#0f4e9c6a2b7d8153+./adapter#77c0d1e5a9b3f246
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unseen.core.disk import digest_of_file
from unseen.core.errors import Invalid, Missing, Unknown, UnseenError
from unseen.core.lab import offline

from . import pins

KEPT = (".safetensors", ".bin", ".json", ".jinja", ".model", ".txt", ".tiktoken", ".py")  # what a folder's digest reads
DTYPES = ("auto", "float32", "bfloat16", "float16", "float64")
REPLICAS = "replicas"  # of device maps: a whole copy on every accelerator
INT8 = "int8"  # weights of linear layers in 8 bits, as bitsandbytes computes with them
COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Part:
    """A checkpoint or an adapter: a folder, perhaps pinned to a digest, or a name of the hub with its revision."""

    name: str
    revision: str | None = None
    digest: str | None = None

    @property
    def folder(self) -> Path | None:
        """The local folder, None for a name of the hub."""
        path = Path(self.name).expanduser()
        return path if path.is_dir() else None


def parts(rest: str) -> tuple[Part, Part | None]:
    """(checkpoint, adapter) of what stands after `hf:`; folders may have a plus in their names."""
    cuts = [i for i, c in enumerate(rest) if c == "+"]
    if not cuts or Path(pins.split(rest)[0]).expanduser().is_dir():
        return _part(rest), None
    folders = [i for i in cuts if Path(pins.split(rest[:i])[0]).expanduser().is_dir()]
    at = (folders or cuts)[0]
    return _part(rest[:at]), _part(rest[at + 1 :])


def probe(rest: str) -> None:
    """Raise Missing or Unknown where the checkpoint or the adapter is not there."""
    base, adapter = parts(rest)
    for part, wanted in ((base, "config.json"), (adapter, "adapter_config.json")):
        if part is None:
            continue
        if part.folder is None:
            _commit(part)
        elif not (part.folder / wanted).is_file():
            raise Missing(f"--model hf:{rest}: {_no_checkpoint(part.folder, wanted)}")


def resolve(rest: str) -> str:
    """The name with every part pinned: a hub name to its commit, a folder to the digest of its files."""
    return "hf:" + "+".join(_pin(part) for part in parts(rest) if part is not None)


def open(rest: str, *, device: str, dtype: str, batch_size: str | int, device_map: str | None = None) -> Any:
    """The checkpoint, its adapter merged into it, as a local model."""
    base, adapter = parts(rest)
    spread = device_map or os.environ.get("UNSEEN_DEVICE_MAP") or None
    copies = _copies(f"--model hf:{rest}", dtype) if spread == REPLICAS else []
    if copies:
        spread, device = None, copies[0]
    model, tokenizer = loaded(fetched(base), dtype, f"--model hf:{rest}", device_map=spread, device=device)
    if adapter is not None:
        model, tokenizer = _adapted(model, tokenizer, fetched(adapter))
    if copies:
        from . import parallel

        return parallel.over(model, tokenizer, copies, batch_size)
    return local(model, tokenizer, None if spread else device, batch_size)


def _copies(who: str, dtype: str) -> list[str]:
    """The accelerators that each get a copy. Raises Missing where there is none, Invalid for weights in 8 bits."""
    from . import parallel

    if dtype == INT8:
        raise Invalid(f"--device-map {REPLICAS}: weights in 8 bits stay where they were loaded; use another dtype.")
    return parallel.accelerators(who)


def loaded(
    folder: Path, dtype: str, who: str = "", *, device_map: str | None = None, device: str = "cpu"
) -> tuple[Any, Any]:
    """(model, tokenizer) of a folder; in 8 bits it is on its device already. Raises Missing where they cannot be read or
    weights are left out."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from .engine import quiet

    quiet()
    given = {"local_files_only": True, "trust_remote_code": False}
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder), **given)
        model, told = AutoModelForCausalLM.from_pretrained(
            str(folder), **_numbers(dtype, device_map, device, who), output_loading_info=True, **given
        )
    except (ModuleNotFoundError, UnseenError):
        raise
    except Exception as error:  # readers of files raise all sorts, tokenizers a bare Exception
        raise Missing(f"{who}: transformers cannot load it ({_short(error)}).") from None
    if gone := sorted(told["missing_keys"]):
        raise Missing(
            f"{who}: the checkpoint lacks {len(gone)} weights of {type(model).__name__}, the first being {gone[0]}, which would be random; it was saved from another class, or in part."
        )
    return model, tokenizer


def local(model: Any, tokenizer: Any, device: str | None, batch_size: str | int) -> Any:
    """A model of transformers on its device, as something that answers and scores. Raises Invalid for no such device."""
    from .engine import Local

    try:
        stays = device is None or getattr(model, "is_loaded_in_8bit", False)  # it was put there as it was loaded
        placed = model if stays else model.to(device)
    except (RuntimeError, AssertionError) as error:
        raise Invalid(f"--device {device}: the model cannot be put there ({_short(error)}).") from None
    return Local(placed, tokenizer, batch_size=batch_size)


def check_dtype(name: str) -> None:
    """Raise Invalid for a name of no kind of numbers that a checkpoint is loaded in."""
    if name != INT8:
        torch_dtype(name)


def _numbers(dtype: str, device_map: str | None, device: str, who: str) -> dict[str, Any]:
    """How transformers is told in which numbers, and where, to load a model. Raises Missing without bitsandbytes."""
    if dtype != INT8:
        return {"dtype": torch_dtype(dtype), "device_map": device_map}
    from importlib.util import find_spec

    from transformers import BitsAndBytesConfig

    if find_spec("bitsandbytes") is None:
        raise Missing(f"{who}: --dtype int8 needs bitsandbytes. Install it: pip install 'unseen[quantized]'")
    return {"quantization_config": BitsAndBytesConfig(load_in_8bit=True), "device_map": device_map or {"": device}}


def torch_dtype(name: str) -> Any:
    """The torch type of that name ("auto": what the checkpoint was saved in). Raises Invalid for no floating type."""
    import torch

    if name not in DTYPES:
        raise Invalid(
            f"--dtype {name}: models compute in {', '.join(DTYPES[1:])}, or auto, as the checkpoint was saved; checkpoints also in int8."
        )
    return name if name == "auto" else getattr(torch, name)


def folder_digest(folder: Path) -> str:
    """16 hex digits over the names and digests of a checkpoint's files."""
    told = hashlib.sha256()
    for path in sorted(p for p in folder.iterdir() if p.suffix in KEPT):
        told.update(f"{path.name} {digest_of_file(path)}\n".encode())
    return told.hexdigest()[:16]


def _part(text: str) -> Part:
    name, digest = pins.split(text)
    if Path(name).expanduser().is_dir():
        return Part(name, None, digest)
    if digest is not None or name.startswith(("/", "./", "../", "~")) or name in (".", ".."):
        raise Missing(f"--model hf:{text}: there is no folder {name}; a relative path begins at {Path.cwd()}.")
    name, _, revision = name.partition("@")
    return Part(name, revision or None)


def _pin(part: Part) -> str:
    if part.folder is not None:
        told = part.name if part.digest is None else f"{part.name}#{part.digest}"
        return pins.kept("hf", told, folder_digest(part.folder)).removeprefix("hf:")
    known = part.revision if part.revision and COMMIT.fullmatch(part.revision) else _commit(part)
    return f"{part.name}@{known}"


def _no_checkpoint(folder: Path, wanted: str) -> str:
    """Why a folder cannot be what it is named as."""
    told = folder / "adapter_config.json"
    if wanted == "config.json" and told.is_file():
        base = json.loads(told.read_text(encoding="utf-8")).get("base_model_name_or_path") or "BASE"
        return f"the folder {folder} holds an adapter and no checkpoint; name its base too: hf:{base}+{folder}."
    kind = "checkpoint" if wanted == "config.json" else "PEFT adapter"
    return f"the folder {folder} holds no {wanted}, so it is no {kind}; `save_pretrained` writes one."


def _adapted(model: Any, tokenizer: Any, adapter: Path) -> tuple[Any, Any]:
    """The model with the adapter merged into its weights, and the adapter's own tokenizer where it brings one."""
    from peft import PeftModel
    from transformers import AutoTokenizer

    try:
        if (adapter / "tokenizer_config.json").is_file():
            tokenizer = AutoTokenizer.from_pretrained(str(adapter), local_files_only=True, trust_remote_code=False)
            if len(tokenizer) > model.get_input_embeddings().num_embeddings:
                model.resize_token_embeddings(len(tokenizer))
        return PeftModel.from_pretrained(model, str(adapter)).merge_and_unload(), tokenizer
    except ModuleNotFoundError:
        raise
    except Exception as error:  # as above, and peft's own
        raise Missing(
            f"the adapter {adapter} cannot be merged into {model.config.name_or_path} ({_short(error)}); it must have been trained on that checkpoint, and be of a kind that changes weights, such as LoRA."
        ) from None


def fetched(part: Part) -> Path:
    """The local folder with a part's files, fetched from the hub where they are not there yet."""
    from huggingface_hub import snapshot_download

    if part.folder is not None:
        return part.folder
    held = _cache() / f"models--{part.name.replace('/', '--')}" / "snapshots" / str(part.revision)
    if _whole(held):
        return held  # a commit does not change, so the hub need not be asked
    given = {"revision": part.revision, "cache_dir": _cache(), "local_files_only": offline(), "ignore_patterns": "*/*"}
    patterns = [f"*{suffix}" for suffix in KEPT if suffix != ".bin"]
    try:
        place = Path(snapshot_download(part.name, allow_patterns=patterns, **given))
        if not list(place.glob("*.safetensors")):  # an old checkpoint
            snapshot_download(part.name, allow_patterns="*.bin", **given)
    except Exception as error:  # whatever the hub's HTTP client raises
        raise Missing(
            f"--model hf:{part.name}: its files cannot be fetched ({_short(error)}); check the network and HF_TOKEN, or give a local folder."
        ) from None
    return place


def _whole(folder: Path) -> bool:
    """Whether a snapshot holds every file that is read: configuration, words, and all its weights."""
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        named = json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()
        weights = all((folder / name).is_file() for name in named)
    else:
        weights = any(folder.glob("*.safetensors"))
    words = any(folder.glob("tokenizer*")) or (folder / "adapter_config.json").is_file()
    return weights and words and any(folder.glob("*config.json"))


def _commit(part: Part) -> str:
    """The commit a hub name means now, from the hub or, offline, from its cache."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError, RevisionNotFoundError
    from huggingface_hub.utils import validate_repo_id

    try:
        validate_repo_id(part.name)
        if offline():
            return _cached_commit(part, "nothing may be fetched (offline)")
        return str(HfApi().model_info(part.name, revision=part.revision, timeout=5).sha)
    except HFValidationError:
        raise Unknown(
            f"--model hf:{part.name}: there is no such folder, and it is no name of the hub (ORG/NAME)."
        ) from None
    except (RepositoryNotFoundError, RevisionNotFoundError):
        at = f" at revision {part.revision}" if part.revision else ""
        raise Unknown(
            f"--model hf:{part.name}: the hub has no such model{at}, or it is private or gated (set HF_TOKEN)."
        ) from None
    except Missing:
        raise
    except Exception as error:  # whatever the hub's HTTP client raises when there is no network, or the hub is ill
        return _cached_commit(part, f"the hub does not answer ({type(error).__name__})")


def _cached_commit(part: Part, why: str) -> str:
    """The commit that the hub's cache holds of a name. Raises Missing, saying why the hub was not asked."""
    place = _cache() / f"models--{part.name.replace('/', '--')}"
    wanted = part.revision or "main"
    ref = place / "refs" / wanted
    found = ref.read_text(encoding="utf-8").strip() if ref.is_file() else wanted
    there = (place / "snapshots").iterdir() if (place / "snapshots").is_dir() else ()
    held = [p.name for p in there if p.name.startswith(found) and list(p.glob("*config.json"))]
    if len(held) == 1 and (held[0] == found or len(found) >= 7):
        return held[0]
    at = f"@{part.revision}" if part.revision else ""
    raise Missing(
        f"--model hf:{part.name}{at}: {why}, and it is not in the cache ({place.parent}); fetch it once when there is a network, or give a local folder."
    )


def _cache() -> Path:
    from huggingface_hub.constants import HF_HUB_CACHE

    return Path(os.environ.get("HF_HUB_CACHE", HF_HUB_CACHE)).expanduser()


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
