"""What pages may read: as it is now, never what lies outside, and nothing is written."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from unseen import driver
from unseen.core.execute import execute, here
from unseen.core.store import Store
from unseen.pages import runs, study_page
from unseen.pages.source import Kept, Source, listed


@pytest.fixture
def measured(shelf: Path) -> Source:
    """A store with the smoke tier of `kept_rows`, measured here."""
    pytest.importorskip("safetensors")
    driver.measure(driver.ask("kept_rows", "smoke"))
    return Source.of(shelf, None)


def test_kept_things_are_made_again_when_their_stamp_changes_and_forgotten_in_turn() -> None:
    kept, made = Kept(2), list[str]()
    for key, stamp in (("a", 1), ("a", 1), ("a", 2), ("b", 1), ("a", 2), ("c", 1), ("b", 1)):
        assert kept.get(key, (stamp,), lambda k=key: made.append(k) or k) == key
    assert made == ["a", "a", "b", "c", "b"] and len(kept.held) == 2


def test_threads_may_ask_at_once() -> None:
    kept = Kept(4)
    asked = [threading.Thread(target=lambda: [kept.get(j % 9, (), object) for j in range(300)]) for _ in range(4)]
    for one in asked:
        one.start()
    for one in asked:
        one.join()
    assert len(kept.held) == 4


def test_own_trials_are_told_by_tier_and_nothing_is_written(measured: Source) -> None:
    def listing() -> list[tuple[str, int]]:
        return sorted((str(p), p.stat().st_mtime_ns) for p in measured.home.rglob("*"))

    index = measured.home / "index"
    for path in index.glob("*") if index.is_dir() else ():
        path.unlink()
    before = listing()
    own = measured.own("kept_rows")
    assert own.tiers() == ["smoke"] and len(own.trials["smoke"]) == own.planned["smoke"] == 6
    paper = listed(measured, "kept_rows")
    assert paper is not None and paper.trials == 6
    page = study_page.page(measured, paper)
    assert "measured on this machine · tier smoke" in page and "recorded in the ledger" not in page
    assert runs.page(runs.look(measured, runs.Seen()))
    assert len(measured.items("kept_rows", "smoke")) == 6
    assert listing() == before


def test_what_is_new_is_seen_and_links_that_lead_out_are_not(measured: Source, tmp_path: Path) -> None:
    folder = measured.home / "trials" / "kept_rows"
    first = sorted(folder.iterdir())[0]
    outside = tmp_path / "outside"
    os.rename(first, outside)
    assert len(measured.trials("kept_rows")) == 5
    first.symlink_to(outside)
    assert len(measured.trials("kept_rows")) == 5 and not measured.inside(first / "items.parquet")
    first.unlink()
    os.rename(outside, first)
    assert len(measured.trials("kept_rows")) == 6


@pytest.mark.parametrize("slug", ["..", "../..", "", "/etc", "kept_rows/..", "no\x00name"])
def test_slugs_that_are_none(shelf: Path, slug: str) -> None:
    source = Source.of(shelf, shelf / "no ledger")
    assert source.trials(slug) == [] and source.held(slug) == {} and source.items(slug, "smoke") == []
    assert source.study(slug) is None and listed(source, slug) is None and source.prose(slug) == ("", [])


def test_why_a_trial_failed_is_kept_until_it_is_measured(shelf: Path) -> None:
    asked = driver.ask("kept_rows", "smoke", sweep={"fault": "raise", "name": "a"}, seeds=1)
    store = Store(driver.home())
    (trial,) = driver.trials_of(asked)
    (outcome,) = execute([trial], store, here())
    assert outcome.status == "failed"
    told = json.loads((shelf / "failed" / f"{trial.key}.json").read_text())
    assert told["error"] == outcome.error and told["study"] == "kept_rows" and told["setting"]["fault"] == "raise"
    now = runs.look(Source.of(shelf, None), runs.Seen())
    assert [f["error"] for f in now.failed] == [outcome.error] and not now.studies
    store.tidy(trial)
    assert runs.look(Source.of(shelf, None), runs.Seen()).failed == []
