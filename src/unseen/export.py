"""What was measured and trained, in forms that other tools open: csv, parquet, the results and samples of
lm-evaluation-harness, and checkpoints for transformers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from .core.errors import Invalid, Missing
from .core.ledger import Judged
from .core.store import Store
from .core.study import values_of

if TYPE_CHECKING:
    from .driver import Asked

FORMATS = ("csv", "parquet", "lm-eval", "checkpoints")


def write(asked: Asked, to: str, out: Path) -> list[Path]:
    """Write what the store holds of a plan into the folder `out`; the files or folders written.

    Raises Invalid for an unknown format, Missing where nothing was measured or no model was kept.
    """
    from . import driver

    if to not in FORMATS:
        raise Invalid(f"--to {to}: there is no such format; the formats are {', '.join(FORMATS)}, lm-eval-tasks.")
    if to == "checkpoints":
        return _checkpoints(asked, out)
    judged = driver.judge(asked)
    out.mkdir(parents=True, exist_ok=True)
    if to == "lm-eval":
        from .logs import lm_eval_written

        return lm_eval_written.write(judged, Store(driver.home()).items, out)
    return _tables(judged, out, to)


def folder(judged: Judged, out: Path, *, samples: bool) -> list[Path]:
    """Write verdicts (`results.json`), rows and item scores (parquet) and, with `samples`, prompts and answers (jsonl)."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "results.json"
    path.write_text(json.dumps(judged.to_json(), indent=1, default=str), encoding="utf-8")
    written = [path, *_tables(judged, out, "parquet")]
    if samples:
        written += _samples(judged, out)
    return written


def _tables(judged: Judged, out: Path, to: str) -> list[Path]:
    written: list[Path] = []
    for name, frame in (("rows", judged.records.frame()), ("items", judged.records.items_frame())):
        if frame is not None:
            path = out / f"{name}.{to}"
            frame.write_csv(path) if to == "csv" else frame.write_parquet(path)
            written.append(path)
    return written


def _samples(judged: Judged, out: Path) -> list[Path]:
    """Every prompt and answer, one JSON object a line, each with its trial's key and setting."""
    from . import driver

    store = Store(driver.home())
    path = out / f"samples_{judged.slug}.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for trial in judged.trials:
            head = {"trial": trial.key, "setting": values_of(trial.setting)}
            for row in store.items(trial) if store.has(trial) else ():
                file.write(json.dumps({**head, **row}, ensure_ascii=False, default=str) + "\n")
    return [path]


def _checkpoints(asked: Asked, out: Path) -> list[Path]:
    """Every model that trials of the plan kept, one folder a seed, each with a `save_pretrained` layout."""
    from . import driver
    from .models import decoder, moe

    store = Store(driver.home())
    written: list[Path] = []
    for trial in driver.newest(store, asked):
        if not store.has(trial):
            continue
        place = store.whole(trial)
        for name, form in (("decoder.json", decoder), ("mixture.json", moe)):
            for kept in sorted(place.glob(f"**/{name}")):
                written += form.export(kept.parent, out / trial.key / kept.parent.name)
    if not written:
        raise Missing(
            f"no trained model is kept for `{asked.words()}`; measure it first with `unseen run {asked.words()}`, and see whether its settings keep checkpoints."
        )
    return written
