"""replay:FILE: answers made elsewhere, as jsonl rows {prompt, answer[, logprob]} or our own items.parquet.

{"prompt": "2 + 2 =", "answer": " 4", "logprob": -0.31}
{"prompt": [{"role": "user", "content": "2 + 2?"}], "answer": "4"}
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid, Missing
from unseen.core.model import Answer, Prompt

from . import pins

ROW = "a JSON object with prompt and answer"
FINISHES = ("stop", "length", "filter")


def probe(rest: str) -> None:
    """Raise Missing where there is no such file, Invalid where a row is none."""
    Replay(pins.path_of("replay", rest))


def resolve(rest: str) -> str:
    """The file and its digest."""
    return pins.of_file("replay", rest)


def open(rest: str, *, device: str, dtype: str, batch_size: str | int) -> Any:
    """The file as a model."""
    return Replay(pins.path_of("replay", rest))


def key(prompt: Prompt) -> str:
    """A prompt as text: chat turns as JSON, however their keys were ordered and spaced."""
    if isinstance(prompt, str):
        if not prompt.startswith("["):
            return prompt
        try:
            turns = json.loads(prompt)
        except ValueError:
            return prompt
        if not (turns and isinstance(turns, list) and all(isinstance(t, dict) and "role" in t for t in turns)):
            return prompt
        return key(turns)
    return json.dumps([dict(turn) for turn in prompt], ensure_ascii=False, sort_keys=True)


class Replay:
    """Answers looked up by prompt, log-probabilities by prompt and answer."""

    block = 0  # looking up is free: nothing is kept

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: dict[str, dict[str, Mapping[str, Any]]] = {}  # prompt -> answer -> its row
        for row in _read(path):
            self.rows.setdefault(key(row["prompt"]), {})[row["answer"]] = row
        if not self.rows:
            raise Invalid(f"{path} holds no rows; each is {ROW}.")
        scored = any(r.get("logprob") is not None for rows in self.rows.values() for r in rows.values())
        self.scores = self._scores if scored else None

    def stream(self, prompts: Sequence[Prompt], **_: Any) -> Iterator[tuple[int, Answer]]:
        """(index, answer) for every prompt. Raises Missing, counting the prompts that the file lacks."""
        for i, rows in enumerate(self._all(prompts)):
            if len(rows) > 1:
                raise Invalid(
                    f"{self.path} has {len(rows)} different answers to {key(prompts[i])[:80]!r}, such as {' and '.join(repr(a[:40]) for a in list(rows)[:2])}; keep one."
                )
            [row] = rows.values()
            finish: Any = row.get("finish") if row.get("finish") in FINISHES else "stop"
            yield i, Answer(row["answer"], finish, int(row.get("tokens") or 0))

    def _scores(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> NDArray[np.float64]:
        """The recorded log-probabilities (nats) [prompt] of recorded answers. Raises Missing, counting those not there."""
        told = [rows.get(a, {}).get("logprob") for rows, a in zip(self._all(prompts), answers, strict=True)]
        if gone := [i for i, t in enumerate(told) if t is None]:
            i = gone[0]
            raise Missing(
                f"{self.path} has no log-probability of {len(gone)} of {len(told)} answers, the first being {answers[i][:60]!r} after {key(prompts[i])[:60]!r}; rows need `logprob`, one row for each answer."
            )
        return np.array(told, float)

    def _all(self, prompts: Sequence[Prompt]) -> list[dict[str, Mapping[str, Any]]]:
        keys = [key(p) for p in prompts]
        gone = [k for k in keys if k not in self.rows]
        if gone:
            raise Missing(
                f"{self.path} has no answer to {len(gone)} of {len(keys)} prompts, the first being {gone[0][:80]!r}; record them with the same study, setting and seeds."
            )
        return [self.rows[k] for k in keys]


def _read(path: Path) -> Iterable[dict[str, Any]]:
    """The rows of a file, each with prompt and answer, the answer a string."""
    return _table(path) if path.suffix == ".parquet" else _lines(path)


def _table(path: Path) -> list[dict[str, Any]]:
    import polars as pl

    try:
        rows = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise Invalid(f"{path} cannot be read as parquet ({' '.join(str(error).split())[:200]}).") from None
    if gone := [c for c in ("prompt", "answer") if c not in rows.columns]:
        raise Invalid(
            f"{path} has no column {gone[0]!r}; it needs prompt and answer, and has {', '.join(rows.columns)}."
        )
    wanted = [c for c in ("prompt", "answer", "logprob", "finish", "tokens") if c in rows.columns]
    return rows.select(wanted).drop_nulls(["prompt", "answer"]).to_dicts()


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise Invalid(f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8.") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            key(row["prompt"])
            if row.get("logprob") is not None:
                row["logprob"] = float(row["logprob"])
            yield {**row, "answer": str(row["answer"])}
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Invalid(f"{path}, line {number}: a row is {ROW}; this is {line[:60]!r}.") from None
