"""How would lm-evaluation-harness have logged what we measured? One folder a model, a task for each setting and split.

out/smollm2/results_2026-08-01T12-00-00.000000.json
out/smollm2/samples_echo_3_letters_2026-08-01T12-00-00.000000.jsonl        where items were kept
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from unseen.core.errors import Missing
from unseen.core.ledger import Judged
from unseen.core.plan import Trial
from unseen.core.study import model_field, values_of

Asked = Callable[[Trial], Iterable[Mapping[str, Any]]]  # a trial's items with prompts and answers
LONGEST = 120  # characters of a task's name: it becomes part of a file's
NONE: Mapping[str, Any] = dict.fromkeys(("git_hash", "lm_eval_version", "system_instruction", "system_instruction_sha", "chat_template", "chat_template_sha", "fewshot_as_multiturn"))  # fmt: skip


@dataclass
class Cell:
    """What one model with one seed was asked under one task name: items, and rows without items."""

    trial: Trial
    split: str
    items: list[Mapping[str, Any]] = field(default_factory=list[Mapping[str, Any]])
    rows: list[Mapping[str, Any]] = field(default_factory=list[Mapping[str, Any]])


Cells = dict[tuple[str, int], dict[str, Cell]]  # (model, seed) -> task -> its cell


def write(judged: Judged, items_of: Asked, out: Path) -> list[Path]:
    """Write results and samples of what was judged; the files. Raises Missing where nothing was measured."""
    cells = _cells(judged, items_of)
    if not cells:
        raise Missing(f"nothing of {judged.slug} is measured that could be written; `unseen run {judged.slug}` measures it.")  # fmt: skip
    several = {m for m, _ in cells if sum(name == m for name, _ in cells) > 1}
    now, written = datetime.now(), list[Path]()
    for (model, seed), tasks in sorted(cells.items()):
        name = f"{model} seed {seed}" if model in several else model
        folder = out / re.sub(r"[\"<>:/|\\?*\[\]\s]+", "__", name)
        folder.mkdir(parents=True, exist_ok=True)
        date = now.isoformat(timespec="microseconds").replace(":", "-")
        samples = {task: [_sample(i, row, cell) for i, row in enumerate(cell.items)] for task, cell in tasks.items()}
        told = _results(judged, name, {t: (tasks[t], samples[t]) for t in sorted(tasks)}) | {"date": now.timestamp()}
        path = folder / f"results_{date}.json"
        path.write_text(json.dumps(told, indent=2, ensure_ascii=False, default=str), encoding="utf-8")
        written.append(path)
        for task, rows in samples.items():
            if rows:
                path = folder / f"samples_{task}_{date}.jsonl"
                path.write_text("".join(json.dumps(r, ensure_ascii=False, default=str) + "\n" for r in rows), encoding="utf-8", errors="surrogatepass")  # fmt: skip
                written.append(path)
    return written


def _cells(judged: Judged, items_of: Asked) -> Cells:
    """Items and rows by model, seed and task."""
    trials = [t for t in judged.trials if t not in judged.absent]
    shown = _varying(trials)
    rows = _rows(judged)
    found: Cells = {}
    for trial in trials:
        gathered: dict[tuple[int, str], list[tuple[str, Mapping[str, Any]]]] = {}
        items = _last(items_of(trial))
        measured = {m for row in items for m in row["scores"]}
        told = [("items", row) for row in items]
        told += [("rows", row) for row in rows.get(trial.key, ()) if row["measure"] not in measured]
        for kind, row in told:
            gathered.setdefault((int(row["seed"] or 0), row["split"]), []).append((kind, row))
        head = [judged.slug, *_words({k: v for k, v in _fields(trial).items() if k in shown})]
        model = str(trial.setting.model) if model_field(type(trial.setting)) else judged.slug
        for (seed, split), group in gathered.items():
            parted = _parted(group)
            for kind, row in group:
                name = _named([*head, split, *_words({k: row["at"].get(k) for k in parted})])
                cell = found.setdefault((model, seed), {}).setdefault(name, Cell(trial, split))
                getattr(cell, kind).append(row)
    return found


def _rows(judged: Judged) -> dict[str, list[Mapping[str, Any]]]:
    """The last rows of each trial, with their coordinates in one place."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in judged.records.final:
        at = {k.removeprefix("at."): v for k, v in row.items() if k.startswith("at.") and v is not None}
        found.setdefault(row["trial"], []).append({**row, "at": at})
    return found


def _last(items: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The items of the last step of each seed."""
    rows = list(items)
    last: dict[Any, int] = {}
    for row in rows:
        last[row["seed"]] = max(last.get(row["seed"], -1), row["step"] or 0)
    return [row for row in rows if (row["step"] or 0) == last[row["seed"]]]


def _parted(rows: Sequence[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """The coordinates that tell rows of one split apart, where an item was asked, or a measure told, more than once."""
    names = [(kind, row["id"] if kind == "items" else row["measure"]) for kind, row in rows]
    if len(set(names)) == len(names):
        return []
    every = dict.fromkeys(name for _, row in rows for name in row["at"])
    return [n for n in every if len({json.dumps(row["at"].get(n), default=str) for _, row in rows}) > 1]


def _fields(trial: Trial) -> dict[str, Any]:
    told = {"setting": type(trial.setting).__name__, **values_of(trial.setting)}
    return {k: v for k, v in told.items() if k != "model" or not model_field(type(trial.setting))}


def _varying(trials: Sequence[Trial]) -> set[str]:
    """The fields of settings that tell the trials apart."""
    told = [_fields(t) for t in trials]
    names = {name for one in told for name in one}
    return {n for n in names if len({json.dumps(one.get(n), default=str) for one in told}) > 1}


def _words(told: Mapping[str, Any]) -> list[str]:
    return [f"{name} {value}" if name != "setting" else str(value) for name, value in told.items() if value not in (None, "")]  # fmt: skip


def _named(words: Sequence[str]) -> str:
    """A task's name: letters, digits and signs that a file's name may hold, a digest at the end of a long one."""
    name = re.sub(r"[^\w.+-]+", "_", "_".join(w for w in words if w)).strip("_")
    return name if len(name) <= LONGEST else f"{name[:LONGEST]}_{_sha(name)[:8]}"


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _sample(number: int, row: Mapping[str, Any], cell: Cell) -> dict[str, Any]:
    """An item as the harness logs one."""
    doc = {k: row[k] for k in ("id", "split", "prompt", "truth", "familiar", "at")}
    how = {"until": [], "do_sample": False}
    if room := getattr(cell.trial.setting, "max_new_tokens", None):
        how["max_gen_toks"] = room
    return {
        "doc_id": number,
        "doc": doc,
        "target": str(row["truth"]),
        "arguments": {"gen_args_0": {"arg_0": row["prompt"], "arg_1": how}},
        "resps": [[row["answer"]]],
        "filtered_resps": [row["answer"]],
        "filter": "none",
        "metrics": list(row["scores"]),
        "doc_hash": _sha(json.dumps(doc, indent=2, ensure_ascii=False, default=str)),
        "prompt_hash": _sha(row["prompt"]),
        "target_hash": _sha(str(row["truth"])),
        **row["scores"],
    }


def _results(judged: Judged, name: str, tasks: Mapping[str, tuple[Cell, Sequence[Mapping[str, Any]]]]) -> dict[str, Any]:  # fmt: skip
    """The file of results of one model."""
    trials = {cell.trial.key: cell.trial for cell, _ in tasks.values()}
    pins = {k: v for t in trials.values() for k, v in t.pins.items()}
    minutes = sum(float(m.get("minutes") or 0) for m in judged.manifests if m.get("key") in trials)
    scored = {task: _scores(cell) for task, (cell, _) in tasks.items()}
    return {
        "results": {task: {"name": task, "alias": task, **scored[task]} for task in tasks},
        "group_subtasks": {},
        "configs": {task: _configured(judged, task, cell) for task, (cell, _) in tasks.items()},
        "versions": {task: judged.study.version for task in tasks},
        "n-shot": {task: int(getattr(cell.trial.setting, "num_fewshot", 0) or 0) for task, (cell, _) in tasks.items()},
        "higher_is_better": {task: _better(cell) for task, (cell, _) in tasks.items()},
        "n-samples": {task: dict.fromkeys(("original", "effective"), s["sample_len"]) for task, s in scored.items()},
        "config": {
            "model": "unseen",
            "model_args": {"pretrained": name, "study": judged.slug, "tier": judged.tier, **pins},
        },
        "model_source": "unseen",
        "model_name": name,
        "model_name_sanitized": re.sub(r"[\"<>:/|\\?*\[\]\s]+", "__", name),
        "task_hashes": {
            task: _sha("".join(s["doc_hash"] + s["prompt_hash"] + s["target_hash"] for s in rows))
            for task, (_, rows) in tasks.items()
            if rows
        },
        "total_evaluation_time_seconds": str(60 * minutes),
        **NONE,
    }


def _scores(cell: Cell) -> dict[str, Any]:
    """Means and standard errors by metric key; of a row without items the value alone."""
    told: dict[str, Any] = {"sample_len": len(cell.items) or max(int(r["n"]) for r in cell.rows)}
    for measure in dict.fromkeys(m for row in cell.items for m in row["scores"]):
        x = np.array([row["scores"][measure] for row in cell.items if measure in row["scores"]], float)
        told[f"{measure},none"] = float(x.mean())
        told[f"{measure}_stderr,none"] = float(x.std(ddof=1) / np.sqrt(len(x))) if len(x) > 1 else "N/A"
    for row in cell.rows:
        told |= {f"{row['measure']},none": float(row["value"]), f"{row['measure']}_stderr,none": "N/A"}
    return told


def _better(cell: Cell) -> dict[str, bool | None]:
    """What an item's score is worth grows with it; of other measures nothing is known."""
    return {row["measure"]: None for row in cell.rows} | {m: True for row in cell.items for m in row["scores"]}


def _configured(judged: Judged, task: str, cell: Cell) -> dict[str, Any]:
    """A task's entry among the configurations, with what it is of ours under `metadata`."""
    first = (cell.items or cell.rows)[0]
    metrics = [{"metric": m, "aggregation": "mean", "higher_is_better": b} for m, b in _better(cell).items()]
    ours = {
        "version": judged.study.version,
        "study": judged.slug,
        "tier": judged.tier,
        "trial": cell.trial.key,
        "split": cell.split,
        "shifted": bool(first["shifted"]),
        "evidence": judged.study.evidence(cell.trial.setting),
        "setting": _fields(cell.trial),
    }
    return {"task": task, "output_type": "generate_until", "doc_to_text": "prompt", "doc_to_target": "truth", "metric_list": metrics, "num_fewshot": int(getattr(cell.trial.setting, "num_fewshot", 0) or 0), "metadata": ours}  # fmt: skip
