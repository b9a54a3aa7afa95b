"""How is one trial measured? Run its generator, journal every row as it comes, and leave a folder ready to publish.

A killed trial is begun again: its rows are read back from the journal, its checkpoints are found by the Lab, and a row
that is yielded again must be equal.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import platform
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from . import find
from .code import code_digest
from .disk import full_disk, whole
from .errors import Invalid
from .far.mirror import mirrored
from .far.published import digests
from .journal import Journal, plain
from .lab import Lab, cache_folder, offline
from .plan import Trial
from .record import Item, Records, Row, Value
from .store import Store, now
from .study import values_of

Told = Callable[[float, float, Mapping[str, Value]], None]
MODULES = ("unseen", "numpy", "scipy", "torch", "transformers", "polars")


def measure(trial: Trial, store: Store, tell: Told | None = None, device: str | None = None) -> Path:
    """Run a trial and leave its folder ready to publish: tables, files and `trial.json`. Raises what the trial raises.

    Rows and checkpoints of an earlier, unfinished attempt in the same world are gone on from.
    """
    began, partial = time.monotonic(), store.partial(trial)
    place = find.folder(trial.study)
    world = _world(trial, place, device or chosen_device(trial))
    at = f"partial/{trial.study}/{trial.key}"
    with full_disk(f"measuring {trial.key}"), mirrored(store.far, at, partial, world) as kept, ExitStack() as ends:
        journal = Journal(partial, world)
        ends.callback(journal.close)
        ready = partial / "ready"
        if (ready / "trial.json").is_file():
            return ready  # it was finished, but killed before it was published
        if (ready / "files").is_dir():
            os.rename(ready / "files", partial / "files")
        lab = replace(_lab(trial, partial, journal, tell, str(world["device"])), kept=kept, far=store.far)
        ends.callback(lambda: [act() for act in lab.endings])
        for row in find.module(trial.study, "trial", place).run(trial.setting, lab):
            journal.add(_stamped(row, trial))
        rows, evidence = list(journal.rows.values()), find.study(trial.study, place).evidence(trial.setting)
        took = {"minutes": round((time.monotonic() - began) / 60, 4)}
        return _ready(trial, partial, rows, {**world, "evidence": evidence, **took})


def threads_of(trial: Trial) -> int:
    """How many threads a trial uses, whatever the pool."""
    return max(1, math.ceil(trial.needs.cpus))


def chosen_device(trial: Trial) -> str:
    """$UNSEEN_DEVICE if it is set, an accelerator if the trial needs one and there is one, else the CPU."""
    if named := os.environ.get("UNSEEN_DEVICE"):
        return named
    if trial.needs.gpus and find_spec("torch") is not None:
        import torch

        return "cuda" if torch.cuda.is_available() else "cpu"
    return "cpu"


@cache
def code_loaded(slug: str, place: Path) -> str:
    """The digest of a study's code as this process first met it: what is edited later is not what is loaded."""
    return code_digest(slug)


def _world(trial: Trial, place: Path, device: str) -> dict[str, Any]:
    """All that rows may depend on beside the trial: equal worlds measure equal rows."""
    return {
        "code": code_loaded(trial.study, place),
        "versions": versions(),
        "device": device,
        "threads": threads_of(trial),
        "processor": _processor(),
    }


def _lab(trial: Trial, partial: Path, journal: Journal, tell: Told | None, device: str) -> Lab:
    files = partial / "files"
    files.mkdir(parents=True, exist_ok=True)
    return Lab(
        trial.seeds,
        files,
        cache_folder(),
        device,
        offline(),
        trial.pins,
        trial.study,
        trial.version,
        state=partial / "state",
        tell=tell,
        sync=journal.sync,
    )


def _stamped(row: object, trial: Trial) -> Row | Item:
    """The row with its seed; in a block every row must name its own."""
    if not isinstance(row, Row | Item):
        raise Invalid(f"{trial.study}'s trial yielded a {type(row).__name__}; a trial yields Row or Item.")
    if row.seed is not None:
        if row.seed not in trial.seeds:
            raise Invalid(f"a row names seed {row.seed}, but this trial measures {trial.seeds}.")
        return row
    if len(trial.seeds) != 1:
        raise Invalid(
            f"this trial measures the seeds {trial.seeds} together, so every row must name its seed; Row.each does."
        )
    return replace(row, seed=trial.seeds[0])


def _ready(trial: Trial, partial: Path, rows: list[Row | Item], world: Mapping[str, Any]) -> Path:
    """The folder to publish, `trial.json` written last."""
    ready, own = partial / "ready", partial / "files"
    shutil.rmtree(ready, ignore_errors=True)
    if with_files := bool(os.listdir(own)):
        ready.mkdir()
    else:
        os.rename(own, ready)  # a folder less to make and to remove
    setting = {"setting": type(trial.setting).__name__, **values_of(trial.setting)}
    evidence = world["evidence"]
    records = Records.of(((setting, _seed(row), row) for row in rows), evidence, trial.key)
    files = {"records.parquet": _written(records.frame(), ready / "records.parquet")}
    if (items := records.items_frame()) is not None:
        files["scores.parquet"] = _written(items, ready / "scores.parquet")
        texts = _texts([r for r in rows if isinstance(r, Item)])
        files["items.parquet"] = _written(texts, ready / "items.parquet")
    if with_files:
        os.rename(own, ready / "files")
        files = digests(ready)
    told = {
        "key": trial.key,
        "study": trial.study,
        "version": trial.version,
        "setting": setting,
        "seeds": trial.seeds,
        "pins": dict(trial.pins),
        "evidence": evidence,
        "rows": len(records),
        "files": dict(sorted(files.items())),
        "host": {
            **_host(),
            "processor": world["processor"],
        },
        **{k: v for k, v in world.items() if k not in ("processor", "evidence")},
        "finished": now(),
    }
    # Durable after its tables: where it lies, they do. It is `publish` that makes the folder appear, by one rename.
    whole(ready / "trial.json", json.dumps(told, indent=1, ensure_ascii=False).encode())
    return ready


def _written(frame: Any, path: Path) -> dict[str, Any]:
    """A polars frame as parquet, written by Python: a full disk is then an error that says so. Its size and digest.

    It is durable before the manifest that names it is written, so that no machine that stops leaves the one without
    the other.
    """
    held = io.BytesIO()
    frame.write_parquet(held, statistics=False)
    content = held.getvalue()
    whole(path, content)
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _seed(row: Row | Item) -> int:
    assert row.seed is not None
    return row.seed


def _texts(items: list[Item]) -> Any:
    import polars as pl

    told = [
        {
            "id": i.id, "split": i.split.name, "shifted": i.split.shifted, "prompt": i.prompt, "answer": i.answer, "truth": i.truth,
            "familiar": i.familiar, "finish": i.finish, "tokens": i.tokens, "step": i.step, "seed": i.seed,
            "scores": json.dumps(dict(i.scores), sort_keys=True, default=plain), "at": json.dumps({**i.split.at, **i.at}, sort_keys=True, default=plain),
        }
        for i in items
    ]  # fmt: skip
    words = ("id", "split", "prompt", "answer", "truth", "familiar", "finish", "scores", "at")
    schema = dict.fromkeys(words, pl.String) | dict.fromkeys(("tokens", "step", "seed"), pl.Int64)
    frame = pl.DataFrame(told, schema=schema | {"shifted": pl.Boolean})
    order = ["id", "split", "shifted", *words[2:7], "tokens", "step", "seed", "scores", "at"]
    return frame.select(order).sort("split", "at", "id", "step", "seed", maintain_order=True)


@cache
def versions() -> Mapping[str, str]:
    """The versions of Python and of the packages that results depend on."""
    found = {"python": platform.python_version()}
    for name in MODULES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@cache
def _host() -> Mapping[str, str]:
    return {"name": platform.node(), "machine": platform.machine(), "system": platform.system()}


@cache
def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(
            (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor()
        )
    except OSError:
        return platform.processor()
