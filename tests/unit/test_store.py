"""One trial, one folder, whole or not there; plans; an index that is made anew; a store behind a URL."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from unseen.core import find
from unseen.core.errors import Damaged, Mistake
from unseen.core.execute import execute, here
from unseen.core.manifest import read_manifest
from unseen.core.plan import Trial, plan, plan_hash
from unseen.core.store import Store
from unseen.core.work import measure


@pytest.fixture
def trials(shelf: Path) -> list[Trial]:
    """The first two trials of the study of the fault tests."""
    return plan("kept_rows", find.study("kept_rows"), "smoke")[:2]


@pytest.fixture
def store(shelf: Path, trials: list[Trial]) -> Store:
    """A store that holds these two."""
    kept = Store(shelf)
    assert [o.status for o in execute(trials, kept, here())] == ["done", "done"]
    return kept


def test_a_folder_without_manifest_does_not_exist(shelf: Path, trials: list[Trial]) -> None:
    store = Store(shelf)
    assert not store.has(trials[0]) and store.damaged(trials) == {} and store.broken(trials[0]) == ""
    measure(trials[0], store)
    assert not store.has(trials[0])
    store.folder(trials[0]).mkdir(parents=True)
    assert not store.has(trials[0]) and store.sound(trials) == ([], {})
    store.publish(trials[0], store.partial(trials[0]) / "ready")  # what stood there is moved aside
    assert store.has(trials[0]) and not store.partial(trials[0]).exists()
    assert len(list(shelf.glob("aside/*"))) == 1


def test_the_manifest_says_what_was_measured(store: Store, trials: list[Trial]) -> None:
    told = store.manifest(trials[0])
    assert told["key"] == trials[0].key and told["seeds"] == [0, 1] and told["evidence"] == "twin"
    assert told["setting"] == {"setting": "Setting", "name": "a", "steps": 20, "every": 5, "pause": 0.0, "fault": ""}
    assert set(told["files"]) == {
        "records.parquet",
        "scores.parquet",
        "items.parquet",
        "files/sums-0.txt",
        "files/sums-1.txt",
    }
    assert {"python", "numpy", "polars"} <= set(told["versions"]) and told["device"] == "cpu" and told["threads"] == 1
    assert told["code"] == store.code("kept_rows") and not store.stale(trials[:1])
    assert told["rows"] == len(store.records(trials[:1]))


def test_records_are_read_back(store: Store, trials: list[Trial]) -> None:
    """Against the rule of the study, worked again here: sums of the lab's own streams."""
    from unseen.core.lab import Lab

    records = store.records(trials)
    lab = Lab((0,), store.root, store.root)
    for seed in (0, 1, 2):
        total = sum(lab.rng("draw", step, seed=seed).uniform() for step in range(1, 21))
        found = records.where(measure="sum", split="near", step=20, seed=seed)
        assert found.value.tolist() == [pytest.approx(total / 20, abs=1e-12)] and found.n.tolist() == [20]
    hits = records.where(measure="hit", seed=1)
    items = [lab.rng("item", k, seed=1).uniform() > k / 4 for k in range(4)]
    assert hits.value.tolist() == [sum(items) / 4] and hits.n.tolist() == [4]
    told = list(store.items(trials[0]))
    assert len(told) == 8 and told[0]["scores"].keys() == {"hit"} and told[0]["truth"] == "yes"
    assert list(store.items(replace(trials[0], pins={"no": "trial"}))) == []


def test_trials_of_other_code_are_stale(store: Store, trials: list[Trial], monkeypatch: pytest.MonkeyPatch) -> None:
    assert not Store(store.root).stale(trials[:1])
    monkeypatch.setattr("unseen.core.store.code_digest", lambda slug: "0" * 16)
    assert Store(store.root).stale(trials[:1])


def unmade(folder: Path) -> None:
    (folder / "records.parquet").unlink()


def shortened(folder: Path) -> None:
    (folder / "records.parquet").write_bytes(b"PAR1")


def flipped(folder: Path) -> None:
    content = bytearray((folder / "scores.parquet").read_bytes())
    content[9] ^= 255
    (folder / "scores.parquet").write_bytes(bytes(content))


def no_json(folder: Path) -> None:
    (folder / "trial.json").write_text("[1, 2")


def no_files(folder: Path) -> None:
    (folder / "trial.json").write_text(json.dumps({"key": folder.name, "files": {}}))


def strange_files(folder: Path) -> None:
    (folder / "trial.json").write_text(json.dumps({"key": folder.name, "files": {"records.parquet": 3}}))


def a_list(folder: Path) -> None:
    (folder / "trial.json").write_text("[]")


@pytest.mark.parametrize("harm", [unmade, shortened, flipped, no_json, no_files, strange_files, a_list])
def test_damage_is_seen_and_named(harm: Callable[[Path], None], store: Store, trials: list[Trial]) -> None:
    harm(store.folder(trials[0]))
    there, damaged = store.sound(trials)
    assert there == trials[1:] and list(damaged) == [trials[0].key] and trials[0].key in damaged[trials[0].key]
    assert [o.status for o in execute(trials, store, here())] == ["done", "kept"]
    assert store.sound(trials) == (trials, {})


def test_reading_what_cannot_be_read_names_the_trial(store: Store, trials: list[Trial]) -> None:
    for name in ("records.parquet", "items.parquet", "trial.json"):
        (store.folder(trials[0]) / name).write_bytes(b"nothing")
    for read in (
        lambda: store.records(trials),
        lambda: list(store.items(trials[0])),
        lambda: store.manifest(trials[0]),
    ):
        with pytest.raises(Damaged, match=rf"the trial {trials[0].key} of kept_rows cannot be read .*unseen run"):
            read()
    import polars as pl

    pl.DataFrame({"a": [1]}).write_parquet(store.folder(trials[0]) / "records.parquet")
    pl.DataFrame({"scores": ["{"], "at": ["{}"]}).write_parquet(store.folder(trials[0]) / "items.parquet")
    for read in (lambda: store.records(trials), lambda: list(store.items(trials[0]))):
        with pytest.raises(Damaged, match="cannot be read"):
            read()


@pytest.mark.parametrize(
    "wrong",
    [{"pins": {"a": {}}}, {"pins": []}, {"seeds": ["0"]}, {"minutes": "long"}, {"setting": None}, {"files": {}}],
)
def test_a_manifest_of_other_kinds_is_none(wrong: dict[str, Any], store: Store, trials: list[Trial]) -> None:
    path = store.folder(trials[0]) / "trial.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **wrong}), encoding="utf-8")
    with pytest.raises(Damaged, match="cannot be read"):
        read_manifest(path)
    assert trials[0].key in Store(store.root).damaged(trials)


def test_the_index_follows_the_folders(store: Store, trials: list[Trial]) -> None:
    keys = sorted(t.key for t in trials)
    path = store.root / "index" / "kept_rows.jsonl"

    def told(by: Store) -> list[str]:
        return [m["key"] for m in by.manifests("kept_rows")]

    assert told(store) == keys and [json.loads(x)["key"] for x in path.read_text().splitlines()[1:]] == keys
    before, text = path.stat().st_mtime_ns, path.read_text()
    assert told(Store(store.root)) == keys and path.stat().st_mtime_ns == before
    for content in ("", "{", "[]", text[:-9], text.splitlines()[0].replace("of", "on") + "\n{}\n", "[" * 100_000):
        path.write_text(content)
        assert told(Store(store.root)) == keys == told(store) and path.read_text() == text
    next(store.manifests("kept_rows"))  # one who looks at the first alone
    shutil.rmtree(store.folder(trials[0]))
    assert told(store) == [trials[1].key] == told(store)
    (store.folder(trials[1]) / "trial.json").write_text("{")
    assert told(store) == [] == list(store.manifests("no_study"))


def test_plans_keep_the_pins_of_every_run_newest_last(shelf: Path, trials: list[Trial]) -> None:
    store = Store(shelf)
    assert store.newest("kept_rows", trials) is None
    first, second = ([replace(t, pins={"m": pin}) for t in trials] for pin in ("m@1", "m@2"))
    for pinned in (first, second, first):
        store.write_plan("kept_rows", trials, pinned)
    told = json.loads((shelf / "plans" / f"{plan_hash(trials)}.json").read_text())
    assert [r["keys"] for r in told["runs"]] == [[t.key for t in second], [t.key for t in first]]
    assert store.newest("kept_rows", trials) == {t.key: {"m": "m@1"} for t in trials}
    assert store.newest("kept_rows", trials[:1]) is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"runs": [{}]}', '{"runs": 3}'])
def test_a_plan_that_cannot_be_read(content: str, shelf: Path, trials: list[Trial]) -> None:
    store = Store(shelf)
    store.write_plan("kept_rows", trials, trials)
    path = shelf / "plans" / f"{plan_hash(trials)}.json"
    path.write_text(content)
    with pytest.raises(Damaged, match=r"cannot be read; `unseen run kept_rows"):
        store.newest("kept_rows", trials)
    store.write_plan("kept_rows", trials, trials)
    assert store.newest("kept_rows", trials) == {t.key: {} for t in trials}


def test_discarded_trials_are_measured_again(store: Store, trials: list[Trial]) -> None:
    store.partial(trials[0]).mkdir(parents=True)
    store.discard(trials[0])
    assert not store.has(trials[0]) and not store.partial(trials[0]).exists() and store.has(trials[1])
    assert store.set_aside(trials[0]) is None
    with store.lease(trials[1]):
        store.discard(trials[1])  # another works on it: left to it
    assert store.has(trials[1])


def test_live_progress_is_mirrored_and_tidied(store: Store, trials: list[Trial]) -> None:
    store.live(trials[0], {"key": trials[0].key, "done": 1, "of": 2, "shown": {"loss": 1.0}})
    path = store.root / "live" / f"{trials[0].key}.json"
    assert json.loads(path.read_text())["shown"] == {"loss": 1.0}
    store.tidy(trials[0])
    assert not path.exists()
    path.parent.rmdir()
    path.parent.write_text("a file where the folder should be")
    store.live(trials[0], {"key": trials[0].key})  # lost without harm


def test_roots_that_are_none(tmp_path: Path, shelf: Path, trials: list[Trial]) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Mistake, match="is a file, not a folder"):
        Store(tmp_path / "file")
    with pytest.raises(Mistake, match="cannot be written while writing the plan"):
        Store(tmp_path / "file" / "below").write_plan("kept_rows", trials, trials)
    with pytest.raises(Mistake, match="UNSEEN_HOME"):
        Store(tmp_path / "file" / "below").check()
    Store(tmp_path / "new").check()
    assert os.listdir(tmp_path / "new" / "leases") == []


def test_a_store_behind_a_url(
    shelf: Path, trials: list[Trial], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two machines (two local homes) share one store; what one measured the other reads, whole."""
    from fsspec.implementations.memory import MemoryFileSystem

    MemoryFileSystem.store.clear()
    one = Store("memory://bucket/unseen")
    one.write_plan("kept_rows", trials, [replace(t, pins={"m": "1"}) for t in trials])
    assert [o.status for o in execute(trials, one, here())] == ["done", "done"]
    monkeypatch.setenv("UNSEEN_HOME", str(tmp_path / "another machine"))
    other = Store("memory://bucket/unseen")
    assert other.root != one.root and not other.root.exists()
    assert other.newest("kept_rows", trials) == {t.key: {"m": "1"} for t in trials}
    assert [m["key"] for m in other.manifests("kept_rows")] == sorted(t.key for t in trials)
    assert [o.status for o in execute(trials, other, here())] == ["kept", "kept"]
    assert other.records(trials).frame().equals(one.records(trials).frame())
    fs = MemoryFileSystem()
    fs.rm_file(f"/bucket/unseen/trials/kept_rows/{trials[1].key}/trial.json")
    monkeypatch.setenv("UNSEEN_HOME", str(tmp_path / "a third machine"))
    third = Store("memory://bucket/unseen")
    assert third.has(trials[0]) and not third.has(trials[1])
    third.discard(trials[0])
    assert not third.has(trials[0]) and not fs.exists(f"/bucket/unseen/trials/kept_rows/{trials[0].key}")


def test_a_url_that_cannot_be_reached(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from unseen.core.errors import Failed, UnseenError

    with pytest.raises(Mistake, match=r"nosuch://bucket.*UNSEEN_HOME"):
        Store("nosuch://bucket")
    store = Store("memory://bucket/unseen")
    assert store.far is not None

    monkeypatch.setenv("UNSEEN_STORE_PATIENCE", "0")
    monkeypatch.setattr(store.far.fs, "cat_file", lambda path: (_ for _ in ()).throw(ConnectionError("no route")))
    with pytest.raises(Failed, match=r"does not answer \(no route\)"):
        store.far.read("plans/x.json")
    monkeypatch.setattr(store.far.fs, "cat_file", lambda path: (_ for _ in ()).throw(ImportError("s3fs")))
    with pytest.raises(UnseenError, match="needs a package"):
        store.far.read("plans/x.json")
