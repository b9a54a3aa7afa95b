"""A disk that is full costs what is being measured, nothing else: one paragraph, exit code 2."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.figures import Cost, lines, weighed
from unseen.core.disk import digest_of_file

Start = Callable[..., Any]
WORDS = ("run", "kept_rows", "--tier", "smoke")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of two megabytes."""
    place = tmp_path / "small"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("mounting a small disk needs the right to do so")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def contents(home: Path) -> dict[Path, str]:
    return {p: digest_of_file(p) for p in sorted(home.glob("trials/**/*")) if p.is_file()}


@pytest.mark.parametrize("on", ["here", "procs:2"])
def test_a_full_disk_keeps_what_was_finished(
    on: str, small: Path, command: Start, cost: Callable[[Cost], None], tmp_path: Path
) -> None:
    home = str(small / "home")
    assert command(*WORDS, "--set", "name=a", UNSEEN_HOME=home).code == 0
    before = contents(small)
    filler = small / "filler"
    with filler.open("wb") as file:
        while True:
            try:
                os.write(file.fileno(), bytes(4096))
            except OSError:
                break
    full = command(*WORDS, "--on", on, UNSEEN_HOME=home)
    assert full.code == 2 and "Traceback" not in full.said
    assert full.said.strip().splitlines()[-1].startswith("unseen: the disk is full while ")
    assert full.said.count("disk is full") == 1 and "Free some space" in full.said
    assert contents(small) == before
    filler.unlink()
    again = command(*WORDS, "--on", on, UNSEEN_HOME=home)
    assert again.code == 0, again.said
    assert before.items() <= contents(small).items()
    assert command(*WORDS, UNSEEN_HOME=str(tmp_path / "whole"), KEPT_ROWS_LOG=str(tmp_path / "other.txt")).code == 0
    cost(weighed("a full disk", small / "home", tmp_path / "whole", lines(tmp_path / "log.txt"), busy=2))


def test_a_disk_that_fills_while_a_trial_writes(small: Path, command: Start) -> None:
    """The trial that writes too much fails; the others of the plan are measured."""
    ended = command(
        "run",
        "kept_rows",
        "--tier",
        "smoke",
        "--set",
        "fault=,full",
        "--set",
        "name=a",
        UNSEEN_HOME=str(small / "home"),
    )
    assert ended.code == 2 and "Traceback" not in ended.said
    assert "the disk is full while" in ended.said and "Free some space" in ended.said


def test_a_limit_on_the_size_of_files(home: Path) -> None:
    """RLIMIT_FSIZE: another way to be out of room."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, 4_000))

    told = subprocess.run(
        [sys.executable, "-m", "unseen", *WORDS], capture_output=True, text=True, preexec_fn=limit, check=False
    )
    assert told.returncode == 2 and "Traceback" not in told.stderr
    assert "the disk is full while" in told.stderr
    assert not list(home.glob("trials/*/*"))
