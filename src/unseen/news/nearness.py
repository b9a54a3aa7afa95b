"""Which new papers are near to ours, or to those that a reader starred? And why?

    ranked(listing.entries, ours(), starred=["omega"])[0].why()
    ->  near to OMEGA: Can LLMs Reason … (omega, starred): compositional, math, problems, transformative

How near a paper p is to an entry e: the BM25 score of p for the words of e, divided by the score of e itself, which no
length of an abstract changes (fraction 0..1). Where the extra `hub` and a model of sentences are there, the cosine of
their meanings counts as much. An entry counts with its nearest paper, and, where a reader starred some, as much with the
nearest of these.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import UnseenError, missing_extra
from .listing import Entry

WORDS = 5  # that are told of what is shared


@dataclass(frozen=True, slots=True)
class Known:
    """A paper that entries are held against: one of ours by its slug, or one that a reader starred by its number."""

    name: str
    title: str
    text: str
    axes: tuple[str, ...] = ()
    arxiv: str | None = None


@dataclass(frozen=True, slots=True)
class Near:
    """An entry, how near it is (the nearest of its listing has 1), to which paper, and by which words they share."""

    entry: Entry
    closeness: float
    nearest: Known
    words: tuple[str, ...]
    starred: bool
    meaning: bool = False

    @property
    def key(self) -> str:
        """What names this news for good."""
        return f"paper/{self.entry.arxiv}"

    @property
    def when(self) -> datetime:
        """When the paper appeared, as far as its listing says."""
        day = self.entry.published or f"{self.entry.year}-01-01"
        return datetime.fromisoformat(day).replace(tzinfo=UTC)

    def why(self) -> str:
        """Why it is told, in a line."""
        star = ", starred" if self.starred else ""
        shared = ", ".join(self.words) or ("its meaning" if self.meaning else "little")
        return f"near to {self.nearest.title} ({self.nearest.name}{star}): {shared}"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        e = self.entry
        told = {
            "arxiv": e.arxiv,
            "title": e.title,
            "authors": list(e.authors),
            "published": e.published,
            "link": e.link,
        }
        why = {"nearest": self.nearest.name, "words": list(self.words), "starred": self.starred}
        return {**told, "closeness": round(self.closeness, 4), **why}


def ours() -> list[Known]:
    """The papers of the gallery, by what it says of each: title, question, answer and axes."""
    from ..pages.papers import known

    return [
        Known(p.slug, p.title, " ".join((p.title, p.question, p.answer, *p.axes)), p.axes, p.arxiv) for p in known()
    ]


def ranked(entries: Sequence[Entry], known: Sequence[Known], starred: Collection[str] = (), *, sentences: bool = True) -> list[Near]:  # fmt: skip
    """The entries, the nearest first; those that are among `known` are left out. `starred` are names of `known`.

    `sentences` says whether meanings count where a model of sentences is there. Raises Missing without bm25s.
    """
    there = {k.arxiv for k in known}
    new = [e for e in entries if e.arxiv not in there]
    if not new or not known:
        return []
    shares, words = _shares(new, known)
    near = shares / max(float(shares.max()), 1e-12)
    cosines = _cosines(new, known) if sentences else None
    if cosines is not None:
        near = (near + np.clip(cosines, 0, None) / max(float(cosines.max()), 1e-12)) / 2
    stars = np.array([k.name in starred for k in known])
    first = near.argmax(1)
    total = near.max(1)
    if stars.any():
        beside = np.where(stars, near, -1.0)
        first = np.where(beside.max(1) >= total / 2, beside.argmax(1), first)  # what a reader starred explains best
        total = (total + beside.max(1)) / 2
    total = total / max(float(total.max()), 1e-12)
    found = [
        Near(e, float(total[i]), known[j], words(i, j), bool(stars[j]), cosines is not None)
        for i, (e, j) in enumerate(zip(new, first.tolist(), strict=True))
    ]
    return sorted(found, key=lambda n: (-n.closeness, n.entry.arxiv))


def axes_of(entry: Entry, known: Sequence[Known], most: int = 3) -> list[str]:
    """The axes that an entry may test, a guess: those of the papers near to it, the likeliest first."""
    found = [replace(k, arxiv=None) for k in known]
    shares, _ = _shares([entry], found)
    votes: dict[str, float] = {}
    for j in np.argsort(-shares[0])[:5].tolist():
        for axis in found[j].axes:
            said = 2.0 if axis in _words(f"{entry.title} {entry.summary}") else 1.0
            votes[axis] = votes.get(axis, 0.0) + said * float(shares[0, j])
    best = sorted(votes, key=lambda a: (-votes[a], a))[:most]
    return [a for a in best if votes[a] >= votes[best[0]] / 2]


def _shares(entries: Sequence[Entry], known: Sequence[Known]) -> tuple[NDArray[np.float64], Any]:
    """How near every paper is by its words [entry paper], and a function that tells the words an entry shares with one."""
    try:
        import bm25s
    except ModuleNotFoundError as error:
        raise missing_extra("ranking papers", error, "digest") from None
    texts = [_words(k.text) for k in known] + [_words(f"{e.title} {e.summary}") for e in entries]
    index = bm25s.BM25(method="lucene")
    index.index([t or ["nothing"] for t in texts], show_progress=False)
    asked = [sorted(set(t)) for t in texts[len(known) :]]
    weights = [np.array([index.get_scores([word]) for word in words]).reshape(-1, len(texts)) for words in asked]
    sums = np.array([w.sum(0) for w in weights])
    itself = np.maximum(sums[:, len(known) :].diagonal(), 1e-12)

    def shared(i: int, j: int) -> tuple[str, ...]:
        column = weights[i][:, j]
        return tuple(asked[i][t] for t in np.argsort(-column, kind="stable")[:WORDS] if column[t] > 0)

    return np.asarray(sums[:, : len(known)] / itself[:, None], np.float64), shared


def _cosines(entries: Sequence[Entry], known: Sequence[Known]) -> NDArray[np.float64] | None:
    """The cosines of meanings [entry paper]; None where no model of sentences is there."""
    from ..models import sentences

    try:
        model = sentences.open("minilm")
    except UnseenError:
        return None
    ours = model.vectors([k.text for k in known])
    theirs = model.vectors([f"{e.title}. {e.summary}" for e in entries])
    return np.asarray(theirs @ ours.T, np.float64)


def _words(text: str) -> list[str]:
    """The words of a text as the gallery's search has them, without the shortest."""
    from ..pages.search import terms

    return [word for word in terms(text) if len(word) > 2]
