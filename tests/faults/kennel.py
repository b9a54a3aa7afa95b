"""Start the command line again and again, cheaply: what it imports is imported once, and every start is a fork.

A line of JSON on standard input, `{"words": ["run", …], "env": {"UNSEEN_HOME": …}, "folder": …, "kill": 0.31 or null}`,
starts `unseen` with these words in that folder, kills it after so many seconds with SIGKILL, and answers
`{"code": …, "seconds": …, "said": …}`.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
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


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    """Start the command line, perhaps kill it, and say how it ended."""
    with tempfile.TemporaryFile() as said:
        began = time.monotonic()
        if (child := os.fork()) == 0:
            os.dup2(said.fileno(), 1)
            os.dup2(said.fileno(), 2)
            os.chdir(asked["folder"])
            os.environ.update(asked["env"])
            os._exit(start(asked["words"]))
        if asked.get("kill") is not None:
            time.sleep(asked["kill"])
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        seconds = time.monotonic() - began
        said.seek(0)
        return {"code": os.waitstatus_to_exitcode(status), "seconds": seconds, "said": said.read().decode()}


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
