"""api:NAME@BASE_URL: a server that speaks the OpenAI protocol (vLLM, SGLang, llama.cpp, `transformers serve`, …).

    api:my-model@http://localhost:8000/v1        is its own pin: what a server means by a name is not ours to know

The key comes from $OPENAI_API_KEY and is stored nowhere. Chat prompts go to chat completions; plain text goes to
completions and, where a server has none, to chat as one turn of the user (`chat=True` or `False` decides it).
"""

from __future__ import annotations

import base64
import json
import os
import random
import re
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any, TypeVar
from urllib.parse import quote

from unseen.core.errors import Failed, Invalid, Missing, Mistake
from unseen.core.model import Answer, Prompt

from .gate import Gate

T = TypeVar("T")
TRIES = 8
BEGIN = 8  # requests at once, until answers or refusals say that more or fewer are better
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0  # seconds between two tries
PROBE_SECONDS = 5.0
MENDED_BY_WAITING = (408, 409, 425, 429)  # and every 5xx
TOO_BUSY = (429, 503)


def parts(rest: str) -> tuple[str, str]:
    """(model, base URL) of what stands after `api:`. Raises Invalid where one is missing, or the URL holds a secret."""
    found = re.fullmatch(r"(.+)@(https?://[^\s/]+\S*)", rest)
    if found is None:
        shown = rest if len(re.findall(r"[@?]", rest)) < 2 else rest.partition("@")[0] + "@…"  # it may hold a password
        raise Invalid(
            f"--model api:{shown}: write api:NAME@BASE_URL, such as api:my-model@http://localhost:8000/v1; a key stands in OPENAI_API_KEY."
        )
    name, url = found[1], found[2].rstrip("/")
    if "@" in url or "?" in url or "#" in url or "://" in name:
        raise Invalid(
            f"--model api:{name.partition('@')[0]}@…: the URL holds a password or a query, which would be stored with the results; put the key in OPENAI_API_KEY and leave it out of the URL."
        )
    return name, url


def probe(rest: str) -> None:
    """Raise Missing where no server answers within five seconds, Mistake where it refuses the key or the model."""
    name, url = parts(rest)
    server = Server(name, url, seconds=PROBE_SECONDS)
    said: list[BaseException | None] = []

    def ask() -> None:
        try:
            _probe(server)
            said.append(None)
        except Exception as error:
            said.append(error)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(PROBE_SECONDS)
    error = said[0] if said else TimeoutError(f"nothing came within {PROBE_SECONDS:g} seconds")
    if isinstance(error, Mistake | ModuleNotFoundError):
        raise error
    if error is not None:
        raise Missing(
            f"--model api:{rest}: no server answers at {url} ({_told(error)}); start it, or mend the URL (it usually ends in /v1)."
        )


def resolve(rest: str) -> str:
    """The name and URL themselves: what a server means by a name is not ours to know."""
    return "api:" + "@".join(parts(rest))


def open(
    rest: str, *, device: str, dtype: str, batch_size: str | int, chat: bool | None = None, concurrency: int = 32
) -> Any:
    """The server as a model, asked by so many threads at once at most, fewer where it is too busy for them."""
    if concurrency < 1:
        raise Invalid(f"concurrency={concurrency}: a server is asked by at least one thread.")
    return Server(*parts(rest), chat=chat, concurrency=concurrency)


class Server:
    """A model behind the OpenAI protocol, asked by as many threads as it takes; its answers are kept one by one."""

    block = 1

    def __init__(
        self,
        name: str,
        url: str,
        *,
        chat: bool | None = None,
        concurrency: int = 32,
        seconds: float | None = None,
    ) -> None:
        from openai import OpenAI

        self.name, self.url, self.chat = name, url, chat
        self.gate = Gate(BEGIN, concurrency)
        self.who, self.most = f"api:{name}@{url}", "max_tokens"
        wait = seconds or float(os.environ.get("UNSEEN_API_TIMEOUT", "120"))
        # a line for each request: on one that is used again, a reply sent twice would be taken for the next one's
        once = {"Connection": "close"}
        self.client = OpenAI(base_url=url, api_key=_key(), max_retries=0, timeout=wait, default_headers=once)

    def answer_all(self, prompts: Sequence[Prompt], heard: Callable[[int, Answer], None], **words: Any) -> None:
        """Call `heard(index, answer)` as each answer arrives. Raises Failed where the server keeps failing."""
        self._each(len(prompts), lambda i, over: heard(i, self._answer(prompts[i], words, over)))

    def score_all(self, prompts: Sequence[Prompt], answers: Sequence[str], heard: Callable[[int, float], None]) -> None:
        """Call `heard(index, log-probability in nats)` as each arrives. Raises Mistake where the server gives none."""
        self._each(len(prompts), lambda i, over: heard(i, self._score(prompts[i], answers[i], over)))

    def completed(self, prompt: str, words: dict[str, Any]) -> Answer:
        """One request to completions, tried once."""
        return _answer_of(self.client.completions.create(model=self.name, prompt=prompt, **_sent(words)), words)

    def chatted(self, prompt: Prompt, words: dict[str, Any]) -> Answer:
        """One request to chat completions, tried once; plain text is a turn of the user's."""
        import openai

        turns = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else [dict(t) for t in prompt]
        sent = _sent(words)
        sent[self.most] = sent.pop("max_tokens")
        try:
            told = self.client.chat.completions.create(model=self.name, messages=turns, **sent)  # type: ignore[call-overload]
        except openai.BadRequestError as error:
            if self.most != "max_tokens" or "max_completion_tokens" not in str(error):
                raise
            self.most = "max_completion_tokens"  # OpenAI's newer models have no max_tokens
            return self.chatted(prompt, words)
        return _answer_of(told, words)

    def _each(self, n: int, do: Callable[[int, threading.Event], None]) -> None:
        """Do something for every index, a bounded number at a time.

        After a failure or Ctrl-C nothing more is begun, but what is under way, and paid for, is heard to its end.
        """
        over = threading.Event()
        with ThreadPoolExecutor(self.gate.most) as pool:
            doing = [pool.submit(do, i, over) for i in range(n)]
            try:
                for done in as_completed(doing):
                    done.result()
            finally:
                over.set()
                pool.shutdown(wait=False, cancel_futures=True)

    def _answer(self, prompt: Prompt, words: dict[str, Any], over: threading.Event) -> Answer:
        if isinstance(prompt, str) and self.chat is not True:
            try:
                return self._tried(lambda: self.completed(prompt, words), over)
            except _NoSuchPath as error:
                if self.chat is False:
                    raise Mistake(f"{self.who} has no completions, and chat=False forbids chat ({error}).") from None
                self.chat = True
        try:
            return self._tried(lambda: self.chatted(prompt, words), over)
        except _NoSuchPath as error:
            raise Mistake(f"{self.who} has no chat completions, or no such model ({error}).") from None

    def _score(self, prompt: Prompt, answer: str, over: threading.Event) -> float:
        if not isinstance(prompt, str):
            raise Mistake(f"{self.who}: a server scores plain text, not chat turns.")
        told: dict[str, Any] = {"max_tokens": 1, "echo": True, "logprobs": 1, "temperature": 0}
        none = f"{self.who} gives no log-probabilities of a prompt (completions with echo); use a server that does, such as vLLM, or a measure over generated answers."
        try:
            said = self._tried(
                lambda: self.client.completions.create(model=self.name, prompt=prompt + answer, **told), over
            )
        except _NoSuchPath:
            raise Mistake(none) from None
        found = _first(said).logprobs
        if not found or not found.token_logprobs or not found.text_offset or found.text_offset[0] != 0:
            raise Mistake(none)
        return _added(found.token_logprobs, found.text_offset, len(prompt.rstrip()), len(prompt + answer))

    def _tried(self, ask: Callable[[], T], over: threading.Event) -> T:
        """What the server says, tried again with growing pauses on 429, 5xx, time-outs, cut lines and broken JSON.

        Nothing is under way in a pause: others are let in.
        """
        import openai

        said: Exception = Failed("nothing was asked")
        for attempt in range(TRIES):
            if attempt and over.wait(_pause(said, attempt - 1)):
                break
            entered = self.gate.enter(over)
            try:
                told = ask()
                self.gate.well()
                return told
            except openai.APIStatusError as error:
                if error.status_code in TOO_BUSY:
                    self.gate.busier(entered)
                if error.status_code in (404, 405):
                    raise _NoSuchPath(_told(error)) from None
                if error.status_code in (401, 403):
                    raise Mistake(_refused(self.who, error)) from None
                if error.status_code not in MENDED_BY_WAITING and error.status_code < 500:
                    raise Mistake(f"{self.who} refuses the request ({_told(error)}).") from None
                said = error
            except (openai.APIConnectionError, openai.APIResponseValidationError, ValueError) as error:
                if isinstance(error, openai.APITimeoutError):
                    self.gate.busier(entered)
                said = error
            finally:
                self.gate.leave()
        raise Failed(
            f"{self.who} failed {attempt + 1} times, at last with {_told(said)}. Answers so far are kept; run the same command again when the server is well."
        )


class _NoSuchPath(Exception):
    """The server has no such endpoint, or no such model."""


def _probe(server: Server) -> None:
    """Raise what is wrong with a server: it does not answer, refuses the key, or does not have the model."""
    import openai

    try:
        listed = [str(m.id) for m in server.client.models.list().data]
    except (AttributeError, TypeError):  # an answer that is no list of models
        listed = []
    except openai.APIStatusError as error:
        if error.status_code in (401, 403):
            raise Mistake(_refused(f"--model {server.who}", error)) from None
        listed = []  # some servers list nothing
    if {server.name, f"{server.name}:latest"} & set(listed):
        return
    # it may have the model all the same, as servers do that load what they are asked for: ask for one token
    told = f"it lists {', '.join(listed[:8])}" if listed else "it lists none"
    again = Server(server.name, server.url, seconds=PROBE_SECONDS)  # a server that failed may have cut the line
    one = {"max_new_tokens": 1, "temperature": 0, "seed": 0, "stop": ()}
    for ask in (again.completed, again.chatted):
        try:
            ask("a", one)
            return
        except openai.APIStatusError as error:
            if error.status_code == 429:
                return  # it is busy
            if error.status_code in (401, 403):
                raise Mistake(_refused(f"--model {server.who}", error)) from None
            if error.status_code >= 500:
                raise
            said = error
    raise Mistake(
        f"--model {server.who}: the server does not know {server.name!r} ({_told(said)}); {told}. A base URL usually ends in /v1."
    )


def _first(told: Any) -> Any:
    """The first choice of a reply. Raises ValueError for a reply that has none, as a broken server sends."""
    try:
        return told.choices[0]
    except (AttributeError, IndexError, TypeError):
        raise ValueError(f"a reply without choices: {str(told)[:100]!r}") from None


def _answer_of(told: Any, words: dict[str, Any]) -> Answer:
    """A reply of either endpoint as an answer; servers that leave a stop string in the text have it cut off here."""
    choice = _first(told)
    message = getattr(choice, "message", None)
    text = (message.content if message is not None else getattr(choice, "text", None)) or ""
    finish: Any = {"stop": "stop", "length": "length", "content_filter": "filter"}.get(choice.finish_reason or "", "")
    cut = min((at for s in words["stop"] if s and (at := text.find(s)) >= 0), default=None)
    usage = getattr(told, "usage", None)
    cost = [int(getattr(usage, name, 0) or 0) for name in ("completion_tokens", "prompt_tokens")]
    return Answer(text, finish, *cost) if cut is None else Answer(text[:cut], "stop", *cost)


def _added(logprobs: Sequence[float | None], offsets: Sequence[int], start: int, end: int) -> float:
    """The log-probability (nats) of the tokens with a character in [start, end): those that the answer adds."""
    ends = [*offsets[1:], end]
    return float(
        sum(p for p, at, to in zip(logprobs, offsets, ends, strict=True) if p is not None and to > start and at < end)
    )


def _sent(words: dict[str, Any]) -> dict[str, Any]:
    """The decoding as the protocol spells it; a seed only where it matters, for not every server takes one."""
    told = {"max_tokens": words["max_new_tokens"], "temperature": words["temperature"]}
    if words["temperature"]:
        told["seed"] = words["seed"]
    return {**told, "stop": list(words["stop"])} if words["stop"] else told


def _pause(said: Exception, attempt: int) -> float:
    """Seconds to wait: what the server asks for, else doubling from half a second, a little apart from others."""
    asked = getattr(getattr(said, "response", None), "headers", {}).get("retry-after", "")
    if asked.replace(".", "", 1).isdigit():
        return min(float(asked), LONGEST_WAIT)
    return min(FIRST_WAIT * 2**attempt, LONGEST_WAIT) * (0.75 + random.random() / 2)


def _key() -> str:
    return os.environ.get("OPENAI_API_KEY") or "none"


def _refused(who: str, error: Any) -> str:
    return f"{who}: the server refuses the key ({error.status_code}); set OPENAI_API_KEY to one that it takes."


def _forms(key: str) -> list[str]:
    """A key as a server may repeat it: as it is, percent-encoded, in JSON, in base64 wherever it stands in a text."""
    spelled = [key, quote(key, safe=""), json.dumps(key)[1:-1].replace("/", "\\/")]
    for before in range(3):
        inner = base64.b64encode(b"x" * before + key.encode())
        spelled.append(inner[4 * (before > 0) : len(inner) // 4 * 4 - 4].decode())
    return sorted(spelled, key=len, reverse=True)


def _told(error: BaseException) -> str:
    """An error in a few words, without the key, which some servers repeat."""
    reply = getattr(error, "response", None)  # its body says more than the client's own words
    text = " ".join((str(error) if reply is None else f"{reply.status_code} {reply.text}").split())
    if len(key := _key()) >= 8:
        for form in _forms(key):
            text = text.replace(form, "…")
    return f"{type(error).__name__}: {text[:300]}" if text else type(error).__name__
