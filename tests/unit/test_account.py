"""Answers of a trial's models, told to its Lab as they come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from unseen import models
from unseen.core import lab as module
from unseen.core.lab import Lab
from unseen.core.model import Answer
from unseen.models import account, answers


class Clock:
    """A second passes with every look."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        self.now += 1.0
        return self.now


class Said:
    """A model whose every answer costs two tokens, and ten for its prompt where a server counts them."""

    def __init__(self, block: int, read: int = 0) -> None:
        self.block, self.read = block, read

    def stream(self, prompts: Sequence[str], **_: Any) -> Iterator[tuple[int, Answer]]:
        yield from ((i, Answer(p, "stop", 2, self.read)) for i, p in enumerate(prompts))

    def scores(self, prompts: Sequence[str], said: Sequence[str]) -> list[float]:
        return [-1.0] * len(prompts)


Told = list[tuple[float, float, dict[str, Any]]]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(account, "time", clock)
    return []


def watched(told: Told, folder: Path, seeds: int = 2) -> Lab:
    def tell(done: float, of: float, shown: Mapping[str, Any]) -> None:
        told.append((done, of, dict(shown)))

    return Lab(tuple(range(seeds)), folder, folder, tell=tell)


@pytest.mark.parametrize("block", [0, 1, 2])
def test_each_answer_moves_the_trial_on(told: Told, tmp_path: Path, block: int) -> None:
    lab = watched(told, tmp_path)
    model = answers.cached(Said(block), ["pin"], tmp_path, account.Account(lab))
    model.generate(list("abcd"), max_new_tokens=2)
    shares = [done for done, _, _ in told]
    assert shares == sorted(shares) and shares[0] == 0.25 and shares[-1] == 1.0 and {of for _, of, _ in told} == {2.0}
    assert told[-1][2]["answers"].startswith("4 (") and told[-1][2]["tokens"] == "8"
    lab.progress(1, 2, exact=0.5)
    assert told[-1] == (1, 2, {"exact": 0.5}), "an answer a moment ago does not hide the trial's own word"
    model.logprobs(["a", "b"], ["x", "x"])
    assert [done for done, _, _ in told[-1:]] == [1.5], "the step before had four answers, so that two are a half"
    assert told[-1][2] == {"answers": told[-1][2]["answers"], "tokens": "8"}


def test_kept_answers_count_as_done_but_not_for_the_pace(told: Told, tmp_path: Path) -> None:
    answers.cached(Said(1), ["pin"], tmp_path).generate(["a", "b"], max_new_tokens=2)
    model = answers.cached(Said(1, read=10), ["pin"], tmp_path, account.Account(watched(told, tmp_path, seeds=1)))
    model.generate(["a", "b"], max_new_tokens=2)
    assert told == [(1.0, 1.0, {})]
    model.generate(["a", "b", "c", "d"], max_new_tokens=2)
    assert told[-1][2]["answers"].startswith("2 (") and told[-1][2]["tokens"] == "20 in, 4 out"


def test_a_model_opened_in_a_trial_is_what_its_lab_pinned(told: Told, tmp_path: Path) -> None:
    lab = watched(told, tmp_path, seeds=1)
    lab.pins = {"mine": "tiny:decoder"}
    opened = models.open("mine", lab=lab, cache=tmp_path)
    assert len(opened.generate(["a", "b"], max_new_tokens=2)) == 2
    assert told and told[-1][0] == 1.0
