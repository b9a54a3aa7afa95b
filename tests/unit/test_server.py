"""A real server of the OpenAI protocol, `transformers serve`, says what the same checkpoint says here."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from unseen import models
from unseen.core.errors import Mistake
from unseen.models import server

CAPITAL = [{"role": "user", "content": "What is the capital of France?"}]
COUNT = [
    {"role": "system", "content": "You answer in one word."},
    {"role": "user", "content": "What comes after three?"},
]


@pytest.mark.smollm2
@pytest.mark.xdist_group("serve")
def test_chat_and_completions_say_what_the_checkpoint_says(served: tuple[Path, str], here: Path) -> None:
    """Greedy answers through HTTP equal the local engine's, to the letter; so do their lengths and reasons to stop."""
    folder, url = served
    name = f"api:{folder}@{url}"
    models.probe(name)
    there, local = models.open(name, cache=here), models.open("smollm2", cache=here)
    prompts = [CAPITAL, COUNT, "The capital of France is", "1, 2, 3, 4,"]
    told, want = there.generate(prompts, max_new_tokens=10), local.generate(prompts, max_new_tokens=10)
    assert [t.text for t in told] == [w.text for w in want]
    assert "Paris" in told[0].text and told[0].finish == "stop"
    assert [t.finish for t in told[2:]] == ["length", "length"] and [t.tokens for t in told[2:]] == [10, 10]
    [cut] = there.generate(["1, 2, 3, 4,"], max_new_tokens=10, stop=[" 7"])
    assert cut.text == " 5, 6," and cut.finish == "stop"
    assert models.open(name, cache=here).generate(prompts, max_new_tokens=10) == told


@pytest.mark.smollm2
@pytest.mark.xdist_group("serve")
def test_what_the_real_server_cannot_do_is_told(served: tuple[Path, str], here: Path) -> None:
    folder, url = served
    with pytest.raises(Mistake, match=r"does not know 'another'.*Server is pinned"):
        models.probe(f"api:another@{url}")
    with pytest.raises(Mistake, match="A base URL usually ends in /v1"):
        models.probe(f"api:{folder}@{url.removesuffix('/v1')}")
    with pytest.raises(Mistake, match="refuses the request"):
        models.open(f"api:another@{url}", cache=here).generate([CAPITAL], max_new_tokens=1)
    with pytest.raises(Mistake, match="gives no log-probabilities"):
        models.open(f"api:{folder}@{url}", cache=here).logprobs(["a"], [" b"])


@pytest.mark.smollm2
@pytest.mark.xdist_group("serve")
def test_a_finished_answer_needs_no_server(served: tuple[Path, str], here: Path) -> None:
    """What was answered is kept under the name and URL, so that it is there when the server is gone."""
    folder, url = served
    name = f"api:{folder}@{url}"
    told = models.open(name, cache=here / "kept").generate([CAPITAL], max_new_tokens=3)
    gone = here / "gone"
    shutil.copytree(here / "kept", gone)
    model = models.open(name, cache=gone)
    model.inner.completed = model.inner.chatted = None  # nothing can be asked
    assert model.generate([CAPITAL], max_new_tokens=3) == told


def test_names_are_taken_apart() -> None:
    assert server.parts("a/b@c@http://h:1/v1/") == ("a/b@c", "http://h:1/v1")
    assert server.parts("m@https://h") == ("m", "https://h")


def test_only_tokens_of_the_answer_are_counted() -> None:
    """Tokens at offsets 0, 3, 7 and 9 of a text whose answer has characters 7 to 9; the last was generated."""
    logprobs, offsets = [None, -1.0, -2.0, -4.0], [0, 3, 7, 9]
    assert server._added(logprobs, offsets, 7, 9) == -2.0
    assert server._added(logprobs, offsets, 6, 9) == -3.0  # a token that straddles the beginning is the answer's
    assert server._added(logprobs, offsets, 0, 9) == -3.0  # the first token has no log-probability


def test_pauses_double_up_to_a_limit() -> None:
    for attempt in range(12):
        middle = min(0.5 * 2**attempt, 30.0)
        assert 0.75 * middle <= server._pause(ValueError(), attempt) <= 1.25 * middle
