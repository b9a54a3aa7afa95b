"""Start the command line again and again, cheaply: what it imports is imported once, and every start is a fork.

A line of JSON on standard input, `{"words": ["run", …], "env": {"UNSEEN_HOME": …}, "folder": …, "drivers": 1, "blows":
[[0.31, 0, "driver", 9]]}`, starts `unseen` so many times with these words in that folder, sends after so many seconds
a signal to a driver or to one of its workers, and answers `[{"code": …, "seconds": …, "said": …}]`.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def main() -> None:
    """Answer requests until the input ends."""
    import scipy.stats  # noqa: F401

    import unseen.cli
    import unseen.core.pools.workers
    import unseen.driver
    import unseen.terminal  # noqa: F401  (polars has threads of its own: each fork imports it for itself)

    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


def answer(asked: dict[str, Any]) -> list[dict[str, Any]]:
    """Start the command line, once or several times at once, deal the blows, and say how each of them ended."""
    began = time.monotonic()
    with contextlib.ExitStack() as held:
        outs = [held.enter_context(tempfile.TemporaryFile()) for _ in range(asked["drivers"])]
        children = [begun(asked, out.fileno()) for out in outs]
        for after, number, whom, blow in sorted(asked["blows"]):
            time.sleep(max(0.0, began + after - time.monotonic()))
            strike(children[number], whom, blow)
        told: list[dict[str, Any]] = []
        for child, out in zip(children, outs, strict=True):
            _, status = os.waitpid(child, 0)
            out.seek(0)
            seconds = time.monotonic() - began
            told.append({"code": os.waitstatus_to_exitcode(status), "seconds": seconds, "said": out.read().decode()})
        return told


def begun(asked: dict[str, Any], out: int) -> int:
    """The number of a process that runs the command line."""
    if (child := os.fork()) == 0:
        os.dup2(out, 1)
        os.dup2(out, 2)
        os.chdir(asked["folder"])
        os.environ.update(asked["env"])
        os._exit(start(asked["words"]))
    return child


def strike(driver: int, whom: str, blow: int) -> None:
    """Send a signal to a driver, or to one of its workers as soon as there is one (a driver that ended has none)."""
    while whom == "worker":
        children = Path(f"/proc/{driver}/task/{driver}/children")
        with contextlib.suppress(OSError):
            if (Path(f"/proc/{driver}/stat").read_text().rsplit(")", 1)[1].split()[0]) == "Z":
                return
            for child in reversed(children.read_text().split()):
                if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                    os.kill(int(child), blow)
                    return
        time.sleep(0.01)
    with contextlib.suppress(ProcessLookupError):
        os.kill(driver, blow)


def start(words: list[str]) -> int:
    """The exit code of `unseen WORDS`."""
    from unseen.cli import main as unseen

    sys.argv = ["unseen", *words]
    try:
        unseen()
    except SystemExit as ended:
        return int(ended.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))
    main()
