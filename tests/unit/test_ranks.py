"""Ranks: one function in several processes, what comes back, and who ends whom."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from unseen.core.errors import Failed, Invalid
from unseen.core.lab import Lab
from unseen.methods import ranks


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab((3,), tmp_path / "out", tmp_path / "cache", state=tmp_path / "state", pins={"a": "b"}, study="mine")


# what ranks do


def met(lab: Lab, word: str) -> dict[str, Any]:
    """Who is here, and the sum over ranks of 1, 2, …"""
    import torch

    mine = torch.tensor([ranks.rank() + 1.0])
    torch.distributed.all_reduce(mine)
    lab.progress(1, 2, loss=0.5, said=word)
    return {"rank": ranks.rank(), "of": ranks.count(), "sum": float(mine), "lab": [lab.seed, str(lab.state), dict(lab.pins)]}  # fmt: skip


def one_raises(lab: Lab) -> None:
    """Rank 1 is in trouble; rank 0 waits for it, in vain."""
    if ranks.rank() == 1:
        raise Invalid("width=7: an even number is needed.")
    ranks.wait()


def one_dies(lab: Lab) -> None:
    if ranks.rank() == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    ranks.wait()


def one_leaves(lab: Lab) -> None:
    print("a last word", file=sys.stderr)
    os._exit(3)


def all_stay(lab: Lab, place: str) -> None:
    """Say who is here, and never end."""
    (Path(place) / f"pid-{ranks.rank()}").write_text(str(os.getpid()))
    time.sleep(600)


# what comes back


def test_what_ranks_return_and_say(lab: Lab) -> None:
    heard: list[Any] = []
    lab.tell = lambda done, of, shown: heard.append((done, of, dict(shown)))
    before = signal.getsignal(signal.SIGTERM)
    told = ranks.run(met, 2, "hello", lab=lab)
    assert told == [{"rank": r, "of": 2, "sum": 3.0, "lab": [3, str(lab.state), {"a": "b"}]} for r in (0, 1)]
    assert heard == [(1, 2, {"loss": 0.5, "said": "hello"})], "rank 0 alone is heard"
    assert signal.getsignal(signal.SIGTERM) is before, "the launcher's own answers to signals are gone"


def test_the_first_that_fails_is_named(lab: Lab, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Invalid, match=r"^rank 1 of 2: width=7: an even number is needed\.$"):
        ranks.run(one_raises, 2, lab=lab)
    assert capfd.readouterr() == ("", ""), "it is said once"


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (one_dies, r"rank 1 of 2 was killed by signal 9 \(SIGKILL; out of memory is the usual cause\)"),
        pytest.param(one_leaves, r"rank 0 of 2 ended with exit code 3: .*a last word", marks=pytest.mark.slow),
    ],
)
def test_one_that_dies_ends_the_others(lab: Lab, function: Any, says: str) -> None:
    with pytest.raises(Failed, match=says):
        ranks.run(function, 2, lab=lab)


def test_alone_the_function_is_called_here(lab: Lab) -> None:
    assert ranks.run(whose, 1, lab=lab) == [os.getpid()] and (ranks.rank(), ranks.count()) == (0, 1)
    ranks.wait()


def whose(lab: Lab) -> int:
    return os.getpid()


def test_what_ranks_cannot_have(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Invalid, match="0 ranks: at least one"):
        ranks.run(whose, 0, lab=lab)
    for function in (lambda lab: None, len):
        with pytest.raises(Invalid, match="cannot be found by other processes"):
            ranks.run(function, 2, lab=lab)
    with pytest.raises(Invalid, match=r"arguments of ranks travel as JSON .*PosixPath"):
        ranks.run(whose, 2, Path("x"), lab=lab)
    lab.device = "cuda"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-1,GPU-2")
    with pytest.raises(Invalid, match="3 ranks: each takes one accelerator, and this machine has 2 to give"):
        ranks.run(whose, 3, lab=lab)
    assert ranks._devices(2, "cuda") == [{"CUDA_VISIBLE_DEVICES": name} for name in ("GPU-1", "GPU-2")]
    lab.device = "mps"
    with pytest.raises(Invalid, match=r"2 ranks on mps: .*write --device cuda or --device cpu"):
        ranks.run(whose, 2, lab=lab)


# who ends whom


SLOW = [pytest.param(how, marks=pytest.mark.slow) for how in (signal.SIGTERM, signal.SIGINT)]


@pytest.mark.parametrize("how", [signal.SIGKILL, *SLOW])
def test_ranks_end_with_the_process_that_started_them(tmp_path: Path, how: signal.Signals) -> None:
    code = f"""
from pathlib import Path
from tests.unit.test_ranks import all_stay
from unseen.core.lab import Lab
from unseen.methods import ranks
if __name__ == "__main__":
    place = Path({str(tmp_path)!r})
    ranks.run(all_stay, 2, str(place), lab=Lab((0,), place, place))
"""
    (tmp_path / "driver.py").write_text(code)
    words = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in [str(Path.cwd()), *sys.path] if p)}
    driver = subprocess.Popen([sys.executable, str(tmp_path / "driver.py")], env=words, stderr=subprocess.DEVNULL)
    try:
        places = [tmp_path / f"pid-{r}" for r in (0, 1)]
        until(lambda: all(p.is_file() and p.read_text() for p in places), 120)
        pids = [int(p.read_text()) for p in places]
        driver.send_signal(how)
        driver.wait(60)
        until(lambda: not any(goes_on(pid) for pid in pids), 30)
    finally:
        driver.kill()


def goes_on(pid: int) -> bool:
    """Whether a process computes: one that ended may wait to be asked how."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def until(over: Any, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not over():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)
