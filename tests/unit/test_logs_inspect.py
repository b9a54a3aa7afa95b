"""Logs of inspect: archives and JSON that inspect_ai 0.3.285 wrote (`tests/logs`), older archives, broken ones."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_logs import INSPECT

from unseen.core.errors import Invalid, Missing
from unseen.logs import inspect


def archive(path: Path, **entries: Any) -> Path:
    """An archive as inspect wrote them before 2026: deflated."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, told in entries.items():
            made.writestr(name, json.dumps(told))
    return path


def header(**more: Any) -> dict[str, Any]:
    return {"version": 2, "status": "success", "eval": {"task": "sums", "model": "m", "created": "1"}, **more}


def sample(number: int, value: Any, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "epoch": 1,
        "input": f"q{number}",
        "target": "t",
        "scores": {"match": {"value": value}},
        **more,
    }


def test_archives_of_inspect_are_read_without_it() -> None:
    with zipfile.ZipFile(INSPECT / "one" / "sums.eval") as made:
        assert {e.compress_type for e in made.infolist()} == {inspect.ZSTD}, "the compression of today's archives"
    told = inspect.read(INSPECT / "one")
    assert told.model == "mockllm/model" and set(told.tasks) == {"sums", "chats"}
    sums = told.tasks["sums"]
    assert {m: v.tolist() for m, v in sums.scores.items()} == {
        "match": [1, 1, 0, 1, 0, 0, 1, 1],
        "parts/close": [1, 1, 0.25, 1, 0.25, 0.25, 1, 1],
        "parts/short": [1, 1, 0, 1, 0, 0, 1, 1],
    }
    assert sums.told["version"] == "1" and sums.told["dataset"] == "sums"


def test_json_and_archives_name_items_alike() -> None:
    """Archives list only the beginning of long inputs, and turns have ids of their own in every run."""
    one, two = (inspect.read(INSPECT / n).tasks for n in ("one", "two"))
    assert list(one["chats"].items.ids) == list(two["chats"].items.ids)
    assert list(one["sums"].items.ids)[:7] == list(two["sums"].items.ids)
    assert two["chats"].notes == ["4 samples of 2 items: the mean over epochs is compared."]


@pytest.mark.parametrize("value", [["C", "P", "I", "N"], [1, 0.5, 0, False], ["yes", "0.5", "No", "false"]])
def test_values_of_scores(tmp_path: Path, value: list[Any]) -> None:
    rows = [sample(i, v) for i, v in enumerate(value)]
    told = inspect.read(archive(tmp_path / "a.eval", **{"header.json": header(), "summaries.json": rows}))
    assert told.tasks["sums"].scores["match"].tolist() == [1.0, 0.5, 0.0, 0.0]


def test_a_run_that_was_cut_off_and_an_old_archive(tmp_path: Path) -> None:
    start = {"version": 2, "eval": header()["eval"]}
    parts = {f"_journal/summaries/{i}.json": [sample(i, "C")] for i in (1, 2, 10)}
    told = inspect.read(archive(tmp_path / "a.eval", **{"_journal/start.json": start}, **parts)).tasks["sums"]
    assert len(told.items.ids) == 3 and told.notes == ["the run ended as started; what it logged is compared."]
    rows = {f"samples/{i}_epoch_1.json": sample(i, "I") for i in range(3)}
    told = inspect.read(archive(tmp_path / "b.eval", **{"header.json": header()}, **rows)).tasks["sums"]
    assert told.scores["match"].tolist() == [0.0, 0.0, 0.0] and not told.notes


def test_samples_without_scores_are_counted(tmp_path: Path) -> None:
    rows = [sample(0, "C"), sample(1, "C", scores=None, error="\x1b[31mboom"), sample(2, [1, 2])]
    told = inspect.read(archive(tmp_path / "a.eval", **{"header.json": header(), "summaries.json": rows})).tasks["sums"]
    assert np.array_equal(told.scores["match"], [1, np.nan, np.nan], equal_nan=True)
    assert told.notes[0] == "1 of 3 samples have no score and are left out."
    assert told.notes[1] == "match is no number on 1 of 3 items, which are left out of it."
    with pytest.raises(Missing, match=r"no score of any sample \(1 samples, status error\); score it first"):
        inspect.read(archive(tmp_path / "b.eval", **{"header.json": header(status="error"), "summaries.json": [sample(0, "C", scores={})]}))  # fmt: skip


def test_one_model_and_the_newest_log(tmp_path: Path) -> None:
    for name, created, model, value in (("a", "2026-01-01", "m", "C"), ("b", "2026-01-02", "m", "I")):
        told = header(eval={"task": "sums", "model": model, "created": created})
        archive(tmp_path / f"{name}.eval", **{"header.json": told, "summaries.json": [sample(0, value)]})
    log = inspect.read(tmp_path)
    assert log.tasks["sums"].scores["match"].tolist() == [0.0] and "2 logs of sums; the newest" in log.notes[0]
    told = header(eval={"task": "sums", "model": "\x1b[31mother"})
    archive(tmp_path / "c.eval", **{"header.json": told, "summaries.json": [sample(0, "C")]})
    with pytest.raises(Invalid, match=r"holds logs of 2 models \(⟨001B⟩\[31mother, m\); name the files of one"):
        inspect.read(tmp_path)


def test_broken_files(tmp_path: Path) -> None:
    whole = (INSPECT / "one" / "sums.eval").read_bytes()
    with zipfile.ZipFile(INSPECT / "one" / "sums.eval") as made:
        entry = made.getinfo("summaries.json")
    at = entry.header_offset + 30 + len(entry.filename) + entry.compress_size // 2
    for name, told in (
        ("cut.eval", whole[: len(whole) // 2]),
        ("text.eval", b"no archive"),
        ("cut.json", (INSPECT / "two" / "sums.json").read_bytes()[:9000]),
        ("flipped.eval", whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]),
    ):
        (tmp_path / name).write_bytes(told)
        with pytest.raises(Invalid, match=r"cannot be read as a log of inspect's.*copy it again"):
            inspect.read(tmp_path / name)
    with pytest.raises(Invalid, match=r"holds no header\.json"):
        inspect.read(archive(tmp_path / "other.eval", **{"a.json": {}}))
    with pytest.raises(Invalid, match="sample 1 has no id"):
        inspect.read(archive(tmp_path / "d.eval", **{"header.json": header(), "summaries.json": [{"epoch": 1}]}))


def test_what_is_a_log(tmp_path: Path) -> None:
    assert inspect.is_one(INSPECT / "one") and inspect.is_one(INSPECT / "two" / "sums.json")
    (tmp_path / "results.json").write_text('{"results": {}}')
    assert not inspect.is_one(tmp_path)
    shutil.copy(INSPECT / "two" / "sums.json", tmp_path)
    assert inspect.is_one(tmp_path)
