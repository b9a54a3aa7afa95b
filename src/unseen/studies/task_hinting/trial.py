"""How is it measured? Train decoders with and without hints, test them by length, and look at where their heads read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.lab import Lab
from unseen.core.record import Row, Scored, Split
from unseen.core.task import Batch
from unseen.measures import heads
from unseen.measures.probes import Probe, margins, probe
from unseen.models import sorter
from unseen.tasks.hinted import Hinted, about
from unseen.tasks.layout import FIRST, item_ids

from . import tasks
from .arms import FIXED, Built, Learned

if TYPE_CHECKING:
    from unseen.models.decoder import Decoder

AT_ONCE = 20  # items of the built sorter in one pass


def run(setting: Learned | Built, lab: Lab) -> Iterator[Row]:
    """Yield `exact` (fraction 0..1 of answers wholly right, four times during training), `exact_untrained`, `hint_exact`,
    `margin` (nats), `mass` and `mass_untrained` (fraction 0..1 of the best head's attention on a symbol and the next
    larger one), `probe` (fraction 0..1) and `sharpness` by length of decoders; `built_exact` and `built_mass` of the
    sorter."""
    yield from _learned(setting, lab) if isinstance(setting, Learned) else _built(setting, lab)


def _learned(setting: Learned, lab: Lab) -> Iterator[Row]:
    """Rows of decoders: untrained, during training on few items, and at the end on all; saves them."""
    from unseen.measures import exact
    from unseen.methods import fit
    from unseen.models import decoder

    task, taught, few = tasks.of(setting), tasks.taught(setting), max(20, setting.items // 5)
    models = _untrained(setting, task, lab)
    for split in task.splits:
        yield from Row.each("exact_untrained", exact.greedy(models, task, split, n=few, lab=lab), split)
    yield from _looked(setting, models, lab, task, untrained=True)
    recipe = fit.Recipe(lr=setting.lr, batch=setting.batch, warmup=setting.warmup, shift=setting.positions == "learned")
    quarter = max(1, setting.steps // 4)
    for step, _ in fit.next_token(models, taught, "train", steps=setting.steps, every=quarter, recipe=recipe, lab=lab):
        if step < setting.steps:  # the last step is measured below, so that a resumed trial measures it too
            split = task.splits[0]
            yield from Row.each("exact", exact.greedy(models, task, split, n=few, lab=lab), split, step=step)
    if setting.temper == "table":
        models = decoder.tempered(models, tasks.prompt_lengths(setting))
    for split in task.splits:
        scored = exact.greedy(models, task, split, n=setting.items, lab=lab)
        yield from Row.each("exact", scored, split, step=setting.steps)
    yield from _of_hint(setting, models, lab, task)
    yield from _looked(setting, models, lab, task)
    yield from _sharpness(setting, models, task)
    decoder.save(models, lab.folder / f"{setting.family}-{setting.hint}")


def _untrained(setting: Learned, task: Hinted, lab: Lab) -> Decoder:
    """The decoders of a setting as they begin."""
    from unseen.models import decoder

    return decoder.stack(
        task.vocab,
        width=setting.width,
        layers=setting.layers,
        heads=setting.heads,
        context=max(task.longest(s.name) for s in task.splits),
        positions=setting.positions,
        spread=setting.spread,
        temper=setting.temper,
        seeds=lab.seeds,
        lab=lab,
    )


def _of_hint(setting: Learned, models: Decoder, lab: Lab, task: Hinted) -> Iterator[Row]:
    """Rows of the hint's own questions, by length."""
    from unseen.measures import exact

    if setting.hint != "none":
        asked = about(task, setting.hint)
        for split in asked.splits:
            if asked.longest(split.name) - 1 <= models.shape.context:
                scored = exact.greedy(models, asked, split, n=max(20, setting.items // 5), lab=lab)
                yield from Row.each("hint_exact", scored, split, step=setting.steps)


@dataclass(frozen=True, eq=False)
class _Seen:
    """What one member does with a batch: attention by layer [item head query key], residual stream by layer [item place
    feature], and logits [item place vocab]; of every place but the last."""

    batch: Batch
    weights: Sequence[NDArray[np.floating]]
    residual: Sequence[NDArray[np.floating]]
    logits: NDArray[np.floating]


def _seen(models: Decoder, i: int, batch: Batch) -> _Seen:
    """What the i-th member does with a batch."""
    import torch

    one, record = models.part(i, i + 1), dict[str, Any]()
    tokens = torch.from_numpy(batch.tokens.astype(np.int64)).to(models.flat.device)[None, :, :-1]
    asked = torch.from_numpy(batch.answer.argmax(1))[None].to(tokens.device)
    with torch.inference_mode():
        logits = one.logits(one(tokens, asked=asked, record=record))
    layers = range(models.shape.depth)
    weights, residual = (
        [record[f"layers.{k}.{site}"][0].float().cpu().numpy() for k in layers] for site in ("weights", "residual")
    )
    return _Seen(batch, weights, residual, logits[0].float().cpu().numpy())


def _looked(setting: Learned, models: Decoder, lab: Lab, task: Hinted, *, untrained: bool = False) -> Iterator[Row]:
    """Rows of what heads, residual stream and logits show on each split; the head and the probes are those of other items
    of the reference."""
    if setting.family != "sort" or not setting.looked:
        return
    for i, seed in enumerate(models.seeds):

        def drawn(stream: str, split: Split, seed: int = seed, i: int = i) -> _Seen:
            batch = task.batch(split.name, setting.looked, lab.rng(stream, split.name, seed=seed))
            return _seen(models, i, batch)

        first = drawn("look", task.splits[0])
        best = np.unravel_index(np.argmax(_masses(first)), _masses(first).shape)
        probes = [] if untrained else [probe(*_next(first, k)) for k in range(models.shape.depth)]
        for split in task.splits[:1] if untrained else task.splits:
            seen = drawn("looked", split)
            step = None if untrained else setting.steps
            name, mass = "mass_untrained" if untrained else "mass", float(_masses(seen)[best])
            yield Row(name, mass, split, setting.looked, step, seed=seed)
            if not untrained:
                yield from _told(seen, probes, split, step, seed)


def _told(seen: _Seen, probes: Sequence[Probe], split: Split, step: int | None, seed: int) -> Iterator[Row]:
    """The rows of one member's margins and probes on one split."""
    at = seen.batch.answer[:, 1:]
    yield Row("margin", float(margins(seen.logits[at]).mean()), split, len(at), step, seed=seed)
    for k, one in enumerate(probes):
        yield Row("probe", one.score(*_next(seen, k)), split, len(at), step, {"layer": k + 1}, seed)


def _masses(seen: _Seen) -> NDArray[np.float64]:
    """The attention of every head [layer head] on a symbol and the next larger one, while an answer is written."""
    queries, keys = heads.identity_and_successor(seen.batch)
    return np.stack([heads.mass(weights, queries, keys) for weights in seen.weights])


def _next(seen: _Seen, layer: int) -> tuple[NDArray[np.floating], NDArray[np.int64]]:
    """The residual stream after a layer at each place before an answer's token [place feature], and that token [place]."""
    at = seen.batch.answer[:, 1:]
    return seen.residual[layer][at], seen.batch.tokens[:, 1:][at].astype(np.int64)


def _sharpness(setting: Learned, models: Decoder, task: Hinted) -> Iterator[Row]:
    """Rows of what tempered attention is multiplied by, for each layer and length."""
    if setting.temper == "none":
        return
    for split in task.splits:
        n = task.asked(task.kinds[0], int(str(split.at["length"])))
        for layer in range(setting.layers):
            told = models.w(f"layers.{layer}.temper").detach().cpu().numpy()
            values = told[:, n] if setting.temper == "table" else told @ np.array([1.0, np.log(n)])
            for seed, value in zip(models.seeds, 1 + values, strict=True):
                yield Row("sharpness", float(value), split, 1, setting.steps, {"layer": layer + 1}, seed)


def _built(setting: Built, lab: Lab) -> Iterator[Row]:
    """Rows of the sorter built by hand: exact match by length, and the attention of its head that reads the successor."""
    task = tasks.of(setting)
    longest = max(setting.test)
    made = sorter.built(task.vocab, range(FIRST, FIRST + setting.alphabet), longest=longest)
    for seed in lab.seeds:
        for split in task.splits:
            n = int(str(split.at["length"]))
            sharpness = 1 + float(np.log(n)) if setting.sharpness == "log" else FIXED
            batch = task.batch(split.name, setting.items, lab.rng("test", split.name, seed=seed))
            right, mass = _answered(made, batch, sharpness)
            yield from Row.each("built_exact", Scored([seed], [item_ids(batch)], right[None].astype(float)), split)
            yield Row("built_mass", mass, split, setting.items, seed=seed)


def _answered(made: sorter.Sorter, batch: Batch, sharpness: float) -> tuple[NDArray[np.bool_], float]:
    """Whether the sorter writes each answer [item], and the attention of its second head on identity and successor."""
    right, masses, asked = list[NDArray[np.bool_]](), list[NDArray[np.float64]](), 0
    for i in range(0, len(batch.tokens), AT_ONCE):
        part = Batch(batch.tokens[i : i + AT_ONCE], batch.answer[i : i + AT_ONCE])
        tokens = part.tokens.astype(np.int64)
        logits, weights = sorter.forward(made, tokens[:, :-1], np.full(len(tokens), sharpness))
        right.append(np.all((logits.argmax(-1) == tokens[:, 1:]) | ~part.answer[:, 1:], axis=1))
        queries, keys = heads.identity_and_successor(part)
        masses.append(heads.mass(weights[1], queries, keys) * queries.sum())
        asked += int(queries.sum())
    return np.concatenate(right), float(np.sum(masses, axis=0)[sorter.SUCCESSOR[1]] / asked)
