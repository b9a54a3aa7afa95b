"""How is it measured? Train decoders and test them by length; run programs and the interpolator on the same tasks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unseen.core.lab import Lab
from unseen.core.record import Row, Scored, Split
from unseen.core.task import Batch
from unseen.measures import least_degree, rasp, rasp_programs
from unseen.tasks.layout import FIRST, Lengthwise, Tokens, item_ids

from . import tasks
from .arms import TEN_MORE, Interpolated, Learned, Written

ONE_KIND: dict[str, Literal["learned", "rotary", "none"]] = {
    "shifted": "learned",
    "unshifted": "learned",
    "rotary": "rotary",
    "none": "none",
}
NONE_KNOWN = 1_000  # nodes that stand for no RASP-L program: only their rank is used
REACHED = 0.9  # exact match at which a length counts as reached


def run(setting: Learned | Written | Interpolated, lab: Lab) -> Iterator[Row]:
    """Yield `exact` (fraction 0..1 of answers wholly right, four times during training), `exact_untrained`,
    `exact_beyond` and `reach` of decoders; `program_exact` and a program's size; `interpolator_exact` and
    `interpolator_as_closed`."""
    if isinstance(setting, Learned):
        yield from _learned(setting, lab)
    elif isinstance(setting, Written):
        yield from _written(setting, lab)
    else:
        yield from _interpolated(setting, lab)


def _learned(setting: Learned, lab: Lab) -> Iterator[Row]:
    """Rows of decoders: untrained, at three quarters of training on few items, and at the end on all; saves them."""
    from unseen.measures import exact
    from unseen.methods import fit
    from unseen.models import decoder

    task, taught = tasks.of(setting), tasks.taught(setting)
    models = decoder.stack(
        task.vocab,
        width=setting.width,
        layers=setting.layers,
        heads=setting.heads,
        context=max(task.longest(s.name) for s in task.splits),
        positions=ONE_KIND[setting.positions],
        spread=setting.spread,
        seeds=lab.seeds,
        lab=lab,
    )
    few = max(20, setting.items // 5)
    for split in task.splits:
        yield from Row.each("exact_untrained", exact.greedy(models, task, split, n=few, lab=lab), split)
    recipe = fit.Recipe(lr=setting.lr, batch=setting.batch, warmup=setting.warmup, shift=setting.positions == "shifted")
    quarter = max(1, setting.steps // 4)
    for step, _ in fit.next_token(models, taught, "train", steps=setting.steps, every=quarter, recipe=recipe, lab=lab):
        if step < setting.steps:  # the last step is measured below, so that a resumed trial measures it too
            for split in task.splits:
                yield from Row.each("exact", exact.greedy(models, task, split, n=few, lab=lab), split, step=step)
    final = [(s, exact.greedy(models, task, s, n=setting.items, lab=lab)) for s in task.splits]
    yield from _final(setting, task, final)
    decoder.save(models, lab.folder / f"{setting.task}-{setting.positions}")


def _final(setting: Learned, task: Lengthwise, final: Sequence[tuple[Split, Scored]]) -> Iterator[Row]:
    """What trained decoders are worth: on every split, beside their program's size, and as the longest length reached."""
    for split, scored in final:
        yield from Row.each("exact", scored, split, step=setting.steps)
        if split.at.get("times") == TEN_MORE:
            at = {"program": _known(task.name)}
            yield from Row.each("exact_beyond", scored, split, step=setting.steps, at=at)
    if "times" not in final[0][0].at:
        return
    reached = np.array([np.mean(scored.values, axis=1) >= REACHED for _, scored in final])  # [length seed]
    times = np.array([0.0, *(float(str(split.at["times"])) for split, _ in final)])
    for seed, count in zip(final[0][1].seeds, np.cumprod(reached, axis=0).sum(0), strict=True):
        yield Row("reach", float(times[count]), step=setting.steps, seed=seed)


def _known(name: str) -> int:
    """The nodes of the RASP-L program we know for a task; more than any has, where none is known."""
    return _size(name)["nodes"] if rasp_programs.in_rasp_l(name) else NONE_KNOWN


def _size(name: str) -> dict[str, int]:
    found = rasp.complexity(rasp_programs.program(name))
    return {"kqv": found.kqv, "nodes": found.nodes, "depth": found.depth}


def _written(setting: Written, lab: Lab) -> Iterator[Row]:
    """Rows of a program: exact match on every split, its attention calls, nodes and depth, and whether it is RASP-L."""
    task = tasks.of(setting)
    program = rasp_programs.program(task.name)
    for seed in lab.seeds:
        for split in task.splits:
            batch = task.batch(split.name, setting.items, lab.rng("test", split.name, seed=seed))
            yield from _each("program_exact", rasp_programs.exact(program, batch), split, batch, seed)
        for name, value in {**_size(task.name), "in_rasp_l": rasp_programs.in_rasp_l(task.name)}.items():
            yield Row(f"program_{name}", float(value), seed=seed)


def _interpolated(setting: Interpolated, lab: Lab) -> Iterator[Row]:
    """Rows of the interpolator: exact match, and agreement with the conjunction of the bits that varied in training."""
    task = tasks.of(setting)
    for seed in lab.seeds:
        bits, labels = _strings(task.batch("train", 4096, lab.rng("train", seed=seed)))
        fitted = least_degree.fit(bits, 2.0 * labels - 1)
        varied = bits.min(0) < bits.max(0)
        for split in task.splits:
            batch = task.batch(split.name, setting.items, lab.rng("test", split.name, seed=seed))
            bits, labels = _strings(batch)
            said = fitted(bits) > 0
            closed = np.all(bits[:, varied] == 1, axis=1)
            for name, right in (("exact", said == labels), ("as_closed", said == closed)):
                yield from _each(f"interpolator_{name}", right, split, batch, seed)


def _each(measure: str, right: NDArray[np.bool_], split: Split, batch: Batch, seed: int) -> Iterator[Row]:
    """The row of one seed's own items."""
    yield from Row.each(measure, Scored([seed], [item_ids(batch)], right[None].astype(float)), split)


def _strings(batch: Batch) -> tuple[Tokens, Tokens]:
    """A conjunction's strings, all of one length, as bits [item bit], and their truths [item]."""
    whole = np.stack([row[row >= FIRST] - FIRST for row in batch.tokens])
    return whole[:, :-1], whole[:, -1]
