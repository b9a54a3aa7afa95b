"""Logs of other harnesses for tests: rows and folders as lm-evaluation-harness writes them, and where inspect's lie."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

INSPECT = Path(__file__).parent  # one/ and two/, which inspect_ai 0.3.285 wrote from inspect_task.py
DATE = "2026-08-01T12-00-00.123456"


def sample(number: int, **told: Any) -> dict[str, Any]:
    """A row as the harness writes it."""
    return {
        "doc_id": number,
        "doc": {"question": f"q{number}"},
        "target": str(number),
        "arguments": {"gen_args_0": {"arg_0": f"q{number}", "arg_1": {"until": []}}},
        "resps": [["x"]],
        "filtered_resps": ["x"],
        "filter": "none",
        "metrics": ["acc"],
        "doc_hash": f"{number:064x}"[::-1],
        "prompt_hash": f"{number:064x}",
        "target_hash": f"{number:064x}",
        "acc": 1.0,
        **told,
    }


def logged(folder: Path, rows: list[dict[str, Any]], task: str = "sums", date: str = DATE, **results: Any) -> Path:
    """A folder as `--log_samples --output_path` leaves it: one for the model, results and samples in it."""
    home = folder / "org__model"
    home.mkdir(parents=True, exist_ok=True)
    path = home / f"samples_{task}_{date}.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in rows))
    told = {"results": {}, "configs": {task: {"output_type": "generate_until"}}, "versions": {task: 1.0}, "n-shot": {task: 5}, "model_name": "org/model"}  # fmt: skip
    (home / f"results_{date}.json").write_text(json.dumps(told | results))
    return path
