"""Is what is measured the same wherever it is measured? One toy study in every pool, a node that dies, and folders apart."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.faults.figures import Cost, lines, torn, weighed
from unseen.core.disk import digest_of_file
from unseen.core.errors import Invalid, Missing
from unseen.core.execute import Outcome, Pool, execute, here, procs
from unseen.core.plan import Trial
from unseen.core.store import Store
from unseen.driver import ask, pool_of, trials_of

ray = pytest.importorskip("ray")
pytest.importorskip("submitit")
pytestmark = pytest.mark.xdist_group("ray")
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the toy study writes down its steps; the nodes of the cluster have known it since they were started."""
    return tmp_path_factory.mktemp("pools") / "log.txt"


@pytest.fixture(scope="module")
def cluster(log: Path) -> Iterator[Any]:
    """Two nodes of Ray on this machine, one processor each, and this process connected to them."""
    from ray.cluster_utils import Cluster

    os.environ.update(RAY_USAGE_STATS_ENABLED="0", KEPT_ROWS_LOG=str(log))
    node = {"num_cpus": 1, "object_store_memory": 80 << 20, "include_dashboard": False}
    before = os.getcwd()
    found = Cluster(initialize_head=True, head_node_args=node)
    ray.init(found.address, logging_level="ERROR", log_to_driver=False)
    yield found
    ray.shutdown()
    found.shutdown()
    os.chdir(before)
    del os.environ["KEPT_ROWS_LOG"]


@pytest.fixture
def trials(home: Path, log: Path, monkeypatch: pytest.MonkeyPatch) -> list[Trial]:
    """Four trials of a toy study, blocks of two seeds among them; its log is empty."""
    monkeypatch.setenv("KEPT_ROWS_LOG", str(log))
    log.write_text("", encoding="utf-8")
    return trials_of(ask("kept_rows", "smoke", sweep={"name": "a,b"}))


def files(store: Path) -> dict[str, str]:
    """Every file that was measured, by its name, and the digest of what it holds."""
    kept = (p for p in sorted(store.glob("trials/*/*/**/*")) if p.is_file() and p.name != "trial.json")
    return {str(p.relative_to(store)): digest_of_file(p) for p in kept}


def measured(trials: list[Trial], store: Path, pool: Pool) -> dict[str, str]:
    """The files of these trials, measured in a pool; each of them was done, and nothing is left over."""
    outcomes = execute(trials, Store(store), pool)
    assert [(o.status, o.error) for o in outcomes] == [("done", "")] * len(trials)
    assert not list(store.glob("partial/*/*")) and not list(store.glob("leases/*.lease"))
    assert not list(store.glob("aside/*")) and not Store(store).damaged(trials)
    return files(store)


def test_every_pool_measures_the_same_bytes(cluster: Any, trials: list[Trial], log: Path, tmp_path: Path) -> None:
    """The contract of pools: records are equal to the byte, wherever trials are measured, store shared or not."""
    from unseen.core.pools.on_ray import Ray

    pools = {"here": here(), "procs": procs(2), "ray": Ray(), "apart": Ray(apart=True), "slurm": pool_of("slurm:local")}
    found = {name: measured(trials, tmp_path / name, pool) for name, pool in pools.items()}
    assert len(found["here"]) >= 3 * len(trials)
    for name in pools:
        assert found[name] == found["here"], name
    steps = Counter(log.read_text(encoding="utf-8").splitlines())
    assert set(steps.values()) == {len(pools)}  # each step once in each pool


@pytest.mark.slow
def test_a_study_of_ones_own_is_measured_by_every_pool(
    cluster: Any, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    monkeypatch.delenv("UNSEEN_STUDIES")
    shutil.copytree(HERE / "studies" / "kept_rows", tmp_path / "studies" / "own_rows")
    sums = trials_of(ask("own_rows", "smoke", sweep={"name": "a"}))
    one = measured(sums, tmp_path / "one", here())
    assert one and measured(sums, tmp_path / "ray", pool_of("ray")) == one


def test_a_task_waits_for_another_that_has_its_trial_in_hand(home: Path, tmp_path: Path) -> None:
    """Its driver may be gone, and the next one not know of it."""
    from unseen.core.execute import Measuring
    from unseen.core.lease import lease
    from unseen.core.pools.alone import alone

    trial, said = trials_of(ask("kept_rows", "smoke", sweep={"name": "a"}))[0], list[Outcome]()
    task = threading.Thread(target=lambda: said.append(alone(Measuring(str(home)))(trial, lambda _: None)))
    log = tmp_path / "log.txt"
    with lease(home / "leases" / "tasks" / trial.key[:2] / f"{trial.key}.lease") as mine:
        assert mine
        task.start()
        task.join(0.5)
        assert task.is_alive() and not lines(log)
    task.join(60)
    assert [(o.status, o.error) for o in said] == [("done", "")] and lines(log)


def at_work(node: Any) -> list[int]:
    """The processes of a node of Ray that have a task in hand."""
    raylet = node.all_processes["raylet"][0].process.pid
    found: list[int] = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):
            parent = int((place / "stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[1])
            if parent == raylet and b"ray::served" in (place / "cmdline").read_bytes():
                found.append(int(place.name))
    return found


def killing(cluster: Any, node: Any, log: Path, begun: int, draw: random.Random, over: threading.Event) -> list[str]:
    """Kill three workers and then a node, each when so many steps more were done as was drawn; what was killed."""
    killed: list[str] = []
    for number, count in enumerate(sorted(draw.randint(4, 70) for _ in range(4))):
        while len(lines(log)) < begun + count and not over.is_set():
            time.sleep(0.01)
        if over.is_set():
            break
        prey = [p for n in (cluster.head_node, node) for p in at_work(n)]
        if number < 3 and prey:
            os.kill(draw.choice(prey), signal.SIGKILL)
            killed.append("worker")
        elif number == 3:
            for started in node.all_processes.values():
                for one in started:
                    os.kill(one.process.pid, signal.SIGKILL)
            killed.append("node")
    return killed


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_workers_and_a_node_that_are_killed_lose_nothing(
    seed: int, cluster: Any, trials: list[Trial], log: Path, cost: Callable[[Cost], None], tmp_path: Path
) -> None:
    """A trial that met two blows is left out, and measured by the next execution."""
    slow = trials_of(ask("kept_rows", "laptop", sweep={"pause": "0.05", "name": "a,c"}))
    measured(slow, tmp_path / "whole", here())
    begun, over, killed = len(lines(log)), threading.Event(), list[str]()
    node = cluster.add_node(num_cpus=2, object_store_memory=80 << 20)
    draw = random.Random(seed)
    killer = threading.Thread(target=lambda: killed.extend(killing(cluster, node, log, begun, draw, over)))
    killer.start()
    store = Store(tmp_path / "killed")
    told = execute(slow, store, pool_of("ray"))
    over.set()
    killer.join()
    with suppress(Exception):
        cluster.remove_node(node, allow_graceful=False)
    assert all(o.status == "done" or "died" in o.error or "node" in o.error for o in told), told
    assert killed and not torn(store.root)
    assert all(o.status != "failed" for o in execute(slow, store, pool_of("ray")))
    one = weighed("", store.root, tmp_path / "whole", lines(log)[begun:], hits=len(killed), busy=2)
    workers = killed.count("worker")
    cost(replace(one, fault="kill -9 of a worker of Ray", hits=workers))
    cost(replace(one, fault="kill -9 of a node of Ray", hits=len(killed) - workers))


@pytest.mark.slow
def test_what_a_trial_raises_and_a_worker_that_dies_cost_that_trial_alone(
    cluster: Any, home: Path, tmp_path: Path
) -> None:
    faulty = trials_of(ask("kept_rows", "smoke", sweep={"name": "a", "fault": ",raise,die"}, seeds=1))
    for pool in (pool_of("ray"), pool_of("slurm:local")):
        told: list[Outcome] = execute(faulty, Store(tmp_path / type(pool).__name__), pool)
        assert [o.status for o in told] == ["done", "failed", "failed"]
        assert "RuntimeError: the sum went wrong (trial.py, line " in told[1].error
        assert "died" in told[2].error or "2 times without a word" in told[2].error


def test_a_trial_that_no_node_can_hold_says_so(cluster: Any, trials: list[Trial], tmp_path: Path) -> None:
    wide = [replace(t, needs=replace(t.needs, gpus=8)) for t in trials[:1]]
    (told,) = execute(wide, Store(tmp_path / "wide"), pool_of("ray"))
    assert told.status == "failed" and told.code == 2
    assert "it needs 8 accelerators, and no node of the cluster has more than 0" in told.error


@pytest.mark.slow
def test_a_worker_with_other_versions_is_refused(
    cluster: Any, trials: list[Trial], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from unseen.core.pools import on_ray, on_slurm

    for module, on in ((on_ray, "ray"), (on_slurm, "slurm:local")):
        monkeypatch.setattr(module, "versions", lambda: {"unseen": "0.0.1", "python": "3.0"})
        with pytest.raises(
            Invalid, match=r"unseen is 0\.0\.1 on .*, where the driver is, and \S+ on .* Install the same"
        ):
            execute(trials[:1], Store(tmp_path / on[:3]), pool_of(on))


def test_words_of_slurm_and_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for words in ("slurm:", "slurm:partition", "slurm:colour=red", "slurm:time=long", "slurm:local=1"):
        with pytest.raises(Invalid, match="--on slurm"):
            pool_of(words)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Missing, match="there is no sbatch here"):
        list(pool_of("slurm:partition=gpu,time=60").map(lambda t, _: Outcome(t, "done"), [], print))
