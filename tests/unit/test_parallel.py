"""One model on several devices says what it says on one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from unseen import devices, models
from unseen.core.errors import Failed, Invalid, Missing
from unseen.models import answers, hub, parallel, tiny
from unseen.models.engine import Local

PROMPTS = [f"{n} and then" for n in ("one", "two", "three", "four", "five")]


def alone() -> Local:
    return Local(tiny.made("llama"), tiny.byte_tokenizer())


def twice() -> parallel.Parallel:
    return parallel.over(tiny.made("llama"), tiny.byte_tokenizer(), ["cpu", "cpu"])


def test_copies_say_what_one_says() -> None:
    both, one = twice(), alone()
    told, want = (dict(m.stream(PROMPTS, max_new_tokens=6)) for m in (both, one))
    assert [told[i].text for i in range(5)] == [want[i].text for i in range(5)]
    said = [" yes", " no", " 12", " x", " maybe"]
    np.testing.assert_allclose(both.scores(PROMPTS, said), one.scores(PROMPTS, said), atol=1e-4)
    assert both.copies[0].model is not both.copies[1].model
    assert dict(both.stream(PROMPTS[:1], max_new_tokens=6))[0].text == want[0].text, "fewer prompts than copies"
    assert list(both.stream([], max_new_tokens=6)) == []


def test_answers_are_kept_and_turns_are_known(tmp_path: Path) -> None:
    opened = answers.cached(twice(), ["pin", "float32"], tmp_path)
    told = opened.generate(PROMPTS, max_new_tokens=4)
    assert answers.cached(twice(), ["pin", "float32"], tmp_path).generate(PROMPTS, max_new_tokens=4) == told
    assert models.in_turns(opened) is False


def test_a_copy_that_fails_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    both = twice()

    def broken(*_: Any, **__: Any) -> Any:
        raise Failed("memory ran out")
        yield

    monkeypatch.setattr(both.copies[1], "stream", broken)
    with pytest.raises(Failed, match="memory ran out"):
        list(both.stream(PROMPTS, max_new_tokens=6))


def test_replicas_by_name(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "base"
    tiny.made("llama").save_pretrained(str(folder))
    tiny.byte_tokenizer().save_pretrained(str(folder))
    devices.choose(device_map="replicas")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(Missing, match="this machine has none; leave it out"):
        models.open(f"hf:{folder}")
    monkeypatch.setattr(parallel, "accelerators", lambda who: ["cpu", "cpu"])
    opened = models.open(f"hf:{folder}")
    assert isinstance(opened.inner, parallel.Parallel) and len(opened.inner.copies) == 2
    plain = models.open(f"hf:{folder}", device_map="cpu", cache=tmp_path / "kept").logprobs(["a"], [" b"])
    np.testing.assert_allclose(opened.logprobs(["a"], [" b"]), plain, atol=1e-5)
    with pytest.raises(Invalid, match="weights in 8 bits stay where they were loaded"):
        hub.open(str(folder), device="cpu", dtype="int8", batch_size="auto")
