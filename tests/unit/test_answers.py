"""Answers that are kept: nothing is asked twice, nothing is mixed up, and a damaged file is no end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unseen.core.errors import Damaged, Failed, Invalid
from unseen.core.model import Answer, Generates, Scores
from unseen.models import answers


class Heard:
    """A model that answers with what it heard, and remembers every list it was asked; `block` prompts at a time."""

    def __init__(self, block: int = answers.BLOCK, fails_at: str = "") -> None:
        self.block, self.fails_at = block, fails_at
        self.heard: list[list[Any]] = []

    def stream(self, prompts: Sequence[Any], **words: Any) -> Iterator[tuple[int, Answer]]:
        self.heard.append(list(prompts))
        for i in reversed(range(len(prompts))):  # in no order of ours
            if self.fails_at and prompts[i] == self.fails_at:
                raise Failed("the server is gone")
            yield i, Answer(f"{prompts[i]}|{words['temperature']}|{words['seed']}|{words['stop']}", "stop", i)

    def scores(self, prompts: Sequence[Any], said: Sequence[str]) -> np.ndarray:
        self.heard.append(list(zip(prompts, said, strict=True)))
        return np.array([-float(len(p) + len(a)) for p, a in zip(prompts, said, strict=True)])


def opened(inner: Heard, folder: Path, *how: str) -> Any:
    return answers.cached(inner, how or ("pin",), folder)


def said(model: Any, prompts: Sequence[Any], **words: Any) -> list[str]:
    return [a.text for a in model.generate(prompts, **{"max_new_tokens": 5, **words})]


@pytest.mark.parametrize("block", [0, 1, 256])
def test_equal_prompts_are_asked_once(block: int, tmp_path: Path) -> None:
    inner = Heard(block)
    told = said(opened(inner, tmp_path), ["a", "b", "a", "c", "b"])
    assert [t.split("|")[0] for t in told] == ["a", "b", "a", "c", "b"]
    assert inner.heard == [["a", "b", "c"]]
    model = opened(inner, tmp_path)
    assert model.logprobs(["a", "b", "a"], ["x", "y", "x"]).tolist() == [-2, -2, -2]
    assert inner.heard[1:] == [[("a", "x"), ("b", "y")]]


@pytest.mark.parametrize("block", [1, 256])
def test_what_is_kept_is_not_asked_again(block: int, tmp_path: Path) -> None:
    first, second = Heard(block), Heard(block)
    turns = [[{"role": "user", "content": "é"}]]
    one, two = opened(first, tmp_path), opened(second, tmp_path)
    assert said(one, ["a", "b"]) == said(two, ["a", "b"])
    assert one.generate(turns, max_new_tokens=5) == two.generate(
        [[{"content": "é", "role": "user"}]], max_new_tokens=5, temperature=0.0
    )
    assert one.logprobs(["a"], ["x"]) == two.logprobs(["a"], ["x"])
    assert len(first.heard) == 3 and second.heard == []


def test_local_answers_come_in_fixed_blocks(tmp_path: Path) -> None:
    """A block is asked whole or not at all: what is in a batch decides its last bits."""
    inner = Heard()
    prompts = [f"p{i}" for i in range(600)]
    told = said(opened(inner, tmp_path), prompts)
    assert [len(h) for h in inner.heard] == [256, 256, 88]
    assert [t.split("|")[0] for t in told] == prompts
    again = Heard()
    assert said(opened(again, tmp_path), prompts[:512]) == told[:512]
    assert again.heard == []
    said(opened(again, tmp_path), prompts[1:257])  # another block, though each prompt was answered before
    assert again.heard == [prompts[1:257]]


def test_a_failure_keeps_the_blocks_before_it(tmp_path: Path) -> None:
    prompts = [f"p{i}" for i in range(600)]
    with pytest.raises(Failed):
        said(opened(Heard(fails_at="p500"), tmp_path), prompts)
    again = Heard()
    said(opened(again, tmp_path), prompts)
    assert [h[0] for h in again.heard] == ["p256", "p512"]


def test_a_failure_keeps_every_answer_of_a_server(tmp_path: Path) -> None:
    prompts = [f"p{i}" for i in range(10)]
    with pytest.raises(Failed):
        said(opened(Heard(1, fails_at="p3"), tmp_path), prompts)  # p9 … p4 have arrived
    again = Heard(1)
    told = said(opened(again, tmp_path), prompts)
    assert again.heard == [prompts[:4]]
    assert [t.split("|")[0] for t in told] == prompts


@pytest.mark.parametrize("block", [1, 256])
def test_keys_tell_models_decodings_and_kinds_apart(block: int, tmp_path: Path) -> None:
    """Every change of what is asked is asked anew, and no two share an answer."""
    inner = Heard(block)
    words = [
        {},
        {"max_new_tokens": 6},
        {"temperature": 0.5},
        {"seed": 1},
        {"stop": ("x",)},
        {"stop": ("x", "y")},
        {"stop": ("xy",)},
    ]
    for how in (("hf:a@1", "float32"), ("hf:a@1", "bfloat16"), ("hf:a@2", "float32"), ("hf:a@1",)):
        for word in words:
            said(opened(inner, tmp_path, *how), ["a"], **word)
    assert len(inner.heard) == 4 * len(words)
    said(opened(inner, tmp_path, "hf:a@1", "float32"), [[{"role": "user", "content": "a"}]])
    opened(inner, tmp_path, "hf:a@1", "float32").logprobs(["a"], [""])
    assert len(inner.heard) == 4 * len(words) + 2
    for how in (("hf:a@1", "float32"), ("hf:a@2", "float32")):
        for word in words:
            said(opened(inner, tmp_path, *how), ["a"], **word)
    assert len(inner.heard) == 4 * len(words) + 2
    assert said(opened(inner, tmp_path), ["a"], stop="end") == said(opened(inner, tmp_path), ["a"], stop=["end"])


def test_two_models_in_one_folder_never_mix(tmp_path: Path) -> None:
    class Other(Heard):
        def stream(self, prompts: Sequence[Any], **words: Any) -> Iterator[tuple[int, Answer]]:
            yield from ((i, Answer("other")) for i in range(len(prompts)))

    said(opened(Heard(1), tmp_path, "api:one@http://x"), ["a"])
    assert said(opened(Other(1), tmp_path, "api:two@http://x"), ["a"]) == ["other"]
    assert len(list(tmp_path.glob("*.sqlite"))) == 2


def test_forgetting_drops_one_model_only(tmp_path: Path) -> None:
    one, two = Heard(1), Heard(1)
    said(opened(one, tmp_path, "one"), ["a"])
    said(opened(two, tmp_path, "two"), ["a"])
    answers.forget("one", tmp_path)
    answers.forget("never opened", tmp_path)
    said(opened(one, tmp_path, "one"), ["a"])
    said(opened(two, tmp_path, "two"), ["a"])
    assert len(one.heard) == 2 and len(two.heard) == 1
    assert len(list(tmp_path.glob("*.sqlite"))) == 2


def test_protocols_are_satisfied_as_far_as_a_model_goes(tmp_path: Path) -> None:
    inner = Heard()
    assert isinstance(opened(inner, tmp_path), Generates) and isinstance(opened(inner, tmp_path), Scores)
    inner.scores = None  # type: ignore[assignment]
    assert isinstance(opened(inner, tmp_path), Generates) and not isinstance(opened(inner, tmp_path), Scores)


def test_what_is_no_prompt_or_decoding_is_refused(tmp_path: Path) -> None:
    model = opened(Heard(), tmp_path)
    for words in ({"max_new_tokens": 0}, {"temperature": -0.1}):
        with pytest.raises(Invalid, match="at least one token"):
            said(model, ["a"], **words)
    for prompts in ([3], [["a"]], [[]], [[{"role": "user"}]], [[{"content": "x"}]], [None], "text"):
        with pytest.raises(Invalid, match="prompt"):
            said(model, prompts)
    with pytest.raises(Invalid, match="2 prompts and 1 answers"):
        model.logprobs(["a", "b"], ["c"])
    assert said(model, []) == [] and model.logprobs([], []).shape == (0,)


def test_a_damaged_file_is_named_moved_aside_and_begun_again(tmp_path: Path) -> None:
    said(opened(Heard(1), tmp_path), [f"p{i}" * 500 for i in range(30)])
    [path] = tmp_path.glob("*.sqlite")
    content = bytearray(path.read_bytes())
    content[4096:12288] = os.urandom(8192)
    path.write_bytes(bytes(content))
    inner = Heard(1)
    with pytest.warns(UserWarning, match=f"{path.name}.*are damaged.*{path.stem}.damaged"):
        said(opened(inner, tmp_path), ["p1" * 500])
    assert len(inner.heard) == 1
    assert path.with_suffix(".damaged").read_bytes() == bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        said(opened(inner, tmp_path), ["p1" * 500])
    assert len(inner.heard) == 1


@pytest.mark.parametrize(
    "content", [b"this is no database at all, but text" * 100, b"SQLite format 3\0" + b"\1" * 5000]
)
def test_a_file_of_another_kind_is_moved_aside(content: bytes, tmp_path: Path) -> None:
    answers._place("pin", tmp_path).write_bytes(content)
    with pytest.warns(UserWarning, match="damaged"):
        assert len(said(opened(Heard(1), tmp_path), ["a"])) == 1


def test_damage_while_it_is_in_use_is_named(tmp_path: Path) -> None:
    model = opened(Heard(1), tmp_path)
    said(model, [f"p{i}" * 500 for i in range(30)])
    [path] = tmp_path.glob("*.sqlite")
    path.write_bytes(b"\0" * path.stat().st_size)
    with pytest.raises((Damaged, Failed), match=path.name):
        for i in range(30):
            said(model, [f"q{i}" * 500])


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Invalid, match=r"answers cannot be kept in .*UNSEEN_HOME"):
        opened(Heard(1), tmp_path / "file" / "answers")


WRITER = """
import sys
from pathlib import Path
from unseen.core.model import Answer
from unseen.models import answers
class One:
    block = 1
    def stream(self, prompts, **words):
        yield from ((i, Answer(sys.argv[2] + p)) for i, p in enumerate(prompts))
model = answers.cached(One(), ("pin",), Path(sys.argv[1]))
for start in range(0, 60, 6):
    model.generate([f"{sys.argv[2]}{i}" for i in range(start, start + 6)] + ["shared%d" % start], max_new_tokens=1)
"""


def test_processes_share_one_file(tmp_path: Path) -> None:
    """Four processes write to one file at once, which none of them found there: nothing is lost, nothing fails."""
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), w], stderr=subprocess.PIPE) for w in "abcd"
    ]
    for writer in writers:
        _, err = writer.communicate(timeout=120)
        assert writer.returncode == 0, err.decode()
    inner = Heard(1)
    model = opened(inner, tmp_path)
    for w in "abcd":
        assert said(model, [f"{w}{i}" for i in range(60)], max_new_tokens=1) == [f"{w}{w}{i}" for i in range(60)]
    assert {t[1:] for t in said(model, [f"shared{i}" for i in range(0, 60, 6)], max_new_tokens=1)} == {
        f"shared{i}" for i in range(0, 60, 6)
    }
    assert inner.heard == []


def test_kept_values_are_plain_json(tmp_path: Path) -> None:
    kept = answers.Kept(tmp_path / "x.sqlite")
    kept.put("a", {"text": "é\ud800", "n": [1, None]})
    assert answers.Kept(tmp_path / "x.sqlite").get("a") == json.loads(json.dumps({"text": "é\ud800", "n": [1, None]}))
    assert kept.get("b") is None
