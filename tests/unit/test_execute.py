"""A plan carried out: here, in processes, beside other drivers; failures stay with their trial."""

from __future__ import annotations

import atexit
import multiprocessing
import os
import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from unseen import folders
from unseen.core import find
from unseen.core.errors import Failed
from unseen.core.execute import Event, Measuring, Outcome, Tell, Work, execute, here, procs
from unseen.core.plan import Trial, plan
from unseen.core.pools import workers
from unseen.core.pools.parcel import packed
from unseen.core.pools.workers import Gone
from unseen.core.store import Store
from unseen.core.study import Needs
from unseen.core.threads import WORDS, threads


@pytest.fixture
def trials(shelf: Path) -> list[Trial]:
    return plan("kept_rows", find.study("kept_rows"), "smoke")


def faulty(trials: list[Trial], fault: str) -> Trial:
    return replace(trials[0], setting=replace(trials[0].setting, fault=fault))


def test_outcomes_come_in_the_order_asked(shelf: Path, trials: list[Trial]) -> None:
    store, events = Store(shelf), list[Event]()
    asked = [trials[3], faulty(trials, "raise"), trials[0], trials[3]]
    told = execute(asked, store, here(), tell=events.append)
    assert [o.trial for o in told] == asked and [o.status for o in told] == ["done", "failed", "done", "done"]
    assert [o.code for o in told] == [0, 1, 0, 0] and "RuntimeError: the sum went wrong (trial.py" in told[1].error
    assert [o.status for o in execute(asked, store, here())] == ["kept", "failed", "kept", "kept"]
    ended = [e for e in events if e.shown.get("ended")]
    assert [e.key for e in ended] == [trials[3].key, trials[0].key] and all(e.when > 1e9 for e in events)
    assert execute([], store, here()) == []


def test_processes_measure_studies_outside_the_package(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A study in ./studies, found in the workers by where they are started."""
    folders.new("own_study")
    monkeypatch.delenv("UNSEEN_STUDIES")
    asked = plan("own_study", find.study("own_study"), "smoke", seeds=1)
    told = execute(asked, Store(shelf), procs(2))
    assert [o.status for o in told] == ["done"] * 3, told
    there = Store(shelf).records(asked).frame()
    assert [o.status for o in execute(asked, Store(tmp_path / "here"), here())] == ["done"] * 3
    assert there.equals(Store(tmp_path / "here").records(asked).frame())


def test_threads_are_those_the_trial_needs(shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ceil(cpus), in libraries that are loaded, in the environment, and in both pools."""
    folder = folders.new("own_study")
    (folder / "trial.py").write_text(
        "import os\nfrom threadpoolctl import threadpool_info\nfrom unseen.core.record import Row\n"
        "import numpy\n\ndef run(setting, lab):\n"
        "    for k, pool in enumerate(p for p in threadpool_info() if p['user_api'] == 'blas'):\n"
        "        yield Row('pool', pool['num_threads'], at={'pool': k})\n"
        "    yield Row('word', int(os.environ['OMP_NUM_THREADS']))\n"
    )
    monkeypatch.delenv("UNSEEN_STUDIES")
    one = plan("own_study", find.study("own_study"), "smoke", seeds=1)[0]
    asked = [replace(one, needs=Needs(1, cpus=1.2))]
    text = (folder / "study.py").read_text()
    (folder / "study.py").write_text(text.replace("Needs(minutes=0.05)", "Needs(minutes=0.05, cpus=1.2)"))
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    for place, pool in (("here", here()), ("procs", procs(1))):
        store = Store(tmp_path / place)
        (outcome,) = execute(asked, store, pool)
        assert outcome.status == "done", outcome.error
        assert set(store.records(asked).value) == {2.0} and store.manifest(asked[0])["threads"] == 2
    assert os.environ["OMP_NUM_THREADS"] == "7"


def test_threads_are_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    before = torch.get_num_threads()
    with pytest.raises(ValueError, match="on purpose"), threads(3):
        assert torch.get_num_threads() == 3 and all(os.environ[w] == "3" for w in WORDS)
        raise ValueError("on purpose")
    assert torch.get_num_threads() == before and "MKL_NUM_THREADS" not in os.environ


def test_another_drivers_trials_are_waited_for(shelf: Path, trials: list[Trial]) -> None:
    store = Store(shelf)
    measured = list[str]()

    def release() -> None:
        execute(trials[:1], Store(shelf), here())

    with store.lease(trials[1]):  # held by nobody who works: let go of when the first is done
        other = threading.Thread(target=release)
        other.start()
        other.join()
    told = execute(trials[:2], store, here(), tell=lambda e: measured.append(e.key))
    assert [o.status for o in told] == ["kept", "done"] and set(measured) == {trials[1].key}
    held = store.lease(trials[2])
    held.__enter__()
    threading.Timer(0.5, lambda: held.__exit__(None, None, None)).start()
    assert [o.status for o in execute(trials[2:4], store, here())] == ["done", "done"]


def test_leases_are_given_back_as_trials_end(shelf: Path, trials: list[Trial]) -> None:
    held = list[int]()

    class Watching:
        def map(self, work: Work, asked: Iterable[Trial], tell: Tell) -> Iterator[Outcome]:
            for trial in asked:
                held.append(len(list(shelf.glob("leases/*.lease"))))
                yield work(trial, tell)

    execute(trials[:3], Store(shelf), Watching())
    assert held == [1, 1, 1] and not list(shelf.glob("leases/*.lease"))


def test_a_store_that_fills_up_stops_the_run(shelf: Path, trials: list[Trial], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing more can be kept, so nothing more is measured; said once."""
    store, begun = Store(shelf), list[str]()

    def full(path: Path, content: bytes, **_: Any) -> None:
        raise OSError(28, "No space left on device", str(path))

    def failing(trial: Trial, *_: object) -> None:
        begun.append(trial.key)
        monkeypatch.setattr("unseen.core.store.whole", full)
        raise Failed("the disk is full while measuring")

    monkeypatch.setattr("unseen.core.execute.measure", failing)
    with pytest.raises(Failed, match="disk is full while writing to the store"):
        execute(trials, store, here())
    assert begun == [trials[0].key] and not list(shelf.glob("leases/*.lease"))


def test_publishing_that_fails_is_a_failed_outcome(
    shelf: Path, trials: list[Trial], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise Failed("no")

    monkeypatch.setattr(Store, "publish", fails)
    assert execute(trials[:1], Store(shelf), here()) == [
        replace(execute(trials[:1], Store(shelf), here())[0], minutes=pytest.approx(0, abs=1))
    ]
    assert execute(trials[:1], Store(shelf), here())[0].error == "no"


def test_memory_that_runs_out_names_the_remedy(shelf: Path, trials: list[Trial]) -> None:
    outcome = Measuring(str(shelf))(faulty(trials, "memory"), lambda event: None)
    assert outcome.status == "failed" and outcome.code == 1 and "lower a size of Setting with --set" in outcome.error


def test_a_worker_that_dies(shelf: Path, trials: list[Trial], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once: it goes on from its rows. Twice: its trial is left out, the other is measured."""
    asked = [faulty(trials, "die once"), faulty(trials, "die"), trials[1]]
    monkeypatch.setenv("KEPT_ROWS_LOG", str(tmp_path / "log"))
    told = execute(asked, Store(shelf), procs(2))
    assert [o.status for o in told] == ["done", "failed", "done"] and told[1].code == 1
    assert told[1].error.startswith("its worker died 2 times (killed by signal 9")
    steps = [line.split()[-1] for line in (tmp_path / "log").read_text().splitlines() if line.startswith("a (0, 1)")]
    assert steps.count("6") == 4 and steps.count("5") == 2  # once more each, from the checkpoint after step 5
    assert Gone(3).why(2).startswith("its worker died 2 times (exit code 3")


def test_a_workers_life(shelf: Path, trials: list[Trial], monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes through the pipe and what goes back, until it closes; here in this process."""
    monkeypatch.setattr(workers, "die_with", lambda parent: None)
    monkeypatch.setattr(workers.signal, "signal", lambda *_: None)
    monkeypatch.syspath_prepend(str(shelf.parent))
    ours, theirs = multiprocessing.Pipe()
    asked = [
        packed(trials[0]),
        packed(faulty(trials, "raise")),
        {"study": "no_such_study"},
        {**packed(trials[0]), "class": "Gone"},
    ]
    for told in asked:
        ours.send(told)
    life = threading.Thread(target=workers._serve, args=(theirs, Measuring(str(shelf)), os.getppid()))
    life.start()
    assert ours.recv() == workers.UP
    said = list[Any]()
    while len(said) < len(asked):
        one = ours.recv()
        said += [] if isinstance(one, Event) else [one]
    ours.close()
    life.join()
    assert [(s[0], s[3]) for s in said] == [("done", 0), ("failed", 1), ("failed", 2), ("failed", 1)]
    assert "KeyError: 'Gone' (before kept_rows's trial began)" in said[3][1]


def test_a_worker_whose_driver_is_gone_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = list[int]()
    monkeypatch.setattr(workers.os, "_exit", ended.append)
    monkeypatch.setattr(workers.sys, "platform", "none")  # the system's own word for it is left alone here
    workers.die_with(os.getppid())
    assert ended == []
    workers.die_with(os.getppid() + 1)
    assert ended == [1]


def test_what_a_study_raises_on_the_way_to_a_trial_is_an_outcome(shelf: Path, trials: list[Trial]) -> None:
    gone = replace(trials[0], study="no_such_study")
    (outcome,) = execute([gone], Store(shelf), procs(1))
    assert outcome.status == "failed" and outcome.code == 2 and "no study is called 'no_such_study'" in outcome.error

    class Other:
        pass

    with pytest.raises(Exception, match="frozen dataclass"):
        execute([replace(trials[0], setting=Other())], Store(shelf), procs(1))


def test_stopping_in_the_middle_ends_the_workers_and_gives_back_leases(shelf: Path, trials: list[Trial]) -> None:
    def stop(event: Event) -> None:
        raise KeyboardInterrupt

    slow = [replace(t, setting=replace(t.setting, pause=0.2)) for t in trials[:2]]
    with pytest.raises(KeyboardInterrupt):
        execute(slow, Store(shelf), procs(2), tell=stop)
    assert not list(shelf.glob("leases/*.lease")) and list(shelf.glob("partial/kept_rows/*/rows.jsonl"))


def leaving(trial: Trial, tell: Tell) -> Outcome:
    """Work after which a library would tidy up: here it leaves a word."""
    atexit.register(Path(os.environ["UNSEEN_HOME"], "tidied").write_text, "yes")
    return Outcome(trial, "done")


def test_a_worker_without_work_ends_by_itself(
    shelf: Path, trials: list[Trial], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNSEEN_HOME", str(tmp_path))
    assert [o.status for o in procs(1).map(leaving, trials[:1], lambda event: None)] == ["done"]
    assert (tmp_path / "tidied").read_text() == "yes"
