"""Answers, kept under the pinned model, the prompt and the decoding, so that nothing is asked twice.

A server's answers are kept one by one as they arrive. Local answers are kept in fixed blocks of 256 prompts: what else
is in a batch changes the last bits, so a block is asked as a whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Mistake
from unseen.core.model import Answer, Prompt

BLOCK = 256


class Kept:
    """Texts under keys in one sqlite file, shared by processes."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
        self._file.execute("PRAGMA journal_mode=WAL")
        self._file.execute("CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, value TEXT NOT NULL)")

    def get(self, key: str) -> Any:
        """The value under a key, or None."""
        found = self._file.execute("SELECT value FROM answers WHERE key = ?", (key,)).fetchone()
        return None if found is None else json.loads(found[0])

    def put(self, key: str, value: Any) -> None:
        """Keep a value; durable when this returns."""
        self._file.execute("INSERT OR REPLACE INTO answers VALUES (?, ?)", (key, json.dumps(value)))


class Cached:
    """A model whose answers are kept. `inner` yields (index, answer) as they come; `block` prompts are asked together."""

    def __init__(self, inner: Any, how: str, kept: Kept, block: int) -> None:
        self.inner, self.how, self.kept, self.block = inner, how, kept, block

    def generate(
        self,
        prompts: Sequence[Prompt],
        *,
        max_new_tokens: int,
        temperature: float = 0,
        seed: int = 0,
        stop: Sequence[str] = (),
    ) -> list[Answer]:
        """An answer for each prompt. Raises Mistake where the model only scores."""
        words = {"max_new_tokens": max_new_tokens, "temperature": temperature, "seed": seed, "stop": tuple(stop)}

        def ask(part: Sequence[int]) -> Iterator[tuple[int, Any]]:
            for i, answer in self.inner.stream([prompts[p] for p in part], **words):
                yield part[i], asdict(answer)

        found = self._all([("generate", p, words) for p in prompts], ask)
        return [Answer(**f) for f in found]

    def logprobs(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> NDArray[np.float64]:
        """The log-probability of each answer after its prompt (nats) [prompt]. Raises Mistake where it cannot be had."""
        if not hasattr(self.inner, "scores"):
            raise Mistake(
                f"{self.how.split('|')[0]} generates text but gives no log-probabilities; use a measure over generated answers."
            )

        def ask(part: Sequence[int]) -> Iterator[tuple[int, Any]]:
            told = self.inner.scores([prompts[p] for p in part], [answers[p] for p in part])
            yield from ((part[i], float(v)) for i, v in enumerate(told))

        found = self._all([("logprob", p, a) for p, a in zip(prompts, answers, strict=True)], ask)
        return np.array(found, float)

    def _all(self, asked: Sequence[Any], ask: Callable[[Sequence[int]], Iterator[tuple[int, Any]]]) -> list[Any]:
        found: dict[int, Any] = {}
        keys = [self._key(one) for one in asked]
        if self.block == 1:
            found = {i: v for i, key in enumerate(keys) if (v := self.kept.get(key)) is not None}
            first: dict[str, int] = {}
            left = [first.setdefault(keys[i], i) for i in range(len(keys)) if i not in found]
            for i, value in ask(list(dict.fromkeys(left))):
                self.kept.put(keys[i], value)
                found[i] = value
            return [found[i] if i in found else found[first[keys[i]]] for i in range(len(keys))]
        for start in range(0, len(asked), self.block):
            part = range(start, min(start + self.block, len(asked)))
            key = self._key([keys[i] for i in part])
            values = self.kept.get(key)
            if values is None:
                told = dict(ask(part))
                values = [told[i] for i in part]
                self.kept.put(key, values)
            found.update(zip(part, values, strict=True))
        return [found[i] for i in range(len(asked))]

    def _key(self, one: Any) -> str:
        text = json.dumps(
            [self.how, one], sort_keys=True, default=lambda v: dict(v) if hasattr(v, "items") else list(v)
        )
        return hashlib.sha256(text.encode()).hexdigest()


def cached(inner: Any, how: str, folder: Path) -> Cached:
    """A model with its answers kept in `folder`; what is deterministic and free is asked every time."""
    name = hashlib.sha256(how.encode()).hexdigest()[:16]
    return Cached(inner, how, Kept(folder / f"{name}.sqlite"), getattr(inner, "block", BLOCK))
