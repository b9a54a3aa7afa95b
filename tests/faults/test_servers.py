"""Servers that misbehave: slow, busy, silent, cut off, broken, refusing. Every answer is asked for once and kept."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.faults.fakes import Fake, Reply, right
from unseen import models
from unseen.core.errors import Failed, Invalid, Missing, Mistake
from unseen.models import server

pytest.importorskip("openai")
TURNS = [{"role": "user", "content": "hi"}]


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long would have been waited before each new try; nothing is waited for."""
    told: list[float] = []
    pause = server._pause

    def noted(said: Exception, attempt: int) -> float:
        told.append(pause(said, attempt))
        return 0.0

    monkeypatch.setattr(server, "_pause", noted)
    return told


def said(name: str, prompts: list[Any], **words: Any) -> list[str]:
    return [a.text for a in models.open(name, **words).generate(prompts, max_new_tokens=4)]


FAULTS: dict[str, Reply | str] = {
    "busy": (429, {"error": {"message": "slow down"}}),
    "down": (500, {"error": {"message": "internal"}}),
    "overloaded": (503, b"<html>try later</html>"),
    "bad gateway": (502, b""),
    "request time-out": (408, {"error": {"message": "slow"}}),
    "cut": "cut",
    "short": (200, b'{"id": "x", "cho', {"X-Short": "1"}),
    "broken JSON": (200, b'{"id": "x", "choices": [{"te'),
    "no JSON": (200, b"<html>a login page</html>"),
    "no choices": (200, {"id": "x", "object": "error", "choices": []}),
    "null": (200, b"null"),
}


@pytest.mark.parametrize("chat", [False, True])
@pytest.mark.parametrize("fault", FAULTS)
def test_what_passes_is_tried_again(fault: str, chat: bool, fake: Fake, pauses: list[float]) -> None:
    fake.misbehave = lambda path, body, attempt: FAULTS[fault] if attempt <= 2 else None
    assert said(fake.name, ["abc"], chat=chat) == ["cba"]
    assert fake.asked == {"abc": 3} and len(pauses) == 2
    assert fake.bodies[-1]["path"] == ("chat/completions" if chat else "completions")


def test_a_slow_answer_is_tried_again(fake: Fake, pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNSEEN_API_TIMEOUT", "0.3")

    def slow(path: str, body: dict[str, Any], attempt: int) -> None:
        if attempt == 1:
            time.sleep(1)

    fake.misbehave = slow
    assert said(fake.name, ["abc"]) == ["cba"]
    assert fake.asked == {"abc": 2}


def test_pauses_grow_and_the_server_may_set_them(fake: Fake, pauses: list[float]) -> None:
    fake.misbehave = lambda path, body, attempt: FAULTS["busy"] if attempt < server.TRIES else None
    assert said(fake.name, ["abc"]) == ["cba"]
    for i, pause in enumerate(pauses):
        middle = min(0.5 * 2**i, server.LONGEST_WAIT)
        assert 0.75 * middle <= pause <= 1.25 * middle
    pauses.clear()
    asked = (429, {"error": {"message": "slow down"}}, {"Retry-After": "7.5"})
    fake.misbehave = lambda path, body, attempt: asked if attempt == 1 else None
    assert said(fake.name, ["def"]) == ["fed"]
    assert pauses == [7.5]


def test_a_server_that_stays_ill_ends_it_and_keeps_what_came(fake: Fake, pauses: list[float]) -> None:
    """The one prompt that fails is told; the answers that came, before and after it, are not asked for again."""
    fake.misbehave = lambda path, body, attempt: FAULTS["down"] if body["prompt"] == "p5" else None
    prompts = [f"p{i}" for i in range(12)]
    with pytest.raises(
        Failed, match=f"api:m@{fake.url} failed {server.TRIES} times.*InternalServerError.*run the same command"
    ):
        said(fake.name, prompts, concurrency=2)
    assert fake.asked["p5"] == server.TRIES
    fake.misbehave = None
    assert said(fake.name, prompts) == [p[::-1] for p in prompts]
    assert set(fake.asked.values()) == {1, server.TRIES + 1}


def test_a_failure_stops_the_other_tries(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits out the pauses of requests whose result is of no more use."""
    monkeypatch.setattr(server, "_pause", lambda said, attempt: 60.0)

    def ill(path: str, body: dict[str, Any], attempt: int) -> Reply:
        if body["prompt"] == "key":
            time.sleep(0.3)
            return 401, {"error": {"message": "who are you?"}}
        return FAULTS["busy"]  # type: ignore[return-value]

    fake.misbehave = ill
    began = time.monotonic()
    with pytest.raises(Mistake, match="refuses the key"):
        said(fake.name, ["a", "b", "key", *map(str, range(20))], concurrency=4)
    assert time.monotonic() - began < 20
    assert sum(fake.asked.values()) <= 8


def test_no_more_are_asked_at_once_than_allowed(fake: Fake) -> None:
    fake.misbehave = lambda path, body, attempt: time.sleep(0.03)
    prompts = [f"p{i}" for i in range(24)]
    assert said(fake.name, prompts, concurrency=3) == [p[::-1] for p in prompts]
    assert fake.most == 3
    with pytest.raises(Invalid, match="at least one thread"):
        models.open(fake.name, concurrency=0)


def test_a_server_that_is_too_busy_is_asked_by_fewer_at_once(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes four at once; those beyond are refused. They come again, and the crowd thins out to what it takes."""
    monkeypatch.setattr(server, "_pause", lambda said, attempt: 0.02)
    monkeypatch.setattr(server, "TRIES", 50)
    refused: list[int] = []

    def crowded(path: str, body: dict[str, Any], attempt: int) -> Reply | None:
        if fake.now > 4:
            refused.append(len(fake.bodies))
            return FAULTS["busy"]  # type: ignore[return-value]
        time.sleep(0.02)
        return None

    fake.misbehave = crowded
    prompts = [f"p{i}" for i in range(120)]
    assert said(fake.name, prompts, concurrency=16) == [p[::-1] for p in prompts]
    assert refused and len(refused) < 40  # a crowd of sixteen would be refused far more often


def test_a_server_that_keeps_up_is_asked_by_more_at_once(fake: Fake) -> None:
    fake.misbehave = lambda path, body, attempt: time.sleep(0.3)
    prompts = [f"p{i}" for i in range(60)]
    assert said(fake.name, prompts, concurrency=12) == [p[::-1] for p in prompts]
    assert server.BEGIN < fake.most <= 12


def test_plain_text_goes_to_chat_where_there_are_no_completions(fake: Fake) -> None:
    fake.misbehave = lambda path, body, attempt: (404, {"detail": "Not Found"}) if path == "completions" else None
    model = models.open(fake.name, concurrency=1)
    assert [a.text for a in model.generate(["abc", "def"], max_new_tokens=2)] == ["cba", "fed"]
    assert [b["path"] for b in fake.bodies] == ["completions", "chat/completions", "chat/completions"]
    assert fake.bodies[1]["messages"] == [{"role": "user", "content": "abc"}]
    with pytest.raises(Mistake, match="chat=False forbids chat"):
        said(fake.name, ["ghi"], chat=False)


def test_what_no_waiting_mends_is_told_at_once(fake: Fake, pauses: list[float]) -> None:
    fake.misbehave = lambda path, body, attempt: (404, {"error": {"message": "The model `m` does not exist"}})
    with pytest.raises(Mistake, match=r"no such model.*does not exist"):
        said(fake.name, [TURNS])
    fake.misbehave = lambda path, body, attempt: (400, {"error": {"message": "maximum context length is 10 tokens"}})
    with pytest.raises(Mistake, match=r"refuses the request.*maximum context length"):
        said(fake.name, [TURNS])
    assert pauses == []


def test_newer_names_of_the_protocol_are_learned(fake: Fake) -> None:
    def newer(path: str, body: dict[str, Any], attempt: int) -> Reply | None:
        told = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
        return (400, {"error": {"message": told}}) if "max_tokens" in body else None

    fake.misbehave = newer
    assert said(fake.name, [TURNS], concurrency=1) == ["ih"]
    assert fake.bodies[-1]["max_completion_tokens"] == 4


def test_the_decoding_is_sent_as_asked(fake: Fake) -> None:
    model = models.open(fake.name)
    [told] = model.generate(["abc"], max_new_tokens=7)
    assert (told.text, told.finish, told.tokens) == ("cba", "stop", 3)
    model.generate([TURNS], max_new_tokens=7, temperature=0.5, seed=3, stop=["\n"])
    assert [{k: b.get(k) for k in ("max_tokens", "temperature", "seed", "stop")} for b in fake.bodies] == [
        {"max_tokens": 7, "temperature": 0.0, "seed": None, "stop": None},
        {"max_tokens": 7, "temperature": 0.5, "seed": 3, "stop": ["\n"]},
    ]
    assert fake.bodies[1]["messages"] == TURNS
    [cut] = model.generate(["abcde"], max_new_tokens=7, stop=["c"])  # a server that leaves the stop string in
    assert cut.text == "ed" and cut.finish == "stop"


def echoed(path: str, body: dict[str, Any], attempt: int) -> Reply:
    """Completions with echo: tokens are words with the space before them; a token's log-probability is −its length."""
    tokens = [*re.findall(r"\s*\S+", body["prompt"]), " generated"]
    offsets = [sum(map(len, tokens[:i])) for i in range(len(tokens))]
    logprobs = [None, *[-float(len(t)) for t in tokens[1:]]]
    told = right(path, body["prompt"])
    told["choices"][0]["logprobs"] = {
        "tokens": tokens,
        "token_logprobs": logprobs,
        "text_offset": offsets,
        "top_logprobs": None,
    }
    return 200, told


def test_log_probabilities_are_summed_over_the_answer(fake: Fake) -> None:
    fake.misbehave = echoed
    model = models.open(fake.name)
    told = model.logprobs(["one two", "one two ", "one two", "one tw"], [" three", "three", " three four", "o x"])
    assert told.tolist() == [
        -6.0,
        -6.0,
        -11.0,
        -6.0,
    ]  # " three"; the same; + " four"; " two" (in part the prompt's) + " x"
    assert fake.bodies[0]["echo"] is True
    again = models.open(fake.name).logprobs(["one two"], [" three"])
    assert again.tolist() == [-6.0] and len(fake.bodies) == 4
    with pytest.raises(Mistake, match="not chat turns"):
        model.logprobs([TURNS], ["x"])


def test_a_server_without_log_probabilities_says_so(fake: Fake) -> None:
    with pytest.raises(Mistake, match="gives no log-probabilities of a prompt"):
        models.open(fake.name).logprobs(["a"], ["b"])
    fake.misbehave = lambda path, body, attempt: (404, {})
    with pytest.raises(Mistake, match="gives no log-probabilities of a prompt"):
        models.open(fake.name).logprobs(["a"], ["b"])


def test_scores_are_kept_as_they_arrive(fake: Fake, pauses: list[float]) -> None:
    fake.misbehave = lambda path, body, attempt: (
        FAULTS["down"] if body["prompt"].startswith("p5") else echoed(path, body, attempt)
    )
    prompts = [f"p{i}" for i in range(8)]
    with pytest.raises(Failed):
        models.open(fake.name, concurrency=1).logprobs(prompts, [" x"] * 8)
    fake.misbehave = echoed
    models.open(fake.name).logprobs(prompts, [" x"] * 8)
    assert [fake.asked[f"p{i} x"] for i in range(8)] == [1] * 5 + [server.TRIES + 1] + [1] * 2


# probing


def test_a_server_in_order_is_found_without_asking_it_anything(fake: Fake) -> None:
    models.probe(fake.name)
    assert fake.bodies == []
    fake.listed = ["other", "m:latest"]
    models.probe(fake.name)
    assert fake.bodies == []


def test_a_server_that_lists_other_models_is_asked_for_one_token(fake: Fake) -> None:
    """`transformers serve` lists what its cache holds, and loads what it is asked for."""
    fake.listed = ["other", "another"]
    models.probe(fake.name)
    assert [b["max_tokens"] for b in fake.bodies] == [1]
    fake.misbehave = lambda path, body, attempt: (
        None if path == "models" else (404, {"error": {"message": "unknown model"}})
    )
    with pytest.raises(Mistake, match=r"does not know 'm'.*unknown model.*it lists other, another"):
        models.probe(fake.name)


def test_a_url_without_its_end_is_told(fake: Fake) -> None:
    fake.misbehave = lambda path, body, attempt: (404, b"<html>not here</html>")
    with pytest.raises(Mistake, match=r"it lists none. A base URL usually ends in /v1"):
        models.probe(fake.name)


def test_a_base_model_without_chat_and_a_chat_model_without_completions_are_known(fake: Fake) -> None:
    fake.listed = []
    for none in ("completions", "chat/completions"):
        fake.misbehave = lambda path, body, attempt, none=none: (404, {}) if path == none else None
        models.probe(fake.name)


def test_a_server_that_is_ill_or_busy_is_told_from_one_that_lacks_the_model(fake: Fake) -> None:
    fake.misbehave = lambda path, body, attempt: FAULTS["busy"]  # type: ignore[return-value]
    models.probe(fake.name)
    fake.misbehave = lambda path, body, attempt: FAULTS["overloaded"]  # type: ignore[return-value]
    with pytest.raises(Missing, match=r"InternalServerError.*503"):
        models.probe(fake.name)


def test_nobody_there(home: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    with pytest.raises(Missing, match=f"no server answers at {url}.*start it, or mend the URL"):
        models.probe(f"api:m@{url}")
    with pytest.raises(Missing, match="no server answers"):
        models.probe("api:m@http://no.such.host.invalid/v1")


@pytest.mark.parametrize("how", ["silent", "dripping"])
def test_a_silent_server_is_waited_for_five_seconds_at_most(
    how: str, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    """One that accepts and says nothing; and one that says a byte now and then, so that no single read times out."""
    monkeypatch.setattr(server, "PROBE_SECONDS", 0.5)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def drip() -> None:
            with contextlib.suppress(OSError):
                one, _ = listening.accept()
                one.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n")
                while True:
                    one.sendall(b" ")
                    time.sleep(0.05)

        if how == "dripping":
            threading.Thread(target=drip, daemon=True).start()
        began = time.monotonic()
        with pytest.raises(Missing, match="no server answers"):
            models.probe(f"api:m@http://127.0.0.1:{listening.getsockname()[1]}/v1")
        assert time.monotonic() - began < 3
    monkeypatch.undo()
    assert server.PROBE_SECONDS <= 5


# the key


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_key_is_told_and_not_repeated(status: int, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-0123456789")
    told = {"error": {"message": "Incorrect API key provided: sk-secret-0123456789"}}
    fake.misbehave = lambda path, body, attempt: (status, told)
    for ask in (lambda: models.probe(fake.name), lambda: said(fake.name, ["a"])):
        with pytest.raises(Mistake, match=f"refuses the key \\({status}\\); set OPENAI_API_KEY") as caught:
            ask()
        assert "sk-secret" not in str(caught.value)
    fake.misbehave = lambda path, body, attempt: (400, told)
    with pytest.raises(Mistake) as caught:
        said(fake.name, ["a"])
    assert "sk-secret" not in str(caught.value)


def test_the_key_is_sent_and_stored_nowhere(fake: Fake, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-0123456789")
    fake.misbehave = lambda path, body, attempt: echoed(path, body, attempt) if "echo" in body else None
    models.probe(fake.name)
    said(fake.name, ["abc", TURNS])
    models.open(fake.name).logprobs(["a"], [" b"])
    assert fake.keys == {"Bearer sk-secret-0123456789"}
    files = [p for p in home.rglob("*") if p.is_file()]
    assert any(b"cba" in p.read_bytes() for p in files)
    assert not any(b"sk-secret" in p.read_bytes() for p in files)
    assert "sk-secret" not in models.resolve(fake.name)


# a killed run

ASKING = """
import sys
from unseen import models
print([a.text for a in models.open(sys.argv[1], concurrency=4).generate([f"p{i}" for i in range(40)], max_new_tokens=4)])
"""


def test_a_killed_run_asks_nothing_twice(fake: Fake, home: Path) -> None:
    """Killed at any moment, then run again: no answer that had arrived is asked for again; at most those under way are."""
    fake.misbehave = lambda path, body, attempt: time.sleep(0.05)
    words = [sys.executable, "-c", ASKING, fake.name]
    kills = 0
    for enough in (8, 20):
        process = subprocess.Popen(words, env=os.environ, stdout=subprocess.PIPE)
        until = time.monotonic() + 60
        while sum(fake.asked.values()) < enough and process.poll() is None and time.monotonic() < until:
            time.sleep(0.002)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
        process.communicate()
    assert kills == 2
    kept = before = Counter(fake.asked)
    told = subprocess.run(words, env=os.environ, capture_output=True, text=True, check=True).stdout
    assert eval(told) == [f"p{i}"[::-1] for i in range(40)]
    assert sum(fake.asked.values()) <= 40 + kills * 4
    assert max(fake.asked.values()) <= 1 + kills
    assert sum(kept.values()) < 40 and len(before) < 40
    after = Counter(fake.asked)
    assert said(fake.name, [f"p{i}" for i in range(40)]) == [f"p{i}"[::-1] for i in range(40)]
    assert fake.asked == after


def test_what_was_kept_at_the_kill_is_never_asked_again(fake: Fake, home: Path) -> None:
    """The exact form: the prompts whose answers lie in the file after the kill, and those asked after it, are disjoint."""
    fake.misbehave = lambda path, body, attempt: time.sleep(0.05)
    words = [sys.executable, "-c", ASKING, fake.name]
    process = subprocess.Popen(words, env=os.environ, stdout=subprocess.PIPE)
    until = time.monotonic() + 60
    while sum(fake.asked.values()) < 16 and time.monotonic() < until:
        time.sleep(0.002)
    process.kill()
    process.communicate()
    time.sleep(0.3)  # what is under way arrives nowhere
    from unseen.models import answers

    file = answers._tried(answers._place(models.resolve(fake.name), home / "cache" / "answers"))
    kept = {json.loads(v)["text"][::-1] for (v,) in file.execute("SELECT value FROM answers")}
    assert len(kept) >= 8
    fake.asked.clear()
    subprocess.run(words, env=os.environ, capture_output=True, check=True)
    assert set(fake.asked) == {f"p{i}" for i in range(40)} - kept
    assert set(fake.asked.values()) == {1}


def test_ctrl_c_keeps_what_was_under_way(fake: Fake, home: Path) -> None:
    fake.misbehave = lambda path, body, attempt: time.sleep(0.4)
    words = [sys.executable, "-c", ASKING, fake.name]
    process = subprocess.Popen(words, env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    until = time.monotonic() + 60
    while sum(fake.asked.values()) < 6 and time.monotonic() < until:
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode != 0 and b"KeyboardInterrupt" in err
    asked = set(fake.asked)
    fake.asked.clear()
    fake.misbehave = None
    subprocess.run(words, env=os.environ, capture_output=True, check=True)
    assert not asked & set(fake.asked)
