"""Several drivers on one store, workers that die, and Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from unseen.core.disk import digest_of_file

Start = Callable[..., Any]
WORDS = ("run", "kept_rows", "--tier", "laptop")


def test_two_drivers_share_one_store(home: Path, tmp_path: Path) -> None:
    """Each of them ends well, no trial is measured or published twice, and nothing is lost."""
    drivers = [
        subprocess.Popen(
            [sys.executable, "-m", "unseen", *WORDS, "--on", on], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        for on in ("here", "procs:2")
    ]
    told = [d.communicate()[0].decode() for d in drivers]
    assert [d.returncode for d in drivers] == [0, 0], told
    lines = (tmp_path / "log.txt").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 120 and set(Counter(lines).values()) == {1}
    folders = list(home.glob("trials/kept_rows/*"))
    assert len(folders) == 6 and not list(home.glob("aside/*")) and not list(home.glob("partial/kept_rows/*"))
    for folder in folders:
        kept = json.loads((folder / "trial.json").read_text(encoding="utf-8"))["files"]
        assert all(digest_of_file(folder / name) == k["sha256"] for name, k in kept.items())
    runs = [json.loads(p.read_text(encoding="utf-8"))["runs"] for p in home.glob("plans/*.json")]
    assert len(runs) == 1 and len(runs[0]) == 1  # equal pins are one run
    assert not list(home.glob("leases/*.lease"))


def test_a_worker_that_dies_is_replaced_and_its_trial_goes_on(command: Start, home: Path, tmp_path: Path) -> None:
    ended = command(*WORDS, "--set", "name=a", "--set", "fault=die once", "--on", "procs:2")
    assert ended.code == 0, ended.said
    counted = Counter((tmp_path / "log.txt").read_text(encoding="utf-8").splitlines())
    assert len(counted) == 40  # steps 6 and 7 of both trials twice, none else
    assert {line.rsplit(" ", 1)[1]: n for line, n in counted.items() if n > 1} == {"6": 2, "7": 2}
    assert len(list(home.glob("trials/kept_rows/*"))) == 2


def test_a_worker_that_dies_twice_costs_its_own_trial(command: Start, home: Path) -> None:
    ended = command("run", "kept_rows", "--tier", "smoke", "--set", "name=a", "--set", "fault=,die", "--on", "procs:2")
    assert ended.code == 1 and "Traceback" not in ended.said
    assert ended.said.count("its worker died 2 times (killed by signal 9; out of memory is the usual cause)") == 2
    assert len(list(home.glob("trials/kept_rows/*"))) == 2


def test_what_a_trial_raises_costs_that_trial_alone(command: Start, home: Path) -> None:
    for on in ("here", "procs:1"):
        ended = command(
            "run", "kept_rows", "--tier", "smoke", "--set", "name=b", "--set", "fault=,raise,memory", "--on", on
        )
        assert ended.code == 1 and "Traceback" not in ended.said
        assert "RuntimeError: the sum went wrong (trial.py, line " in ended.said
        assert "out of memory" in ended.said
        assert len(list(home.glob("trials/kept_rows/*"))) == 2
    assert "RuntimeError: the sum" in next(home.glob("failed/*.txt")).read_text(encoding="utf-8")


def test_ctrl_c_keeps_what_is_done_and_says_how_to_go_on(home: Path, tmp_path: Path) -> None:
    for on in ("here", "procs:2"):
        words = [sys.executable, "-m", "unseen", *WORDS, "--set", "pause=0.05", "--set", "name=a,b", "--on", on]
        driver = subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )
        log = tmp_path / "log.txt"
        begun = len(log.read_text(encoding="utf-8").splitlines()) if log.is_file() else 0
        while driver.poll() is None and (not log.is_file() or len(log.read_text().splitlines()) < begun + 12):
            time.sleep(0.05)
        os.killpg(driver.pid, signal.SIGINT)
        said = driver.communicate()[0]
        assert driver.returncode not in (0, 2) and "Traceback" not in said
        assert "Go on with: unseen run kept_rows --tier laptop --set " in said
        assert list(home.glob("partial/kept_rows/*/rows.jsonl"))
