"""Answers, kept under the pinned model, the prompt and the decoding, so that nothing is asked twice.

A server's answers are kept one by one as they arrive. Local answers are kept in fixed blocks of 256 prompts: what else
is in a batch changes the last bits, so a block is asked as a whole or not at all. Equal prompts are asked once.

answers/3f0c5b7a9d1e2846.sqlite      one file for each pin: key (sha256) -> answer, or a block's answers, as JSON
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Damaged, Failed, Invalid
from unseen.core.far.objects import Far
from unseen.core.lab import Lab
from unseen.core.model import Answer, Prompt

from .account import Account
from .segments import Segments, drop

BLOCK = 256

Told = Callable[[int, Any], None]  # (index, what was said), in any order, perhaps from several threads
Ask = Callable[[Sequence[int], Told], None]  # asks the model these indices, and tells each as it comes


class Kept:
    """Values under keys in one sqlite file, shared by threads and processes; a file that is damaged is moved aside.

    Machines that share a far store share them, see `segments`.
    """

    def __init__(self, path: Path, far: Far | None = None) -> None:
        self.path, self._lock = path, threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = _opened(path)
        except (OSError, sqlite3.OperationalError) as error:
            raise Invalid(
                f"answers cannot be kept in {path} ({error}); make the folder writable, or set UNSEEN_HOME to another."
            ) from None
        self.shared = Segments(far, _shared(path), self._file, self._lock) if far is not None else None

    def get(self, key: str) -> Any:
        """The value under a key, or None."""
        found = self._run("SELECT value FROM answers WHERE key = ?", (key,))
        return json.loads(found[0][0]) if found else None

    def put(self, key: str, value: Any) -> None:
        """Keep a value; durable when this returns."""
        self._run("INSERT OR REPLACE INTO answers VALUES (?, ?)", (key, json.dumps(value)))
        if self.shared is not None:
            self.shared.send_enough()

    def clear(self) -> None:
        """Drop every value."""
        self._run("DELETE FROM answers", ())

    def _run(self, words: str, values: tuple[str, ...]) -> list[Any]:
        try:
            with self._lock:
                return self._file.execute(words, values).fetchall()
        except sqlite3.OperationalError as error:
            raise Failed(
                f"{self.path} cannot be read or written ({error}); what it holds is intact. Make room or wait for other processes, and run again."
            ) from None
        except sqlite3.DatabaseError as error:
            raise Damaged(f"{self.path} is damaged ({error}); run again, and it is moved aside.") from None


class Answering:
    """A model that generates, its answers kept.

    `inner.stream(prompts, …)` yields (index, answer) as they come; or `inner.answer_all(prompts, heard, …)` calls
    `heard(index, answer)` the moment one comes, in a thread of its own, so that no interrupt loses it.
    """

    def __init__(self, inner: Any, asked: Asked) -> None:
        self.inner, self._asked = inner, asked

    def generate(
        self,
        prompts: Sequence[Prompt],
        *,
        max_new_tokens: int,
        temperature: float = 0,
        seed: int = 0,
        stop: Sequence[str] = (),
    ) -> list[Answer]:
        """An answer for each prompt; equal prompts get one answer. Raises Invalid for a decoding that cannot be."""
        if max_new_tokens < 1 or temperature < 0:
            raise Invalid(
                f"max_new_tokens={max_new_tokens}, temperature={temperature}: an answer has at least one token, and no temperature is below 0."
            )
        _check(prompts)
        stops = (stop,) if isinstance(stop, str) else tuple(stop)
        words = {"max_new_tokens": int(max_new_tokens), "temperature": float(temperature), "seed": int(seed)}

        def ask(part: Sequence[int], told: Told) -> None:
            given = [prompts[p] for p in part]

            def heard(i: int, answer: Answer) -> None:
                told(part[i], asdict(answer))

            if hasattr(self.inner, "answer_all"):
                self.inner.answer_all(given, heard, **words, stop=stops)
            else:
                for i, answer in self.inner.stream(given, **words, stop=stops):
                    heard(i, answer)

        return [Answer(**f) for f in self._asked.all([("generate", p, words, stops) for p in prompts], ask)]


class Scoring:
    """A model that generates and scores, both kept."""

    def __init__(self, inner: Any, asked: Asked) -> None:
        self.inner, self._asked, self._answering = inner, asked, Answering(inner, asked)

    def generate(
        self,
        prompts: Sequence[Prompt],
        *,
        max_new_tokens: int,
        temperature: float = 0,
        seed: int = 0,
        stop: Sequence[str] = (),
    ) -> list[Answer]:
        """An answer for each prompt; equal prompts get one answer. Raises Invalid for a decoding that cannot be."""
        return self._answering.generate(
            prompts, max_new_tokens=max_new_tokens, temperature=temperature, seed=seed, stop=stop
        )

    def logprobs(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> NDArray[np.float64]:
        """The log-probability of each answer after its prompt (nats) [prompt]. Raises Mistake where it cannot be had."""
        _check(prompts)
        if len(prompts) != len(answers):
            raise Invalid(
                f"{len(prompts)} prompts and {len(answers)} answers: a log-probability is of one after the other."
            )

        def ask(part: Sequence[int], told: Told) -> None:
            given = [prompts[p] for p in part], [answers[p] for p in part]

            def heard(i: int, value: float) -> None:
                told(part[i], float(value))

            if hasattr(self.inner, "score_all"):
                self.inner.score_all(*given, heard)
            else:
                for i, value in enumerate(self.inner.scores(*given)):
                    heard(i, value)

        return np.array(self._asked.all([("logprob", p, a) for p, a in zip(prompts, answers, strict=True)], ask), float)


class Asked:
    """What was asked of one model: looked up where it is kept, else asked and kept, in blocks of `block` (0: never kept)."""

    def __init__(self, how: Sequence[str], kept: Kept | None, block: int, account: Account | None = None) -> None:
        self.how, self.kept, self.block, self.account = how, kept, block, account

    def all(self, asked: Sequence[Any], ask: Ask) -> list[Any]:
        """What the model says to each of `asked`, equal ones asked once."""
        keys = [_key([self.how, one]) for one in asked]
        first = {key: i for i, key in reversed(list(enumerate(keys)))}
        once = sorted(first.values())
        found: dict[int, Any] = {}
        size = self.block if self.block > 1 else max(1, len(once))
        if self.account is not None:
            self.account.begin(len(once))
        for start in range(0, len(once), size):
            part = once[start : start + size]
            if self.kept is None:
                self._ask(part, ask, found.__setitem__)
            elif self.block == 1:
                self._one_by_one(self.kept, part, keys, ask, found)
            else:
                self._block(self.kept, part, keys, ask, found)
            if self.account is not None:
                self.account.reach(len(found))
        return [found[first[key]] for key in keys]

    def _ask(self, part: Sequence[int], ask: Ask, told: Told) -> None:
        """Ask, each answer told and counted as it comes."""
        account = self.account

        def heard(i: int, value: Any) -> None:
            told(i, value)
            if account is not None:
                account.heard(value)

        ask(part, heard)

    def _one_by_one(
        self, kept: Kept, part: Sequence[int], keys: Sequence[str], ask: Ask, found: dict[int, Any]
    ) -> None:
        found.update({i: v for i in part if (v := kept.get(keys[i])) is not None})

        def told(i: int, value: Any) -> None:
            kept.put(keys[i], value)
            found[i] = value

        if left := [i for i in part if i not in found]:
            self._ask(left, ask, told)

    def _block(self, kept: Kept, part: Sequence[int], keys: Sequence[str], ask: Ask, found: dict[int, Any]) -> None:
        key = _key([keys[i] for i in part])
        values = kept.get(key)
        if values is None:
            told: dict[int, Any] = {}
            self._ask(part, ask, told.__setitem__)
            values = [told[i] for i in part]
            kept.put(key, values)
        found.update(zip(part, values, strict=True))


def cached(
    inner: Any, how: Sequence[str], folder: Path, account: Account | None = None, lab: Lab | None = None
) -> Answering | Scoring:
    """A model with its answers kept in `folder`, and counted in an account. `how` is its pin, and whatever else changes
    what it says. Where the trial's `lab` has a far store, they are shared through it.

    `inner.block` is how many prompts are asked and kept together (256 where it has none; 1: as they arrive; 0: never kept).
    """
    block = getattr(inner, "block", BLOCK)
    kept = Kept(_place(how[0], folder), lab.far if lab is not None else None) if block else None
    if lab is not None and kept is not None and kept.shared is not None:
        lab.endings.append(kept.shared.send)
    asked = Asked(how, kept, block, account)
    scores = getattr(inner, "scores", None) is not None or hasattr(inner, "score_all")
    return Scoring(inner, asked) if scores else Answering(inner, asked)


def forget(pin: str, folder: Path, far: Far | None = None) -> None:
    """Drop every answer of a pinned model that is kept in `folder`, and in a far store."""
    if far is not None:
        drop(far, _shared(_place(pin, folder)))
    if (path := _place(pin, folder)).is_file():
        Kept(path).clear()


def _place(pin: str, folder: Path) -> Path:
    return folder / f"{hashlib.sha256(pin.encode()).hexdigest()[:16]}.sqlite"


def _shared(path: Path) -> str:
    """Where a far store has the answers of this file's pin."""
    return f"answers/{path.stem}"


def _opened(path: Path) -> sqlite3.Connection:
    """The file, whole: one that is damaged is moved aside under a lock, so that two processes do not both do it."""
    from filelock import FileLock

    try:
        return _tried(path)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        with FileLock(f"{path}.lock"):
            try:
                return _tried(path)  # another process mended it
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError as error:
                aside = path.with_suffix(".damaged")
                os.replace(path, aside)
                path.with_name(f"{path.name}-journal").unlink(missing_ok=True)
                warnings.warn(
                    f"the answers in {path} are damaged ({' '.join(str(error).split())}); they lie in {aside} now, and are asked again.",
                    stacklevel=2,
                )
                return _tried(path)


def _tried(path: Path) -> sqlite3.Connection:
    file = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
    try:
        if (said := file.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise sqlite3.DatabaseError(said)
        file.execute("CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
    except sqlite3.Error:
        file.close()
        raise
    return file


def _key(one: Any) -> str:
    text = json.dumps(one, sort_keys=True, default=lambda v: dict(v) if isinstance(v, Mapping) else list(v))
    return hashlib.sha256(text.encode()).hexdigest()


def _check(prompts: Sequence[Prompt]) -> None:
    """Raise Invalid for a prompt that is neither text nor chat turns."""
    if isinstance(prompts, str):
        raise Invalid(f"the prompts are one text, {prompts[:80]!r}; they are a list, even of one prompt.")
    for i, prompt in enumerate(prompts):
        if not isinstance(prompt, str) and not (isinstance(prompt, Sequence) and prompt and all(map(_is_turn, prompt))):
            raise Invalid(
                f"prompt {i} is {str(prompt)[:80]!r}: a prompt is text, or chat turns, each with a role and a content."
            )


def _is_turn(turn: Any) -> bool:
    return isinstance(turn, Mapping) and isinstance(turn.get("role"), str) and isinstance(turn.get("content"), str)
