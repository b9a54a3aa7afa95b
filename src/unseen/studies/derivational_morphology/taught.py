"""What does a decoder prefer whose training data we made? Trained on lines, then asked for words that it never met.

Item("ɪmplʌktɪv·ive", Split("made ive", …), scores={"ity": 1, "as_gcm_type": 1, "as_mgl_type": 0, …}, seed=3)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from unseen.core.lab import Lab
from unseen.core.record import Item, Row, Split
from unseen.methods import fit
from unseen.models import decoder
from unseen.models.decoder import Decoder
from unseen.tasks.paired import Pair, Paired, encoded

from . import lines
from .arms import Taught
from .gcm import SUFFIXES
from .learners import Shares, item, joined, learned, split_of
from .lexicon import Entry, Lexicon, Nonce, opened
from .seen import GROUPS, sampled

AT_ONCE = 65_536  # tokens of all seeds in one pass
EACH = 60  # seen adjectives of every group and band


def run(setting: Taught, lab: Lab) -> Iterator[Row | Item]:
    """Yield items of seen and nonce words at the end of training: `right`, `margin`, `ity`, `as_…`."""
    lexicon = opened(setting.data, lab)
    entries = lines.entries_of(setting, lexicon)
    tasks = _tasks(setting, lexicon, entries, lab)
    words = {s.name: (s, w) for s, w in _asked(setting, lexicon)}
    models = _models(setting, tasks[0], lab)
    steps = 0 if setting.learner == "untrained" else setting.steps
    recipe = fit.Recipe(lr=setting.lr, batch=setting.batch, schedule="cosine")
    if steps:
        for _ in fit.next_token(models, tasks, "train", steps=steps, every=steps, recipe=recipe, lab=lab):
            pass
        decoder.save(models, lab.folder / "decoder")
    yield from _again(setting, models, tasks[0], lexicon, entries)
    if setting.corpus == "counted":
        yield from _by_count(setting, models, tasks[0], lexicon)
    said = _said(lexicon, entries, [w for _, held in words.values() for w in held])
    for split, held in words.values():
        prefers = odds(models, tasks[0], setting, lexicon, held) > 0
        for seed, row in zip(models.seeds, prefers, strict=True):
            yield from (item(w, float(v), said, split, seed=seed) for w, v in zip(held, row, strict=True))


def odds(
    models: Decoder, task: Paired, setting: Taught, lexicon: Lexicon, words: Sequence[Entry | Nonce]
) -> NDArray[np.float64]:
    """How much more likely each decoder finds -ity than -ness [seed word] (nats): the summed log-probability of its line."""
    ity, ness = (logp(models, task, [lines.line(setting, lexicon, w, s) for w in words]) for s in SUFFIXES)
    return ity - ness


@torch.inference_mode()
def logp(models: Decoder, task: Paired, pairs: Sequence[Pair]) -> NDArray[np.float64]:
    """The log-probability of each pair's target, its end included, after its source [seed pair] (nats)."""
    batch = encoded(pairs, task.known)
    tokens, answer = torch.from_numpy(batch.tokens), torch.from_numpy(batch.answer)
    size = max(1, AT_ONCE // (len(models.seeds) * tokens.shape[1]))
    found: list[torch.Tensor] = []
    for at in range(0, len(tokens), size):
        given = tokens[at : at + size].to(models.flat.device).expand(len(models.seeds), -1, -1)
        told = models.logits(models(given[:, :, :-1])).float().log_softmax(-1)
        each = torch.gather(told, 3, given[:, :, 1:, None])[..., 0]
        found.append((each * answer[at : at + size, 1:].to(each.device)).sum(2).double().cpu())
    return torch.cat(found, 1).numpy()


def _models(setting: Taught, task: Paired, lab: Lab) -> Decoder:
    """One decoder for each seed, with room for the longest line, whatever the suffix."""
    return decoder.stack(
        task.vocab,
        width=setting.width,
        layers=setting.layers,
        heads=setting.heads,
        context=2 * task.longest("train") + 16,
        positions="rotary",
        spread=setting.spread,
        seeds=lab.seeds,
        lab=lab,
    )


def _tasks(setting: Taught, lexicon: Lexicon, entries: Sequence[Entry], lab: Lab) -> list[Paired]:
    """The task of every seed: all alike, unless suffixes are shuffled anew for each."""
    if setting.learner != "shuffled":
        return [lines.task(setting, lexicon, entries)] * len(lab.seeds)
    turned = (lines.entries_of(setting, lexicon, lab.rng("shuffled", seed=s)) for s in lab.seeds)
    return [lines.task(setting, lexicon, held) for held in turned]


def _asked(setting: Taught, lexicon: Lexicon) -> list[tuple[Split, list[Nonce]]]:
    """The splits of new words with their words: the published ones, and with sounds those that are made."""
    found = [(split_of(e), lexicon.asked(e)) for e in setting.endings]
    if setting.script == "sounds" and setting.made:
        found += [(split_of(e, made=True), joined(lexicon, e, setting.made)) for e in setting.endings]
    return found


def _said(lexicon: Lexicon, entries: Sequence[Entry], words: Sequence[Nonce]) -> dict[str, Shares]:
    """What the learners say of new words, fitted to the very entries that a decoder was trained on."""
    found: dict[str, dict[str, float]] = {}
    for ending in dict.fromkeys(w.ending for w in words):
        pairs = [(e.sounds, e.suffix, e.count) for e in entries if e.ending == ending]
        for who, shares in learned(pairs, [w for w in words if w.ending == ending], lexicon).items():
            found.setdefault(who, {}).update(shares)
    return dict(found)


def _again(
    setting: Taught, models: Decoder, task: Paired, lexicon: Lexicon, entries: Sequence[Entry]
) -> Iterator[Item]:
    """`right` of adjectives trained on, drawn as in training: is the derivative that was met more often preferred?"""
    held: dict[tuple[str, str], list[Entry]] = {}
    for e in entries:
        held.setdefault((e.ending, e.base), []).append(e)
    for ending in setting.endings:
        asked = [e for e in lines.sampled(entries, setting.weighting, setting.items) if e.ending == ending]
        goal = [max(held[e.ending, e.base], key=lambda one: one.count).suffix == "ity" for e in asked]
        split = Split(f"trained {ending}", "novelty", {"ending": ending, "kind": split_of(ending).at["kind"]})
        for seed, row in zip(models.seeds, odds(models, task, setting, lexicon, asked), strict=True):
            for e, value, ity in zip(asked, row, goal, strict=True):
                truth = "ity" if ity else "ness"
                said = "ity" if value > 0 else "ness"
                yield Item(e.base, split, e.base, said, truth, {"right": float(said == truth)}, seed=seed)


def _by_count(setting: Taught, models: Decoder, task: Paired, lexicon: Lexicon) -> Iterator[Item]:
    """`margin`, how much one derivative is likelier than the other (nats), of adjectives met often and seldom."""
    chosen = [s for s in sampled(lexicon, EACH) if s.entry.ending in setting.endings]
    for group in GROUPS:
        mine = [s for s in chosen if s.group == group]
        if not mine:
            continue
        prefers = odds(models, task, setting, lexicon, [s.entry for s in mine])
        for seed, row in zip(models.seeds, prefers, strict=True):
            for s, value in zip(mine, row, strict=True):
                scores: Mapping[str, float] = {"margin": abs(float(value))}
                told = "ity" if value > 0 else "ness"
                yield Item(
                    s.entry.base, s.split, s.entry.base, told, s.entry.suffix, scores, at={"band": s.band}, seed=seed
                )
