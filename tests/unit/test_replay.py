"""Answers made elsewhere: looked up by prompt; what is missing is counted."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from unseen import models
from unseen.core.errors import Invalid, Missing
from unseen.core.model import Answer
from unseen.core.record import Item, Split
from unseen.core.work import _texts
from unseen.models import replay

TURNS = [{"role": "user", "content": "2 + 2?"}]


def written(path: Path, *rows: object) -> str:
    path.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    return f"replay:{path}"


def test_answers_are_looked_up(tmp_path: Path, home: Path) -> None:
    name = written(
        tmp_path / "said.jsonl",
        {"prompt": "a", "answer": "1"},
        {"prompt": TURNS, "answer": "4", "tokens": 2, "finish": "length"},
        {"prompt": "n", "answer": 7},
        {"prompt": "[1, 2]", "answer": "a list, not turns"},
    )
    told = models.open(name).generate(["n", TURNS, "a", "[1, 2]", "a"], max_new_tokens=9)
    assert told == [
        Answer("7", "stop", 0),
        Answer("4", "length", 2),
        Answer("1", "stop", 0),
        Answer("a list, not turns", "stop", 0),
        Answer("1", "stop", 0),
    ]
    assert not home.exists()  # nothing is kept of what is free


def test_missing_prompts_are_counted(tmp_path: Path, home: Path) -> None:
    name = written(tmp_path / "said.jsonl", {"prompt": "a", "answer": "1"})
    with pytest.raises(Missing, match=r"no answer to 2 of 3 prompts, the first being 'b'"):
        models.open(name).generate(["a", "b", "c"], max_new_tokens=9)


def test_logprobs_are_by_prompt_and_answer(tmp_path: Path, home: Path) -> None:
    name = written(
        tmp_path / "scored.jsonl",
        {"prompt": "a", "answer": "x", "logprob": -1},
        {"prompt": "a", "answer": "y", "logprob": -2.5},
        {"prompt": "b", "answer": "x", "logprob": -3},
        {"prompt": "c", "answer": "x"},
    )
    opened = models.open(name)
    assert opened.logprobs(["a", "b", "a"], ["y", "x", "x"]).tolist() == [-2.5, -3.0, -1.0]
    with pytest.raises(Missing, match=r"no log-probability of 2 of 3 answers, the first being 'z' after 'a'"):
        opened.logprobs(["a", "a", "c"], ["x", "z", "x"])
    with pytest.raises(Invalid, match="2 different answers to 'a'"):
        opened.generate(["a"], max_new_tokens=1)


def test_our_own_items_are_read(tmp_path: Path, home: Path) -> None:
    items = [
        Item("1", Split("s"), "2 + 2 =", " 4", " 4", {"exact": 1.0}, finish="stop", tokens=2, seed=0),
        Item("2", Split("s"), json.dumps(TURNS, indent=1), "5", "4", {"exact": 0.0}, finish="length", tokens=1, seed=0),
    ]
    path = tmp_path / "items.parquet"
    _texts(items).write_parquet(path)
    told = models.open(f"replay:{path}").generate([TURNS, "2 + 2 ="], max_new_tokens=4)
    assert told == [Answer("5", "length", 1), Answer(" 4", "stop", 2)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "holds no rows"),
        ("\n\n", "holds no rows"),
        ("[1]\n", "line 1"),
        ('{"prompt": "a", "answer": "b"}\n{"prompt": "a"}\n', "line 2"),
        ('{"prompt": 3, "answer": "b"}\n', "line 1"),
        ('{"prompt": "a", "answer": "b", "logprob": "low"}\n', "line 1"),
        ("not json\n", "line 1"),
    ],
)
def test_bad_rows_are_named(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text(text)
    with pytest.raises(Invalid, match=told):
        models.probe(f"replay:{tmp_path / 'bad.jsonl'}")


def test_bad_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "latin.jsonl").write_bytes(b'{"prompt": "caf\xe9", "answer": ""}')
    with pytest.raises(Invalid, match="not UTF-8"):
        models.probe(f"replay:{tmp_path / 'latin.jsonl'}")
    (tmp_path / "bad.parquet").write_text("no parquet")
    with pytest.raises(Invalid, match="cannot be read as parquet"):
        models.probe(f"replay:{tmp_path / 'bad.parquet'}")
    pl.DataFrame({"prompt": ["a"], "text": ["b"]}).write_parquet(tmp_path / "other.parquet")
    with pytest.raises(Invalid, match="no column 'answer'"):
        models.probe(f"replay:{tmp_path / 'other.parquet'}")


def test_turns_are_one_prompt_however_they_are_spelled() -> None:
    assert replay.key([{"content": "é", "role": "user"}]) == replay.key('[{"role":"user",\n "content": "\\u00e9"}]')
    assert replay.key("[no json") == "[no json"
    assert replay.key("[]") == "[]"
