"""Which ability is left after tuning through a dictionary, and through what is none? The arms of a world, one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unseen.core.lab import Lab
from unseen.core.record import Row, Value
from unseen.core.stats import spearman
from unseen.measures import sae as dictionaries
from unseen.measures.sae import SparseAutoencoder
from unseen.methods import sae_tuning
from unseen.methods.sae_tuning import Replace
from unseen.methods.trainer import collated
from unseen.methods.tuning import Recipe
from unseen.models.engine import quiet

from . import controls
from .arms import Tuning
from .world import Answered, World


@dataclass(frozen=True)
class Read:
    """What one model's activations at the main layer, or at each layer, say: activations [token width], dictionaries."""

    x: Mapping[int, Tensor]
    dictionary: Mapping[int, SparseAutoencoder]


@dataclass(frozen=True)
class Bench:
    """All that an arm is measured with."""

    world: World
    how: Tuning
    lab: Lab
    dtype: str

    def tuned(self, target: str, arm: str, through: Replace | None, layer: int | None = None) -> Any:
        """The target with an adapter tuned through a replacement, or without one by plain LoRA on all blocks."""
        how, at = self.how, self.how.main if layer is None else layer
        recipe = Recipe("resa", how.steps, how.batch, how.at_once, how.lr, how.rank, dtype=self.dtype, seed=self.world.seed)  # fmt: skip
        return sae_tuning.tuned(
            self.world.model(target), self.world.rows, recipe, self.lab, layer=at, replace=through, phase=arm
        )

    def told(self, arm: str, model: Any) -> Iterator[Row]:
        """Rows of the answers of a model, whose adapter is merged into it first."""
        merged = model.merge_and_unload() if hasattr(model, "merge_and_unload") else model
        yield from _passed(self.world.ask(merged.eval()), arm, self.how.steps)


def run(world: World, how: Tuning, lab: Lab, dtype: str = "float32") -> Iterator[Row]:
    """Yield `passed` (fraction of answers, drawn token by token, that are right) by split for every arm, and beside it
    `fvu`, `l0`, `dead` and `only_thinking` of dictionaries, `kl_left`, `count_rank` and `best_place`."""
    quiet()
    bench = Bench(world, how, lab, dtype)
    for name in ("base", "rl", "sibling", "stranger", *world.others):
        yield from bench.told(name, world.model(name))
    source = read(bench, "rl", how.layers)
    yield from _of_dictionaries(bench, source)
    main = list(_main(bench, source.dictionary[how.main]))
    yield from main
    yield from _swept(bench, source, [row for row in main if row.at.get("arm") == "sae"])
    yield from _others(bench, source.dictionary[how.main])
    yield from _controlled(bench, source)


def read(bench: Bench, name: str, layers: Sequence[int]) -> Read:
    """A dictionary for each of these layers, of a model's activations on questions with bare answers."""
    how, model = bench.how, bench.world.model(name)
    x = sae_tuning.activations(model, bench.world.rows, layers)
    recipe = dictionaries.Recipe(passes=how.passes)
    seed = bench.lab.stream("dictionary", seed=bench.world.seed) % 2**31
    made = {layer: dictionaries.fit(x[layer], how.features, k=how.k, recipe=recipe, seed=seed) for layer in layers}
    return Read(x, made)


def _of_dictionaries(bench: Bench, source: Read) -> Iterator[Row]:
    """What the dictionaries of the source are worth, and how many latents are active at thinking marks alone."""
    counts = _only_thinking(bench, source)
    for layer, one in source.dictionary.items():
        assert one.report is not None
        told = {**asdict(one.report), "only_thinking": float(counts[layer])}
        for name, value in told.items():
            yield Row(name, value, seed=bench.world.seed, at={"layer": layer})


def _only_thinking(bench: Bench, source: Read) -> dict[int, int]:
    """How many latents of each layer's dictionary are active at thinking marks and nowhere else."""
    return {
        layer: int(dictionaries.only_at(one, source.x[layer], bench.world.marked.to(source.x[layer].device)).sum())
        for layer, one in source.dictionary.items()
    }


def _main(bench: Bench, dictionary: SparseAutoencoder) -> Iterator[Row]:
    """The target tuned through the source's dictionary, and its adapter in other models."""
    world, place = bench.world, bench.lab.folder / f"adapter-{bench.world.seed}"
    before = _divergence(bench, world.model("base"), bench.how.main, dictionary)
    after = bench.tuned("base", "sae", dictionary)
    left = _divergence(bench, after, bench.how.main, dictionary)
    yield Row("kl_left", left / before if before > 0 else 1.0, n=1, step=bench.how.steps, seed=world.seed)
    after.save_pretrained(str(place))
    dictionaries.save(dictionary, bench.lab.folder / f"sae-{world.seed}", hook=f"layer {bench.how.main}")
    yield from bench.told("sae", after)
    for other in ("sibling", "stranger"):
        arm = "moved" if other == "sibling" else "stranger_moved"
        yield from bench.told(arm, sae_tuning.moved(world.model(other), place))


def _swept(bench: Bench, source: Read, main: Sequence[Row]) -> Iterator[Row]:
    """The target tuned through the dictionary of every layer (rows of the main one are there), and how its score goes
    with the counts of latents."""
    found: list[float] = []
    for layer in bench.how.layers:
        at: dict[str, Value] = {"arm": "sweep", "layer": layer}
        if layer == bench.how.main:
            rows = [replace(row, at=at) for row in main]
        else:
            model = bench.tuned("base", f"sweep-{layer}", source.dictionary[layer], layer)
            rows = [replace(row, at=at) for row in bench.told("sweep", model)]
        found.append(float(np.mean([row.value for row in rows])))
        yield from rows
    counts = np.array([*_only_thinking(bench, source).values()], float)
    depth = len(sae_tuning.blocks(bench.world.model("base"))[1])
    best = np.flatnonzero(np.array(found) == max(found))
    seed, step = bench.world.seed, bench.how.steps
    yield Row("count_rank", float(spearman(counts, np.array([found]))[0]), step=step, seed=seed)
    yield Row("best_place", float(np.mean([bench.how.layers[i] for i in best])) / depth, step=step, seed=seed)


def _others(bench: Bench, dictionary: SparseAutoencoder) -> Iterator[Row]:
    """The same dictionary in other targets, the target's own dictionary, and plain LoRA on the same rows."""
    own = read(bench, "base", (bench.how.main,)).dictionary[bench.how.main]
    for arm, target, through in (("rl_sae", "rl", dictionary), ("sibling_sae", "sibling", dictionary), ("base_sae", "base", own)):  # fmt: skip
        yield from bench.told(arm, bench.tuned(target, arm, through))
    yield from bench.told("sft", bench.tuned("base", "sft", None, 0))


def _controlled(bench: Bench, source: Read) -> Iterator[Row]:
    """The controls: replacements that know nothing of reasoning, and none at all."""
    layer, seed = bench.how.main, bench.world.seed
    own = source.dictionary[layer]
    strange = read(bench, "stranger", (layer,)).dictionary[layer]
    x = sae_tuning.activations(bench.world.model("base"), bench.world.rows, (layer,))[layer]
    random = controls.random_like(own, x, bench.lab.stream("random", seed=seed) % 2**31)
    fvu = dictionaries.report(own, x).fvu  # of what is really replaced: the target's activations
    through = {"random": controls.at_fvu(random, x, fvu), "noise": controls.noise(x, fvu), "unrelated": strange}
    for arm, put in {"sae": own, **through}.items():
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(bench.lab.stream("noise", seed=seed) % 2**31)
            yield Row("left", dictionaries.report(put, x).fvu, seed=seed, at={"arm": arm})
    for arm, put in through.items():
        yield from bench.told(arm, bench.tuned("base", arm, put))
    yield from bench.told("identity", bench.tuned("base", "identity", lambda given: given))


def _passed(found: Answered, arm: str, step: int) -> Iterator[Row]:
    for split, scored in found:
        yield from Row.each("passed", scored, split, step=step, at={"arm": arm})


@torch.no_grad()
def _divergence(bench: Bench, model: Any, layer: int, through: Replace) -> float:
    """KL(target || model with the replacement) on rows held back (nats a row)."""
    model.eval()
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    target = bench.world.model("base").eval()
    total = 0.0
    for i in range(0, len(bench.world.held), bench.how.at_once):
        part = bench.world.held[i : i + bench.how.at_once]
        batch = {k: v.to(bench.lab.device) for k, v in collated(part).items() if k != "labels"}
        with sae_tuning.inserted(inner, layer, through):
            student = model(**batch).logits
        total += float(sae_tuning.divergence(target(**batch).logits, student, batch["attention_mask"])) * len(part)
    return total / len(bench.world.held)
