"""The page of examples as a file is never heavier than a page may be, and says what it leaves out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from unseen.pages import examples, papers
from unseen.pages.source import Source


@pytest.mark.parametrize("most", [2_000_000, 30_000, 15_000])
def test_it_fits_and_every_split_keeps_its_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    import polars as pl

    row: dict[str, Any] = {"finish": "stop", "tokens": None, "scores": json.dumps({"hit": 1.0}), "at": "{}", "seed": 0, "step": None, "familiar": None, "truth": "yes", "answer": "yes"}  # fmt: skip
    rows = [{**row, "id": f"{s}{i}", "split": s, "shifted": s == "b", "prompt": f"<{s}{i}> " + "x" * 1_500} for s in "ab" for i in range(20)]  # fmt: skip
    pl.DataFrame(rows, schema_overrides={"familiar": pl.String, "step": pl.Int64, "tokens": pl.Int64}).write_parquet(tmp_path / "items.parquet")  # fmt: skip
    monkeypatch.setattr(examples, "HEAVY", most)
    monkeypatch.setattr(Source, "items", lambda *_: [tmp_path / "items.parquet"])
    page = examples.still(Source(tmp_path, None), papers.known()[0], "smoke")
    shown = {s: page.count(f"&lt;{s}") for s in "ab"}
    assert len(page.encode()) <= most and abs(shown["a"] - shown["b"]) <= 1
    assert ("are left out" in page) == (most < 2_000_000) and f"{sum(shown.values())} of 40 items" in page
