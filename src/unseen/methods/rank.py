"""What does one rank do? The program that `ranks.run` starts: python -m unseen.methods.rank FOLDER RANK

It reads FOLDER/job.json, joins the others, calls the function, and writes what came of it: returned-RANK.json, or
raised-RANK.json {"kind": "Invalid", "says": "…", "when": 1764262800.5}.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

from unseen.core import find
from unseen.core.disk import whole
from unseen.core.errors import UnseenError
from unseen.core.lab import Lab, Told
from unseen.core.pools.workers import die_with

from .ranks import HEARD, JOB

PATIENCE = timedelta(hours=2)  # for one that writes a large checkpoint; who dies is noticed by the launcher, at once
OTHERS = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE")  # fmt: skip


def main(place: Path, rank: int) -> int:
    """Do the work of a rank; 0 where it was done."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started the ranks answers Ctrl-C
    job = json.loads((place / JOB).read_text(encoding="utf-8"))
    die_with(job["parent"])
    for name in OTHERS:  # which would tell accelerate of ranks that are not its own
        os.environ.pop(name, None)
    try:
        returned = _worked(place, rank, job)
        whole(place / f"returned-{rank}.json", json.dumps(returned).encode(), durable=False)
        return 0
    except Exception as error:
        kind = type(error).__name__
        says = str(error) if isinstance(error, UnseenError) else f"{kind}: {error} ({_where(error)})"
        told = {"kind": kind, "says": says, "when": time.time()}
        whole(place / f"raised-{rank}.json", json.dumps(told).encode(), durable=False)
        return 1


def _worked(place: Path, rank: int, job: Mapping[str, Any]) -> Any:
    import torch.distributed as group

    on_cuda = job["lab"]["device"] == "cuda"
    group.init_process_group(
        "cpu:gloo,cuda:nccl" if on_cuda else "gloo", init_method=f"file://{place / 'meeting'}", rank=rank,
        world_size=job["n"], timeout=PATIENCE,
    )  # fmt: skip
    returned = _found(job["module"], job["name"])(_lab(job["lab"], place, rank), *job["args"])
    group.barrier()
    group.destroy_process_group()
    return returned


def _found(module: str, name: str) -> Callable[..., Any]:
    """The function of that name; studies in folders of their own are found by their slug."""
    if module.startswith("unseen_studies_"):
        find.module(module.split(".")[1], "study")  # from then on its other modules can be imported
    found: Any = import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found


def _lab(told: Mapping[str, Any], place: Path, rank: int) -> Lab:
    paths = {k: None if told[k] is None else Path(told[k]) for k in ("folder", "cache", "state")}
    heard = _telling(place / HEARD) if rank == 0 else None
    return Lab(**{**told, **paths, "seeds": tuple(told["seeds"]), "tell": heard})


def _telling(path: Path) -> Told:
    """How rank 0 speaks to who started it: a line for each word."""

    def tell(done: float, of: float, shown: Mapping[str, Any]) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps([done, of, dict(shown)]) + "\n")

    return tell


def _where(error: Exception) -> str:
    import traceback

    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(last.filename).name}, line {last.lineno}"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
