"""Where do pairs of sentence and meaning come from? COGS as released or made here, or files of a user's own.

    <UNSEEN_DATA>/atis/train.tsv       show flights to boston <tab> flight ( to = boston )

A user's file has one pair a line: source, tab, target, words between spaces; or JSON objects with source and target.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from unseen.core.errors import Invalid, Missing
from unseen.core.lab import Lab
from unseen.tasks import cogs, cogs_twin
from unseen.tasks.paired import Pair

from .arms import Corpus

OWN = (
    "atis",
    "smcalflow",
    "smcalflow_cs",
    "geoquery_sql",
    "geoquery_logic",
)  # DEPARTS: the paper's files of these are on a drive we cannot fetch from
SPLITS = ("train", "test", "gen")
TWIN = (2_000, 100)  # sentences trained on, and of every case


def pairs(corpus: Corpus, split: str, lab: Lab | None = None) -> list[Pair]:
    """The different pairs of a corpus' split "train", "test" or, of COGS, "gen" (its 21 cases), lone words left out.

    Raises Missing where a user's file is not there, and says where it is looked for.
    """
    if corpus in OWN:
        return read(own(corpus, split))
    stored = _released(lab) if corpus == "cogs" else cogs_twin.twin(*TWIN)
    names = cogs.CASES if split == "gen" else (split,)
    rows = [s for name in names for s in stored.load(name) if not cogs.alone(s.form)]
    return list(dict.fromkeys((s.text, cogs.in_notation(s, "variable-free")) for s in rows))


def own(corpus: str, split: str) -> Path:
    """Where a user's file of a corpus lies. Raises Missing."""
    folder = os.environ.get("UNSEEN_DATA")
    path = Path(folder or "$UNSEEN_DATA") / corpus / f"{split}.tsv"
    if not folder or not path.is_file():
        raise Missing(
            f"there is no file {path}. {corpus} is not ours to fetch: put its {split} pairs there, one a line, source and target apart by a tab, and let UNSEEN_DATA name the folder above."
        )
    return path


def read(path: Path) -> list[Pair]:
    """The different pairs of a file: lines of source, tab, target, or of JSON objects with source and target.

    Raises Missing, or Invalid with the line that is none.
    """
    if not path.is_file():
        raise Missing(f"there is no file {path}; it is to hold pairs, one a line, source and target apart by a tab.")
    told = _objects if path.suffix == ".jsonl" else _columns
    found: dict[Pair, None] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip():
            pair = told(line)
            if pair is None or not (pair[0].split() and pair[1].split()):
                raise Invalid(f"{path}, line {number} is no pair of source and target: {line[:60]!r}.")
            found[" ".join(pair[0].split()), " ".join(pair[1].split())] = None
    if not found:
        raise Invalid(f"{path} holds no pairs.")
    return list(found)


def within(made: Sequence[Pair], longest: int) -> list[Pair]:
    """The pairs of at most so many words, source and target together; 0: all."""
    return [p for p in made if not longest or len(p[0].split()) + len(p[1].split()) <= longest]


def sampled(made: Sequence[Pair], n: int, seed: int) -> list[Pair]:
    """n of the pairs, the same for every model; all where there are no more."""
    if len(made) <= n:
        return list(made)
    return [made[i] for i in np.sort(np.random.default_rng(seed).choice(len(made), n, replace=False))]


def _released(lab: Lab | None) -> cogs.Stored:
    home = Lab.alone() if lab is None else lab

    def path(part: str) -> Path:
        name, sha256 = cogs.FILES[part]
        return home.data(f"{cogs.FOLDER}/{name}", cogs.source(part), sha256)

    found: Callable[[str], Path] = path
    return cogs.released(found)


def _columns(line: str) -> Pair | None:
    parts = line.split("\t")
    return (parts[0], parts[1]) if len(parts) >= 2 else None


def _objects(line: str) -> Pair | None:
    try:
        row = json.loads(line)
        return str(row["source"]), str(row["target"])
    except (ValueError, KeyError, TypeError):
        return None
