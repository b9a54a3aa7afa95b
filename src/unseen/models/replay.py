"""replay:FILE: answers made elsewhere, as jsonl rows {prompt, answer[, logprob]} or our own items.parquet."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid, Missing
from unseen.core.lab import digest_of_file
from unseen.core.model import Answer, Prompt


def path_of(rest: str) -> Path:
    """The file a name stands for."""
    return Path(rest.partition("#")[0]).expanduser()


def probe(rest: str) -> None:
    """Raise Missing where there is no such file, Invalid where a row is none."""
    if not path_of(rest).is_file():
        raise Missing(f"--model replay:{rest}: there is no such file.")
    _read(path_of(rest))


def resolve(rest: str) -> str:
    """The file and its digest."""
    return f"replay:{path_of(rest)}#{digest_of_file(path_of(rest))[:16]}"


def open(rest: str, *, device: str, dtype: str, batch_size: str | int) -> Any:
    """The file as a model."""
    return Replay(path_of(rest))


def key(prompt: Prompt) -> str:
    """A prompt as text: chat turns as JSON."""
    return prompt if isinstance(prompt, str) else json.dumps([dict(t) for t in prompt], ensure_ascii=False)


class Replay:
    """Answers looked up by prompt."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = _read(path)

    def stream(self, prompts: Sequence[Prompt], **_: Any) -> Iterator[tuple[int, Answer]]:
        """(index, answer) for every prompt. Raises Missing, counting the prompts that the file lacks."""
        self._all([key(p) for p in prompts])
        yield from ((i, Answer(str(self.rows[key(p)]["answer"]), "stop")) for i, p in enumerate(prompts))

    def scores(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> NDArray[np.float64]:
        """The recorded log-probabilities (nats) [prompt] of recorded answers."""
        self._all([key(p) for p in prompts])
        told: list[float] = []
        for p, a in zip(prompts, answers, strict=True):
            row = self.rows[key(p)]
            if row.get("logprob") is None or row["answer"] != a:
                raise Missing(
                    f"{self.path} has no log-probability of {a[:60]!r} after {key(p)[:60]!r}; rows need `logprob`, one for each answer."
                )
            told.append(float(row["logprob"]))
        return np.array(told)

    def _all(self, keys: Sequence[str]) -> None:
        gone = [k for k in keys if k not in self.rows]
        if gone:
            raise Missing(
                f"{self.path} has no answer to {len(gone)} of {len(keys)} prompts, the first being {gone[0][:80]!r}; record them with the same study, setting and seeds."
            )


def _read(path: Path) -> dict[str, dict[str, Any]]:
    if path.suffix == ".parquet":
        import polars as pl

        try:
            rows = pl.read_parquet(path, columns=["prompt", "answer"]).to_dicts()
        except pl.exceptions.PolarsError as error:
            raise Invalid(
                f"{path} cannot be read as items ({error}); it needs the columns prompt and answer."
            ) from None
        return {r["prompt"]: r for r in rows}
    found: dict[str, dict[str, Any]] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise Invalid(f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8.") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            found[key(row["prompt"])] = {**row, "answer": str(row["answer"])}
        except (ValueError, KeyError, TypeError):
            raise Invalid(
                f"{path}, line {number}: a row is a JSON object with prompt and answer; this is {line[:60]!r}."
            ) from None
    if not found:
        raise Invalid(f"{path} holds no rows; each line is a JSON object with prompt and answer.")
    return found
