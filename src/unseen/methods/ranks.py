"""How do several processes do one piece of a trial's work together? Ranks: each runs the same function, on its own device.

def learned(lab, checkpoint, folder): …         # of a module that can be imported; it runs in each of 4 processes
told = ranks.run(learned, 4, "hf:Qwen/Qwen3-8B", str(lab.folder / "mine"), lab=lab)
told[0]                                         # what rank 0 returned

torchrun's own launcher starts and watches them. Arguments and what is returned travel as JSON. A rank that fails ends the
others, and what it raised is raised here. Ranks end with the process that started them.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FunctionType
from typing import Any

from unseen.core import errors
from unseen.core.errors import Failed, Invalid, UnseenError, missing_extra
from unseen.core.lab import Lab
from unseen.core.pools import accelerator
from unseen.core.threads import words

PERIOD = 0.05  # seconds between two looks at the ranks
GRACE = 10  # seconds in which a rank that was told to end may do so
SAID = 2_000  # letters of a rank's last words, at most
JOB, HEARD = "job.json", "heard.jsonl"


def run(function: Callable[..., Any], n: int, *args: Any, lab: Lab) -> list[Any]:
    """What `function(lab, *args)` returned in each of n ranks, by rank; with n = 1 it is called here.

    In a rank the Lab is the trial's, on the rank's device; only rank 0 is heard when it tells how far it is. On `cuda`
    each rank sees one accelerator, on `cpu` all compute with an equal share of the threads. What `lab.once` makes there is
    kept on this machine alone. Raises Invalid for a function, arguments or devices that ranks cannot have; a rank's error,
    naming it.
    """
    if n < 1:
        raise Invalid(f"{n} ranks: at least one does the work.")
    if n == 1:
        return [function(lab, *args)]
    devices = _devices(n, lab.device)
    job = {**_named(function), "args": _plain(args), "n": n, "lab": _lab(lab), "parent": os.getpid()}
    with tempfile.TemporaryDirectory(prefix="unseen-ranks-") as folder:
        place = Path(folder)
        (place / JOB).write_text(json.dumps(job), encoding="utf-8")
        _worked(place, devices, lab)
        return [json.loads((place / f"returned-{r}.json").read_text(encoding="utf-8")) for r in range(n)]


def rank() -> int:
    """Which rank this process is; 0 where it is alone."""
    return _group().get_rank() if count() > 1 else 0


def count() -> int:
    """How many ranks there are; 1 where this process is alone."""
    group = _group()
    return group.get_world_size() if group is not None and group.is_available() and group.is_initialized() else 1


def wait() -> None:
    """Until all ranks are here."""
    if count() > 1:
        _group().barrier()


def _group() -> Any:
    return sys.modules.get("torch.distributed")


def _worked(place: Path, devices: Sequence[Mapping[str, str]], lab: Lab) -> None:
    """Start the ranks of a job and listen until all have ended. Raises what one of them failed of."""
    heard = 0
    with _silent():
        context = _started(place, devices)
        try:
            while (ended := context.wait(0)) is None:
                heard = _listened(place / HEARD, heard, lab)
                time.sleep(PERIOD)
            _listened(place / HEARD, heard, lab)
        finally:
            context.close(timeout=GRACE)
    if ended.failures:
        raise _failed(place, {r: f.exitcode for r, f in ended.failures.items()}, ended.stderrs, len(devices))


def _started(place: Path, devices: Sequence[Mapping[str, str]]) -> Any:
    """torchrun's processes of `python -m unseen.methods.rank FOLDER RANK`, their output in files."""
    try:
        import torch
        from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, Std, start_processes
    except ModuleNotFoundError as error:
        raise missing_extra("a model shared among ranks", error, "torch") from error
    n = len(devices)
    with ExitStack() as stack:
        stack.enter_context(_own_signals())
        stack.enter_context(words(max(1, torch.get_num_threads() // n)))
        return start_processes(
            "rank",
            sys.executable,
            {r: ("-m", "unseen.methods.rank", str(place), str(r)) for r in range(n)},
            {r: {**devices[r], "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)} for r in range(n)},
            DefaultLogsSpecs(str(place / "logs"), redirects=Std.ALL),
        )


@contextmanager
def _own_signals() -> Generator[None]:
    """Leave answers to signals as they were: torchrun's launcher sets its own, for good."""
    mine = threading.current_thread() is threading.main_thread()
    before = {s: signal.getsignal(s) for s in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)}
    try:
        yield
    finally:
        for number, answer in before.items() if mine else ():
            signal.signal(number, answer)


@contextmanager
def _silent() -> Generator[None]:
    """Without what torchrun's launcher says of ranks that end: we say it."""
    log = logging.getLogger("torch.distributed.elastic.multiprocessing.api")
    before, log.disabled = log.disabled, True
    try:
        yield
    finally:
        log.disabled = before


def _listened(path: Path, heard: int, lab: Lab) -> int:
    """Tell the Lab what rank 0 told its own since byte `heard`; the byte up to which that is."""
    if not path.is_file():
        return heard
    with path.open("rb") as file:
        file.seek(heard)
        for line in file:
            if not line.endswith(b"\n"):
                break
            heard += len(line)
            done, of, shown = json.loads(line)
            lab.at = (done, of)
            if lab.tell is not None:
                lab.tell(done, of, shown)
    return heard


def _failed(place: Path, codes: Mapping[int, int], logs: Mapping[int, str], n: int) -> UnseenError:
    """What to raise: the error of the rank that failed first; others fail of being left alone by it."""
    killed = [r for r, code in codes.items() if code < 0 and -code != signal.SIGTERM]
    raised = {r: path for r in range(n) if (path := place / f"raised-{r}.json").is_file()}
    if killed and not (raised.keys() & set(killed)):
        r = killed[0]
        return Failed(f"rank {r} of {n} was killed by signal {-codes[r]} ({signal.Signals(-codes[r]).name}; out of memory is the usual cause), so the others were ended. Lower the rows in memory at once, or give it more ranks.")  # fmt: skip
    told = {r: json.loads(path.read_text(encoding="utf-8")) for r, path in raised.items()}
    if told:
        r = min(told, key=lambda r: told[r]["when"])
        kind = getattr(errors, told[r]["kind"], None)
        made = kind if isinstance(kind, type) and issubclass(kind, UnseenError) else Failed
        return made(f"rank {r} of {n}: {told[r]['says']}")
    r = min(codes)
    words = Path(logs[r]).read_text(encoding="utf-8", errors="replace") if logs.get(r) else ""
    return Failed(f"rank {r} of {n} ended with exit code {codes[r]}: {' '.join(words.split())[-SAID:]}")


def _devices(n: int, device: str) -> list[dict[str, str]]:
    """What each rank finds in its environment. Raises Invalid where there are too few accelerators."""
    if device == "cpu":
        return [{accelerator.VISIBLE: ""} for _ in range(n)]
    if device != "cuda":
        raise Invalid(f"{n} ranks on {device}: ranks compute on cuda, an accelerator each, or on cpu; write --device cuda or --device cpu.")  # fmt: skip
    names = accelerator.here() or tuple(map(str, range(_seen())))
    if len(names) < n:
        raise Invalid(f"{n} ranks: each takes one accelerator, and this machine has {len(names)} to give; use fewer, or --device cpu.")  # fmt: skip
    return [{accelerator.VISIBLE: names[r]} for r in range(n)]


def _seen() -> int:
    """The accelerators that torch sees, where the driver does not list them."""
    import torch

    return torch.cuda.device_count()


def _named(function: Callable[..., Any]) -> dict[str, str]:
    """Where other processes find a function. Raises Invalid where they cannot."""
    name = getattr(function, "__qualname__", repr(function))
    if not isinstance(function, FunctionType) or "<" in name or function.__module__ == "__main__":
        raise Invalid(f"{name} cannot be found by other processes: ranks run a function that stands by itself in a module that can be imported.")  # fmt: skip
    return {"module": function.__module__, "name": name}


def _plain(args: Sequence[Any]) -> list[Any]:
    """Arguments as JSON brings them. Raises Invalid for those it cannot bring."""
    try:
        return json.loads(json.dumps(list(args), allow_nan=True))
    except TypeError as error:
        raise Invalid(f"arguments of ranks travel as JSON ({error}); pass numbers, text, lists and mappings.") from None


def _lab(lab: Lab) -> dict[str, Any]:
    """The Lab in plain words; what is heard of it, and what other machines share, stays here."""
    return {
        "seeds": list(lab.seeds), "folder": str(lab.folder), "cache": str(lab.cache), "device": lab.device,
        "offline": lab.offline, "pins": dict(lab.pins), "study": lab.study, "version": lab.version,
        "state": None if lab.state is None else str(lab.state),
    }  # fmt: skip
