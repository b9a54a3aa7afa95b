"""What does a log of another harness hold? Tasks, and for each the items a model was asked with what each was worth.

Log("lm-eval", "out/gpt2", "gpt2", {"gsm8k": Logged(items=Items(ids, prompts, truths), scores={"exact_match": [1, 0, …]})})
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid
from unseen.core.inert import label
from unseen.core.record import Records, Split

WORDS = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}
ALL = Split("all")


@dataclass(frozen=True)
class Items:
    """What was asked, an id each, with digests of the prompt and of the right answer (empty where the log has none)."""

    ids: Sequence[str]
    prompts: Sequence[str] = ()
    truths: Sequence[str] = ()


@dataclass(frozen=True)
class Logged:
    """One task of a log: its items, their scores by measure (NaN: not scored), how it was asked (`told`: version, shots)
    and what a reader of numbers from it should know."""

    items: Items
    scores: Mapping[str, NDArray[np.float64]]
    told: Mapping[str, str] = field(default_factory=dict[str, str])
    notes: Sequence[str] = ()

    def records(self, kind: str) -> Records:
        """The scores as records with items."""
        return Records.of_scores({"setting": kind}, ALL, self.items.ids, self.scores)


@dataclass(frozen=True)
class Log:
    """One log: its kind, where it lies, the model's name where it is told, its tasks by name."""

    kind: str
    where: str
    model: str
    tasks: Mapping[str, Logged]
    notes: Sequence[str] = ()

    @property
    def name(self) -> str:
        """The log's path, with its model."""
        return f"{self.where} ({self.model})" if self.model else self.where


class Columns:
    """Scores on their way into columns: a place for each item, a value for each item and measure."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.prompts: list[str] = []
        self.truths: list[str] = []
        self.odd: dict[str, int] = {}  # measures whose value was no number, and how often
        self._values: dict[str, tuple[list[int], list[float]]] = {}

    def place(self, identity: str, prompt: str, truth: str) -> int:
        """A new item's place."""
        self.ids.append(identity)
        self.prompts.append(prompt)
        self.truths.append(truth)
        return len(self.ids) - 1

    def add(self, place: int, measure: str, value: Any) -> None:
        """A score of an item; what is no number is counted and left out."""
        name, number = label(measure), number_of(value)
        if math.isnan(number) or math.isinf(number):
            self.odd[name] = self.odd.get(name, 0) + 1
            return
        places, values = self._values.setdefault(name, ([], []))
        places.append(place)
        values.append(number)

    def scores(self) -> dict[str, NDArray[np.float64]]:
        """The scores [item] by measure; the mean where an item was asked more than once."""
        found: dict[str, NDArray[np.float64]] = {}
        for name, (places, values) in self._values.items():
            n = np.bincount(places, minlength=len(self.ids))
            total = np.bincount(places, values, minlength=len(self.ids))
            found[name] = np.divide(total, n, out=np.full(len(self.ids), np.nan), where=n > 0)
        return found

    def oddities(self) -> list[str]:
        """Notes on measures with values that are no numbers."""
        return [
            f"{name} is no number on {n} of {len(self.ids)} items, which are left out of it."
            if name in self._values
            else f"{name} is no number for one item (it is only defined over all of them), so it is not compared."
            for name, n in self.odd.items()
        ]


def number_of(value: Any) -> float:
    """A score as a number: truth values and their words are 1 and 0; NaN for what is none."""
    if isinstance(value, bool | int | float):
        try:
            return float(value)
        except OverflowError:
            return math.nan
    if isinstance(value, str):
        word = value.strip().lower()
        try:
            return WORDS[word] if word in WORDS else float(word)
        except ValueError:
            return math.nan
    return math.nan


def digest(*parts: str) -> str:
    """16 hex digits of texts."""
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def numbered(names: Sequence[str], order: Sequence[Any]) -> list[str]:
    """The names, those that stand more than once told apart by a number in the order of `order`."""
    _, codes, counts = np.unique(np.asarray(names, np.str_), return_inverse=True, return_counts=True)
    twice = np.flatnonzero(counts[codes] > 1).tolist()
    found, told = list(names), dict[str, int]()
    for i in sorted(twice, key=lambda i: (int(codes[i]), _rank(order[i]))):
        told[names[i]] = told.get(names[i], 0) + 1
        found[i] = f"{names[i]}.{told[names[i]]}"
    return found


def _rank(value: Any) -> tuple[int, float, str]:
    number = number_of(value)
    return (1, 0.0, str(value)) if math.isnan(number) else (0, number, "")


def mapping(value: Any) -> Mapping[str, Any]:
    """The value where it is an object, else an empty one: a log's header may lack anything."""
    return value if isinstance(value, Mapping) else {}


def told_of(**facts: Any) -> dict[str, str]:
    """How a task was asked, what is not told left out."""
    return {name.replace("_", " "): label(value) for name, value in facts.items() if value not in (None, "", {}, [])}


def newest(found: Iterable[tuple[str, str, Any]], where: str) -> tuple[dict[str, Any], list[str]]:
    """The newest of (task, date, anything) for each task, and notes on tasks logged more than once."""
    kept: dict[str, tuple[str, Any]] = {}
    times: dict[str, int] = {}
    for task, date, one in found:
        times[task] = times.get(task, 0) + 1
        if task not in kept or date >= kept[task][0]:
            kept[task] = (date, one)
    notes = [f"{where} holds {n} logs of {label(t)}; the newest is compared." for t, n in times.items() if n > 1]
    return {task: one for task, (_, one) in kept.items()}, notes


def one_model(where: str, models: Iterable[str], how: str) -> None:
    """Raise Invalid where a folder holds the logs of several models."""
    if len(names := sorted(set(models))) > 1:
        raise Invalid(f"{where} holds logs of {len(names)} models ({', '.join(map(label, names))}); name {how} of one.")
