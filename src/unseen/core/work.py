"""How is one trial measured? Run its generator, journal every row as it comes, and leave a folder ready to publish.

A killed trial is begun again: its rows are read back from the journal, its checkpoints are found by the Lab, and a row
that is yielded again must be equal.
"""

from __future__ import annotations

import json
import math
import os
import platform
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from . import find
from .code import code_digest
from .errors import Damaged, Invalid
from .lab import Lab, cache_folder, digest_of_file, offline
from .plan import Trial
from .record import Item, Records, Row, Split, Value
from .store import Store, full_disk, now, whole
from .study import values_of

Tell = Any
MODULES = ("numpy", "scipy", "torch", "transformers", "polars")


class Journal:
    """Every row and item a trial has yielded, on disk as it comes; a torn last line is dropped."""

    def __init__(self, path: Path, code: str) -> None:
        self.path, self.rows = path, dict[str, Row | Item]()
        self._lines: dict[str, str] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        self._read(code)
        self._file = path.open("ab", buffering=0)
        if not self._lines and path.stat().st_size == 0:
            self._file.write(json.dumps({"code": code}).encode() + b"\n")

    def add(self, row: Row | Item) -> None:
        """Keep a row. Raises Invalid where one of the same identity said something else."""
        line = json.dumps({"kind": type(row).__name__, **asdict(row)}, default=_plain, separators=(",", ":"))
        identity = _identity(row)
        before = self._lines.get(identity)
        if before == line:
            return
        if before is not None:
            raise Invalid(
                f"a row was yielded twice with different values: {before} and then {line}. A trial must be a function of its setting and lab."
            )
        self._lines[identity], self.rows[identity] = line, row
        self._file.write(line.encode() + b"\n")

    def sync(self) -> None:
        """Make every row durable."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _read(self, code: str) -> None:
        if not self.path.is_file():
            return
        content = self.path.read_bytes()
        whole_lines = content[: content.rfind(b"\n") + 1]
        lines = whole_lines.decode("utf-8", "replace").splitlines()
        try:
            if not lines or json.loads(lines[0]).get("code") != code:
                raise ValueError("measured by other code")
            for line in lines[1:]:
                row = _row_of(json.loads(line))
                identity = _identity(row)
                self._lines[identity], self.rows[identity] = line, row
        except (ValueError, KeyError, TypeError):
            self._lines.clear()
            self.rows.clear()
            whole_lines = b""
            shutil.rmtree(self.path.parent / "state", ignore_errors=True)
        if len(whole_lines) < len(content):
            with self.path.open("r+b") as file:
                file.truncate(len(whole_lines))


def measure(trial: Trial, store: Store, tell: Any = None, device: str | None = None) -> Path:
    """Run a trial and leave its folder ready to publish: tables, files and `trial.json`. Raises what the trial raises."""
    began, code = time.monotonic(), code_digest(trial.study)
    partial = store.partial(trial)
    with full_disk(f"measuring {trial.key}"):
        journal = Journal(partial / "rows.jsonl", code)
        try:
            lab = _lab(trial, partial, journal, tell, device)
            for row in find.module(trial.study, "trial").run(trial.setting, lab):
                journal.add(_stamped(row, trial))
            journal.sync()
            return _ready(trial, partial, list(journal.rows.values()), code, (time.monotonic() - began) / 60)
        finally:
            journal.close()


def _lab(trial: Trial, partial: Path, journal: Journal, tell: Any, device: str | None) -> Lab:
    files = partial / "files"
    files.mkdir(parents=True, exist_ok=True)
    return Lab(
        trial.seeds,
        files,
        cache_folder(),
        device or chosen_device(trial),
        offline(),
        trial.pins,
        trial.study,
        trial.version,
        partial / "state",
        tell,
        journal.sync,
    )


def chosen_device(trial: Trial) -> str:
    """$UNSEEN_DEVICE if it is set, an accelerator if the trial needs one and there is one, else the CPU."""
    if named := os.environ.get("UNSEEN_DEVICE"):
        return named
    if trial.needs.gpus and "torch" in sys.modules:
        import torch

        return "cuda" if torch.cuda.is_available() else "cpu"
    if trial.needs.gpus:
        from importlib.util import find_spec

        if find_spec("torch") is not None:
            import torch

            return "cuda" if torch.cuda.is_available() else "cpu"
    return "cpu"


def _stamped(row: Row | Item, trial: Trial) -> Row | Item:
    """The row with its seed; in a block every row must name its own."""
    from dataclasses import replace

    if not isinstance(row, Row | Item):
        raise Invalid(f"{trial.study}'s trial yielded a {type(row).__name__}; a trial yields Row or Item.")
    if row.seed is not None:
        if row.seed not in trial.seeds:
            raise Invalid(f"a row names seed {row.seed}, but this trial measures {trial.seeds}.")
        return row
    if len(trial.seeds) > 1:
        raise Invalid(
            f"this trial measures the seeds {trial.seeds} together, so every row must name its seed; Row.each does."
        )
    return replace(row, seed=trial.seeds[0])


def _ready(trial: Trial, partial: Path, rows: list[Row | Item], code: str, minutes: float) -> Path:
    """The folder to publish, `trial.json` written last."""
    study = find.study(trial.study)
    ready = partial / "ready"
    shutil.rmtree(ready, ignore_errors=True)
    ready.mkdir()
    setting = {"setting": type(trial.setting).__name__, **values_of(trial.setting)}
    evidence = study.evidence(trial.setting)
    records = Records.of(((setting, _seed(row), row) for row in rows), evidence, trial.key)
    records.frame().write_parquet(ready / "records.parquet", statistics=False)
    if (items := records.items_frame()) is not None:
        items.write_parquet(ready / "scores.parquet", statistics=False)
        _texts([r for r in rows if isinstance(r, Item)]).write_parquet(ready / "items.parquet", statistics=False)
    if any((partial / "files").iterdir()):
        os.rename(partial / "files", ready / "files")
    files = {
        str(p.relative_to(ready)): {"bytes": p.stat().st_size, "sha256": digest_of_file(p)}
        for p in sorted(ready.rglob("*"))
        if p.is_file()
    }
    told = {
        "key": trial.key,
        "study": trial.study,
        "version": trial.version,
        "setting": setting,
        "seeds": trial.seeds,
        "pins": dict(trial.pins),
        "evidence": evidence,
        "rows": len(records),
        "files": files,
        "code": code,
        "versions": _versions(),
        "host": {
            "name": platform.node(),
            "machine": platform.machine(),
            "system": platform.system(),
            "processor": _processor(),
        },
        "threads": threads_of(trial),
        "minutes": round(minutes, 4),
        "finished": now(),
    }
    whole(ready / "trial.json", json.dumps(told, indent=1, ensure_ascii=False).encode())
    return ready


def threads_of(trial: Trial) -> int:
    """How many threads a trial uses, whatever the pool."""
    return max(1, math.ceil(trial.needs.cpus))


def _seed(row: Row | Item) -> int:
    assert row.seed is not None
    return row.seed


def _texts(items: list[Item]) -> Any:
    import polars as pl

    told = [
        {
            "id": i.id, "split": i.split.name, "shifted": i.split.shifted, "prompt": i.prompt, "answer": i.answer, "truth": i.truth,
            "familiar": i.familiar, "finish": i.finish, "tokens": i.tokens, "step": i.step, "seed": i.seed,
            "scores": json.dumps(dict(i.scores), sort_keys=True, default=_plain), "at": json.dumps({**i.split.at, **i.at}, sort_keys=True, default=_plain),
        }
        for i in items
    ]  # fmt: skip
    schema = {
        "id": pl.String,
        "split": pl.String,
        "shifted": pl.Boolean,
        "prompt": pl.String,
        "answer": pl.String,
        "truth": pl.String,
        "familiar": pl.String,
        "finish": pl.String,
        "tokens": pl.Int64,
        "step": pl.Int64,
        "seed": pl.Int64,
        "scores": pl.String,
        "at": pl.String,
    }
    return pl.DataFrame(told, schema=schema).sort("split", "at", "id", "step", "seed", maintain_order=True)


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    loaded = {name: version(name) for name in MODULES if name in sys.modules}
    return {"unseen": version("unseen"), "python": platform.python_version(), **loaded}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(
            (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor()
        )
    except OSError:
        return platform.processor()


def _plain(value: Any) -> Any:
    """numpy's numbers as Python's; anything else is no plain value."""
    if hasattr(value, "item"):
        return value.item()
    raise Invalid(f"{value!r} is no plain value, so it cannot be recorded.")


def _identity(row: Row | Item) -> str:
    own = [row.measure] if isinstance(row, Row) else [row.id, row.prompt]
    split = [row.split.name, dict(row.split.at)] if row.split else None
    return json.dumps(
        [type(row).__name__, *own, split, dict(row.at), row.step, row.seed], default=_plain, sort_keys=True
    )


def _row_of(told: dict[str, Any]) -> Row | Item:
    kind = told.pop("kind")
    if told["split"] is not None:
        told["split"] = Split(**{**told["split"], "at": _tuples(told["split"]["at"])})
    told["at"] = _tuples(told["at"])
    if kind not in ("Row", "Item"):
        raise Damaged(f"a journal holds a {kind!r}, which is no row.")
    return Row(**told) if kind == "Row" else Item(**told)


def _tuples(at: Mapping[str, Any]) -> dict[str, Value]:
    return {k: _tuple(v) for k, v in at.items()}


def _tuple(value: Any) -> Value:
    return tuple(_tuple(v) for v in value) if isinstance(value, list) else value


def rows_of(path: Path) -> Iterator[Row | Item]:
    """The rows in a journal, for those who look at an unfinished trial."""
    for line in path.read_bytes().splitlines()[1:]:
        yield _row_of(json.loads(line))
