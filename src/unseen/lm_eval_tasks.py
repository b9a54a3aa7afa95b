"""How do a study's tasks run inside lm-evaluation-harness? A folder for its `--include_path`, scored by the tasks themselves.

unseen_echo_words_7_letters.yaml     one task for each split: how it is asked, and the measures it is scored by
unseen_echo_words_7_letters.jsonl    its items, as `unseen data` writes them
unseen_echo.py                       hands items to the harness, and answers to the study's own scorer
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import items
from .items import Drawn

SPARE = 16  # tokens beyond the bytes of the longest right answer, where the setting gives no room of its own
HELPER = '''"""Items and scores of {study} (Unseen) for lm-evaluation-harness; written by `unseen export --to lm-eval-tasks`."""

import json
from pathlib import Path

from datasets import Dataset
from unseen.rewards import scorer

score = scorer("{study}")


def items(file, **_):
    lines = Path(__file__).with_name(file).read_text(encoding="utf-8").split("\\n")
    return {{"test": Dataset.from_list([json.loads(line) for line in lines if line])}}


def process_results(doc, results):
    return dict(score(doc["id"], doc["receipt"], results[0]))
'''


def write(name: str, out: Path, *, n: int, tier: str = "laptop", sweep: Mapping[str, str] | None = None) -> list[Path]:
    """Write n items of every split of every task of a study (or of one: STUDY/TASK) as the harness's tasks; the files.

    Each task has the tag `unseen_STUDY`, so that `--tasks unseen_STUDY` runs all. Raises what `items.draw` raises.
    """
    drawn = items.draw(name, n=n, tier=tier, sweep=sweep)
    groups: dict[str, list[Drawn]] = {}
    for one in drawn:
        groups.setdefault(json.dumps(one.receipt, sort_keys=True), []).append(one)
    named = _named(groups)
    out.mkdir(parents=True, exist_ok=True)
    study = name.partition("/")[0]
    written = [out / f"unseen_{study}.py"]
    written[0].write_text(HELPER.format(study=study), encoding="utf-8")
    for receipt, task in named.items():
        rows = "".join(json.dumps(_row(d), ensure_ascii=False) + "\n" for d in groups[receipt])
        (out / f"{task}.jsonl").write_text(rows, encoding="utf-8")
        (out / f"{task}.yaml").write_text(_yaml(task, groups[receipt]), encoding="utf-8")
        written += [out / f"{task}.yaml", out / f"{task}.jsonl"]
    return written


def command(name: str, out: Path) -> str:
    """The command that runs what `write` wrote."""
    return (
        f"lm_eval run --include_path {out} --tasks unseen_{name.partition('/')[0]} --model hf --model_args pretrained=…"
    )


def _named(groups: Mapping[str, Sequence[Drawn]]) -> dict[str, str]:
    """A name for each receipt; those of one name (settings that ask differently) have a digest of the setting in theirs."""
    plain = {r: _plain(f"unseen_{d[0].receipt['study']}_{d[0].task.name}_{d[0].example.split.name}") for r, d in groups.items()}  # fmt: skip
    taken = list(plain.values())

    def digest(receipt: str) -> str:
        told = json.dumps(json.loads(receipt)["setting"], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()[:6]

    return {r: name if taken.count(name) == 1 else f"{name}_{digest(r)}" for r, name in plain.items()}


def _plain(name: str) -> str:
    return re.sub(r"[^\w.+-]+", "_", name).strip("_")


def _row(drawn: Drawn) -> dict[str, Any]:
    """An item as the harness reads it: values of one kind in every row, so objects as JSON text."""
    return {k: json.dumps(v, ensure_ascii=False, sort_keys=True) if isinstance(v, dict) else v for k, v in drawn.row().items()}  # fmt: skip


def _yaml(task: str, drawn: Sequence[Drawn]) -> str:
    """The task's YAML; every value is JSON, which YAML contains."""
    first, measures = drawn[0], dict.fromkeys(m for d in drawn for m in d.task.score(d.example, d.example.truth))
    split, study = first.example.split, first.receipt["study"]
    room = first.receipt["setting"].get("max_new_tokens") or SPARE + max(len(d.example.truth.encode()) for d in drawn)
    how = {"until": [], "do_sample": False, "temperature": 0.0, "max_gen_toks": room}
    told = {"version": first.receipt["version"], "study": study, "task": first.task.name, "split": split.name, "shifted": split.shifted, "axis": split.axis, "seed": first.receipt["seed"], "setting": first.receipt["setting"]}  # fmt: skip
    plain = {
        "task": task,
        "tag": [f"unseen_{study}"],
        "dataset_kwargs": {"file": f"{task}.jsonl"},
        "test_split": "test",
        "output_type": "generate_until",
        "num_fewshot": 0,
        "doc_to_text": "prompt",
        "doc_to_target": "truth",
        "generation_kwargs": how,
        "metric_list": [{"metric": m, "aggregation": "mean", "higher_is_better": True} for m in measures],
        "metadata": told,
    }
    lines = [f"{key}: {json.dumps(value)}" for key, value in plain.items()]
    made = [f"{key}: !function unseen_{study}.{name}" for key, name in (("custom_dataset", "items"), ("process_results", "process_results"))]  # fmt: skip
    return "\n".join([*lines, *made]) + "\n"
