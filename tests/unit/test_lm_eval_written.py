"""Our results as lm-evaluation-harness writes its own: its tools read them, and so do we."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unseen.logs import lm_eval


def exported(unseen: Any, out: Path, *words: str) -> list[Path]:
    assert unseen("run", "echo", "--tier", "smoke", *words).code == 0
    said = unseen("export", "echo", "--tier", "smoke", *words, "--to", "lm-eval", "--out", out)
    assert said.code == 0, said.err
    return sorted(out.rglob("*.json*"))


def test_results_and_samples(unseen: Any, tmp_path: Path) -> None:
    results, *samples = exported(unseen, tmp_path / "out", "--model", "py:answering:short")
    assert results.parent.name == "py__answering__short" and len(samples) == 3
    told = json.loads(results.read_text())
    assert set(told) >= {"results", "configs", "versions", "n-shot", "higher_is_better", "n-samples", "config", "date"}
    task = "echo_3_letters"
    assert told["results"][task] == {"name": task, "alias": task, "sample_len": 16, "exact,none": 1.0, "exact_stderr,none": 0.0, "first,none": 1.0, "first_stderr,none": 0.0}  # fmt: skip
    assert told["n-samples"][task] == {"original": 16, "effective": 16} and told["versions"][task] == 1
    assert told["higher_is_better"][task] == {"exact": True, "first": True} and told["n-shot"][task] == 0
    assert told["configs"]["echo_7_letters"]["metadata"]["shifted"] is True
    rows = [json.loads(line) for line in samples[0].read_text().splitlines()]
    assert len(rows) == 16 and [r["doc_id"] for r in rows] == list(range(16))
    assert rows[0]["target"] == rows[0]["doc"]["truth"] and rows[0]["metrics"] == ["exact", "first"]
    assert rows[0]["arguments"]["gen_args_0"]["arg_0"] == rows[0]["doc"]["prompt"]
    assert lm_eval.read(tmp_path / "out").tasks[task].scores["exact"].tolist() == [1.0] * 16


def test_read_back_two_exports_compare_as_the_runs_themselves(unseen: Any, tmp_path: Path) -> None:
    for name in ("short", "right"):
        words = ("--tier", "smoke", "--model", f"py:answering:{name}", "--set", "limit=9")
        assert unseen("run", "echo", *words, "--output-path", tmp_path / f"own-{name}", "--log-samples").code == 0
        assert unseen("export", "echo", *words, "--to", "lm-eval", "--out", tmp_path / name).code == 0
    read = json.loads(unseen("compare", tmp_path / "short", tmp_path / "right", "--json").out)
    own = json.loads(unseen("compare", tmp_path / "own-short", tmp_path / "own-right", "--json").out)
    numbers = ("a", "b", "estimate", "low", "high", "p", "n", "holm", "won", "lost", "mcnemar")
    keyed = [sorted([d[k] for k in numbers] for d in told["differences"]) for told in (read, own)]
    assert keyed[0] == keyed[1] and len(keyed[0]) == 6


def test_seeds_and_arms_are_told_apart(unseen: Any, tmp_path: Path) -> None:
    paths = exported(unseen, tmp_path / "out", "--model", "py:answering:short", "--seeds", "2", "--set", "limit=4,5")
    assert {p.parent.name for p in paths} == {f"py__answering__short__seed__{s}" for s in (0, 1)}
    tasks = json.loads(paths[0].read_text())["results"]
    assert {"echo_limit_4_3_letters", "echo_limit_5_3_letters"} < set(tasks) and len(tasks) == 6
    assert tasks["echo_limit_5_3_letters"]["sample_len"] == 5


def test_studies_without_items_have_results_alone(unseen: Any, tmp_path: Path) -> None:
    assert unseen("run", "brief_training", "--tier", "smoke").code == 0
    assert unseen("export", "brief_training", "--tier", "smoke", "--to", "lm-eval", "--out", tmp_path / "o").code == 0
    paths = sorted((tmp_path / "o").rglob("*.json*"))
    assert paths and all(p.name.startswith("results_") for p in paths)
    for path in paths:
        told = json.loads(path.read_text())["results"]
        assert told and all(v == "N/A" for t in told.values() for k, v in t.items() if "_stderr" in k)


def test_its_own_tools_read_them(unseen: Any, tmp_path: Path) -> None:
    harness = pytest.importorskip("lm_eval.utils")
    results, *samples = exported(unseen, tmp_path / "out", "--model", "py:answering:short")
    table = harness.make_table(json.loads(results.read_text()))
    line = next(line for line in table.splitlines() if "echo_5_letters" in line)
    assert [c.strip() for c in line.split("|")][1:6] == ["echo_5_letters", "1", "none", "0", "exact"]
    names = [str(p) for p in (results, *samples)]
    assert harness.get_results_filenames(names) == names[:1]
    assert harness.get_sample_results_filenames(names) == names[1:]
    assert harness.get_file_task_name(samples[0].name) == "echo_3_letters"
    assert harness.get_file_datetime(samples[0].name) in results.name
    from datasets import load_dataset

    rows = load_dataset("json", data_files=names[1:], split="train", cache_dir=str(tmp_path / "cache"))
    assert len(rows) == 48 and np.mean(rows["exact"]) == pytest.approx(1 / 3)
