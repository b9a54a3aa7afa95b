"""Does a model generalize, or did it learn its owner's files? What `unseen card MODEL --train F --test F` measures.

    profiles, data = audit(["hf:BASE+mine", "hf:BASE"], Path("train.jsonl"), Path("held.jsonl"))
    profiles                  memory, nearness, length, rarity, and the shifts that keep the answer, each with its gap
    data.says                 500 test rows beside 5,000 training rows. The prompts of 25 (5.0%) were trained on …
    data.failures[0].near     the training rows closest to a row that was answered wrong

The reference of most axes is the test rows that no training row holds; rows that some hold stand on the axis `memory`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from .core.card import Failure, OwnData, Profile, profiles
from .core.errors import Invalid
from .core.lab import Lab
from .core.model import Answer
from .core.record import Item, Records, Split
from .core.study import Headline
from .devices import fastest
from .live import Watch, telling
from .measures.nearest import Distances, distances
from .tasks.overlap import Kind, Overlap, overlap
from .tasks.owned import Pair, ends, pairs, twice
from .tasks.shifts import SHIFTS, paired

NAME = "your data"
MEASURE = "exact"
FEWEST = 5  # rows of a side; with fewer an axis is left out
SHOWN, EXAMPLES = 10, 2  # failures that are shown, and examples of each kind of overlap
KINDS: tuple[Kind, ...] = get_args(Kind)
LONGEST = 512  # tokens of an answer, at most


@dataclass(frozen=True, slots=True)
class Case:
    """One row as it is asked, on a split; rows of one id on both splits of an axis are compared with each other."""

    id: str
    row: Pair
    split: Split


@dataclass(frozen=True, slots=True)
class How:
    """How rows are asked: how many test rows at most, the seed that chooses them, the dtype, turns or text (None: turns
    where the model has a template)."""

    limit: int = 200
    seed: int = 0
    dtype: str = "float32"
    chat: bool | None = None
    fields: tuple[str, str] | None = None  # the files' names of prompt and answer, where they are unusual

    @staticmethod
    def of(words: Mapping[str, str], limit: int, fields: tuple[str, str] | None = None) -> How:
        """What flags say. Raises Invalid for a limit that is no number from 1."""
        wanted = words.get("limit", str(limit))
        if not wanted.isdigit() or int(wanted) < 1:
            raise Invalid(f"--limit {wanted}: write how many rows of your data are asked, from 1.")
        chat = words.get("apply_chat_template")
        return How(int(wanted), 0, words.get("dtype", "float32"), None if chat is None else chat == "true", fields)


def audit(
    models: Sequence[str], train: Path, test: Path, how: How = How(), *, watch: Watch | None = None
) -> tuple[list[Profile], OwnData]:
    """What a model (and, after it, the one it is held against) makes of test rows beside the rows it was trained on.

    Raises Missing or Invalid for files that cannot be read or hold too few rows, and for models that cannot be had.
    """
    notes = [said] if (said := twice(train, test)) else []
    trained, tested = (list(pairs(path, fields=how.fields)) for path in (train, test))
    found = overlap(trained, tested)
    if watch:
        watch.say(f"{test} beside {train}: {found.says()}")
    rows = chosen(tested, found, how, notes)
    far = distances(trained, rows.new)
    cases = [*_apart(rows, far, trained, notes), *_moved(rows.new, how, notes)]
    if not cases:
        raise Invalid(
            f"{test} has {len(tested)} rows, too few for any axis: each needs {FEWEST} on either side. {' '.join(notes)}"
        )
    told = [_told(model, [c.row for c in cases], how, watch) for model in models]
    records = [_records(model, cases, said) for model, said in zip(models, told, strict=True)]
    guess = Counter(row.answer for row in trained).most_common(1)[0][1] / len(trained)
    heads = [Headline(axis, MEASURE, guess) for axis in dict.fromkeys(c.split.axis for c in cases)]
    made = profiles(NAME, heads, records[0], records[1] if len(records) > 1 else None)
    failures = _failures(rows.new, cases, told[0], far, trained)
    examples = [
        (kind, match.test.told(), match.train.told()) for kind in KINDS for match in found.examples(kind, EXAMPLES)
    ]
    return made, OwnData(str(train), str(test), found.says(), found.counts(), examples, failures, notes)


@dataclass(frozen=True)
class Rows:
    """The test rows that are asked: those that no training row holds, those trained on word for word, and nearly so."""

    new: Sequence[Pair]
    same: Sequence[Pair] = ()
    near: Sequence[Pair] = ()


def chosen(tested: Sequence[Pair], found: Overlap, how: How, notes: list[str]) -> Rows:
    """As many rows of each kind as are asked for; where none is new, all stand for new ones, and a note says so."""
    rng = np.random.default_rng(how.seed)
    kinds = {i: match.kind for i, match in zip(found.ids, found.prompts, strict=True) if match is not None}
    new = [row for row in tested if row.id not in kinds]
    same = [row for row in tested if kinds.get(row.id) == "same"]
    near = [row for row in tested if kinds.get(row.id) in ("near", "contained")]
    if new:
        return Rows(*(_some(rows, how.limit, rng) for rows in (new, same, near)))
    notes.append("Training rows hold every test row, so nothing below says how the model does on new ones.")
    return Rows(_some(tested, how.limit, rng))


def _apart(rows: Rows, far: Distances, trained: Sequence[Pair], notes: list[str]) -> list[Case]:
    """The axes along which rows differ: held or new, near or far, short or long, of common words or rare ones."""
    edge = float(np.quantile([len(row.told().split()) for row in trained], 0.99))
    long = far.length > edge
    sides = {
        "memory": _held(rows),
        "nearness": _thirds(rows.new, far.words, ("nearest third", "middle third", "farthest third")),
        "length": [
            (f"to {edge:.0f} words", False, _where(rows.new, ~long)),
            (f"over {edge:.0f} words", True, _where(rows.new, long)),
        ],
        "rarity": _thirds(rows.new, far.rarity, ("commonest third", "middle third", "rarest third")),
    }
    return [case for axis, told in sides.items() for case in _on(axis, told, notes)]


def _held(rows: Rows) -> list[tuple[str, bool, Sequence[Pair]]]:
    """The sides of memory: trained on, nearly so, and new; both of the former together where few were word for word."""
    if len(rows.same) < FEWEST:
        return [("trained on, nearly", False, [*rows.same, *rows.near]), ("new", True, rows.new)]
    near = [("nearly trained on", True, rows.near)] if len(rows.near) >= FEWEST else []
    return [("trained on", False, rows.same), *near, ("new", True, rows.new)]


def _moved(rows: Sequence[Pair], how: How, notes: list[str]) -> list[Case]:
    """The same rows as written and under every shift that keeps the answer, paired."""
    cases: list[Case] = []
    for name in SHIFTS:
        both = list(paired(rows, name, how.seed))
        sides = [("as written", False, [row for row, _ in both]), (name, True, [moved for _, moved in both])]
        cases += _on(name, sides, notes, together=True)
    return cases


def _failures(
    rows: Sequence[Pair], cases: Sequence[Case], said: Sequence[Answer], far: Distances, trained: Sequence[Pair]
) -> list[Failure]:
    """Rows that were answered wrong as they are written, with the training rows nearest to them."""
    told = {c.row.id: a.text for c, a in zip(cases, said, strict=True) if not c.split.shifted}
    wrong = [(i, row) for i, row in enumerate(rows) if row.id in told and not row.right(told[row.id])]
    near, like = far.by_words.rows, far.by_words.likeness
    return [
        Failure(row.told(), row.answer, told[row.id], [
            (float(like[i, k]), trained[near[i, k]].told(), trained[near[i, k]].answer) for k in range(2) if near[i, k] >= 0
        ])
        for i, row in wrong[:SHOWN]
    ]  # fmt: skip


def _where(rows: Sequence[Pair], mask: NDArray[np.bool_]) -> list[Pair]:
    return [row for row, there in zip(rows, mask.tolist(), strict=True) if there]


def _on(
    axis: str, sides: Sequence[tuple[str, bool, Sequence[Pair]]], notes: list[str], *, together: bool = False
) -> list[Case]:
    """The cases of an axis, or none, with a note, where a side has too few rows."""
    short = [(name, len(rows)) for name, _, rows in sides if len(rows) < FEWEST]
    if short or not sides:
        told = " and ".join(f"{n} rows are {name}" for name, n in short) or "nothing to tell apart"
        notes.append(f"The axis {axis} is left out: {told}.")
        return []
    cases: list[Case] = []
    for name, beyond, rows in sides:
        split = Split(f"{axis}: {name}", axis, {}, beyond)  # of one name, splits of two axes would be one
        cases += [Case(str(i) if together else row.id, row, split) for i, row in enumerate(rows)]
    return cases


def _some(rows: Sequence[Pair], n: int, rng: np.random.Generator) -> list[Pair]:
    return [rows[i] for i in sorted(rng.permutation(len(rows))[:n])]


def _thirds(rows: Sequence[Pair], by: Any, names: Sequence[str]) -> list[tuple[str, bool, list[Pair]]]:
    """The rows in thirds by a number, the lowest as the reference."""
    order = np.argsort(np.asarray(by, float), kind="stable")
    return [
        (name, k > 0, [rows[i] for i in part]) for k, (name, part) in enumerate(zip(names, np.array_split(order, 3), strict=True))
    ]  # fmt: skip


def _told(model: str, rows: Sequence[Pair], how: How, watch: Watch | None) -> list[Answer]:
    """What a model says to every row, each asked once; kept, so that an interrupted audit goes on."""
    from . import models

    lab = Lab.alone((how.seed,))
    lab.tell = telling(watch, f"{NAME}, {model}")
    opened = models.open(model, lab=lab, dtype=how.dtype, device=fastest())
    chat = models.in_turns(opened) if how.chat is None else how.chat
    asked = [row.posed(chat=chat) for row in rows]
    most = min(LONGEST, 8 + max(len(row.answer) for row in rows))  # a token has a letter at least
    return opened.generate(asked, max_new_tokens=most, stop=ends(rows))


def _records(model: str, cases: Sequence[Case], said: Sequence[Answer]) -> Records:
    items = [
        Item(c.id, c.split, c.row.told(), a.text, c.row.answer, {MEASURE: float(c.row.right(a.text))}, None, a.finish, a.tokens)
        for c, a in zip(cases, said, strict=True)
    ]  # fmt: skip
    return Records.of([({"model": model}, 0, item) for item in items], evidence="user data")
