"""Rewards as TRL calls them: rows of `unseen data` as columns, completions as texts or chat turns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import unseen as library
from unseen.core.errors import Invalid, Unknown
from unseen.rewards import text_of


def columns(unseen: Any, *words: str) -> dict[str, list[Any]]:
    """The rows of `unseen data` as columns."""
    rows = [json.loads(line) for line in unseen("data", "echo", "--n", "4", *words).out.splitlines()]
    return {k: [r[k] for r in rows] for k in rows[0]}


def test_right_answers_are_worth_one_whatever_their_shape(unseen: Any) -> None:
    told = columns(unseen, "--split", "train", "--split", "7 letters")
    prompts, truths = told.pop("prompt"), told["truth"]
    give = library.reward("echo/words")
    assert give.__name__ == "echo_words"
    assert give(prompts=prompts, completions=truths, **told) == [1.0] * 8
    chats = [[{"role": "assistant", "content": t}] for t in truths]
    assert give(prompts=prompts, completions=chats, **told) == [1.0] * 8
    wrong = [t[:1] + "?" for t in truths]
    assert give(prompts, wrong, **told) == [0.0] * 8
    assert library.reward("echo", measure="first")(prompts, wrong, **told) == [1.0] * 8


def test_receipts_may_be_texts_as_parquet_and_datasets_keep_them(unseen: Any, tmp_path: Path) -> None:
    import polars as pl

    unseen("data", "echo", "--n", "3", "--split", "train", "--to", "parquet", "--out", tmp_path / "t.parquet")
    rows = pl.read_parquet(tmp_path / "t.parquet").to_dict(as_series=False)
    give = library.reward("echo/words")
    assert give(rows["prompt"], rows["truth"], id=rows["id"], receipt=rows["receipt"]) == [1.0] * 3


def test_rows_of_something_else_are_mistakes(unseen: Any) -> None:
    told = columns(unseen, "--split", "train")
    give = library.reward("echo/words")
    with pytest.raises(Unknown, match="nearest is echo"):
        library.reward("ecko")
    with pytest.raises(Invalid, match="has no tasks"):
        library.reward("brief_training")
    with pytest.raises(Invalid, match="no column 'id'"):
        give(["a"], ["b"], receipt=["{}"])
    with pytest.raises(Invalid, match="holds 4 values for 1 completions"):
        give(["a"], ["b"], id=told["id"], receipt=told["receipt"])
    with pytest.raises(Invalid, match="no item 'zz'"):
        give(["a"], ["b"], id=["zz"], receipt=told["receipt"][:1])
    with pytest.raises(Invalid, match="of the task 'words'; this reward is of echo/wrds"):
        library.reward("echo/wrds")(["a"], ["b"], id=["zz"], receipt=told["receipt"][:1])
    with pytest.raises(Unknown, match="nearest is first"):
        library.reward("echo", measure="fist")(["a"], ["b"], id=told["id"][:1], receipt=told["receipt"][:1])
    with pytest.raises(Invalid, match="holds int"):
        give(["a"], ["b"], id=told["id"][:1], receipt=[3])


def test_a_completion_is_text_or_turns() -> None:
    assert (
        text_of("a") == "a"
        and text_of([{"role": "user", "content": "b"}, {"role": "assistant", "content": None}]) == ""
    )
    with pytest.raises(Invalid, match="a text or a list of chat turns"):
        text_of(3)
    with pytest.raises(Invalid, match="a text or a list of chat turns"):
        text_of([])
