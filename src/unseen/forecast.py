"""What will run where, and how long will it take? The trials of a plan laid out over the places of a pool.

forecast(trials, "procs:4", {})  ->  Forecast(on="procs:4", at_once=4, minutes=31.5, memory_gb=8.0, measured=0, warnings=())

Minutes are those that the ledger measured of the same trial, where it has any, else what the study says it needs.
"""

from __future__ import annotations

import heapq
import math
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .core import ledger
from .core.plan import Trial
from .core.pools import accelerator

ARRAY = 256  # tasks that Slurm is guessed to run at once, where --on does not say


@dataclass(frozen=True, slots=True)
class Room:
    """What a pool has for trials: places, and of each kind what its machines have together (None: nobody knows)."""

    places: int
    cpus: float | None = None
    gpus: float | None = None
    memory_gb: float | None = None
    largest: Mapping[str, float] | None = None  # what the largest machine has: cpus, gpus, memory_gb


@dataclass(frozen=True, slots=True)
class Forecast:
    """How many trials of a plan work at once, for how long (minutes on the wall), and what stands in their way."""

    on: str
    at_once: int
    minutes: float
    work: float  # minutes of all trials together
    memory_gb: float  # of the trials that work at once, at most
    measured: int  # trials whose minutes the ledger knows
    warnings: tuple[str, ...]


def forecast(trials: Sequence[Trial], on: str, known: Mapping[str, float]) -> Forecast:
    """The forecast of these trials in the pool that `--on` names; `known` are measured minutes by key.

    Trials are placed in their order, each as soon as there is room for it. Raises Mistake for a pool that is not there.
    """
    room = room_of(on)
    minutes = [known.get(t.key, t.needs.minutes) for t in trials]
    wall, most, memory = _placed(trials, minutes, room)
    return Forecast(
        on,
        most,
        round(wall, 2),
        round(sum(minutes), 2),
        round(memory, 1),
        sum(t.key in known for t in trials),
        tuple(_warnings(trials, room, on, memory)),
    )


def known_minutes(root: Path | None, slug: str) -> dict[str, float]:
    """The minutes of every trial that the ledger in a folder has of a study, by key; nothing where it has none."""
    found: dict[str, float] = {}
    for _, _, told in ledger.held(root, slug):
        with suppress(ValueError, KeyError, TypeError):
            found |= {str(t["key"]): float(t["minutes"]) for t in told["trials"]}
    return found


def room_of(on: str) -> Room:
    """The room of the pool that `--on` names; a cluster is asked. Raises Mistake where it is not there."""
    from .driver import pool_of

    pool_of(on)  # raises for words that mean nothing
    kind, _, rest = on.partition(":")
    if kind == "ray":
        return _cluster(on if rest.startswith("//") else rest)
    if kind == "slurm":
        from .core.pools.on_slurm import parsed

        words = parsed(rest)
        if "local" not in words:
            return Room(int(words.get("array", ARRAY)))
        rest = words.get("array", str(os.cpu_count() or 1))
    gpus, memory = float(len(accelerator.here())), _memory()
    largest = {"cpus": float(os.cpu_count() or 1), "gpus": gpus, "memory_gb": memory}
    return Room(int(rest or 1), None, gpus, memory, largest)


def _cluster(address: str) -> Room:
    """What the nodes of a Ray cluster have; this machine's, where none is running yet."""
    from .core.pools.on_ray import resources

    nodes = resources(address)
    if nodes is None:
        gpus, memory, cpus = float(len(accelerator.here())), _memory(), float(os.cpu_count() or 1)
        nodes = [{"CPU": cpus, "GPU": gpus, "memory": memory * 2**30}]

    def of(name: str) -> list[float]:
        return [node.get(name, 0.0) / (2**30 if name == "memory" else 1) for node in nodes] or [0.0]

    names = {"cpus": "CPU", "gpus": "GPU", "memory_gb": "memory"}
    largest = {ours: max(of(theirs)) for ours, theirs in names.items()}
    return Room(max(1, int(sum(of("CPU")))), sum(of("CPU")), sum(of("GPU")), sum(of("memory")), largest)


def _placed(trials: Sequence[Trial], minutes: Sequence[float], room: Room) -> tuple[float, int, float]:
    """(minutes until the last ends, trials that work at once, gigabytes that they need together), by list scheduling."""
    now, most, memory = 0.0, 0, 0.0
    at_work: list[tuple[float, int]] = []  # (when it ends, which)
    free = {"cpus": room.cpus, "gpus": room.gpus, "memory_gb": room.memory_gb if room.cpus is not None else None}

    def asks(i: int) -> dict[str, float]:
        needs = trials[i].needs
        asked = {"cpus": float(math.ceil(needs.cpus)), "gpus": needs.gpus, "memory_gb": needs.memory_gb}
        return {k: min(v, (room.largest or {}).get(k, v)) for k, v in asked.items()}

    def change(i: int, sign: int) -> None:
        for name, amount in asks(i).items():
            if (left := free[name]) is not None:
                free[name] = left + sign * amount

    for i in range(len(trials)):
        while at_work and (
            len(at_work) >= room.places
            or any((left := free[n]) is not None and left < amount - 1e-9 for n, amount in asks(i).items())
        ):
            now, ended = heapq.heappop(at_work)
            change(ended, 1)
        heapq.heappush(at_work, (now + minutes[i], i))
        change(i, -1)
        most = max(most, len(at_work))
        memory = max(memory, sum(trials[j].needs.memory_gb for _, j in at_work))
    return max((end for end, _ in at_work), default=0.0), most, memory


def _warnings(trials: Sequence[Trial], room: Room, on: str, memory: float) -> list[str]:
    """What the trials need and the pool has not, one sentence each."""
    found: list[str] = []
    if not trials or room.largest is None:
        return found
    where = "the largest node" if on.startswith("ray") else "this machine"
    gpus = max(t.needs.gpus for t in trials)
    if gpus > room.largest["gpus"]:
        cpu = (
            "they fail there" if on.startswith("ray") else "they are measured on the CPU, for far longer than this says"
        )
        count = sum(t.needs.gpus > room.largest["gpus"] for t in trials)
        found.append(
            f"{count} trials need up to {gpus:g} accelerators and {where} has {room.largest['gpus']:g}: {cpu}."
        )
    if (cpus := max(math.ceil(t.needs.cpus) for t in trials)) > room.largest["cpus"]:
        found.append(
            f"a trial uses {cpus} threads and {where} has {room.largest['cpus']:g} processors: it takes longer."
        )
    if (largest := max(t.needs.memory_gb for t in trials)) > room.largest["memory_gb"]:
        found.append(f"a trial needs {largest:g} GB of memory and {where} has {room.largest['memory_gb']:.0f}.")
    elif room.cpus is None and memory > room.largest["memory_gb"]:
        found.append(
            f"the trials that work at once need {memory:.0f} GB of memory and this machine has {room.largest['memory_gb']:.0f}: use fewer processes."
        )
    return found


def told(found: Forecast) -> dict[str, Any]:
    """A forecast for JSON."""
    return {name: getattr(found, name) for name in Forecast.__slots__}


def sentence(found: Forecast) -> str:
    """A forecast in words."""
    hours = f" ({found.minutes / 60:.1f} hours)" if found.minutes >= 120 else ""
    source = f"{found.measured} of the trials were measured before" if found.measured else "as the study estimates"
    lines = [
        f"--on {found.on}: up to {found.at_once} trials at once in {found.memory_gb:g} GB, about {found.minutes:.1f} minutes{hours} for {found.work:.1f} minutes of work ({source})."
    ]
    return "\n".join([*lines, *(f"warning: {w}" for w in found.warnings)])


def _memory() -> float:
    """Gigabytes of memory that this machine has; 0 where the system does not say."""
    with suppress(OSError, ValueError, AttributeError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return 0.0
