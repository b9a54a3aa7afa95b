"""What did lm-evaluation-harness log? The folder of `lm_eval --log_samples --output_path`, or one of its files.

out/gpt2/results_2026-08-01T12-00-00.123456.json           versions, shots and means
out/gpt2/samples_gsm8k_2026-08-01T12-00-00.123456.jsonl    one row for each document and filter:
    {"doc_id": 0, "doc": {…}, "target": "18", "filter": "strict-match", "metrics": ["exact_match"], "exact_match": 1.0,
     "doc_hash": "…", "prompt_hash": "…", "target_hash": "…", "resps": …, "arguments": …}
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unseen.core.errors import Invalid, Missing
from unseen.core.inert import label
from unseen.tasks.rows import json_rows

from .log import Columns, Items, Log, Logged, digest, mapping, newest, number_of, numbered, one_model, told_of

SAMPLES = re.compile(r"samples_(.+?)(?:_(\d{4}-\d\d-\d\dT[\d.-]+))?\.jsonl$", re.DOTALL)
RESULTS = re.compile(r".+_(\d{4}-\d\d-\d\dT[\d.-]+)\.json$", re.DOTALL)
KEPT = ("doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics", "doc_hash", "prompt_hash", "target_hash")  # fmt: skip
HOLDS = "each line of lm-eval's samples is an object with doc_id, doc_hash, target and its metrics (a line that ends early was cut off: copy the file again)"
AGAIN = "run lm_eval with --log_samples and --output_path"
CLOSE = 1e-6


@dataclass(frozen=True)
class Found:
    """One file of samples, its task and date as its name tells them, and the results beside it (empty: none)."""

    path: Path
    task: str
    date: str
    results: Mapping[str, Any]


def is_one(path: Path) -> bool:
    """Whether this is a folder or file of lm-eval's, by names and, of other JSON files, by what they hold."""
    if path.is_dir():
        return any(True for _ in _files(path))
    if path.suffix == ".jsonl":
        return True
    return path.suffix == ".json" and {"results", "n-shot"} <= set(_loaded(path))


def read(path: Path) -> Log:
    """The log. Raises Missing where samples were not logged, Invalid, naming the line, for a row that is none."""
    found = _found(path)
    one_model(str(path), (str(f.path.parent.name) for f in found), "the folder")
    chosen, notes = newest(((f.task, f.date, f) for f in found), str(path))
    names = {_model(f.results) for f in chosen.values()} - {""}
    tasks = {label(task): _task(f) for task, f in sorted(chosen.items())}
    return Log("lm-eval", str(path), ", ".join(sorted(names)), tasks, notes)


def _files(folder: Path) -> Iterator[Path]:
    """The harness's files in a folder, or in the folders of models within it."""
    for pattern in ("*.json*", "*/*.json*"):
        found = [
            p
            for p in sorted(folder.glob(pattern))
            if SAMPLES.fullmatch(p.name) or (RESULTS.fullmatch(p.name) and p.name.startswith("results_"))
        ]
        if found:
            yield from found
            return


def _found(path: Path) -> list[Found]:
    """Every file of samples that a path stands for."""
    files = list(_files(path)) if path.is_dir() else [path]
    if path.is_file() and path.suffix == ".json":
        date = RESULTS.fullmatch(path.name)
        files = [p for p in _files(path.parent) if date and p.name.endswith(f"_{date[1]}.jsonl") and p.parent == path.parent]  # fmt: skip
    samples = [p for p in files if p.suffix == ".jsonl"]
    if not samples:
        raise Missing(f"{path} holds means alone, and means cannot be paired; {AGAIN}, and name that folder.")
    found: list[Found] = []
    for one in samples:
        named = SAMPLES.fullmatch(one.name)
        task, date = (named[1], named[2] or "") if named else (one.stem, "")
        found.append(Found(one, task, date, _beside(one, date)))
    return found


def _beside(samples: Path, date: str) -> Mapping[str, Any]:
    """The results that were written with a file of samples; empty where they are not there."""
    there = sorted(samples.parent.glob(f"*_{date}.json")) if date else []
    return _loaded(there[0]) if there else {}


def _loaded(path: Path) -> Mapping[str, Any]:
    """A file of results as it is; empty where there is none or it is no JSON object."""
    try:
        return mapping(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError):
        return {}


def _model(results: Mapping[str, Any]) -> str:
    """The model's name, as the results tell it."""
    args = mapping(results.get("config")).get("model_args")
    name = results.get("model_name") or mapping(args).get("pretrained") or mapping(results.get("config")).get("model")
    return label(name) if isinstance(name, str) else ""


def _task(found: Found) -> Logged:
    """The samples of one task."""
    columns, order = _columns(found.path)
    scores, notes = columns.scores(), columns.oddities()
    if not scores:
        raise Invalid(
            f"{found.path} holds no score that is a number ({'; '.join(notes) or 'its rows name no metrics'})."
        )
    results = mapping(mapping(found.results.get("results")).get(found.task))
    for name, values in scores.items():
        key = name if "," in name else f"{name},none"
        told, mean = number_of(results.get(key)), float(np.nanmean(values))
        if abs(told - mean) > CLOSE * max(1.0, abs(mean)):
            notes.append(f"{name} is {told:.6g} in its results file, and the mean over the items logged is {mean:.6g}; what is compared is the mean.")  # fmt: skip
    items = Items(numbered(columns.ids, order), columns.prompts, columns.truths)
    return Logged(items, scores, _told(found), notes)


def _columns(path: Path) -> tuple[Columns, list[Any]]:
    """The rows of a file as columns, and each document's number."""
    columns, order, places, seen = Columns(), list[Any](), dict[tuple[str, str], int](), set[tuple[int, str]]()
    filters: dict[str, int] = {}
    for line, row in json_rows(path, HOLDS):
        told = _checked(path, line, row)
        kept = label(told.get("filter") or "none")
        filters[kept] = filters.get(kept, 0) + 1
        number = told.get("doc_id", filters[kept])
        key = _identity(told), str(number)
        if key not in places:
            places[key] = columns.place(key[0], _digest(told, "prompt_hash"), _digest(told, "target_hash"))
            order.append(number)
        if (places[key], kept) in seen:
            raise Invalid(f"{path}, line {line}: document {label(number)} stands twice under the filter {kept}; keep one run in a file.")  # fmt: skip
        seen.add((places[key], kept))
        for measure in _measures(told):
            columns.add(places[key], measure if kept == "none" else f"{measure},{kept}", told.get(measure))
    return columns, order


def _checked(path: Path, line: int, row: Any) -> Mapping[str, Any]:
    told = mapping(row)
    if "trial" in told and "scores" in told:
        raise Invalid(f"{path} is of `unseen run --log-samples`; name its folder, {path.parent}.")
    if not {"doc_hash", "doc", "doc_id"} & set(told):
        held = ", ".join(map(label, list(told)[:8])) if told else type(row).__name__
        raise Invalid(f"{path}, line {line} holds {held}; {HOLDS}.")
    return told


def _identity(row: Mapping[str, Any]) -> str:
    """What names a document: the harness's own hash; of logs without one, a digest of the document, or its number."""
    if isinstance(row.get("doc_hash"), str):
        return row["doc_hash"][:16]
    return digest(json.dumps(row["doc"], sort_keys=True)) if "doc" in row else f"document {label(row['doc_id'])}"


def _digest(row: Mapping[str, Any], name: str) -> str:
    return row[name][:16] if isinstance(row.get(name), str) else ""


def _measures(row: Mapping[str, Any]) -> Iterable[str]:
    """The names of a row's metrics; older logs do not list them."""
    listed = row.get("metrics")
    if isinstance(listed, list):
        return [m for m in listed if isinstance(m, str) and m in row and m != "bypass"]
    return [k for k, v in row.items() if k not in KEPT and isinstance(v, bool | int | float)]


def _told(found: Found) -> dict[str, str]:
    """What must be the same for two logs of a task to be of the same questions."""
    results, task = found.results, found.task
    shown = mapping(mapping(results.get("configs")).get(task))
    return told_of(
        version=mapping(results.get("versions")).get(task),
        shots=mapping(results.get("n-shot")).get(task),
        output_type=shown.get("output_type"),
        generation=shown.get("generation_kwargs"),
        system_instruction=results.get("system_instruction_sha"),
        chat_template="yes" if results.get("chat_template_sha") else "no" if results else None,
    )
