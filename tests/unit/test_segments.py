"""Answers shared by machines: many to an object, nothing asked twice, nothing lost by a kill."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from unseen.core.errors import Failed
from unseen.core.far.objects import Far
from unseen.core.lab import Lab
from unseen.core.model import Answer
from unseen.models import segments
from unseen.models.answers import Kept, cached, forget


@pytest.fixture
def far() -> Far:
    return Far(f"memory://{time.time_ns()}/unseen")


class Server:
    """A model that answers one by one and counts what it is asked."""

    block = 1

    def __init__(self) -> None:
        self.asked: list[str] = []

    def stream(self, prompts: Sequence[str], **_: Any) -> Iterator[tuple[int, Answer]]:
        for i, prompt in enumerate(prompts):
            self.asked.append(prompt)
            yield i, Answer(prompt.upper(), "stop", 1)


def lab(folder: Path, far: Far | None) -> Lab:
    return Lab((0,), folder / "files", folder / "cache", far=far)


def answers(server: Server, prompts: list[str], folder: Path, far: Far | None) -> list[str]:
    """What a trial on a machine is told; the trial ends."""
    one = lab(folder, far)
    told = cached(server, ["api:m"], folder / "answers", lab=one).generate(prompts, max_new_tokens=1)
    for act in one.endings:
        act()
    return [a.text for a in told]


def test_machines_ask_nothing_twice(far: Far, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "ENOUGH", 8)
    server, prompts = Server(), [f"p{k}" for k in range(20)]
    assert answers(server, prompts, tmp_path / "1", far) == [p.upper() for p in prompts]
    assert len(server.asked) == 20 and len([n for n in far.listing("answers")]) == 3, "8, 8 and the rest"
    assert answers(server, [*prompts, "new"], tmp_path / "2", far)[-1] == "NEW"
    assert server.asked[20:] == ["new"]
    assert answers(server, ["new"], tmp_path / "1", far) == ["NEW"] and len(server.asked) == 21


def test_what_a_killed_process_did_not_send_is_sent_by_the_next(far: Far, tmp_path: Path) -> None:
    server = Server()
    model = cached(server, ["api:m"], tmp_path / "1" / "answers", lab=lab(tmp_path / "1", far))
    model.generate(["a", "b"], max_new_tokens=1)  # and no end of the trial
    assert far.listing("answers") == {}
    cached(server, ["api:m"], tmp_path / "1" / "answers", lab=lab(tmp_path / "1", far))
    assert answers(server, ["a", "b"], tmp_path / "2", far) == ["A", "B"] and len(server.asked) == 2


def test_few_answers_are_sent_when_some_time_went_by(far: Far, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "OFTEN", 0.0)
    kept = Kept(tmp_path / "abc.sqlite", far)
    kept.put("k", 1)
    assert len(far.listing("answers/abc/0")) == 1


def test_a_segment_that_is_damaged_is_left_out_and_told(far: Far, tmp_path: Path) -> None:
    server = Server()
    answers(server, ["a"], tmp_path / "1", far)
    name = next(f"answers/{n}" for n in far.listing("answers"))
    far.write(name, (far.read(name) or b"").replace(b"A", b"B"))
    with pytest.warns(UserWarning, match=r"is damaged .*left out"):
        assert answers(server, ["a"], tmp_path / "2", far) == ["A"]
    assert len(server.asked) == 2


def test_a_store_that_does_not_answer_costs_no_answer(
    far: Far, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise Failed("no answer")

    server = Server()
    with monkeypatch.context() as away:
        away.setattr(far, "read", fails)
        away.setattr(far, "write", fails)
        with pytest.warns(UserWarning, match="kept here only"):
            assert answers(server, ["a"], tmp_path / "1", far) == ["A"]
    assert answers(server, ["a"], tmp_path / "1", far) == ["A"]
    assert answers(server, ["a"], tmp_path / "2", far) == ["A"] and len(server.asked) == 1


def test_what_is_dropped_is_dropped_everywhere(far: Far, tmp_path: Path) -> None:
    server = Server()
    for k in "12":
        answers(server, ["a"], tmp_path / k, far)
    forget("api:m", tmp_path / "1" / "answers", far)
    for k in "21":
        assert answers(server, ["a"], tmp_path / k, far) == ["A"]
    assert len(server.asked) == 2, "once before and once after, by whichever machine came first"


def test_without_a_far_store_nothing_is_shared(tmp_path: Path) -> None:
    server = Server()
    for k in "12":
        assert answers(server, ["a"], tmp_path / k, None) == ["A"]
    assert len(server.asked) == 2
