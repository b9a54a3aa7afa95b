"""Workers that cannot even begin, in a broken environment, end a plan with one message, not every trial of it twice."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import STUDIES
from unseen.core.errors import Failed
from unseen.core.execute import execute, procs
from unseen.core.pools.beginnings import FEW, Beginnings
from unseen.core.store import Store
from unseen.driver import ask, trials_of

pytestmark = pytest.mark.xdist_group("ray")
RUN = ("run", "kept_rows", "--tier", "smoke")
BROKEN = """
import os, sys

def end():
    os.write(2, b"libfoo.so is not on this node\\n")
    os._exit(3)

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "unseen.core.pools.ray_task":
            end()

said = " ".join(sys.orig_argv)
if "spawn_main" in said or "submitit.core._submit" in said:
    end()
if "default_worker.py" in said:
    sys.meta_path.insert(0, Finder())
"""


def begun(words: tuple[str, ...], home: Path, place: Path, folder: str) -> subprocess.CompletedProcess[str]:
    """Python with these words, in an environment in which `place` is looked for modules first."""
    path = os.pathsep.join([str(place), os.environ.get("PYTHONPATH", ""), *(p for p in sys.path if p)])
    env = {
        **os.environ,
        "PYTHONPATH": path,
        "UNSEEN_HOME": str(home),
        "UNSEEN_STUDIES": str(STUDIES),
        "RAY_TMPDIR": folder,
    }
    return subprocess.run([sys.executable, *words], env=env, capture_output=True, text=True, timeout=120)  # fmt: skip


@pytest.mark.parametrize(
    "on", ["procs:2", pytest.param("slurm:local", marks=pytest.mark.slow), pytest.param("ray", marks=pytest.mark.slow)]
)
def test_workers_that_never_begin_end_the_plan(on: str, home: Path, tmp_path: Path) -> None:
    pytest.importorskip({"slurm:local": "submitit", "ray": "ray"}.get(on, "os"))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "sitecustomize.py").write_text(BROKEN)
    words = ("-m", "unseen", *RUN, "--on", on)
    with tempfile.TemporaryDirectory(prefix="ur", dir="/tmp", ignore_cleanup_errors=True) as folder:
        ended = begun(words, home, tmp_path / "broken", folder)
        assert ended.returncode == 1 and "Traceback" not in ended.stderr, ended.stderr
        assert f"the first {FEW} " in ended.stderr and "ended before they began" in ended.stderr, ended.stderr
        assert "run the same command again" in ended.stderr
        if on != "ray":  # whose log it is in
            assert "libfoo.so is not on this node" in ended.stderr
        assert not list(home.glob("leases/*.lease")) and not list(home.glob("trials/*/*"))
        mended = begun(words, home, tmp_path, folder)
    assert mended.returncode == 0, mended.stderr


def test_a_script_without_its_last_line_is_told_which(home: Path, tmp_path: Path) -> None:
    """Every process that is spawned runs the script again, up to where it would spawn others."""
    script = tmp_path / "mine.py"
    script.write_text('import unseen\nunseen.run("kept_rows", "smoke", on="procs:2")\n')
    ended = begun((str(script),), home, tmp_path, str(tmp_path))
    assert ended.returncode == 1 and "ended before they began" in ended.stderr, ended.stderr
    assert 'begins with `if __name__ == "__main__":`' in ended.stderr


def test_workers_that_begin_and_die_cost_their_trials_alone(home: Path, tmp_path: Path) -> None:
    dying = trials_of(ask("kept_rows", "smoke", sweep={"name": "a,c", "fault": "die"}, seeds=4))
    assert len(dying) > FEW
    told = execute(dying, Store(tmp_path / "store"), procs(2))
    assert [o.status for o in told] == ["failed"] * len(dying)
    assert all("its worker died 2 times (killed by signal 9" in o.error for o in told)


def test_few_that_end_before_the_first_begins() -> None:
    def how() -> str:
        return "exit code 3"

    one: Any = Beginnings("tasks", "Mend it")
    for name in ("1", "1", "2"):  # a task of several trials ends once
        one.ended(name, how)
    with pytest.raises(Failed, match=r"the first 3 tasks ended before they began, .* exit code 3\. Mend it, and run"):
        one.ended("3", how)
    other = Beginnings("tasks", "Mend it", begun=True)
    for name in "12345":
        other.ended(name, how)
