"""An owner's rows: every shape that people write is read as one, and what cannot be read is named."""

from __future__ import annotations

import hashlib
import json
import os
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unseen.core.errors import Invalid, Missing
from unseen.tasks.owned import Pair, lettered, pairs, twice


def kept(folder: Path, *rows: Any) -> Path:
    """A file of these rows."""
    (path := folder / "mine.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    return path


def read(folder: Path, *rows: Any, **given: Any) -> list[Pair]:
    return list(pairs(kept(folder, *rows), **given))


def turn(role: str, content: Any) -> dict[str, Any]:
    return {"role": role, "content": content}


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "q", "completion": "a"},
        {"prompt": "q", "completion": "a", "id": 7, "source": "web"},
        {"input": "q", "output": "a"},
        {"question": "q", "answer": "a"},
        {"text": "q", "label": "a"},
        {"instruction": "q", "input": "", "output": "a"},
        {"prompt": "q", "chosen": "a", "rejected": "b"},
        {"prompt": "q", "truth": "a"},
    ],
)
def test_two_texts_under_many_names(row: dict[str, Any], tmp_path: Path) -> None:
    (found,) = read(tmp_path, row)
    assert (found.prompt, found.answer, found.asked(), found.line) == ("q", "a", "q", 1)


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [turn("user", "q"), turn("assistant", "a")]},
        {"messages": [turn("user", [{"type": "text", "text": "q"}]), turn("assistant", "a")], "tools": None},
        {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]},
        {"prompt": [turn("user", "q")], "completion": [turn("assistant", "a")]},
        {"prompt": [turn("user", "q")], "completion": "a"},
    ],
)
def test_turns(row: dict[str, Any], tmp_path: Path) -> None:
    (found,) = read(tmp_path, row)
    assert (found.prompt, found.answer, found.before) == ("q", "a", ())
    assert found.asked() == [turn("user", "q")]


def test_what_comes_before_the_last_question_is_kept(tmp_path: Path) -> None:
    turns = [turn("system", "Be brief."), turn("user", "one?"), turn("assistant", "1"), turn("user", "two?")]
    (found,) = read(tmp_path, {"messages": [*turns, turn("assistant", "2")]})
    assert found.asked() == turns and found.answer == "2"
    assert found.told() == "one?\n1\ntwo?"  # what the system says is everyone's


def test_numbers_are_texts_and_alpacas_input_belongs_to_its_instruction(tmp_path: Path) -> None:
    assert [p.answer for p in read(tmp_path, {"text": "q", "label": 3}, {"text": "r", "label": True})] == ["3", "true"]
    (found,) = read(tmp_path, {"instruction": "Translate.", "input": "Hut", "output": "hat"})
    assert found.prompt == "Translate.\n\nHut"


@pytest.mark.parametrize(
    ("answer", "right", "options"),
    [(1, "B", ("A", "B")), ("B", "B", ("A", "B")), ("Rome", "Rome", ("Paris", "Rome"))],
)
def test_choices_are_written_below_the_question(
    answer: Any, right: str, options: tuple[str, ...], tmp_path: Path
) -> None:
    (found,) = read(tmp_path, {"question": "Where? ", "choices": ["Paris", "Rome"], "answer": answer})
    assert found.prompt == "Where?\nA. Paris\nB. Rome" == lettered("Where?", ["Paris", "Rome"])
    assert (found.answer, found.options) == (right, options)


def test_ids_stay_with_their_rows_and_no_two_are_equal(tmp_path: Path) -> None:
    one, other = {"text": "q", "label": "a"}, {"text": "q", "label": "b"}
    first = [p.id for p in read(tmp_path, one, other, one, one)]
    assert [p.id for p in read(tmp_path, other, one)] == [first[1], first[0]]
    assert first[2:] == [first[0] + "-2", first[0] + "-3"] and len(set(first)) == 4
    told = hashlib.sha256(b'[[], "q", "a"]').hexdigest()
    assert first[0] == told[:16]  # the same in every process and release


def test_fields_can_be_named(tmp_path: Path) -> None:
    (found,) = read(tmp_path, {"body": "q", "gold": "a", "prompt": "x"}, fields=("body", "gold"))
    assert (found.prompt, found.answer) == ("q", "a")
    with pytest.raises(Invalid, match=r"line 1 has no field gold, .* its fields are body\."):
        read(tmp_path, {"body": "q"}, fields=("body", "gold"))


Q = {"prompt": "q", "completion": "a"}


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([{"text": "a whole document"}], r"mine.jsonl, line 1 has no answer among its fields text; .*messages"),
        ([{"a": 1, "b": 2}], r"neither prompt nor answer among its fields a, b;"),
        ([{"completion": "a"}], "no prompt among its fields completion"),
        ([{**Q, "question": "r"}], "prompt, question may be the prompt and completion the answer; name the two"),
        (
            [Q, {"prompt": "q"}],
            r"line 2 has no field completion, which it needs as the first row does; .* are prompt\.",
        ),
        ([Q, [1, 2]], r"line 2 is a list of 2, no object"),
        ([Q, "text"], r"line 2 is a text, no object"),
        ([{**Q, "completion": None}], "line 1: completion is null, no text"),
        ([{**Q, "completion": {"text": 1}}], "completion is an object, no text"),
        ([{**Q, "prompt": "  "}], "prompt is empty; leave such rows out"),
        ([{**Q, "prompt": "\ud83d"}], "half of a character"),
        ([{"messages": [turn("user", "q")]}], "the turns are user; they have to end in one of user and its answer"),
        ([{"messages": []}], "the turns are none;"),
        ([{"messages": "q"}], "the conversation is a text; give a list"),
        ([{"messages": [{"speaker": "me"}]}], "a turn has the fields speaker; it needs role and content"),
        ([{"messages": [turn("user", [{"type": "image"}]), turn("assistant", "a")]}], "user holds image; only text"),
        ([{"messages": [turn("user", "q"), turn("assistant", None)]}], "content of assistant is null"),
        ([{"question": "q", "choices": ["x"], "answer": 0}], "the choices are a list of 1; give a list of 2 to 26"),
        ([{"question": "q", "choices": ["x", "y"], "answer": 2}], "the answer '2' is none of its 2 choices"),
        ([{str(i): i for i in range(30)}], "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 18 more"),
    ],
)
def test_what_cannot_be_read_is_named(rows: list[Any], says: str, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=says):
        read(tmp_path, *rows)


def test_files_that_hold_no_rows(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="no file"):
        list(pairs(tmp_path / "gone.jsonl"))
    for content, says in (
        (b"", "holds no rows"),
        (b"\n \n", "holds no rows"),
        (b"text,label\nq,a\n", "line 1 is no JSON"),
        (json.dumps(Q).encode() + b"\n\x1f\x8b\n", "not UTF-8"),
        (json.dumps([Q, Q]).encode(), "line 1 is a list of 2, no object"),
    ):
        (path := tmp_path / "a.jsonl").write_bytes(content)
        with pytest.raises(Invalid, match=says):
            list(pairs(path))


def test_rows_are_read_as_they_are_asked_for(tmp_path: Path) -> None:
    (path := tmp_path / "a.jsonl").write_text(json.dumps(Q) + "\nno row\n", encoding="utf-8")
    reading = pairs(path)
    assert next(reading).prompt == "q"
    with pytest.raises(Invalid, match="line 2"):
        next(reading)
    path.write_text("".join(f'{{"text": "{i} {"word " * 500}", "label": "a"}}\n' for i in range(4_000)))
    tracemalloc.start()
    assert sum(1 for _ in pairs(path)) == 4_000
    assert tracemalloc.get_traced_memory()[1] < path.stat().st_size / 5  # ids are kept, rows are not
    tracemalloc.stop()


def test_the_same_file_twice_is_loudly_said(tmp_path: Path) -> None:
    train = kept(tmp_path, Q)
    (linked := tmp_path / "linked.jsonl").symlink_to(train)
    (copy := tmp_path / "copy.jsonl").write_bytes(train.read_bytes())
    (other := tmp_path / "other.jsonl").write_text(json.dumps({**Q, "completion": "b"}) + "\n")
    assert "given both to train and to test" in twice(train, train) and "given both" in twice(train, linked)
    assert "hold the same bytes: every test row was trained on" in twice(train, copy)
    assert twice(train, other) == ""
    with pytest.raises(Missing, match="no file"):
        twice(train, tmp_path / "gone.jsonl")


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=5))
def test_any_texts_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    found = read(folder, *({"prompt": p, "completion": c} for p, c in rows))
    assert [(p.prompt, p.answer) for p in found] == rows
    assert len({p.id for p in found}) == len(rows)


@pytest.mark.realdata
def test_released_rows_are_read() -> None:
    if not (root := os.environ.get("UNSEEN_DATA")):
        pytest.skip("UNSEEN_DATA is not set; it holds gsm8k/")
    found = list(pairs(Path(root) / "gsm8k" / "test.jsonl"))
    assert len(found) == 1_319 and found[0].answer.endswith("#### 18") and found[-1].line == 1_319
