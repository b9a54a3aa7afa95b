"""Which papers are there, and what became of their claims? All that the gallery lists, and its first page.

    catalogue(Path("results"), home)[14]  ->  Listed("grokked_transformers", "Grokked Transformers are …", 2024, …)
    page(catalogue(…))                    ->  index.html

`papers.json` tells every paper in our own words: its question in one sentence, and its answer in another. Which of them
are built says the listing of folders, what was found says the ledger, and a study of the reader's own stands beside them.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from unseen.core import find, ledger
from unseen.core.claim import STATUSES, tally
from unseen.core.errors import UnseenError
from unseen.core.study import TIERS

from . import layout
from .report import MEANING

PAPERS = Path(__file__).parent / "papers.json"
ABSENT = "not yet implemented"
TITLE = "What does a model do on what it has not seen?"


@dataclass(frozen=True)
class Found:
    """What became of one claim: its id, what it says, its kind and its status."""

    id: str
    says: str
    kind: str
    status: str


@dataclass(frozen=True)
class Strip:
    """The verdicts of a study at one tier, as the ledger holds them. `older`: the study has changed since."""

    tier: str
    found: tuple[Found, ...]
    minutes: float
    recorded: str
    older: bool = False

    def counted(self) -> list[tuple[str, int]]:
        """How many findings came out how, those that occur."""
        return [*tally(f.status for f in self.found if f.kind == "finding").items()]

    def dots(self) -> list[Found]:
        """The findings, ordered by status."""
        findings = [f for f in self.found if f.kind == "finding"]
        return sorted(findings, key=lambda f: STATUSES.index(f.status) if f.status in STATUSES else len(STATUSES))


@dataclass(frozen=True)
class Listed:
    """A paper in the gallery. `trials`: how many the reader's own store holds; `broken`: why its study cannot be read."""

    slug: str
    title: str
    year: int
    arxiv: str | None
    axes: tuple[str, ...]
    question: str
    answer: str
    built: bool = False
    claims: int = 0
    strips: tuple[Strip, ...] = ()
    trials: int = 0
    broken: str = ""

    def decided(self) -> int:
        """How many findings were decided either way, over all tiers."""
        return sum(n for s in self.strips for status, n in s.counted() if status in ("supported", "refuted"))

    def statuses(self) -> list[str]:
        """Every status that a finding has here, and whether the study is still to come: what the page filters by."""
        own = {status for s in self.strips for status, _ in s.counted()} or ({"untested"} if self.built else set())
        return [s for s in STATUSES if s in own] or [ABSENT]

    def appeared(self) -> str:
        """When the paper appeared, as a text that sorts: year and month of its arXiv number, or its year."""
        return f"20{self.arxiv[:2]}-{self.arxiv[2:]}" if self.arxiv and self.arxiv[:4].isdigit() else f"{self.year}-00"


def known() -> list[Listed]:
    """What `papers.json` tells, sorted by slug."""
    told = json.loads(PAPERS.read_text(encoding="utf-8"))
    return [Listed(**{**p, "axes": tuple(p["axes"])}) for p in told]


def catalogue(results: Path, home: Path | None = None) -> tuple[Listed, ...]:
    """Every paper: those of `papers.json`, and studies of the reader's own; with what the ledger and the store at `home` hold.

    A study or a ledger's file that cannot be read is listed as such, and the others as ever.
    """
    here = {p.slug: p for p in known()}
    folders = find.slugs()
    trials, strips = counts(home), dict[str, dict[str, Mapping[str, Any]]]()
    for slug, tier, told_of in ledger.held(results):
        strips.setdefault(slug, {})[tier] = told_of
    slugs = sorted({*here, *folders})
    listed = [_built(folders[s], here.get(s), strips.get(s, {})) if s in folders else here[s] for s in slugs]
    return tuple(replace(p, trials=trials.get(p.slug, 0)) for p in listed)


def counts(home: Path | None) -> dict[str, int]:
    """How many finished trials of each study the store at `home` holds."""
    root = home / "trials" if home else None
    if root is None or not root.is_dir():
        return {}
    return {s.name: sum(_finished(s.path)) for s in os.scandir(root) if s.is_dir()}


def page(listed: Sequence[Listed], *, title: str = TITLE) -> str:
    """The gallery's first page: every paper as a card, with what its script needs to filter and to sort them."""
    tallies = Counter(f.status for p in listed for s in p.strips for f in s.dots())
    counted = [(s, {"n": tallies[s], "start": sum(tallies[t] for t in STATUSES[:i])}) for i, s in enumerate(STATUSES)]
    axes = Counter(a for p in listed for a in p.axes)
    return layout.render(
        "papers.html",
        "index.html",
        title=title,
        papers=sorted(listed, key=lambda p: (p.decided(), p.appeared(), p.slug), reverse=True),
        built=sum(p.built for p in listed),
        judged=tallies.total(),
        counted=[(s, n) for s, n in counted if n["n"]],
        axes=sorted(axes.items(), key=lambda a: (-a[1], a[0])),
        statuses=(*STATUSES, ABSENT),
        tiers=[t for t in TIERS if any(s.tier == t for p in listed for s in p.strips)],
        absent=ABSENT,
        meaning=MEANING,
    )


def told(sheet: str) -> tuple[str, str]:
    """The question and the answer in a sheet's first paragraph: its first sentence that asks, and what follows "answer"."""
    text = re.sub(r"[*`]", "", next((b for b in re.split(r"\n\s*\n", sheet) if "uestion" in b[:20]), ""))
    text = " ".join(text.split()).removeprefix("Question.").removeprefix("Question").strip(" :")
    asked = re.match(r"[^?]*\?", text)
    answer = re.search(r"answers?: (.+)", text)
    return (asked[0] if asked else text[:240]), (answer[1][:300] if answer else "")


def _built(folder: Path, paper: Listed | None, held: Mapping[str, Mapping[str, Any]]) -> Listed:
    """The paper of a study that is there, with its verdicts; its own title, year and axes win over what is kept."""
    slug = folder.name
    try:
        study = find.study(slug, folder)
    except UnseenError as error:
        spare = paper or Listed(slug, slug.replace("_", " "), 0, None, (), "", "")
        return replace(spare, built=True, broken=str(error), strips=_strips(held, None))
    p = study.paper
    question, answer = (paper.question, paper.answer) if paper else told(_sheet(folder))
    own = Listed(slug, p.title, p.year, p.arxiv, study.axes, question, answer, built=True, claims=len(study.claims))
    return replace(own, strips=_strips(held, study.version))


def _sheet(folder: Path) -> str:
    with suppress(OSError, ValueError):
        return (folder / "sheet.md").read_text(encoding="utf-8")
    return ""


def _strips(held: Mapping[str, Mapping[str, Any]], version: int | None) -> tuple[Strip, ...]:
    """What the ledger holds of a study, tier by tier; a tier that is not as the ledger writes it is left out."""
    strips: list[Strip] = []
    for tier in TIERS:
        with suppress(KeyError, TypeError, ValueError):
            h = held[tier]
            found = tuple(Found(v["id"], v["says"], v["kind"], v["status"]) for v in h["verdicts"])
            older = version is not None and h["version"] != version
            strips.append(Strip(tier, found, float(h["minutes"]), str(h["recorded"]), older))
    return tuple(s for s in strips if s.dots())


def _finished(folder: str) -> Iterable[bool]:
    return (os.path.exists(os.path.join(t.path, "trial.json")) for t in os.scandir(folder) if t.is_dir())
