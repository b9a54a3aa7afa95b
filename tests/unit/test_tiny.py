"""Untrained models: finite, the same in every process, and the real classes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from unseen import models
from unseen.core.errors import Unknown
from unseen.models import tiny

PROMPTS = ["2 + 2 =", "a", "a much longer prompt of some words", [{"role": "user", "content": "hi"}]]
ANSWERS = [" 4", "b", " and more", "é"]
SAY = (
    "import sys, json; from unseen import models\n"
    "from test_words import PROMPTS, ANSWERS\n"
    "told = {}\n"
    "for name in sys.argv[1:]:\n"
    "    m = models.open(name)\n"
    "    told[name] = [[a.text for a in m.generate(PROMPTS, max_new_tokens=4)], m.logprobs(PROMPTS, ANSWERS).tolist()]\n"
    "print(json.dumps(told))"
)
pytestmark = pytest.mark.xdist_group("tiny")  # one process elsewhere answers for all
NAMES = [f"tiny:{a}" for a in ("decoder", *tiny.ARCHITECTURES)]


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[list[object]]]:
    """What every tiny model says in another process, with a home of its own."""
    import json
    import os

    place = tmp_path_factory.mktemp("elsewhere")
    (place / "test_words.py").write_text(f"PROMPTS = {PROMPTS!r}\nANSWERS = {ANSWERS!r}\n")
    words = {**os.environ, "UNSEEN_HOME": str(place / "home"), "PYTHONPATH": str(place)}
    told = subprocess.run([sys.executable, "-c", SAY, *NAMES], capture_output=True, text=True, env=words, check=True)
    return json.loads(told.stdout)


@pytest.mark.parametrize("name", NAMES)
def test_it_answers_and_scores_alike_in_every_process(
    name: str, elsewhere: dict[str, list[list[object]]], home: Path
) -> None:
    model = models.open(name)
    told = model.generate(PROMPTS, max_new_tokens=4)
    assert all(0 <= a.tokens <= 4 and a.finish in ("stop", "length") for a in told)
    scores = model.logprobs(PROMPTS, ANSWERS)
    assert scores.shape == (4,) and np.isfinite(scores).all() and (scores < 0).all()
    assert [[a.text for a in told], scores.tolist()] == elsewhere[name]


@pytest.mark.parametrize("name", tiny.ARCHITECTURES)
def test_it_is_the_class_it_is_named_for_and_untrained(name: str) -> None:
    model = tiny.made(name)
    assert name.replace("_", "") in type(model).__name__.lower()
    assert model.config.num_hidden_layers == 2
    logits = model(torch.tensor([[5, 9, 12]])).logits[0].detach()
    spread = logits.log_softmax(-1).std()
    assert float(spread) < 1.0  # near the uniform guess over 257 bytes
    assert tiny.made(name, "bfloat16").dtype == torch.bfloat16
    again = tiny.made(name, "bfloat16").float()
    for (_, a), (_, b) in zip(model.named_parameters(), again.named_parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-2, atol=1e-3)  # the same weights whatever the dtype


def test_the_global_randomness_is_left_alone() -> None:
    torch.manual_seed(3)
    want = torch.rand(2)
    torch.manual_seed(3)
    tiny.made("gpt2")
    models.open("tiny:decoder", cache=None)
    assert torch.equal(torch.rand(2), want)


def test_bytes_score_as_the_decoder_says(home: Path) -> None:
    """log p(answer) is the sum over its bytes of the decoder's own next-byte log-probabilities."""
    inner = tiny.Bytes("cpu")
    prompt, answer = [b + 2 for b in b"ab"], [b + 2 for b in "cé".encode()]
    want = 0.0
    for i, token in enumerate(answer):
        with torch.inference_mode():
            hidden = inner.model(torch.tensor([[prompt + answer[:i]]]))
            want += float(inner.model.logits(hidden)[0, 0, -1].log_softmax(-1)[token])
    assert inner.scores(["ab"], ["cé"])[0] == pytest.approx(want, abs=1e-4)
    assert np.isfinite(inner.scores(["", "x" * 2000], ["", "y" * 600])).all()


def test_bytes_end_and_stop() -> None:
    h, i = ord("h") + 2, ord("i") + 2
    assert tiny._answer([h, i, tiny.END, 0, 0], ()) == tiny.Answer("hi", "stop", 2)
    assert tiny._answer([h, 0, i], ()) == tiny.Answer("hi", "length", 2)
    assert tiny._answer([h, i, h], ("i",)) == tiny.Answer("h", "stop", 3)
    assert tiny._answer([h], ("",)) == tiny.Answer("h", "length", 1)


def test_long_prompts_and_answers_stay_within_the_context(home: Path) -> None:
    [told] = models.open("tiny:decoder").generate(["x" * 3000], max_new_tokens=5000)
    assert 0 < told.tokens <= tiny.CONTEXT // 2


def test_versions_are_pinned() -> None:
    assert models.resolve("tiny:llama@1") == "tiny:llama@1"
    with pytest.raises(Unknown, match="version 1"):
        models.resolve("tiny:llama@2")
    with pytest.raises(Unknown, match="There are decoder, gpt2"):
        models.probe("tiny:zzz")
