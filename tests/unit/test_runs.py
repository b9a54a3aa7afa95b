"""What is being measured now: read from a store that others write to, damaged files and all."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from unseen.pages import runs
from unseen.pages.source import Source


def put(home: Path, folder: str, key: str, **told: Any) -> Path:
    """A file of a trial, as the driver writes it."""
    (home / folder).mkdir(parents=True, exist_ok=True)
    path = home / folder / f"{key}.json"
    about = {
        "key": key,
        "study": "omega",
        "setting": {"setting": "S", "width": 96},
        "seeds": [0, 1],
        "when": time.time(),
    }
    path.write_text(json.dumps({**about, **told}), encoding="utf-8")
    return path


def test_an_empty_store_has_nothing_at_work(tmp_path: Path) -> None:
    now = runs.look(Source(tmp_path / "none", None), runs.Seen())
    assert (now.studies, now.failed, now.finished) == ([], [], [])
    assert "Nothing is being measured now." in runs.page(now) and not (tmp_path / "none").exists()


def test_shares_curves_and_who_is_gone(tmp_path: Path) -> None:
    source, seen = Source(tmp_path, None), runs.Seen()
    for i in range(3):
        put(tmp_path, "live", "a", done=i, of=4, shown={"loss": 1.0 / (1 + i), "words": "x"}, when=time.time() + i)
        now = runs.look(source, seen)
    [study] = now.studies
    [trial] = study.trials
    assert trial.share == 0.5 and trial.gone and trial.left is None and trial.seeds == "0–1"
    assert seen.curves == {"a": {"loss": [1.0, 0.5, pytest.approx(1 / 3)]}} and [n for n, _ in trial.curves] == ["loss"]
    assert "nobody works on it any more" in runs.fragment(now)
    put(tmp_path, "live", "a", done=4, of=4, shown={"ended": "done"})
    assert runs.look(source, seen).studies == [] and seen.curves == {}


def test_the_plan_says_how_many_there_are(tmp_path: Path) -> None:
    put(tmp_path, "live", "c", done=1, of=2)
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans" / "p.json").write_text(
        json.dumps({"study": "omega", "runs": [{"keys": ["a", "b", "c", "../x"]}]})
    )
    (tmp_path / "plans" / "q.json").write_text("no json")
    for key in "ab":
        (tmp_path / "trials" / "omega" / key).mkdir(parents=True)
    (tmp_path / "trials" / "omega" / "a" / "trial.json").write_text("{}")
    [study] = runs.look(Source(tmp_path, None), runs.Seen()).studies
    assert (study.done, study.of) == (1, 3) and study.share == pytest.approx((1 + 0.5) / 3)


@pytest.mark.parametrize("content", ["", "[]", "null", '{"key": "other"}', '{"key": "bad", "when": "x"', "\x00" * 9])
def test_what_cannot_be_read_does_not_take_the_rest_with_it(tmp_path: Path, content: str) -> None:
    put(tmp_path, "live", "good", done=1, of=2)
    put(tmp_path, "failed", "good", error="out of memory")
    for folder in ("live", "failed"):
        (tmp_path / folder / "bad.json").write_text(content)
        (tmp_path / folder / "led.json").symlink_to("/etc/hostname")
    now = runs.look(Source(tmp_path, None), runs.Seen())
    assert [t.key for s in now.studies for t in s.trials] == ["good"] and [f["key"] for f in now.failed] == ["good"]


def test_failures_are_told_newest_first_and_old_ones_are_no_news(tmp_path: Path) -> None:
    now = time.time()
    for key, age in (("a", 100), ("b", 10), ("c", runs.OLD + 10)):
        put(tmp_path, "failed", key, error=f"<b>{key}", when=now - age)
    found = runs.look(Source(tmp_path, None), runs.Seen())
    assert [f["key"] for f in found.failed] == ["b", "a"]
    assert "&lt;b&gt;b" in runs.page(found) and "<b>b" not in runs.page(found)


def test_what_is_seen_is_bounded() -> None:
    seen = runs.Seen()
    for i in range(1_000):
        seen.add({"key": "a", "when": i, "shown": {"loss": float(i), "inf": float("inf"), "n": 3}})
        seen.add({"key": "a", "when": i, "shown": {"loss": -1.0}})  # the same word, read again
    assert list(seen.curves["a"]) == ["loss"] and seen.curves["a"]["loss"] == [float(i) for i in range(880, 1_000)]


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(None, ""), (0.0, "about 1 seconds left"), (1.0, "about 60 seconds left"), (12.4, "about 12 minutes left"), (600, "about 10 hours left")],
)  # fmt: skip
def test_time_left(minutes: float | None, words: str) -> None:
    assert runs.left(minutes) == words
