"""A bucket that several drivers share, of which one is killed, before which the network fails: nothing is lost, nothing
measured twice, and what is measured is what a folder here would hold, byte for byte."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.buckets import SECRET, Faulty, machine
from tests.faults.figures import EVERY, Cost, intervals, lines
from unseen.core import find
from unseen.core.plan import Trial, plan
from unseen.core.store import Store

Start = Callable[..., Any]
RUN = ("run", "kept_rows", "--tier", "laptop", "--on", "here")
Note = Callable[[Cost], None]


def environment(home: str, machine: Path) -> dict[str, str]:
    """That of a driver on a machine of its own: its folders here are no one else's."""
    return {**os.environ, "UNSEEN_HOME": home, "XDG_DATA_HOME": str(machine)}


def driver(home: str, machine: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "unseen", *words],
        env=environment(home, machine),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def trials(slug: str = "kept_rows", tier: str = "laptop") -> list[Trial]:
    return plan(slug, find.study(slug), tier)  # type: ignore[arg-type]


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def same(far: Store, lone: Path, of: list[Trial]) -> None:
    """The bucket holds these trials, whole, as a store here does, times left out; and nothing that is half done."""
    assert far.far is not None
    here = Store(lone)
    assert far.sound(of) == (of, {}) and here.sound(of) == (of, {})
    for trial in of:
        one, two = files(far.whole(trial)), files(here.folder(trial))
        assert one.keys() == two.keys()
        for name in one:
            if name != "trial.json":
                assert one[name] == two[name], f"{trial.key}/{name} differs"
        told, known = (json.loads(x["trial.json"]) for x in (one, two))
        assert told["files"] == known["files"] and told["code"] == known["code"]
    names = far.far.listing("")
    assert not [n for n in names if n.startswith(("partial/", "ready/")) or (n.startswith("leases/") and "/." not in n)]


@pytest.fixture(scope="module")
def lone(undisturbed: Callable[..., tuple[Path, float]]) -> Path:
    """A store here that one driver filled."""
    return undisturbed(*RUN)[0]


@pytest.fixture
def there(home: Path, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The bucket as a third machine sees it."""
    machine(tmp_path, monkeypatch, "third")
    return Store(bucket)


@pytest.fixture
def started(command: Start, tmp_path: Path) -> Start:
    """`unseen WORDS` on a machine of its own, with this test's bucket."""

    def start(*words: str, **env: str) -> Any:
        reach = {k: v for k, v in os.environ.items() if k.startswith("AWS_")}
        return command(*words, **{**reach, "XDG_DATA_HOME": str(tmp_path / "one"), **env})

    return start


@pytest.mark.slow
def test_two_drivers_on_two_machines_measure_each_trial_once(there: Store, lone: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    drivers = [driver(there.url, tmp_path / name, *RUN) for name in ("one", "two")]
    told = [d.communicate(timeout=240)[0] for d in drivers]
    assert [d.returncode for d in drivers] == [0, 0], told
    assert len(lines(log)) == 120 and set(Counter(lines(log)).values()) == {1}
    same(there, lone, trials())
    plans = [there.far.read(f"plans/{n}") for n in there.far.listing("plans")] if there.far else []
    assert len(plans) == 1 and len(json.loads(plans[0] or b"")["runs"]) == 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_one_of_two_is_killed_and_the_other_goes_on(
    seed: int, there: Store, lone: Path, cost: Note, tmp_path: Path
) -> None:
    """The survivor measures the rest at once (its machine sees that the holder is dead), from the last checkpoint."""
    log = tmp_path / "log.txt"
    first = driver(there.url, tmp_path / "one", *RUN, "--set", "pause=0.05")
    count = random.Random(seed).randint(8, 45)
    until = time.monotonic() + 120
    while len(lines(log)) < count and first.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    second = driver(there.url, tmp_path / "two", *RUN, "--set", "pause=0.05")
    time.sleep(1.0)
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    said = second.communicate(timeout=240)[0]
    assert second.returncode == 0, said
    counted = Counter(lines(log))
    again = Counter(line.rsplit(" ", 1)[0] for line, n in counted.items() if n > 1)
    assert len(counted) == 120 and max(counted.values()) <= 2 and len(again) <= 1
    # one interval, and the steps that were computed while the last checkpoint was under way
    assert sum(again.values()) <= 2 * EVERY
    slow = plan("kept_rows", find.study("kept_rows"), "laptop", sweep={"pause": [0.05]})
    assert there.sound(slow) == (slow, {})
    most = max((steps for _, steps in intervals(lines(log))), default=0)
    cost(Cost("kill -9 of a driver at an object store", 1, repeated=most))


@pytest.mark.slow
def test_what_many_need_is_made_once(home: Path, there: Store, tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    words = ("run", "kept_artifact", "--tier", "smoke", "--set")
    drivers = [driver(there.url, tmp_path / f"node {n}", *words, f"count={n}") for n in (1, 2, 3, 4)]
    told = [d.communicate(timeout=240)[0] for d in drivers]
    assert [d.returncode for d in drivers] == [0] * 4, told
    assert len(lines(log)) == 1
    found = trials("kept_artifact", "smoke")
    assert there.sound(found) == (found, {})


@pytest.mark.slow
def test_an_ill_network_costs_nothing(
    there: Store, lone: Path, proxy: Faulty, started: Start, cost: Note, tmp_path: Path
) -> None:
    """One request of six fails in one of six ways."""
    faults, drawn = ("500", "503", "gone", "cut", "lost", "slow"), random.Random(0)
    proxy.misbehave = lambda method, path, times: drawn.choice(faults) if drawn.random() < 1 / 6 else ""
    ended = started(*RUN, UNSEEN_HOME=there.url)
    assert ended.code == 0, ended.said
    assert all(proxy.met[f] for f in faults)
    proxy.misbehave = lambda method, path, times: ""
    assert set(Counter(lines(tmp_path / "log.txt")).values()) == {1}
    same(Store(there.url), lone, trials())
    cost(Cost("an object store: 500, 503, slow, cut off, closed", sum(proxy.met[f] for f in faults)))


@pytest.mark.slow
def test_a_store_that_goes_away_keeps_what_was_measured_here(
    there: Store, lone: Path, proxy: Faulty, started: Start, cost: Note, tmp_path: Path
) -> None:
    """No upload arrives after the second trial: one paragraph, no traceback, no secret; the next command delivers."""
    published: list[str] = []

    def misbehave(method: str, path: str, times: int) -> str:
        if method == "PUT" and path.endswith("/trial.json"):
            published.append(path)
        return "503" if len(set(published)) >= 2 else ""

    proxy.misbehave = misbehave
    env = {"UNSEEN_HOME": there.url, "UNSEEN_STORE_PATIENCE": "1"}
    ended = started(*RUN, **env)
    assert ended.code == 1 and "Traceback" not in ended.said and SECRET not in ended.said, ended.said
    assert "does not answer" in ended.said and "what is here is kept" in ended.said
    before = lines(tmp_path / "log.txt")
    proxy.misbehave = lambda method, path, times: ""
    judged = started("judge", "kept_rows", "--tier", "laptop", "--json", **env)
    assert judged.code == 0 and len(json.loads(judged.said)["trials"]) >= 2, judged.said
    again = started(*RUN, **env)
    assert again.code == 0, again.said
    after = lines(tmp_path / "log.txt")[len(before) :]
    assert not set(before) & set(after), "nothing that was measured is measured again"
    same(Store(there.url), lone, trials())
    cost(Cost("an object store: goes away", 1))


@pytest.mark.parametrize(
    ("fault", "code", "says"),
    [("403", 2, "refuses us"), ("bucket", 2, "has no bucket of that name"), ("503", 1, "does not answer")],
)
def test_what_its_user_can_mend_is_one_paragraph(
    fault: str, code: int, says: str, there: Store, proxy: Faulty, started: Start
) -> None:
    if fault != "bucket":
        proxy.misbehave = lambda method, path, times: fault
    url = "s3://nobody-made-this/x" if fault == "bucket" else there.url
    ended = started(*RUN, UNSEEN_HOME=url, UNSEEN_STORE_PATIENCE="0.5")
    told = [line for line in ended.said.splitlines() if line.strip()]
    assert ended.code == code and len(told) == 1 and told[0].startswith("unseen: "), ended.said
    assert says in told[0] and url in told[0] and SECRET not in told[0]
