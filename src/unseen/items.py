"""Items of a study for use elsewhere: draw them with receipts, and judge the answers that come back.

{"id": "6f1c…", "task": "addition", "split": "6 digits", "shifted": true, "axis": "length", "at": {"digits": 6},
 "prompt": "2 7 + 4 5 =", "truth": "7 2", "familiar": null,
 "receipt": {"study": "…", "version": 1, "setting": {…}, "task": "…", "split": "…", "n": 100, "seed": 0}}
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from .core import find
from .core.claim import judge_study
from .core.errors import Invalid, Missing, Mistake, Unknown, nearest
from .core.lab import Lab
from .core.ledger import Judged
from .core.plan import parse_sweep, plan
from .core.record import Item, Records, Value
from .core.study import TIERS, Study, tier_of, values_of
from .core.task import Example, Task
from .tasks.rows import json_rows

FORMATS = ("jsonl", "parquet", "hf")
HOLDS = "each line is an object with id, receipt and answer"


@dataclass(frozen=True)
class Drawn:
    """One example with what is needed to draw it again."""

    task: Task
    example: Example
    receipt: Mapping[str, Any]

    def row(self) -> dict[str, Any]:
        """The example as a row of plain JSON values."""
        e = self.example
        at = {**e.split.at, **e.at}
        where = {"split": e.split.name, "shifted": e.split.shifted, "axis": e.split.axis, "at": at}
        return {
            "id": e.id,
            "task": self.task.name,
            **where,
            "prompt": e.prompt,
            "truth": e.truth,
            "familiar": e.familiar,
            "receipt": dict(self.receipt),
        }


def draw(
    name: str,
    *,
    n: int,
    tier: str = "laptop",
    sweep: Mapping[str, str] | None = None,
    seed: int = 0,
    splits: Sequence[str] | None = None,
) -> list[Drawn]:
    """n items of every split (or of `splits`) of every task of a study, or of one task: `STUDY/TASK`.

    The same arguments draw the same items. Raises Unknown for a study, task or split that is not there.
    """
    slug, _, wanted = name.partition("/")
    found = _tasks(slug, tier, sweep or {}, wanted)
    names = list(dict.fromkeys(task.name for _, task in found))
    if wanted:
        found = [(s, t) for s, t in found if t.name == wanted]
        if not found:
            raise Unknown(f"{slug} has no task {wanted!r}{nearest(wanted, names)}. Its tasks: {', '.join(names)}.")
    known = dict.fromkeys(["train", *(s.name for _, t in found for s in t.splits)])
    if strange := [s for s in splits or () if s not in known]:
        raise Unknown(f"--split {strange[0]}: no such split{nearest(strange[0], known)}. Splits: {', '.join(known)}.")
    drawn: list[Drawn] = []
    version = find.study(slug).version
    for setting, task in found:
        for split in [s.name for s in task.splits] if splits is None else splits:
            if split != "train" and split not in {s.name for s in task.splits}:
                continue
            receipt = {
                "study": slug,
                "version": version,
                "setting": told(setting),
                "task": task.name,
                "split": split,
                "n": n,
                "seed": seed,
            }
            drawn += [Drawn(task, e, receipt) for e in task.draw(split, n, _rng(task, split, seed))]
    return drawn


def write(drawn: Sequence[Drawn], to: str, out: Path | None) -> Path | None:
    """Write items as jsonl, parquet or a Hugging Face datasets folder; jsonl goes to standard output if `out` is None."""
    if to not in FORMATS:
        raise Invalid(f"--to {to}: there is no such format; the formats are {', '.join(FORMATS)}.")
    if to == "jsonl":
        lines = (json.dumps(d.row(), ensure_ascii=False) + "\n" for d in drawn)
        if out is None:
            sys.stdout.writelines(lines)
            return None
        out.parent.mkdir(parents=True, exist_ok=True)
        with out.open("w", encoding="utf-8") as file:
            file.writelines(lines)
        return out
    if out is None:
        raise Invalid(f"--to {to} writes files; say where with --out PATH.")
    rows = [
        {k: json.dumps(v, ensure_ascii=False) if isinstance(v, dict) else v for k, v in d.row().items()} for d in drawn
    ]
    if to == "parquet":
        import polars as pl

        out.parent.mkdir(parents=True, exist_ok=True)
        pl.DataFrame(rows, infer_schema_length=None).write_parquet(out)
        return out
    return _datasets(rows, out)


def score(slug: str, predictions: Path) -> tuple[Judged, list[str]]:
    """The verdicts and means of answers made elsewhere, and notes on items that have no answer.

    Every row needs `id`, `receipt` and `answer`. The items are drawn again from their receipts, so truths and splits
    are the study's own. Raises Missing or Invalid, naming the line, for a file that cannot be scored.
    """
    study = find.study(slug)
    by_receipt: dict[str, list[tuple[int, str, str]]] = {}
    for line, row in _answers(predictions):
        by_receipt.setdefault(json.dumps(row["receipt"], sort_keys=True), []).append((line, row["id"], row["answer"]))
    found: list[tuple[Mapping[str, Any], int, Item]] = []
    notes: list[str] = []
    for text, rows in by_receipt.items():
        setting, task, drawn = redrawn(slug, study, json.loads(text), str(predictions))
        found += _scored(setting, task, drawn, rows, predictions)
        if len(rows) < len(drawn):
            split = next(iter(drawn.values())).split.name
            notes.append(
                f"{task.name}, {split}: {len(rows)} of {len(drawn)} items have an answer; the rest are left out."
            )
    records = Records.of(found)
    verdicts = judge_study(study, records, "laptop")
    return Judged(slug, study, "laptop", (), records, verdicts, exploratory=True), notes


def redrawn(slug: str, study: Study, receipt: Mapping[str, Any], where: str) -> tuple[Any, Task, dict[str, Example]]:
    """The setting, the task and the examples (by id) that a receipt stands for. Raises Invalid where it stands for none."""
    try:
        named, version, task_name, split = (receipt[k] for k in ("study", "version", "task", "split"))
        n, seed, values = receipt["n"], receipt["seed"], receipt["setting"]
        setting = rebuilt(slug, study, values)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise Invalid(f"{where}: a receipt lacks or misspells {error}; it must be as `unseen data` wrote it.") from None
    if (
        not all(isinstance(v, int) and not isinstance(v, bool) for v in (n, seed))
        or n < 1
        or not isinstance(split, str)
    ):
        raise Invalid(
            f"{where}: a receipt says n={n!r}, seed={seed!r}, split={split!r}; it must be as `unseen data` wrote it."
        )
    if named != slug or version != study.version:
        raise Invalid(
            f"{where}: its receipts are of {named} version {version}; this is {slug} version {study.version}. Draw the items again."
        )
    tasks: dict[str, Task] = {}
    for one in find.module(slug, "tasks").tasks(setting):
        tasks.setdefault(one.name, one)  # the first of a name, as `draw` takes it
    if task_name not in tasks:
        raise Invalid(f"{where}: the receipt's task {task_name!r} is none of {', '.join(tasks)}.")
    task = tasks[task_name]
    known = ["train", *(s.name for s in task.splits)]
    if split not in known:
        raise Invalid(f"{where}: the receipt's split {split!r} is none of {', '.join(known)}.")
    return setting, task, {e.id: e for e in task.draw(split, n, _rng(task, split, seed))}


def told(setting: Any) -> dict[str, Any]:
    """A setting as JSON: its class under "setting" and its fields."""
    return {"setting": type(setting).__name__, **values_of(setting)}


def rebuilt(slug: str, study: Study, values: Mapping[str, Any]) -> Any:
    """The setting that `told` described. Raises Invalid where the study has no such setting class or field."""
    kinds = {type(s).__name__: type(s) for tier in TIERS for s in study.settings(tier)}
    kind = kinds.get(str(values.get("setting")))
    if kind is None:
        raise Invalid(f"the receipt names the setting {values.get('setting')!r}; {slug} has {', '.join(kinds)}.")
    wanted = {k: _tupled(v) for k, v in values.items() if k != "setting"}
    if set(wanted) != {f.name for f in fields(kind)}:
        raise Invalid(
            f"the receipt's setting has the fields {', '.join(wanted)}; {kind.__name__} has {', '.join(f.name for f in fields(kind))}. Draw the items again."
        )
    return kind(**wanted)


def _tasks(slug: str, tier: str, sweep: Mapping[str, str], wanted: str) -> list[tuple[Any, Task]]:
    """Every task of a study with its setting. Raises Missing where the data of the wanted one, or of any if none is named,
    cannot be had."""
    study = find.study(slug)
    if not find.has(slug, "tasks"):
        raise Mistake(f"{slug} draws no items of its own (it has no tasks.py), so there is nothing to write.")
    chosen = tier_of(tier)
    make = find.module(slug, "tasks").tasks
    parsed = parse_sweep(slug, study, chosen, sweep)
    settings = list(dict.fromkeys(t.setting for t in plan(slug, study, chosen, sweep=parsed, seeds=1)))
    found: dict[tuple[str, tuple[Any, ...]], tuple[Any, Task]] = {}
    absent: Missing | None = None
    for setting in settings:
        try:
            made = make(setting)
        except Missing as error:
            absent = absent or error
            continue
        for task in made:
            found.setdefault((task.name, task.splits and tuple(s.name for s in task.splits)), (setting, task))
    if absent and wanted not in {name for name, _ in found}:
        raise absent
    return list(found.values())


def _rng(task: Task, split: str, seed: int) -> Any:
    return Lab.alone(seeds=(seed,)).rng("data", task.name, split)


def _datasets(rows: Sequence[Mapping[str, Any]], out: Path) -> Path:
    from .core.errors import missing_extra

    try:
        from datasets import Dataset, DatasetDict
    except ModuleNotFoundError as error:
        raise missing_extra("--to hf", error, "data") from error
    by_split: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_split.setdefault("".join(c if c.isalnum() else "_" for c in row["split"]), []).append(row)
    DatasetDict({name: Dataset.from_list([dict(r) for r in kept]) for name, kept in by_split.items()}).save_to_disk(
        str(out)
    )
    return out


def _answers(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    if not path.is_file():
        raise Missing(f"there is no file {path}; `score` reads jsonl or parquet rows with id, receipt and answer.")
    for number, row in _parquet_rows(path) if path.suffix == ".parquet" else json_rows(path, HOLDS):
        yield number, _checked(path, number, row)


def _parquet_rows(path: Path) -> Iterator[tuple[int, Any]]:
    import polars as pl

    try:
        rows = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise Invalid(f"{path} cannot be read as parquet ({error}).") from None
    if not len(rows):
        raise Invalid(f"{path} holds no rows; {HOLDS}.")
    yield from enumerate(rows.iter_rows(named=True), 1)


def _checked(path: Path, number: int, row: Any) -> dict[str, Any]:
    if not isinstance(row, dict) or not {"id", "receipt", "answer"} <= set(row):
        held = ", ".join(row) if isinstance(row, dict) else type(row).__name__
        raise Invalid(
            f"{path}, line {number} holds {held}; it needs id, receipt (as `unseen data` wrote them) and answer."
        )
    receipt = parsed(row["receipt"])
    if not isinstance(row["answer"], str) or not isinstance(row["id"], str) or not isinstance(receipt, dict):
        kinds = ", ".join(f"{k} {type(row[k]).__name__}" for k in ("id", "receipt", "answer"))
        raise Invalid(f"{path}, line {number}: id and answer are texts and receipt an object; found {kinds}.")
    return {**row, "receipt": receipt}


def parsed(value: Any) -> Any:
    """A receipt that parquet or datasets kept as JSON text, as an object again; anything else as it is."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _scored(
    setting: Any, task: Task, drawn: Mapping[str, Example], rows: Iterable[tuple[int, str, str]], path: Path
) -> Iterator[tuple[Mapping[str, Any], int, Item]]:
    seen: dict[str, int] = {}
    for line, identity, answer in rows:
        if identity not in drawn:
            raise Invalid(
                f"{path}, line {line}: no item {identity!r} is drawn by its receipt; ids and receipts must be as `unseen data` wrote them."
            )
        if identity in seen:
            raise Invalid(
                f"{path}, line {line}: item {identity!r} was answered on line {seen[identity]} already; keep one."
            )
        seen[identity] = line
        e = drawn[identity]
        scores = task.score(e, answer)
        yield told(setting), 0, Item(e.id, e.split, e.prompt, answer, e.truth, scores, e.familiar, at=e.at)


def _tupled(value: Any) -> Value:
    return tuple(_tupled(v) for v in value) if isinstance(value, list) else value
