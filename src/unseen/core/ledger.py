"""What was concluded? A study's verdicts with what they were judged from, and the ledger that keeps them.

results/length_generalization/laptop.json       verdicts, provenance of the trials
results/length_generalization/laptop.parquet    the rows they were judged from (laptop.items.parquet: item scores)
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from . import notebook
from .errors import Damaged, Invalid, Missing, Mistake
from .plan import Trial
from .record import Records
from .study import Study, Tier

if TYPE_CHECKING:
    from .claim import Verdict

LARGEST = 1_000_000  # bytes of one table in the ledger


@dataclass(frozen=True)
class Judged:
    """One study at one tier, judged: everything a report shows.

    `manifests` are the `trial.json` of the trials that were read, `absent` the trials of the plan that were not there,
    `damaged` says of finished ones what is no longer as it was written (by key), `exploratory` that the plan was
    changed (`--set`, `--seeds`, `--model`), so its verdicts are not the study's.
    """

    slug: str
    study: Study
    tier: Tier
    trials: Sequence[Trial]
    records: Records
    verdicts: Sequence[Verdict]
    manifests: Sequence[Mapping[str, Any]] = ()
    absent: Sequence[Trial] = ()
    stale: Sequence[str] = ()
    damaged: Mapping[str, str] = field(default_factory=dict[str, str])
    exploratory: bool = False
    sheet: str = ""
    departures: Sequence[str] = field(default_factory=tuple[str, ...])
    items: Sequence[Mapping[str, Any]] = field(default_factory=tuple[Mapping[str, Any], ...])  # prompts and answers

    def __str__(self) -> str:
        return "\n".join([f"{self.slug}, tier {self.tier}", *map(str, self.verdicts)])

    def _repr_html_(self) -> str:
        return notebook.html(self)

    def to_json(self) -> dict[str, Any]:
        """The verdicts and the provenance of their trials as plain JSON values."""
        return {
            "study": self.slug,
            "title": self.study.paper.title,
            "arxiv": self.study.paper.arxiv,
            "year": self.study.paper.year,
            "version": self.study.version,
            "tier": self.tier,
            "exploratory": self.exploratory,
            "minutes": round(sum(float(m.get("minutes", 0)) for m in self.manifests), 2),
            "seeds": sorted({int(s) for m in self.manifests for s in m.get("seeds", ())}),
            "verdicts": [verdict_json(v) for v in self.verdicts],
            "trials": [dict(m) for m in self.manifests],
            "absent": [t.key for t in self.absent],
            "stale": list(self.stale),
            "damaged": dict(self.damaged),
        }


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """A verdict as plain JSON values; infinite limits become null."""
    told = {k: _finite(v) for k, v in asdict(verdict).items() if k != "claim"}
    claim = verdict.claim
    return {
        "id": claim.id,
        "says": claim.says,
        "kind": claim.kind,
        "reported": claim.reported,
        "source": claim.source,
        "effect": str(claim.effect),
        "expect": str(claim.expect),
        "unit": claim.unit,
        **told,
    }


def write(judged: Judged, root: Path) -> list[Path]:
    """Write a study's verdicts and the rows they came from under `root/<slug>/`; the files written.

    Raises Mistake where they must not enter: an exploratory plan, trials that are absent or were measured by older
    code, or more than 1 MB of rows.
    """
    _refuse(judged)
    folder = root / judged.slug
    folder.mkdir(parents=True, exist_ok=True)
    rows, items = used(judged.records, judged.study)
    written = [_table(rows, folder / f"{judged.tier}.parquet")]
    spare = folder / f"{judged.tier}.items.parquet"
    if items is not None:
        written.append(_table(items, spare))
    else:
        spare.unlink(missing_ok=True)
    told = {"recorded": datetime.now(UTC).strftime("%Y-%m-%d"), **judged.to_json()}
    path = folder / f"{judged.tier}.json"
    _whole(path, (json.dumps(told, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode())
    return [path, *written]


def read(root: Path, slug: str, tier: str) -> tuple[dict[str, Any], Records]:
    """What the ledger holds of a study at a tier: its JSON and its records. Raises Missing or Damaged."""
    path = root / slug / f"{tier}.json"
    if not path.is_file():
        raise Missing(
            f"the ledger {root} holds nothing of {slug} at tier {tier}; `unseen judge {slug} --tier {tier} --record {root}` writes it."
        )
    import polars as pl

    try:
        told = cast("dict[str, Any]", json.loads(path.read_text(encoding="utf-8")))
        rows = pl.read_parquet(path.with_suffix(".parquet"))
        items = path.with_name(f"{tier}.items.parquet")
        return told, Records.of_frames(rows, pl.read_parquet(items) if items.is_file() else None)
    except (ValueError, OSError, pl.exceptions.PolarsError) as error:
        raise Damaged(f"{path} or its tables cannot be read ({error}); record the study again.") from error


def kept(root: Path) -> list[tuple[str, str]]:
    """The (slug, tier) pairs that the ledger holds, sorted."""
    return sorted((p.parent.name, p.stem) for p in root.glob("*/*.json"))


def held(root: Path | None, slug: str = "*") -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(slug, tier, JSON) of all that the ledger holds, or of one study, sorted; files that cannot be read are left out."""
    for path in sorted(root.glob(f"{slug}/*.json")) if root else ():
        with suppress(OSError, ValueError, RecursionError):
            if isinstance(told := json.loads(path.read_bytes()), dict):
                yield path.parent.name, path.stem, cast("dict[str, Any]", told)


def shipped() -> Path | None:
    """The ledger that came with this package, or that of the repository it is read from; None where there is neither."""
    package = Path(__file__).parents[1]
    places = (package / "results", package.parents[1] / "results")
    return next((p for p in places if p.is_dir()), None)


def used(records: Records, study: Study) -> tuple[Any, Any]:
    """The tables (polars; items None where there are none) of the measures that claims, headlines and marks read."""
    import polars as pl

    wanted = sorted(set(_measures(study)))
    rows = records.frame().filter(pl.col("measure").is_in(wanted))
    items = records.items_frame()
    if items is not None:
        items = items.filter(pl.col("measure").is_in(wanted))
        items = None if items.is_empty() else items
    return rows, items


def _measures(study: Study) -> Iterable[str]:
    for claim in study.claims:
        yield from claim.effect.measures
        for effect, _ in claim.given:
            yield from effect.measures
    yield from (h.measure for h in study.headlines)
    yield from (m.measure for m in study.marks)


def _refuse(judged: Judged) -> None:
    name = f"{judged.slug} at tier {judged.tier}"
    if judged.exploratory:
        raise Mistake(
            f"{name}: this plan was changed by --set, --seeds or --model, so its verdicts are exploratory and never enter the ledger."
        )
    if judged.absent:
        raise Mistake(
            f"{name}: {len(judged.absent)} of {len(judged.trials)} trials are not measured; `unseen run {judged.slug} --tier {judged.tier}` measures them."
        )
    if judged.stale:
        raise Mistake(
            f"{name}: trials {', '.join(judged.stale)} were measured by older code; run the study again with --fresh first."
        )


def _table(frame: Any, path: Path) -> Path:
    import io

    held = io.BytesIO()
    frame.write_parquet(held, compression="zstd", compression_level=19, statistics=False)
    if held.tell() > LARGEST:
        raise Invalid(
            f"{path.name} would hold {held.tell():,} bytes; the ledger takes {LARGEST:,} at most. Yield fewer steps or items for measures that claims read."
        )
    _whole(path, held.getvalue())
    return path


def _whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    spare = path.with_name(f".{path.name}.{os.getpid()}")
    spare.write_bytes(content)
    os.replace(spare, path)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None
    return value
