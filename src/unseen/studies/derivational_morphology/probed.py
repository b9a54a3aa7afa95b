"""What does a language model prefer, of adjectives that do not exist and of those that were met?

Item("pepulative", Split("nonce ive", …), scores={"ity": 0.25, "as_gcm_token": 0.75, …}, at={"prompts": "base", "score": "sum"})
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from unseen import models
from unseen.core.lab import Lab
from unseen.core.record import Item, Row

from . import learners, prompting, seen
from .arms import Probed
from .lexicon import Lexicon, Nonce, derivative, opened


def run(setting: Probed, lab: Lab) -> Iterator[Row | Item]:
    """Yield items of nonce words (`ity`, `as_…`, `expected`) or of seen ones (`expected`, `margin`)."""
    lexicon = opened(setting.data, lab)
    model = models.open(setting.model, lab=lab, dtype=setting.dtype)
    return (_nonce if setting.words == "nonce" else _seen)(setting, lexicon, model, lab.seeds[0])


def prefers(model: Any, bases: Sequence[tuple[str, str]], how: str) -> Iterator[tuple[str, str, np.ndarray]]:
    """How much a model prefers -ity of each (base, ending), as (kind of prompts, score, odds [prompt word])."""
    both = [(derivative(b, e, "ity"), derivative(b, e, "ness")) for b, e in bases]
    words = [b for b, _ in bases]
    if how == "chosen":
        yield "choice", "sum", prompting.choices(model, words, both)
        return
    told = prompting.odds(model, words, both)
    for score in prompting.SCORES:
        for kind in prompting.PROMPTS:
            yield kind, score, told[score][[k == kind for k in prompting.KINDS]]


def share(odds: np.ndarray) -> np.ndarray:
    """The share of prompts that prefer -ity [word]; where neither is preferred, half a prompt."""
    return ((odds > 0) + 0.5 * (odds == 0)).mean(0)


def _nonce(setting: Probed, lexicon: Lexicon, model: Any, seed: int) -> Iterator[Row | Item]:
    said = learners.references(seen.recounted(lexicon, setting.counts))
    words: list[Nonce] = list(lexicon.nonce)
    size = {"millions": prompting.millions(setting.model)}
    means: list[np.ndarray] = []
    for kind, score, odds in prefers(model, [(w.base, w.ending) for w in words], setting.how):
        at = {"prompts": kind, "score": score, **size}
        means += [odds] if score == "sum" else []
        for w, ity in zip(words, share(odds), strict=True):
            yield learners.item(w, float(ity), said, learners.split_of(w.ending), seed=seed, at=at)
    mean = dict(zip((w.base for w in words), np.concatenate(means).mean(0).tolist(), strict=True))
    yield from learners.tastes(words, mean, said["people"], seed)


def _seen(setting: Probed, lexicon: Lexicon, model: Any, seed: int) -> Iterator[Row | Item]:
    chosen = seen.sampled(lexicon, setting.each, setting.counts)
    near = learners.neighbours(lexicon, [s.entry for s in chosen])
    margins: list[np.ndarray] = []
    size = {"millions": prompting.millions(setting.model)}
    for kind, score, odds in prefers(model, [(s.entry.base, s.entry.ending) for s in chosen], setting.how):
        margins += [odds] if score == "sum" else []
        for s, ity, margin in zip(chosen, share(odds), np.abs(odds).mean(0), strict=True):
            right = float(ity if s.entry.suffix == "ity" else 1 - ity)
            scores = {"expected": right, "margin": float(margin)}
            at = {"prompts": kind, "score": score, "band": s.band, **size}
            yield Item(
                s.entry.base, s.split, s.entry.base, f"-ity {ity:.2f}", s.entry.derivative, scores, at=at, seed=seed
            )
    sure = np.abs(np.concatenate(margins)).mean(0)
    for s, value in zip(chosen, sure, strict=True):
        at = {
            "word": s.entry.base,
            "band": s.band,
            "log_count": round(float(np.log10(s.count + 1)), 4),
            "neighbours": round(near[s.entry.base], 3),
        }
        yield Row("sureness", float(value), s.split, at=at, seed=seed)
