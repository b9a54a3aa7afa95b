"""`unseen use grokking_in_pretraining checkpoints`: on folders of checkpoints, against the measures of the same models by hand."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from typer.testing import CliRunner

from unseen.core.errors import Invalid, Missing
from unseen.measures import pathways, routing
from unseen.models import exporting_moe, moe, tiny
from unseen.studies.grokking_in_pretraining import along, tool

STEPS = (10, 40, 160)


def mixtures(step: int, vocab: int = 257) -> moe.Mixture:
    return moe.stack(
        vocab,
        width=16,
        layers=3,
        heads=2,
        context=64,
        experts=8,
        active=2,
        hidden=8,
        spread=8.0,
        seeds=(step, step + 1),
    )


def texts(n: int) -> list[dict[str, str]]:
    rng = np.random.default_rng(0)
    words = ["water", "boils", "iron", "sums", "of", "two", "the"]
    return [{"text": " ".join(rng.choice(words, 4)), "group": "ab"[i % 2]} for i in range(n)]


def file(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Checkpoints as transformers saves them, with a tokenizer beside them."""
    folder = tmp_path_factory.mktemp("theirs")
    for step in STEPS:
        exporting_moe.save_pretrained(moe.member(mixtures(step), 0), folder / f"checkpoint-{step}")
    tiny.byte_tokenizer().save_pretrained(str(folder))
    return folder


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Checkpoints of ours, stacks of two seeds."""
    folder = tmp_path_factory.mktemp("ours")
    for step in STEPS:
        moe.save(mixtures(step), folder / f"step{step}")
    return folder


def run(*words: object) -> Any:
    return CliRunner().invoke(tool.app, ["checkpoints", *map(str, words)])


def test_every_checkpoint_of_transformers_is_measured(theirs: Path, tmp_path: Path) -> None:
    data = file(tmp_path / "held.jsonl", texts(10))
    found = run(theirs, "--data", data, "--json")
    assert found.exit_code == 0, found.output
    told = json.loads(found.stdout)["checkpoints"]
    assert [one["step"] for one in told] == list(STEPS)
    model = exporting_moe.pretrained(moe.member(mixtures(40), 0))
    words = tiny.byte_tokenizer()(
        [t["text"] for t in texts(10)], padding=True, padding_side="right", return_tensors="pt"
    )
    weights = routing.of_pretrained(model, words["input_ids"], words["attention_mask"])
    d = pathways.distances(pathways.pathways(weights))
    even, odd = np.arange(0, 10, 2), np.arange(1, 10, 2)
    within = [d[np.ix_(r, r)][~np.eye(5, dtype=bool)].mean() for r in (even, odd)]
    assert (
        told[1]["distance"] == pytest.approx(np.mean(within)) and told[1]["low"] < told[1]["distance"] < told[1]["high"]
    )
    assert told[1]["across"] == pytest.approx(d[np.ix_(even, odd)].mean())
    assert told[1]["entropy"] == pytest.approx(pathways.entropy(weights).mean(), abs=1e-5)
    bent = pathways.inconsistencies(weights, routing.routers_of(model))
    assert told[1]["inconsistency"] == pytest.approx(np.nanmean(bent), abs=1e-4)
    ids = torch.tensor([tiny.byte_tokenizer()(texts(10)[0]["text"])["input_ids"]])
    one = next(along.along(theirs / "checkpoint-40", along.Samples((texts(10)[0]["text"],) * 2, (), ("a", "a"))))
    with torch.no_grad():
        assert one["loss"] == pytest.approx(float(model(ids, labels=ids).loss), abs=1e-5) and one["distance"] == 0


def test_stacks_of_ours_have_a_line_a_seed(ours: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    rows = [{"input_ids": rng.integers(1, 257, int(rng.integers(3, 9))).tolist()} for _ in range(7)]
    data = file(tmp_path / "held.jsonl", rows)
    told = list(along.along(ours, along.samples(data)))
    assert [(one["step"], one["seed"]) for one in told] == [(s, s + k) for s in STEPS for k in (0, 1)]
    exported = tmp_path / "checkpoint-40"
    exporting_moe.save_pretrained(moe.member(mixtures(40), 1), exported)
    theirs = next(along.along(exported, along.samples(data)))
    mine = {k: v for k, v in told[3].items() if k != "seed"}
    assert mine == pytest.approx(theirs, abs=1e-4) and "across" not in mine


def test_the_printed_table_and_files(ours: Path, tmp_path: Path) -> None:
    rows = [{"input_ids": [3, 1 + i, 7]} for i in range(5)]
    data = file(tmp_path / "held.jsonl", rows)
    right = file(
        tmp_path / "right.jsonl", [{"step": s, "accuracy": a} for s, a in zip(STEPS, (0.1, 0.4, 0.5), strict=True)]
    )
    found = run(ours, "--data", data, "--accuracy", right, "--output-path", tmp_path / "out.csv")
    assert found.exit_code == 0, found.output
    lines = found.stdout.splitlines()
    assert len(lines) == 8 and "of 5 samples" in lines[0] and "log(step) 0.96" in lines[-1]
    assert len(pl.read_csv(tmp_path / "out.csv")) == 6
    with pytest.raises(Invalid, match=r"ends in \.csv"):
        tool.write([{"step": 1}], tmp_path / "out.txt")


def test_correlations_are_over_checkpoints_of_means_over_seeds() -> None:
    told = [
        {"step": s, "distance": d, "consistency": -d, "entropy": 1.0, "loss": d}
        for s, d in ((1, 4), (1, 6), (2, 3), (4, 1))
    ]
    found = tool.beside(told, {1: 0.1, 2: 0.2, 4: 0.7, 8: 0.9})
    assert found["distance"] == pytest.approx(np.corrcoef([5, 3, 1], [0.1, 0.2, 0.7])[0, 1])
    assert found["log_step"] == pytest.approx(np.corrcoef([0, 1, 2], [0.1, 0.2, 0.7])[0, 1]) and np.isnan(
        found["entropy"]
    )
    with pytest.raises(Invalid, match="2 checkpoints have an accuracy"):
        tool.beside(told, {1: 0.1, 2: 0.2})


def test_from_outside_as_a_command(ours: Path, tmp_path: Path) -> None:
    data = file(tmp_path / "held.jsonl", [{"input_ids": [3, 1 + i, 7]} for i in range(4)])
    words = [
        sys.executable,
        "-m",
        "unseen",
        "use",
        "grokking_in_pretraining",
        "checkpoints",
        str(ours),
        "--data",
        str(data),
    ]
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert "consistency" in done.stdout
    gone = subprocess.run([*words[:6], str(tmp_path / "none"), *words[7:]], capture_output=True, text=True, check=False)
    assert gone.returncode == 2 and "there is no folder" in gone.stderr and "Traceback" not in gone.stderr


@pytest.mark.parametrize(
    "rows,why",
    [
        ([{"text": "one"}], "one sample"),
        ([{"text": "one"}, {"input_ids": [1, 2]}], "one kind in a file"),
        ([{"text": "one"}, {"word": "two"}], "line 2 is no sample"),
        ([{"input_ids": [4]}, {"input_ids": [4, 5]}], "at least two tokens"),
        ([{"input_ids": [1, -3]}, {"input_ids": [1, 3]}], "line 1 is no sample"),
    ],
)
def test_files_that_hold_no_samples_are_refused(rows: list[dict[str, Any]], why: str, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=why):
        along.samples(file(tmp_path / "held.jsonl", rows))


def test_models_that_cannot_be_measured_are_refused(ours: Path, theirs: Path, tmp_path: Path) -> None:
    words, numbers = (
        along.Samples(("a b", "c d"), (), ("all", "all")),
        along.Samples((), ((1, 999), (1, 2)), ("all", "all")),
    )
    with pytest.raises(Invalid, match="no tokenizer; give samples as input_ids"):
        next(along.along(ours, words))
    for folder in (ours, theirs):
        with pytest.raises(Invalid, match="holds token 999"):
            next(along.along(folder, numbers))
    tiny.made("llama").save_pretrained(str(tmp_path / "checkpoint-1"))
    with pytest.raises(Invalid, match="no routers of experts"):
        next(along.along(tmp_path, along.Samples((), ((1, 2), (1, 2)), ("all", "all"))))
    with pytest.raises(Invalid, match="only one of its group"):
        next(along.along(theirs, along.Samples((), ((1, 2), (1, 2)), ("a", "b"))))
    with pytest.raises(Missing, match="holds no checkpoints"):
        along.checkpoints(_empty(tmp_path))
    exporting_moe.save_pretrained(moe.member(mixtures(1), 0), tmp_path / "bare")
    with pytest.raises(Missing, match="holds a tokenizer"):
        next(along.along(tmp_path / "bare", words))


def _empty(folder: Path) -> Path:
    (folder / "empty").mkdir()
    return folder / "empty"


def test_steps_are_read_off_names() -> None:
    for name, step in (("checkpoint-500", 500), ("step5000-tokens20B", 5000), ("olmoe_step_12", 12), ("revision7", 7)):
        found = along.STEP.fullmatch(name)
        assert found is not None and int(found[1]) == step
    assert along.STEP.fullmatch("logs") is None
