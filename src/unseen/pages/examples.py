"""What was asked, what was answered, and was it right? Every item of a study's trials, a page at a time.

    page(source, paper, "laptop", Asked(split="6 digits", most=0.5, q="carry"))      ->  examples/<slug>/laptop.html?…

A million rows are never loaded: the tables are scanned, what a filter does not need is not read, and of the rest one page
is kept. Without a filter the rows before a page are skipped by the counts in the files' footers.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from unseen.core.errors import Damaged
from unseen.core.inert import inert, label
from unseen.core.manifest import WRONG
from unseen.core.tables import item_of

from . import layout
from .glyphs import number
from .papers import Listed
from .source import Source

LINES = 25  # items on a page
LONG = 2_000  # letters of a text that are shown
EACH = 12  # items of each split in a page that is a file
HEAVY = 2_000_000  # bytes that a page should not have
SPLITS = 400  # splits that the menu names, at most


@dataclass(frozen=True)
class Asked:
    """Which items: of a split, of shifted or reference splits ("yes", "no", "" both), whose score by `measure` lies within
    `least` and `most`, whose texts hold `q`; and the page, from 1."""

    split: str = ""
    shifted: str = ""
    measure: str = ""
    least: float | None = None
    most: float | None = None
    q: str = ""
    page: int = 1

    @staticmethod
    def of(told: Mapping[str, str]) -> Asked:
        """What the parameters of an address ask for; those that mean nothing are not asked."""
        shifted = told.get("shifted", "")
        page = told.get("page", "1")
        return Asked(
            split=told.get("split", ""),
            shifted=shifted if shifted in ("yes", "no") else "",
            measure=told.get("measure", "")[:200],
            least=_number(told.get("min", "")),
            most=_number(told.get("max", "")),
            q=told.get("q", "")[:500],
            page=int(page) if page.isascii() and page.isdigit() and int(page[:12]) > 0 else 1,
        )

    def address(self, page: int) -> str:
        """The parameters that ask for another page of the same."""
        told = {
            "split": self.split, "shifted": self.shifted, "measure": self.measure if self.scored else "",
            "min": "" if self.least is None else f"{self.least:g}", "max": "" if self.most is None else f"{self.most:g}", "q": self.q,
        }  # fmt: skip
        return urlencode({**{k: v for k, v in told.items() if v}, "page": page})

    @property
    def scored(self) -> bool:
        """Whether a score is asked about."""
        return self.least is not None or self.most is not None

    @property
    def whole(self) -> bool:
        """Whether every item is asked for."""
        return not (self.split or self.shifted or self.scored or self.q)


def page(source: Source, paper: Listed, tier: str, asked: Asked = Asked()) -> str:
    """The page of items that were asked for. Raises Damaged where a table cannot be read."""
    tables = source.items(paper.slug, "" if tier == "changed" else tier)
    about = summary(source, tables)
    measure = asked.measure if asked.measure in about["measures"] else next(iter(about["measures"]), "")
    asked = replace(asked, measure=measure)
    n = about["n"] if asked.whole else count(source, tables, asked)
    pages = max(1, -(-n // LINES))
    asked = replace(asked, page=min(asked.page, pages))
    rows = taken(tables, asked, (asked.page - 1) * LINES, LINES)
    first, last = ("", "") if pages < 2 else (asked.address(1), asked.address(pages))
    turn = {
        "first": first,
        "last": last,
        "before": asked.address(asked.page - 1) if asked.page > 1 else "",
        "next": asked.address(asked.page + 1) if asked.page < pages else "",
        "pages": pages,
    }
    return _render(paper, tier, [_told(r) for r in rows], about, asked=asked, n=n, turn=turn)


def still(source: Source, paper: Listed, tier: str) -> str:
    """The page as a file: the first few items of each split, fewer where it would be heavier than a page may be."""
    tables = source.items(paper.slug, "" if tier == "changed" else tier)
    about = summary(source, tables)
    by_split = [taken(tables, Asked(split=split), 0, EACH) for split in about["splits"]]
    ranked = sorted(
        (i, s) for s, rows in enumerate(by_split) for i in range(len(rows))
    )  # the first of each split first
    kept = len(ranked)
    while True:
        items = [_told(by_split[s][i]) for i, s in sorted(ranked[:kept], key=lambda at: (at[1], at[0]))]
        made = _render(paper, tier, items, about, asked=Asked(), n=about["n"], turn=None, left=len(ranked) - kept)
        if (size := len(made.encode())) <= HEAVY or not kept:
            return made
        kept = min(kept - 1, int(0.95 * kept * HEAVY / size))


def summary(source: Source, tables: Sequence[Path]) -> dict[str, Any]:
    """How many items there are, the splits they are of, and the measures they were scored by."""
    stamp = tuple((str(p), p.stat().st_mtime_ns) for p in tables)
    return source.kept.get(("summary", stamp), (), lambda: _summary(tables))


def count(source: Source, tables: Sequence[Path], asked: Asked) -> int:
    """How many items were asked for."""
    import polars as pl

    stamp = tuple((str(p), p.stat().st_mtime_ns) for p in tables)
    key = ("count", stamp, replace(asked, page=1))

    def counted() -> int:
        with _reading():
            found = _filtered(pl.scan_parquet(list(tables)), asked).select(pl.len()).collect(engine="streaming")
        return int(found.item())

    return source.kept.get(key, (), counted) if tables else 0


def taken(tables: Sequence[Path], asked: Asked, start: int, n: int) -> list[dict[str, Any]]:
    """n of the items that were asked for, from the `start`th on."""
    import polars as pl

    found: list[dict[str, Any]] = []
    if not tables:
        return found
    if not asked.whole:
        with _reading():
            rows = _filtered(pl.scan_parquet(list(tables)), asked).slice(start, n).collect(engine="streaming")
        return rows.to_dicts()
    for path in tables:  # the rows of the tables before are skipped by their number
        if n <= 0:
            break
        with _reading():
            held = _height(path)
            if start < held:
                rows = pl.scan_parquet(path).slice(start, n).collect(engine="streaming").to_dicts()
                found += rows
                n -= len(rows)
        start = max(0, start - held)
    return found


def _summary(tables: Sequence[Path]) -> dict[str, Any]:
    import polars as pl

    if not tables:
        return {"n": 0, "splits": [], "measures": [], "more": 0}
    with _reading():
        told = pl.scan_parquet(list(tables))
        splits = told.select("split", "shifted").unique().collect(engine="streaming").sort("shifted", "split")
        heads = pl.scan_parquet(list(tables)).head(200).select("scores").collect()
        n = sum(_height(p) for p in tables)
        scored = [json.loads(text) for text in heads["scores"]]
        if not all(isinstance(s, dict) for s in scored) or splits.schema["split"] != pl.String:
            raise ValueError("it is no table of items")
    measures = dict.fromkeys(name for scores in scored for name in scores)
    names = list(dict.fromkeys(splits["split"].to_list()))
    return {"n": n, "splits": names[:SPLITS], "more": max(0, len(names) - SPLITS), "measures": list(measures)}


def _height(path: Path) -> int:
    """How many rows a table has, by its footer."""
    import polars as pl

    return int(pl.scan_parquet(path).select(pl.len()).collect().item())


def _filtered(rows: Any, asked: Asked) -> Any:
    import polars as pl

    kept = rows
    if asked.split:
        kept = kept.filter(pl.col("split") == asked.split)
    if asked.shifted:
        kept = kept.filter(pl.col("shifted") == (asked.shifted == "yes"))
    if asked.scored:
        number = f"{_literal(json.dumps(asked.measure))}: ([-+0-9.eE]+)"  # as the store writes a measure's name
        score = pl.col("scores").str.extract(number).cast(pl.Float64, strict=False)
        kept = kept.filter(score >= asked.least) if asked.least is not None else kept
        kept = kept.filter(score <= asked.most) if asked.most is not None else kept
    if asked.q:
        texts = [pl.col(c).str.contains(f"(?i){_literal(asked.q)}") for c in ("prompt", "answer", "truth")]
        kept = kept.filter(pl.any_horizontal(texts))
    return kept


def _literal(text: str) -> str:
    """A text as a pattern that is found where the text is, in capitals or not."""
    return "".join(c if c.isalnum() or c == " " else f"\\x{{{ord(c):X}}}" for c in text)


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    """An item as the page shows it, its texts inert."""
    with _reading():
        row = item_of(dict(row))
        scores = {inert(k): float(v) for k, v in row["scores"].items()}
    words = {name: inert(str(row[name] or ""), LONG) for name in ("prompt", "answer", "truth")}
    full = bool(scores) and all(v >= 1 for v in scores.values())
    none = bool(scores) and all(v <= 0 for v in scores.values())
    return {
        **words,
        "split": inert(row["split"]),
        "shifted": row["shifted"],
        "scores": [(k, number(v)) for k, v in scores.items()],
        "status": "supported" if full else "refuted" if none else "",
        "at": inert(", ".join(f"{k} {v}" for k, v in row["at"].items())),
        "seed": row["seed"],
        "step": row["step"],
        "id": inert(row["id"]),
        "familiar": inert(str(row["familiar"]), LONG) if row.get("familiar") else "",
    }


def _render(
    paper: Listed,
    tier: str,
    items: list[dict[str, Any]],
    about: Mapping[str, Any],
    *,
    asked: Asked,
    n: int,
    turn: Any,
    left: int = 0,
) -> str:
    return layout.render(
        "examples.html",
        f"examples/{paper.slug}/{tier}.html",
        title=f"{paper.title}: examples",
        p=paper,
        tier=tier,
        items=items,
        about=about,
        asked=asked,
        n=n,
        turn=turn,
        left=left,
        each=EACH,
    )


@contextmanager
def _reading() -> Generator[None]:
    """Turns what cannot be read into one paragraph."""
    import polars as pl

    try:
        yield
    except (OSError, *WRONG, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        why = label(error, 200)
        raise Damaged(f"a table of items cannot be read ({why}); `unseen run` measures its trial again.") from None


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None
