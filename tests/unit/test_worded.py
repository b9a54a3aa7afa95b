"""The same prompts in other words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from unseen import models
from unseen.core.errors import Invalid, Missing
from unseen.core.model import answering
from unseen.models import worded

FEW_SHOT = "Q: 1 + 1?\nA: 2\n\nQ: Why Q: here?\nA:"


def test_labels_change_at_the_beginnings_of_lines_only() -> None:
    told = worded.relabelled(FEW_SHOT)
    assert (
        told == "Question: 1 + 1?\nAnswer: 2\n\nQuestion: Why Q: here?\nAnswer:" and worded.relabelled(told) == FEW_SHOT
    )
    assert worded.relabelled("Question 3: x\nAnswer 3:") == "Q 3: x\nA 3:"
    assert worded.relabelled("2 + 2 =") == "Task:\n2 + 2 ="
    assert worded.introduced("2 + 2 =").endswith("\n\n2 + 2 =")


class Inner:
    """A model that keeps what it is asked."""

    block = 1

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def stream(self, prompts: Any, **words: Any) -> Any:
        self.asked.append((list(prompts), words))
        return iter(())

    def scores(self, prompts: Any, answers: Any) -> Any:
        self.asked.append((list(prompts), list(answers)))
        return [0.0] * len(answers)


def test_prompts_turns_and_stops_are_reworded_and_answers_are_not() -> None:
    inner = Inner()
    model = worded.Worded(inner, worded.relabelled)
    turns = [{"role": "system", "content": "Q: no"}, {"role": "user", "content": "Q: yes"}]
    model.stream(["Q: a\nA:", turns, ""], stop=("\nQ:", "\n\n"), max_new_tokens=3)
    prompts, words = inner.asked[0]
    assert prompts == ["Question: a\nAnswer:", [turns[0], {"role": "user", "content": "Question: yes"}], ""]
    assert words == {"stop": ("\nQ:", "\nQuestion:", "\n\n"), "max_new_tokens": 3} and turns[1]["content"] == "Q: yes"
    model.scores(["Q: a\nA:"], ["Q: b"])
    assert inner.asked[1] == (["Question: a\nAnswer:"], ["Q: b"])
    assert model.block == 1 and not hasattr(model, "answer_all")


def test_a_plan_asks_no_more_of_the_machine_for_other_words() -> None:
    from unseen import driver

    for slug in ("grokked_transformers", "omega", "skill_composition"):
        plain, worded = (driver.trials_of(driver.ask(slug, "smoke", model=m)) for m in ("smollm2", "worded:1:smollm2"))
        assert [t.needs for t in worded] == [t.needs for t in plain]
    assert answering("worded:2:worded:1:hf:a:b") == "hf:a:b" and answering("tiny:decoder") == "tiny:decoder"


def test_it_is_a_model_by_name(tmp_path: Path) -> None:
    pin = models.resolve("worded:1:tiny:decoder")
    assert pin == models.resolve(pin) and pin.startswith("worded:1:tiny:decoder")
    told = [models.open(name, cache=tmp_path).logprobs(["Q: a\nA:"], [" b"])[0] for name in ("tiny:decoder", pin)]
    plain = models.open("tiny:decoder", cache=tmp_path).logprobs(["Question: a\nAnswer:"], [" b"])[0]
    assert told[1] == pytest.approx(plain, abs=1e-6) and abs(told[0] - told[1]) > 1e-6
    models.probe(pin)
    for name in ("worded:3:tiny:decoder", "worded:tiny:decoder", "worded:1:"):
        with pytest.raises(Invalid, match=r"write worded:1:MODEL \(labels change\)"):
            models.probe(name)
    with pytest.raises(Missing):
        models.probe("worded:1:hf:./nowhere")
    with pytest.raises(Invalid, match="has none"):
        models.open("worded:1:tiny:decoder", concurrency=2)
