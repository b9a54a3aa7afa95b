"""What the ledger holds is what its rows say, judged again here; the README's table is rendered from it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from unseen.core import find, ledger
from unseen.core.claim import judge_study
from unseen.core.ledger import verdict_json
from unseen.core.study import tier_of
from unseen.pages import ledger as table

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "results"
KEPT = ledger.kept(RESULTS) if RESULTS.is_dir() else []


def same(a: Any, b: Any) -> bool:
    """Whether two recorded values are equal, numbers to 1e-9."""
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9) or (math.isnan(a) and math.isnan(b))
    return a == b


def changes(told: dict[str, Any], verdicts: Any) -> list[str]:
    """What differs between recorded verdicts and those judged now."""
    again = [verdict_json(v) for v in verdicts]
    if [v["id"] for v in told["verdicts"]] != [v["id"] for v in again]:
        return ["the claims are others"]
    numbers = ("status", "estimate", "low", "high", "p", "holm", "units", "evidence")
    return [
        f"{old['id']}.{k}: {old[k]!r} recorded, {new[k]!r} judged now"
        for old, new in zip(told["verdicts"], again, strict=True)
        for k in numbers
        if not same(old[k] if old[k] is not None else math.nan, new[k] if new[k] is not None else math.nan)
    ]


@pytest.mark.parametrize(("slug", "tier"), KEPT, ids=[f"{s}-{t}" for s, t in KEPT])
def test_every_entry_is_judged_the_same_again(slug: str, tier: str) -> None:
    told, records = ledger.read(RESULTS, slug, tier)
    study = find.study(slug)
    assert told["version"] == study.version, f"{slug} {tier} is stale: recorded for version {told['version']}"
    assert not told["exploratory"] and not told["absent"] and not told["stale"]
    assert changes(told, judge_study(study, records, tier_of(tier))) == []


def test_the_readme_shows_the_ledger(tmp_path: Path) -> None:
    """`make results` would change nothing."""
    page = tmp_path / "README.md"
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    page.write_text(text, encoding="utf-8")
    table.render(RESULTS, page)
    assert page.read_text(encoding="utf-8") == text, "the README's table is not that of results/: run `make results`"


def test_the_ledger_is_small() -> None:
    assert all(p.stat().st_size <= 1_000_000 for p in RESULTS.rglob("*") if p.is_file())


def test_an_entry_that_was_tampered_with_is_found(unseen: Any, tmp_path: Path) -> None:
    root = tmp_path / "results"
    assert unseen("run", "brief_training", "--tier", "smoke").code == 0
    assert unseen("judge", "brief_training", "--tier", "smoke", "--record", root).code == 0
    assert ledger.kept(root) == [("brief_training", "smoke")]
    told, records = ledger.read(root, "brief_training", "smoke")
    verdicts = judge_study(find.study("brief_training"), records, "smoke")
    assert changes(told, verdicts) == []
    told["verdicts"][1]["estimate"] += 1e-6
    told["verdicts"][0]["status"] = "supported"
    assert len(changes(told, verdicts)) == 2


def test_the_table_counts_and_lists(unseen: Any, tmp_path: Path) -> None:
    root, page = tmp_path / "results", tmp_path / "page.md"
    page.write_text(f"before\n{table.BEGIN}\nold\n{table.END}\nafter\n")
    table.render(root, page)
    assert page.read_text() == f"before\n{table.BEGIN}\n{table.END}\nafter\n"
    unseen("run", "brief_training", "--tier", "smoke")
    unseen("judge", "brief_training", "--tier", "smoke", "--record", root)
    table.render(root, page)
    text = page.read_text()
    assert (
        "| [brief_training](src/unseen/studies/brief_training/sheet.md) | length | smoke | 3 | 0 | 0 | 0 | 1 | 0 |"
        in text
    )
    assert "- ✓ C2 (control) *supported*" in text and text.startswith("before\n") and text.endswith("after\n")
    bare = tmp_path / "bare.md"
    bare.write_text("no marks")
    with pytest.raises(ValueError, match="has no <!-- studies: begin -->"):
        table.render(root, bare)
