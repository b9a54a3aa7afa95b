"""How do the checkpoints of any mixture of experts route a file of samples? Those of transformers, or stacks of ours.

{"text": "Water boils at …", "group": "chemistry"}     one sample a line; or "input_ids": [3, 17, …]

for one in along(Path("runs/mine"), samples(Path("held.jsonl"))): one["step"], one["distance"], one["consistency"]
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid, Missing, missing_extra
from unseen.measures import pathways
from unseen.tasks.rows import json_rows

HOLDS = 'each line is an object with "text", or with "input_ids" (token numbers, of which 0 is padding), and perhaps "group"'
STEP = re.compile(r"(?:.*?[-_])?(?:checkpoint|step|revision)[-_]?(\d+)(?:\D.*)?")
OURS = "mixture.json"
AT_ONCE = 8  # samples in one forward pass of a model of transformers
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Samples:
    """Samples as texts or as token numbers [sample], and the group of each [sample]."""

    texts: tuple[str, ...]
    tokens: tuple[tuple[int, ...], ...]
    groups: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.groups)


@dataclass(frozen=True)
class Read:
    """What one model says of samples: routing weights [sample layer expert], routers [layer expert width], losses [sample]
    (nats a token), and the seed where several models lie in one checkpoint."""

    weights: Floats
    routers: Floats
    losses: Floats
    seed: int | None = None


def samples(path: Path, *, limit: int = 256, seed: int = 0) -> Samples:
    """At most `limit` samples of a jsonl file, drawn from all. Raises Missing or Invalid for files that hold none."""
    rows = list(json_rows(path, HOLDS))
    chosen = np.sort(np.random.default_rng(seed).permutation(len(rows))[:limit])
    kept = [rows[i] for i in chosen.tolist()]
    kinds = {"input_ids" if isinstance(row, dict) and "input_ids" in row else "text" for _, row in kept}
    for line, row in kept:
        if not isinstance(row, dict) or not _fine(row):
            raise Invalid(f"{path}, line {line} is no sample of at least two tokens; {HOLDS}.")
    if len(kinds) > 1:
        raise Invalid(f"{path} holds texts and token numbers; give one kind in a file.")
    texts = tuple(row["text"] for _, row in kept) if kinds == {"text"} else ()
    tokens = () if texts else tuple(tuple(map(int, row["input_ids"])) for _, row in kept)
    groups = tuple(str(row.get("group", "all")) for _, row in kept)
    if len(groups) < 2:
        raise Invalid(f"{path} holds one sample; distances are of pairs, so give two or more.")
    return Samples(texts, tokens, groups)


def _fine(row: Mapping[str, Any]) -> bool:
    ids = row.get("input_ids")
    if ids is not None:
        return isinstance(ids, list) and len(ids) > 1 and all(isinstance(t, int) and t >= 0 for t in ids)
    return isinstance(row.get("text"), str) and bool(row["text"].strip())


def checkpoints(folder: Path) -> list[tuple[int, Path]]:
    """The checkpoints in a folder by step: subfolders named checkpoint-N or stepN, of transformers or of ours (`moe.save`),
    or the folder itself. Raises Missing where there is none."""
    if not folder.is_dir():
        raise Missing(f"there is no folder {folder}; give one that holds checkpoints of a mixture of experts.")
    named = ((STEP.fullmatch(p.name), p) for p in sorted(folder.iterdir()))
    found = sorted((int(m[1]), p) for m, p in named if m and _whole(p))
    if not found and _whole(folder):
        name = STEP.fullmatch(folder.resolve().name)
        found = [(int(name[1]) if name else 0, folder)]
    if not found:
        raise Missing(
            f"{folder} holds no checkpoints (folders checkpoint-N or stepN with config.json, or with {OURS}); save them by step."
        )
    return found


def along(
    folder: Path,
    told: Samples,
    *,
    threshold: float = 0.7,
    max_length: int = 512,
    draws: int = 1000,
    device: str = "cpu",
    dtype: str = "auto",
) -> Iterator[dict[str, Any]]:
    """For each checkpoint, and each seed of it, its step, mean loss (nats a token), distance within groups with its 95%
    interval over samples, by experts, across groups (where there are several), consistency, inconsistency and entropy.

    Raises Invalid for models without routers and for tokens they do not have.
    """
    for step, path in checkpoints(folder):
        for one in read(path, told, max_length=max_length, device=device, dtype=dtype):
            head = {"step": step} if one.seed is None else {"step": step, "seed": one.seed}
            yield {**head, **measured(one, told.groups, threshold, draws)}


def measured(one: Read, groups: Sequence[str], threshold: float, draws: int) -> dict[str, Any]:
    """The numbers of one model; the interval is of the mean over groups, its samples drawn anew in each."""
    ways = pathways.pathways(one.weights, threshold)
    d, e = (pathways.distances(ways, unit=unit) for unit in ("string", "expert"))
    same = np.equal.outer(np.array(groups), np.array(groups))
    parts = [np.flatnonzero(same[i]) for i in sorted({int(np.flatnonzero(row)[0]) for row in same})]
    parts = [rows for rows in parts if len(rows) > 1]
    if not parts:
        raise Invalid("every sample is the only one of its group; distances within groups take two of one.")
    rng = np.random.default_rng(0)
    drawn = np.mean([pathways.resampled(d[None][:, r][:, :, r], draws, rng)[:, 0] for r in parts], 0)
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # how many have a value is told
        bent = pathways.inconsistencies(one.weights, one.routers)
    there = bent[~np.isnan(bent)]
    c = float(there.mean()) if len(there) else float("nan")
    told: dict[str, Any] = {
        "loss": float(one.losses.mean()),
        "distance": float(np.mean([pathways.means(d[None][:, r][:, :, r])[0] for r in parts])),
        "low": float(low),
        "high": float(high),
        "expert_distance": float(np.mean([pathways.means(e[None][:, r][:, :, r])[0] for r in parts])),
        "consistency": 1 - c,
        "inconsistency": c,
        "defined": len(there),
        "entropy": float(pathways.entropy(one.weights).mean()),
    }
    return told if same.all() else {**told, "across": float(d[~same].mean())}


def read(path: Path, told: Samples, *, max_length: int, device: str, dtype: str) -> Iterator[Read]:
    """What the models of a checkpoint say of the samples."""
    try:
        import torch
    except ModuleNotFoundError as error:
        raise missing_extra("the pathways of checkpoints", error, "hub") from error
    if (path / OURS).is_file():
        yield from _of_ours(path, told, max_length, torch.device(device))
    else:
        yield _of_pretrained(path, told, max_length, torch.device(device), dtype)


def _of_ours(path: Path, told: Samples, max_length: int, device: Any) -> Iterator[Read]:
    import torch

    from unseen.measures import routing
    from unseen.models import moe

    if not told.tokens:
        raise Invalid(f"{path} is a stack of ours, which has no tokenizer; give samples as input_ids.")
    models = moe.load(path).to(device)
    ids, mask = (x.to(device) for x in _padded(told.tokens, max_length, models.shape.vocab, path))
    each = ids.expand(len(models.seeds), -1, -1)
    weights = routing.of_mixture(models, each)
    with torch.inference_mode():
        said = models.logits(models(each))
    routers = models.routers().detach().double().cpu().numpy()
    for i, seed in enumerate(models.seeds):
        yield Read(weights[i], routers[i], _losses(said[i], ids, mask), seed)


def _of_pretrained(path: Path, told: Samples, max_length: int, device: Any, dtype: str) -> Read:
    import torch

    from unseen.measures import routing

    model = _loaded(path, dtype).to(device).eval()
    routers = routing.routers_of(model)
    tokens = told.tokens or _spelt(path, told.texts, max_length)
    ids, mask = (x.to(device) for x in _padded(tokens, max_length, int(model.config.vocab_size), path))
    weights: list[Floats] = []
    losses: list[Floats] = []
    for part, real in zip(ids.split(AT_ONCE), mask.split(AT_ONCE), strict=True):
        weights.append(routing.of_pretrained(model, part, real))
        with torch.inference_mode():
            said = model(input_ids=part, attention_mask=real, use_cache=False).logits
        losses.append(_losses(said, part, real))
    return Read(np.concatenate(weights), routers, np.concatenate(losses))


def _loaded(path: Path, dtype: str) -> Any:
    from transformers import AutoModelForCausalLM

    from unseen.models import hub
    from unseen.models.engine import quiet

    quiet()
    try:
        return AutoModelForCausalLM.from_pretrained(str(path), dtype=hub.torch_dtype(dtype), local_files_only=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise Missing(f"the checkpoint {path} cannot be loaded ({' '.join(str(error).split())[:300]}).") from error


def _spelt(path: Path, texts: Sequence[str], max_length: int) -> tuple[tuple[int, ...], ...]:
    """Texts as tokens, by the tokenizer in the checkpoint or beside it."""
    from transformers import AutoTokenizer

    place = next((p for p in (path, path.parent) if any(p.glob("tokenizer*"))), None)
    if place is None:  # transformers would make an empty one
        raise Missing(f"neither {path} nor the folder above holds a tokenizer; save one there, or give samples as input_ids.")  # fmt: skip
    tokenizer = AutoTokenizer.from_pretrained(str(place), local_files_only=True)
    return tuple(tuple(ids) for ids in tokenizer(list(texts), truncation=True, max_length=max_length)["input_ids"])


def _padded(tokens: Sequence[Sequence[int]], max_length: int, vocab: int, path: Path) -> tuple[Any, Any]:
    """Token numbers [sample longest], padded with 0 on the right, and a mask of those that are real."""
    import torch

    cut = [list(row)[:max_length] for row in tokens]
    if (most := max(map(max, cut))) >= vocab:
        raise Invalid(
            f"a sample holds token {most}, but the model in {path} has {vocab}; the samples are of another vocabulary."
        )
    ids = torch.zeros(len(cut), max(map(len, cut)), dtype=torch.long)
    mask = torch.zeros_like(ids)
    for i, row in enumerate(cut):
        ids[i, : len(row)], mask[i, : len(row)] = torch.tensor(row), 1
    return ids, mask


def _losses(said: Any, ids: Any, mask: Any) -> Floats:
    """The mean cross-entropy of each sample's tokens after the first [sample] (nats), of logits [sample place vocab]."""
    import torch.nn.functional as F

    each = F.cross_entropy(said[:, :-1].float().flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
    counts = mask[:, 1:].float()
    return ((each.view(len(ids), -1) * counts).sum(1) / counts.sum(1).clamp_min(1)).double().cpu().numpy()


def _whole(path: Path) -> bool:
    if not path.is_dir():
        return False
    return (path / OURS).is_file() or ((path / "config.json").is_file() and bool([*path.glob("*.safetensors"), *path.glob("*.bin")]))  # fmt: skip
