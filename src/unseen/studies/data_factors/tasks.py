"""Which pairs are trained on, and which are tested? The data of every arm, with its one factor changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from unseen.core.lab import Lab
from unseen.core.record import Split
from unseen.core.task import Task
from unseen.tasks import scan, scan_drawn
from unseen.tasks.paired import Asked, Pair, Paired, vocabulary
from unseen.tasks.scan_drawn import Limits

from . import augment, corpora, prototypes, sampling
from .arms import Held, Interpreted, Real, Scanned, Setting

Pairs = list[Pair]
LONE: Pair = ("jump", "I_JUMP")
SHARE = 0.1  # of what is trained on, that `jump` alone is, as in the published file
PUBLISHED: Mapping[Held, str] = {
    "jump": "addprim_jump",
    "around right": "template_around_right",
    "longer": "length",
}
TEST_SEED = 20_911  # the seed that commands tested on are drawn with, the same for every model
MUTATIONS = 2  # of each pair of a corpus, beside the pair itself
KNOWN = Split("known", "composition")


def tasks(setting: Setting) -> Sequence[Task]:
    """The task of a setting, as its first seed has it."""
    return worlds(setting, Lab.alone())


def worlds(setting: Setting, lab: Lab) -> list[Paired]:
    """The task of every seed: what is drawn at random of its training set is drawn anew, what is tested on is the same."""
    rngs = [lab.rng("world", seed=s) for s in lab.seeds]
    if isinstance(setting, Interpreted):
        return [published(setting.published)] * len(rngs)
    if isinstance(setting, Scanned):
        return [commands(setting, rng) for rng in rngs]
    return quarters(setting, rngs, lab)


def published(name: str) -> Paired:
    """A published split of SCAN: its training set, and its test set."""
    train, test = scan.split(name)
    where = Split("test", "length" if name == "length" else "composition", shifted=name != "simple")
    return Paired(f"scan-{name}", vocabulary(train), train, (Asked(where, test),))


def commands(setting: Scanned, rng: np.random.Generator) -> Paired:
    """The commands of a setting; its random choices (which, how often, from when on) are drawn from `rng`."""
    words = scan_drawn.primitives(setting.primitives)
    held = _holder(setting)
    trained = [p for p in _made(setting, words, rng) if p != LONE and not held(p)]
    if setting.distinct:
        trained = [trained[i] for i in np.sort(rng.choice(len(trained), setting.distinct, replace=False))]
    weights, enters = _weights(setting, trained, rng), _enters(setting, trained, rng)
    taught = _shuffled(trained, rng) if setting.labels == "shuffled" else trained
    if setting.held == "jump":
        taught = [*taught, LONE]
        weights = np.append(weights * (1 - SHARE), SHARE)
        enters = None if enters is None else np.append(enters, 0.0)
    name = f"scan-{setting.commands}-{setting.held}".replace(" ", "-")
    axis = "length" if setting.held == "longer" else "composition"
    tests = Asked(KNOWN, trained), Asked(Split(setting.held, axis, shifted=True), _tested(setting, words))
    every = augment.aug_zero([*scan.clauses(words), ("and after", "I_WALK")], setting.copies)
    times = setting.copies + 1
    return Paired(
        name,
        vocabulary(every),
        augment.aug_zero(taught, setting.copies),
        tests,
        np.tile(weights, times),
        None if enters is None else np.tile(enters, times),
    )


def quarters(setting: Real, rngs: Sequence[np.random.Generator], lab: Lab) -> list[Paired]:
    """A corpus or a quarter of it for each seed, and what all are tested on; it is read and measured once."""
    load = partial(_loaded, setting, lab)
    train, test = load("train"), load("test")
    gen = load("gen") if setting.corpus.startswith("cogs") else []
    hard = np.zeros(len(train)) if setting.subset == "all" else prototypes.hardness([source for source, _ in train])
    same = augment.aligned(train) if setting.times > 1 else {}
    forms = [(f"{s}{i}", f"{t}{i}") for s, t in same.items() for i in range(1, setting.times)]
    words = vocabulary([*train, *test, *gen, *forms])
    shifted = [Asked(Split("test", "difficulty", shifted=True), test)]
    shifted += [Asked(Split("gen", "composition", shifted=True), gen)] if gen else []
    found: list[Paired] = []
    for rng in rngs:
        chosen = [train[i] for i in prototypes.subset(hard, setting.subset, rng)]
        taught = augment.copied(chosen, same, setting.times - 1, each=MUTATIONS, rng=rng)
        found.append(Paired(setting.corpus, words, taught, (Asked(KNOWN, chosen), *shifted)))
    return found


def _loaded(setting: Real, lab: Lab, split: str) -> Pairs:
    return corpora.within(corpora.pairs(setting.corpus, split, lab), setting.longest)


def _holder(setting: Scanned) -> Callable[[Pair], bool]:
    """Whether a command is held out of training."""
    if setting.held == "jump":
        return lambda pair: "jump" in pair[0].split()
    if setting.held == "around right":
        return lambda pair: "around right" in pair[0]
    return lambda pair: scan.actions(pair) > setting.most_actions


def _made(setting: Scanned, words: Sequence[str], rng: np.random.Generator) -> Pairs:
    """The commands of a setting, those that are held out among them."""
    if setting.commands == "clauses":
        return scan_drawn.listed(words, Limits(most_actions=setting.most_actions))
    if setting.commands == "grammar":
        every = scan_drawn.sampled(words, setting.pool, rng) if setting.pool else list(scan.pairs(words))
        return scan.within(every, most_actions=setting.most_actions)
    kept = [w for w in words if w != "jump"] if setting.held == "jump" else words
    limits = Limits(setting.clauses, setting.most_actions, setting.most_primitives or None)
    return scan_drawn.drawn(kept, limits, setting.pool, rng)


def _tested(setting: Scanned, words: Sequence[str]) -> Pairs:
    """The commands tested on, the same for every arm that changes the training set alone."""
    limits = Limits(setting.clauses, setting.tested_most or setting.most_actions, least_actions=setting.tested_least)
    if setting.commands == "grammar":
        return scan.split(PUBLISHED[setting.held])[1]
    if setting.commands == "clauses":
        made = scan_drawn.listed(scan.PRIMITIVES, limits)
    else:
        among = ("jump",) if setting.held == "jump" else words
        made = scan_drawn.drawn(among, limits, 2 * setting.items, np.random.default_rng(TEST_SEED))
    held = _holder(setting)
    return [p for p in made if held(p) and p != LONE and "turn around right" not in p[0]][: setting.items]


def _weights(setting: Scanned, trained: Pairs, rng: np.random.Generator) -> NDArray[np.floating]:
    """The share [pair] of each command among those trained on."""
    if not setting.skew:
        return np.full(len(trained), 1 / len(trained))
    return sampling.zipf(sampling.buckets(trained, setting.buckets, rng), setting.skew)


def _enters(setting: Scanned, trained: Pairs, rng: np.random.Generator) -> NDArray[np.floating] | None:
    """The share of training [pair] after which each command is drawn; None: all are from the start."""
    if setting.pace == "at once":
        return None
    if setting.pace == "novel examples":
        return sampling.entering(sampling.by_example(trained, rng))
    return sampling.entering(sampling.by_primitive(trained, scan.primitives_of, rng))


def _shuffled(trained: Pairs, rng: np.random.Generator) -> Pairs:
    """The commands with each other's actions."""
    turn = rng.permutation(len(trained))
    return [(source, trained[i][1]) for (source, _), i in zip(trained, turn, strict=True)]
