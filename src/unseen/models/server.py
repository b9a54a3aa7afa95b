"""api:NAME@BASE_URL: a server that speaks the OpenAI protocol (vLLM, SGLang, llama.cpp, `transformers serve`, …).

The key comes from $OPENAI_API_KEY and is stored nowhere. Chat prompts go to chat completions; plain text goes to
completions and, where a server has none, to chat as one turn of the user (`chat=True` or `False` decides it).
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Failed, Invalid, Missing, Mistake, missing_extra
from unseen.core.model import Answer, Prompt

TRIES = 6
LONGEST_WAIT = 30.0  # seconds between two tries


def parts(rest: str) -> tuple[str, str]:
    """(model, base URL) of what stands after `api:`. Raises Invalid where one is missing."""
    name, _, url = rest.partition("@")
    if not name or not url.startswith(("http://", "https://")):
        raise Invalid(f"--model api:{rest}: write api:NAME@BASE_URL, such as api:my-model@http://localhost:8000/v1.")
    return name, url


def probe(rest: str) -> None:
    """Raise Missing where no server answers within five seconds."""
    import json
    import urllib.error
    import urllib.request

    name, url = parts(rest)
    request = urllib.request.Request(f"{url.rstrip('/')}/models", headers={"Authorization": f"Bearer {_key()}"})
    try:
        with urllib.request.urlopen(request, timeout=5) as reply:
            served = [m.get("id") for m in json.load(reply).get("data", [])]
    except urllib.error.HTTPError as error:
        if error.code in (401, 403):
            raise Mistake(
                f"--model api:{rest}: the server refuses the key ({error.code}); set OPENAI_API_KEY."
            ) from None
        return  # it answers; some servers list no models
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise Missing(
            f"--model api:{rest}: no server answers at {url} ({getattr(error, 'reason', error)}); start it, or mend the URL (it usually ends in /v1)."
        ) from None
    if served and name not in served and len(served) > 1 and all(name.lower() != str(s).lower() for s in served):
        raise Mistake(
            f"--model api:{rest}: the server does not list {name!r}; it lists {', '.join(map(str, served[:8]))}."
        )


def resolve(rest: str) -> str:
    """The name and URL themselves: what a server means by a name is not ours to know."""
    return "api:" + "@".join(parts(rest))


def open(
    rest: str, *, device: str, dtype: str, batch_size: str | int, chat: bool | None = None, concurrency: int = 8
) -> Any:
    """The server as a model."""
    name, url = parts(rest)
    return Server(name, url, chat=chat, concurrency=concurrency)


def _key() -> str:
    return os.environ.get("OPENAI_API_KEY", "none")


class Server:
    """A model behind the OpenAI protocol, asked by a bounded number of threads."""

    block = 1

    def __init__(self, name: str, url: str, *, chat: bool | None = None, concurrency: int = 8) -> None:
        try:
            from openai import OpenAI
        except ModuleNotFoundError as error:
            raise missing_extra(f"api:{name}", error, "server") from error
        self.name, self.url, self.chat, self.concurrency = name, url, chat, concurrency
        self.client = OpenAI(
            base_url=url, api_key=_key(), max_retries=0, timeout=float(os.environ.get("UNSEEN_API_TIMEOUT", "120"))
        )
        self._choosing = threading.Lock()

    def stream(self, prompts: Sequence[Prompt], **words: Any) -> Iterator[tuple[int, Answer]]:
        """(index, answer) for every prompt, as they arrive. Raises Failed where the server keeps failing."""
        with ThreadPoolExecutor(self.concurrency) as pool:
            asked = {pool.submit(self._answer, prompt, words): i for i, prompt in enumerate(prompts)}
            try:
                for done in as_completed(asked):
                    yield asked[done], done.result()
            finally:
                for future in asked:
                    future.cancel()

    def scores(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> NDArray[np.float64]:
        """Log-probabilities (nats) [prompt] through completions with `echo`. Raises Mistake where the server has none."""
        with ThreadPoolExecutor(self.concurrency) as pool:
            return np.array(list(pool.map(self._score, prompts, answers)), float)

    def _answer(self, prompt: Prompt, words: dict[str, Any]) -> Answer:
        if self._as_chat(prompt):
            turns = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else [dict(t) for t in prompt]
            return self._tried(lambda: self._chatted(turns, words))
        try:
            return self._tried(lambda: self._completed(str(prompt), words))
        except _NoSuchPath:
            with self._choosing:
                if self.chat is False:
                    raise Mistake(
                        f"api:{self.name}@{self.url} has no completions, and chat=False forbids asking as chat."
                    ) from None
                self.chat = True
            return self._answer(prompt, words)

    def _as_chat(self, prompt: Prompt) -> bool:
        return not isinstance(prompt, str) or self.chat is True

    def _chatted(self, turns: list[dict[str, str]], words: dict[str, Any]) -> Answer:
        told = self.client.chat.completions.create(model=self.name, messages=turns, **_sent(words))  # type: ignore[call-overload]
        choice = told.choices[0]
        return Answer(
            choice.message.content or "",
            _finish(choice.finish_reason),
            told.usage.completion_tokens if told.usage else 0,
        )

    def _completed(self, prompt: str, words: dict[str, Any]) -> Answer:
        told = self.client.completions.create(model=self.name, prompt=prompt, **_sent(words))
        choice = told.choices[0]
        return Answer(
            choice.text or "", _finish(choice.finish_reason), told.usage.completion_tokens if told.usage else 0
        )

    def _score(self, prompt: Prompt, answer: str) -> float:
        if not isinstance(prompt, str):
            raise Mistake(f"api:{self.name}@{self.url}: a server scores plain text, not chat turns.")
        try:
            told = self._tried(
                lambda: self.client.completions.create(
                    model=self.name, prompt=prompt + answer, max_tokens=0, echo=True, logprobs=0, temperature=0
                )
            )
            found = told.choices[0].logprobs
            return float(
                sum(
                    p
                    for p, at in zip(found.token_logprobs, found.text_offset, strict=True)
                    if at >= len(prompt) and p is not None
                )
            )
        except (_NoSuchPath, AttributeError, TypeError):
            raise Mistake(
                f"api:{self.name}@{self.url} gives no log-probabilities of a prompt (completions with echo); use a server that does, such as vLLM, or a measure over generated answers."
            ) from None

    def _tried(self, ask: Callable[[], Any]) -> Any:
        """What the server says, tried again with growing pauses on 429, 5xx, time-outs, cut lines and broken JSON."""
        import openai

        said: Exception = Failed("nothing was asked")
        for attempt in range(TRIES):
            try:
                return ask()
            except openai.NotFoundError as error:
                raise _NoSuchPath(str(error)) from None
            except (openai.AuthenticationError, openai.PermissionDeniedError) as error:
                raise Mistake(
                    f"api:{self.name}@{self.url} refuses the key ({error.status_code}); set OPENAI_API_KEY."
                ) from None
            except openai.APIStatusError as error:
                if error.status_code == 405:
                    raise _NoSuchPath(str(error)) from None
                if error.status_code not in (408, 409, 425, 429) and error.status_code < 500:
                    raise Mistake(
                        f"api:{self.name}@{self.url} refuses the request ({error.status_code}): {str(error)[:300]}"
                    ) from None
                said = error
            except (
                openai.APIConnectionError,
                openai.APIResponseValidationError,
                ValueError,
                AttributeError,
                TypeError,
                IndexError,
            ) as error:
                said = error
            if attempt + 1 < TRIES:
                time.sleep(_pause(said, attempt))
        raise Failed(
            f"api:{self.name}@{self.url} failed {TRIES} times, last with {type(said).__name__}: {str(said)[:200]}. Answers so far are kept; run the same command again when it is well."
        )


class _NoSuchPath(Exception):
    """The server has no such endpoint."""


def _pause(said: Exception, attempt: int) -> float:
    """Seconds to wait: what the server asks for, else doubling from half a second, a little apart from others."""
    asked = getattr(getattr(said, "response", None), "headers", {}).get("retry-after", "")
    if asked.replace(".", "", 1).isdigit():
        return min(float(asked), LONGEST_WAIT)
    return min(0.5 * 2**attempt, LONGEST_WAIT) * (0.75 + random.random() / 2)


def _sent(words: dict[str, Any]) -> dict[str, Any]:
    told = {"max_tokens": words["max_new_tokens"], "temperature": words["temperature"], "seed": words["seed"]}
    return {**told, "stop": list(words["stop"])} if words["stop"] else told


def _finish(reason: str | None) -> Any:
    return {"stop": "stop", "length": "length", "content_filter": "filter"}.get(reason or "", "")
