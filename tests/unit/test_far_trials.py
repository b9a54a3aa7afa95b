"""Trials in a bucket: listed once, fetched as asked, published by whoever, told where they are damaged."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.buckets import Faulty, machine
from unseen.core import find
from unseen.core.errors import Damaged, Failed
from unseen.core.execute import execute, here
from unseen.core.far import trials as module
from unseen.core.far.objects import Far
from unseen.core.plan import Trial, plan
from unseen.core.store import Store
from unseen.core.work import measure


@pytest.fixture
def trials(shelf: Path) -> list[Trial]:
    return plan("kept_rows", find.study("kept_rows"), "smoke")[:2]


@pytest.fixture
def store(trials: list[Trial], bucket: str) -> Store:
    """A store in a bucket that holds two trials."""
    kept = Store(bucket)
    assert [o.status for o in execute(trials, kept, here())] == ["done", "done"]
    return kept


@pytest.fixture
def other(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The same store, from another machine."""
    machine(tmp_path, monkeypatch, "other")
    return Store(store.url)


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def far_of(store: Store) -> Far:
    assert store.far is not None
    return store.far


def test_what_one_measured_the_other_reads_whole(store: Store, other: Store, trials: list[Trial]) -> None:
    assert other.root != store.root and not other.root.exists()
    assert [m["key"] for m in other.manifests("kept_rows")] == sorted(t.key for t in trials)
    assert not (other.root / "trials").exists(), "manifests alone were fetched"
    assert other.sound(trials) == (trials, {})
    assert {p.name for p in other.folder(trials[0]).iterdir()} == {"records.parquet", "scores.parquet", "trial.json"}
    assert other.records(trials).frame().equals(store.records(trials).frame())
    assert list(other.items(trials[1])) == list(store.items(trials[1]))
    assert files(other.whole(trials[0])) == files(store.folder(trials[0]))
    assert [o.status for o in execute(trials, other, here())] == ["kept", "kept"]
    left = far_of(store).listing("")
    assert not [n for n in left if n.startswith(("partial/", "ready/", "leases/")) and not n.startswith("leases/.")]


def test_ten_thousand_trials_are_listed_not_asked_for(
    trials: list[Trial], bucket: str, proxy: Faulty, shelf: Path
) -> None:
    store = Store(bucket)
    made = [replace(trials[0], pins={"m": str(k)}) for k in range(50)]
    for trial in made[:40]:
        far_of(store).write(f"trials/kept_rows/{trial.key}/trial.json", b"{}")
    proxy.asked.clear()
    assert [store.has(t) for t in made] == [True] * 40 + [False] * 10
    assert sum(proxy.asked.values()) == 1


def test_an_index_here_saves_fetching_manifests_again(store: Store, other: Store, proxy: Faulty) -> None:
    proxied = Store(store.url)
    told = list(proxied.manifests("kept_rows"))
    proxy.asked.clear()
    again = Store(store.url)
    assert list(again.manifests("kept_rows")) == told and len(told) == 2
    assert not [p for m, p in proxy.asked if p.endswith("trial.json")]
    path = next((again.root / "index").glob("*"))
    for content in ("{", "[]", '{"a": 3}'):
        path.write_text(content)
        assert list(Store(store.url).manifests("kept_rows")) == told


def blob(store: Store, trial: Trial, name: str) -> str:
    return next(f"measured/{n}" for n in far_of(store).listing("measured") if trial.key in n and n.endswith(f"/{name}"))


def gone(far: Far, name: str) -> None:
    far.remove([name])


def torn(far: Far, name: str) -> None:
    far.write(name, b"PAR1")


def flipped(far: Far, name: str) -> None:
    content = bytearray(far.read(name) or b"")
    content[9] ^= 1
    far.write(name, bytes(content))


@pytest.mark.parametrize("harm", [gone, torn, flipped])
@pytest.mark.parametrize(
    "name", ["records.parquet", "scores.parquet", "items.parquet", "files/sums-0.txt", "trial.json"]
)
def test_damage_there_is_told_and_measured_again(
    harm: Callable[[Far, str], None], name: str, store: Store, other: Store, trials: list[Trial]
) -> None:
    at = f"trials/kept_rows/{trials[0].key}/trial.json" if name == "trial.json" else blob(store, trials[0], name)
    before = files(store.folder(trials[0]))
    harm(far_of(store), at)
    there, damaged = other.sound(trials)
    if harm is flipped and name in ("items.parquet", "files/sums-0.txt"):
        with pytest.raises(Damaged, match=f"{name} is not what was written"):
            other.whole(trials[0])
        there, damaged = other.sound(trials)  # only who asks for it sees it, and remembers
    if harm is not flipped or name != "trial.json":  # a flipped byte may leave a manifest that says the same
        assert there == trials[1:] and (set(damaged) == {trials[0].key} or (harm is gone and name == "trial.json"))
    assert [o.status for o in execute(trials, other, here())][1] == "kept"
    assert other.sound(trials) == (trials, {})
    found = files(other.whole(trials[0]))
    assert {n: c for n, c in found.items() if n != "trial.json"} == {
        n: c for n, c in before.items() if n != "trial.json"
    }


def test_a_copy_here_that_is_damaged_is_fetched_again(store: Store, trials: list[Trial]) -> None:
    shutil.rmtree(store.folder(trials[0]) / "files")
    (store.folder(trials[0]) / "records.parquet").write_bytes(b"PAR1")
    (store.folder(trials[1]) / "trial.json").write_text("{")
    again = Store(store.url)
    assert again.sound(trials) == (trials, {})
    assert len(again.records(trials)) > 0 and (again.whole(trials[0]) / "files" / "sums-0.txt").is_file()


def test_a_trial_finished_but_not_delivered_is_delivered_by_the_next_command(
    trials: list[Trial], bucket: str, proxy: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNSEEN_STORE_PATIENCE", "0")
    store = Store(bucket)
    proxy.misbehave = lambda method, path, times: "503" if method == "PUT" and "/measured/" in path else ""
    told = execute(trials[:1], store, here())
    assert told[0].status == "failed" and "does not answer" in told[0].error and "what is here is kept" in told[0].error
    ready = store.partial(trials[0]) / "ready"
    before = files(ready)
    assert "trial.json" in before and not store.has(trials[0])
    proxy.misbehave = lambda method, path, times: ""
    later = Store(bucket)
    later.foresee(trials[1:])
    assert later.has(trials[0]) and not ready.exists() and files(later.whole(trials[0])) == before


def test_a_store_that_stays_away_ends_a_run_in_one_paragraph(
    trials: list[Trial], bucket: str, proxy: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNSEEN_STORE_PATIENCE", "0")
    store = Store(bucket)
    proxy.misbehave = lambda method, path, times: "503" if method == "PUT" and "/leases/" not in path else ""
    assert [o.status for o in execute(trials[:1], store, here())] == ["failed"]
    proxy.misbehave = lambda method, path, times: "503"
    with pytest.raises(Failed, match="does not answer"):
        execute(trials[1:], Store(bucket), here())


def test_what_a_worker_staged_is_published_without_it(
    trials: list[Trial], bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker's folder lies on its own machine; its driver, or after that one's death any other, publishes."""
    worker = Store(bucket)
    for trial in trials:
        worker.stage(trial, measure(trial, worker))
    machine(tmp_path, monkeypatch, "driver")
    driver = Store(bucket)
    assert not driver.has(trials[0])
    driver.publish(trials[0], driver.partial(trials[0]) / "ready")
    assert driver.has(trials[0]) and driver.sound(trials[:1]) == (trials[:1], {})
    with pytest.raises(Damaged, match=r"neither in .* nor staged"):
        driver.publish(trials[0], driver.partial(trials[0]) / "ready")
    machine(tmp_path, monkeypatch, "another driver")
    third = Store(bucket)
    third.foresee(trials)
    assert third.sound(trials) == (trials, {})
    machine(tmp_path, monkeypatch, "machine")
    Store(bucket).foresee(trials)  # what was left on the worker's own machine goes
    assert not list(worker.root.glob("partial/*/*")) and len(list(worker.root.glob("aside/*"))) == 2


def test_what_is_discarded_is_put_aside(store: Store, other: Store, trials: list[Trial]) -> None:
    assert other.has(trials[0])
    other.discard(trials[0])
    assert not other.has(trials[0]) and other.has(trials[1])
    assert next(iter(far_of(store).listing("aside"))).startswith(f"kept_rows-{trials[0].key}-")
    with store.lease(trials[1]) as mine:
        assert mine
        other.discard(trials[1])  # another works on it: left to it
    assert other.has(trials[1])
    assert [o.status for o in execute(trials, other, here())] == ["done", "kept"]


def test_what_another_publishes_is_seen(
    trials: list[Trial], bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = Store(bucket)
    assert not waiting.has(trials[0])
    machine(tmp_path, monkeypatch, "other")
    execute(trials[:1], Store(bucket), here())
    assert not waiting.has(trials[0]), "the list is a few seconds old at most"
    with waiting.lease(trials[0]) as mine:
        assert mine and waiting.has(trials[0]), "who holds the lease looks"
    monkeypatch.setattr(module, "FRESH", 0.0)
    execute(trials[1:], Store(bucket), here())
    assert waiting.has(trials[1])


def test_strange_manifests_are_no_trials(store: Store, trials: list[Trial], tmp_path: Path) -> None:
    name = f"trials/kept_rows/{trials[0].key}/trial.json"
    sound = json.loads(far_of(store).read(name) or b"")
    for told in (
        [],
        {"key": trials[0].key},
        {**sound, "key": "0" * 16},
        {**sound, "files": {"../../evil": {"bytes": 1, "sha256": "0"}, **sound["files"]}},
        {**sound, "files": {"records.parquet": 3}},
    ):
        far_of(store).write(name, json.dumps(told).encode())
        again = Store(store.url)
        assert [m["key"] for m in again.manifests("kept_rows")] == [trials[1].key]
        assert list(again.damaged(trials)) == [trials[0].key]
    assert not list(tmp_path.rglob("evil"))


def test_plans_of_two_machines_are_both_kept(trials: list[Trial], bucket: str) -> None:
    first, second = Store(bucket), Store(bucket)
    one, two = ([replace(t, pins={"m": pin}) for t in trials] for pin in ("m@1", "m@2"))
    first.write_plan("kept_rows", trials, one)
    second.write_plan("kept_rows", trials, two)
    told = json.loads(far_of(first).read(next(f"plans/{n}" for n in far_of(first).listing("plans"))) or b"")
    assert [r["keys"] for r in told["runs"]] == [[t.key for t in one], [t.key for t in two]]
    far_of(first).write(next(f"plans/{n}" for n in far_of(first).listing("plans")), b"{")
    with pytest.raises(Damaged, match="cannot be read"):
        first.newest("kept_rows", trials)


def test_a_full_disk_here(store: Store, other: Store, trials: list[Trial], monkeypatch: pytest.MonkeyPatch) -> None:
    import errno

    from unseen.core.errors import Full

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/x")

    monkeypatch.setattr(far_of(other).fs, "get_file", full)
    with pytest.raises(Full, match="Free some space"):
        other.records(trials)
