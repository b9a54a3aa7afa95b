"""What does a file of examples mean to a model? Columns as they are read, and the batch of arguments made of them.

{"text": ["…", …]}  with a causal model  ->  {"input_ids": …, "attention_mask": …, "labels": …}, each [example token]
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np

from unseen.core.errors import Invalid, Missing

ANSWERS = ("answer", "completion", "response", "truth")
LABELS = ("labels", "label")
IGNORED = -100  # the label of a token that carries no loss

Columns = Mapping[str, Any]


def read(path: Path, *, limit: int, seed: int) -> dict[str, Any]:
    """The columns of a file, at most `limit` examples drawn from all: lists, or arrays where the file holds arrays.

    Raises Missing where there is no such file, Invalid for one that cannot be read, is empty or is of another kind.
    """
    if not path.is_file():
        raise Missing(f"there is no file {path}; examples are read from jsonl, csv, parquet, npz or safetensors.")
    from polars.exceptions import PolarsError

    try:
        found = _columns(path)
    except (OSError, ValueError, KeyError, PolarsError) as error:
        raise Invalid(f"{path} cannot be read ({' '.join(str(error).split())[:200]}).") from error
    counts = {len(v) for v in found.values()}
    if len(counts) != 1 or counts == {0}:
        raise Invalid(f"{path} holds columns of {', '.join(map(str, sorted(counts))) or 'no'} examples; all are to be of one length above 0.")  # fmt: skip
    n = counts.pop()
    chosen = np.sort(np.random.default_rng(seed).permutation(n)[:limit])
    return {k: v[chosen] if isinstance(v, np.ndarray) else [v[i] for i in chosen] for k, v in found.items()}


def batch(rows: Columns, model: Any, path: Path, *, max_length: int) -> dict[str, Any]:
    """The keyword arguments [example …] of a model for these columns, its loss included; texts go through the tokenizer
    in `path`. Raises Invalid where the columns are neither texts nor arguments, or lack the targets."""
    label = next((k for k in LABELS if k in rows), None)
    if "text" in rows or "prompt" in rows:
        tokens, answers = _tokens(rows, path, max_length)
        made = _padded(tokens, answers)
        if label is None or not _classifies(model):
            return made
        return {"input_ids": made["input_ids"], "attention_mask": made["attention_mask"], "labels": _tensor(rows[label], label)}  # fmt: skip
    if "input_ids" in rows and isinstance(rows["input_ids"], list):
        tokens = [list(map(int, row)) for row in rows["input_ids"]]
        if _classifies(model) and label is not None:
            made = _padded(tokens, [[True] * len(t) for t in tokens])
            return made | {"labels": _tensor(rows[label], label)}
        if label is None:
            return _padded(tokens, [[True] * len(t) for t in tokens])
        return _padded(tokens, [[x != IGNORED for x in row] for row in rows[label]], rows[label])
    if label is None:
        raise Invalid(f"the file has the columns {', '.join(rows)}; needed are `text`, or `prompt` and `answer`, or the model's own arguments with `labels`.")  # fmt: skip
    return {("labels" if k == label else k): _tensor(v, k) for k, v in rows.items()}


def mean_loss(model: Any, made: Columns) -> float:
    """The mean over examples of the loss (nats) that the model says of each."""
    import torch

    model.eval()
    n = len(next(iter(made.values())))
    with torch.no_grad():
        return float(np.mean([float(model(**{k: v[i : i + 1] for k, v in made.items()})["loss"]) for i in range(n)]))


def _columns(path: Path) -> dict[str, Any]:
    if path.suffix == ".npz":
        with np.load(path) as held:
            return {k: held[k] for k in held.files}
    if path.suffix == ".safetensors":
        from safetensors.numpy import load_file

        return dict(load_file(str(path)))
    if path.suffix in (".jsonl", ".json"):
        text = path.read_text(encoding="utf-8")
        rows = json.loads(text) if path.suffix == ".json" else [json.loads(line) for line in text.splitlines() if line.strip()]  # fmt: skip
        names = set(rows[0]) if rows else set()
        if odd := [i for i, row in enumerate(rows, 1) if set(row) != names]:
            raise ValueError(f"row {odd[0]} has other fields than the first")
        return {k: [row[k] for row in rows] for k in rows[0]} if rows else {}
    if path.suffix in (".csv", ".parquet"):
        import polars as pl

        frame = pl.read_csv(path) if path.suffix == ".csv" else pl.read_parquet(path)
        return {k: frame[k].to_list() for k in frame.columns}
    raise ValueError(f"the ending {path.suffix!r} is none of jsonl, json, csv, parquet, npz, safetensors")


def _tokens(rows: Columns, path: Path, max_length: int) -> tuple[list[list[int]], list[list[bool]]]:
    """Each text's tokens, and which of them carry loss: all of a text, of a prompt and its answer those of the answer."""
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(str(path), local_files_only=True, trust_remote_code=False)
    if "text" in rows:
        tokens = [tokenizer(t, truncation=True, max_length=max_length)["input_ids"] for t in rows["text"]]
        return tokens, [[True] * len(t) for t in tokens]
    name = next((k for k in ANSWERS if k in rows), None)
    if name is None:
        raise Invalid(f"a file of prompts needs their answers too, in a column {', '.join(ANSWERS[:-1])} or {ANSWERS[-1]}.")  # fmt: skip
    made: list[list[int]] = []
    carry: list[list[bool]] = []
    for prompt, said in zip(rows["prompt"], rows[name], strict=True):
        asked = tokenizer(prompt)["input_ids"]
        answer = tokenizer(str(said), add_special_tokens=False)["input_ids"]
        asked = asked[-max(1, max_length - len(answer)) :]  # the end of a long prompt is kept
        made.append((asked + answer)[:max_length])
        carry.append(([False] * len(asked) + [True] * len(answer))[:max_length])
    return made, carry


def _padded(tokens: list[list[int]], carry: list[list[bool]], labels: Any = None) -> dict[str, Any]:
    """Rows of tokens as arguments of one width: padded on the right, where neither attention nor loss is."""
    import torch

    if empty := [i for i, (t, c) in enumerate(zip(tokens, carry, strict=True), 1) if len(t) < 2 or not any(c[1:])]:
        raise Invalid(f"example {empty[0]} has no token to predict; leave out texts of fewer than two tokens, and empty answers.")  # fmt: skip
    shape = len(tokens), max(map(len, tokens))
    ids, mask, goal = np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.full(shape, IGNORED)
    for i, (row, its) in enumerate(zip(tokens, carry, strict=True)):
        ids[i, : len(row)], mask[i, : len(row)] = row, 1
        goal[i, : len(row)] = np.where(its, row if labels is None else labels[i], IGNORED)
    return {k: torch.from_numpy(v) for k, v in (("input_ids", ids), ("attention_mask", mask), ("labels", goal))}


def _classifies(model: Any) -> bool:
    names = [type(model).__name__, *(getattr(getattr(model, "config", None), "architectures", None) or [])]
    return any("Classification" in str(name) for name in names)


def _tensor(values: Any, name: str) -> Any:
    import torch

    try:
        found = np.asarray(values)
        if found.dtype.kind not in "iufb":
            raise ValueError("not numbers")
    except ValueError as error:
        raise Invalid(f"the column {name!r} holds no numbers of one shape ({error}); leave it out, or make it so.") from error  # fmt: skip
    whole = cast("np.ndarray[Any, Any]", found)
    return torch.from_numpy(whole.astype(np.float32 if whole.dtype.kind == "f" else np.int64))
