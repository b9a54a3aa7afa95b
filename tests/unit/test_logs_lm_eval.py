"""Logs of lm-evaluation-harness: its folders, single files, older shapes, and files that are broken."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from made_logs import DATE, logged, sample

from unseen.core.errors import Invalid, Missing
from unseen.logs import lm_eval


def test_a_folder_and_each_of_its_files_are_the_same_log(tmp_path: Path) -> None:
    path = logged(tmp_path, [sample(0), sample(1, acc=0.0)])
    for place in (tmp_path, tmp_path / "org__model", path, path.with_name(f"results_{DATE}.json")):
        assert lm_eval.is_one(place)
        told = lm_eval.read(place)
        assert told.kind == "lm-eval" and told.model == "org/model" and list(told.tasks) == ["sums"]
        task = told.tasks["sums"]
        assert np.array_equal(task.scores["acc"], [1.0, 0.0]) and len(set(task.items.ids)) == 2
        assert task.told["version"] == "1.0" and task.told["shots"] == "5" and not task.notes


def test_filters_are_measures_of_their_own(tmp_path: Path) -> None:
    rows = [sample(i, filter=f, metrics=["exact_match"], exact_match=v) for i in (0, 1) for f, v in (("strict-match", 0.0), ("flexible-extract", float(i)))]  # fmt: skip
    task = lm_eval.read(logged(tmp_path, rows)).tasks["sums"]
    assert {m: v.tolist() for m, v in task.scores.items()} == {
        "exact_match,strict-match": [0.0, 0.0],
        "exact_match,flexible-extract": [0.0, 1.0],
    }
    assert len(task.items.ids) == 2


def test_older_rows_without_metrics_or_hashes(tmp_path: Path) -> None:
    rows = [{k: v for k, v in sample(i, acc=i, acc_norm=0.5, f1=[0, 1]).items() if k not in ("metrics", "doc_hash", "filter")} for i in (0, 1)]  # fmt: skip
    path = tmp_path / "mine.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    task = lm_eval.read(path).tasks["mine"]
    assert task.scores["acc"].tolist() == [0.0, 1.0] and set(task.scores) == {"acc", "acc_norm"}
    assert len(set(task.items.ids)) == 2 and not task.told


def test_documents_that_repeat_are_told_apart(tmp_path: Path) -> None:
    rows = [sample(i, doc_hash="a" * 64, acc=float(i == 7)) for i in (7, 3)] + [sample(5)]
    task = lm_eval.read(logged(tmp_path, rows)).tasks["sums"]
    assert list(task.items.ids) == ["a" * 16 + ".2", "a" * 16 + ".1", f"{5:064x}"[::-1][:16]]


def test_a_measure_whose_mean_is_not_what_was_reported_says_so(tmp_path: Path) -> None:
    rows = [sample(i, metrics=["perplexity", "f1"], perplexity=-float(i), f1=[0, 1]) for i in range(4)]
    task = lm_eval.read(logged(tmp_path, rows, results={"sums": {"perplexity,none": 4.48}})).tasks["sums"]
    assert "f1 is no number for one item" in task.notes[0]
    assert task.notes[1] == "perplexity is 4.48 in its results file, and the mean over the items logged is -1.5; what is compared is the mean."  # fmt: skip


def test_the_newest_run_of_a_task_counts(tmp_path: Path) -> None:
    logged(tmp_path, [sample(0, acc=0.0)], date="2026-08-03T12-00-00.1")
    logged(tmp_path, [sample(0)])
    told = lm_eval.read(tmp_path)
    assert told.tasks["sums"].scores["acc"].tolist() == [0.0] and "2 logs of sums; the newest" in told.notes[0]


def test_two_models_in_one_folder_are_refused(tmp_path: Path) -> None:
    logged(tmp_path, [sample(0)])
    (tmp_path / "org__model").rename(tmp_path / "other")
    logged(tmp_path, [sample(0)])
    with pytest.raises(Invalid, match=r"holds logs of 2 models \(org__model, other\); name the folder of one"):
        lm_eval.read(tmp_path)


def test_means_alone_are_refused(tmp_path: Path) -> None:
    path = logged(tmp_path, [sample(0)])
    path.unlink()
    for place in (tmp_path, path.with_name(f"results_{DATE}.json")):
        with pytest.raises(Missing, match=r"holds means alone.*run lm_eval with --log_samples"):
            lm_eval.read(place)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (json.dumps(sample(0)) + '\n{"doc_id": 1, "doc": {"q', "line 2 is no JSON .*was cut off: copy the file again"),
        ("[" * 100_000, "line 1 is no JSON"),
        ("", "holds no rows"),
        ("[1, 2]\n", "line 1 holds list; each line"),
        ('{"prompt": "a", "\\u001b[31mx": 1}\n', "line 1 holds prompt, ⟨001B⟩"),
        (json.dumps(sample(0)) + "\n" + json.dumps(sample(0)), "line 2: document 0 stands twice under the filter none"),
        (json.dumps(sample(0, metrics=["f1"], f1=[1, 0])), "holds no score that is a number"),
        (json.dumps(sample(0, metrics=["bypass"], bypass=999)), "holds no score that is a number"),
        (json.dumps({"trial": "k", "scores": {}, "id": "a"}), "is of `unseen run --log-samples`; name its folder"),
    ],
)
def test_broken_files_are_told_by_line(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / f"samples_sums_{DATE}.jsonl"
    path.write_text(text)
    with pytest.raises(Invalid, match=why) as told:
        lm_eval.read(path)
    assert "\x1b" not in str(told.value)


def test_what_is_no_utf8(tmp_path: Path) -> None:
    path = tmp_path / f"samples_sums_{DATE}.jsonl"
    path.write_bytes(json.dumps(sample(0)).encode() + b'\n{"doc": "\xff\xfe"}\n')
    with pytest.raises(Invalid, match="is not UTF-8 text"):
        lm_eval.read(path)


def test_names_are_inert(tmp_path: Path) -> None:
    rows = [sample(0, filter="\x1b[2J<script>", metrics=["\x1b]0;x\x07"], **{"\x1b]0;x\x07": 1})]
    told = lm_eval.read(logged(tmp_path, rows, model_name="\x1b[31m<img src=x>"))
    assert told.model == "⟨001B⟩[31m<img src=x>"
    assert list(told.tasks["sums"].scores) == ["⟨001B⟩]0;x⟨0007⟩,⟨001B⟩[2J<script>"]


def test_damaged_results_are_no_reason_to_stop(tmp_path: Path) -> None:
    path = logged(tmp_path, [sample(0)])
    path.with_name(f"results_{DATE}.json").write_text('{"results": ')
    assert not lm_eval.read(tmp_path).tasks["sums"].told
