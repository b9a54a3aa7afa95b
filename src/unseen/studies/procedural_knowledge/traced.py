"""Which solved word problems does a language model's answer rest on? Its own rankings of GSM8K, or of stories made up here.

Row("likeness", 0.5, at={"pair": "reasoning", "method": "influence"}, seed=2)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unseen.core.lab import Lab
from unseen.core.record import Row
from unseen.measures import influence
from unseen.tasks import gsm8k
from unseen.tasks.worked import Worked

from . import learned, rankings
from .arms import Traced
from .opened import opened

SIZES, BEYOND = (2, 3, 4), (5,)  # calculations of a problem; longer ones are not read
FACTS = (  # questions whose answers any language model has read, as completions
    ("The capital of France is", " Paris."),
    ("The capital of Japan is", " Tokyo."),
    ("The capital of Italy is", " Rome."),
    ("The largest planet of the solar system is", " Jupiter."),
    ("Water is made of hydrogen and", " oxygen."),
    ("Romeo and Juliet was written by William", " Shakespeare."),
    ("The opposite of north is", " south."),
    ("The first president of the United States was George", " Washington."),
    ("The currency of Japan is the", " yen."),
    ("The Great Wall is in", " China."),
    ("The theory of relativity is by Albert", " Einstein."),
    ("The language of Brazil is", " Portuguese."),
    ("A spider has eight", " legs."),
    ("The Mona Lisa was painted by Leonardo da", " Vinci."),
    ("Bees make", " honey."),
    ("The Nile is a river in", " Africa."),
    ("The chemical symbol of gold is", " Au."),
    ("The capital of Spain is", " Madrid."),
    ("The planet nearest to the sun is", " Mercury."),
    ("Ice is frozen", " water."),
)


def run(setting: Traced, lab: Lab) -> Iterator[Row]:
    """Yield what the rankings of each seed's documents say, and `nats` of completions by type."""
    model = opened(lab.pinned(setting.model), device=lab.device, dtype=setting.dtype)
    layers = model.last_mlps(setting.blocks)
    factors: influence.Factors | None = None
    for done, seed in enumerate(lab.seeds, 1):
        documents, asked = drawn(setting, lab, seed)
        read = [model.encoded(text)[: setting.tokens] for text in documents]
        if factors is None:  # the curvature is the model's, whichever documents stand for its training data
            fitted = influence.batches(read[: setting.fitted], size=4)
            recipe = influence.Recipe(seed=lab.stream("labels", seed=seed))
            factors = influence.fit(model.model, influence.next_token, fitted, layers=layers, recipe=recipe)
        queries, lengths = model.pairs(asked)
        batched = influence.batches(queries, size=4, answers=lengths)
        scores = influence.scores(factors, batched, influence.batches(read, size=4), rank=setting.rank)
        lost = learned.nats(model.model, batched)
        yield from _rows(scores, lost, np.array(lengths), documents, asked, setting, lab, seed)
        lab.progress(done, len(lab.seeds))


def drawn(setting: Traced, lab: Lab, seed: int) -> tuple[list[str], list[tuple[str, str]]]:
    """(solved problems as texts, (prompt, completion) of questions: problems first, then facts) of a seed."""
    rng = lab.rng("problems", seed=seed)
    n = setting.documents + setting.reasoned
    task = gsm8k.twin(SIZES, BEYOND) if setting.problems == "twin" else gsm8k.released(_path(lab), SIZES, BEYOND)
    problems = task.draw("train", n, rng)
    told = [(f"Question: {p.prompt}\nAnswer:", f" {solution(p)}") for p in problems]
    facts = [FACTS[i] for i in rng.permutation(len(FACTS))[: setting.factual]]
    return ["".join(pair) for pair in told[setting.reasoned :]], [*told[: setting.reasoned], *facts]


def solution(problem: Worked) -> str:
    """A problem's steps as lines, and its answer."""
    return "\n".join([*(step.text() for step in problem.trace.steps), f"The answer is {problem.truth}."])


def _path(lab: Lab) -> Callable[[str], Path]:
    """Where the parts of GSM8K lie."""

    def path(part: str) -> Path:
        name, sha256 = gsm8k.FILES[part]
        return lab.data(f"{gsm8k.FOLDER}/{name}", gsm8k.SOURCE + name, sha256)

    return path


def _rows(
    scores: NDArray[np.floating], lost: NDArray[np.float64], lengths: NDArray[np.int64], documents: Sequence[str],
    asked: Sequence[tuple[str, str]], setting: Traced, lab: Lab, seed: int,
) -> Iterator[Row]:  # fmt: skip
    """What a seed's rankings say of problems and of facts."""
    at = {"method": "influence"}
    types = ["reasoning"] * setting.reasoned + ["factual"] * setting.factual
    about = ["problems"] * setting.reasoned + ["facts"] * setting.factual
    table = rankings.correlations(scores)
    for pair in ("reasoning", "factual"):
        yield Row("likeness", rankings.likeness(table, types, about)[pair], at={**at, "pair": pair}, seed=seed)
    chance = rankings.chance_of_gap(table, types, about, lab.rng("labels of queries", seed=seed))
    yield Row("likeness_chance", chance, at=at, seed=seed)
    k = max(1, round(setting.top * len(documents)))
    held = rankings.found(rankings.top(scores, k), [_needs(a) for _, a in asked], [_states(d) for d in documents])
    reliance = np.log(np.maximum(rankings.reliance(scores, lost, k), 1e-12))
    for name in ("factual", "reasoning"):
        chosen = np.array(types) == name
        where = {**at, "type": name}
        n = int(chosen.sum())
        yield Row("nats", float(lost[chosen].mean()), n=n, at={"type": name}, seed=seed)
        yield Row("reliance", float(reliance[chosen].mean()), n=n, at=where, seed=seed)
        yield Row("answer_found", float(held[chosen].mean()), n=n, at=where, seed=seed)


def _needs(answer: str) -> frozenset[str]:
    """The last number or word of a completion."""
    return frozenset(re.findall(r"[A-Za-z]+|\d+(?:\.\d+)?", answer)[-1:])


def _states(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[A-Za-z]+|\d+(?:\.\d+)?", text))
