"""What makes decoders answer? A world is learned, every answer traced to its documents, and what is traced is left out.

Row("likeness", 0.41, at={"pair": "reasoning", "method": "influence"}) ; Row("rise", 0.8, at={"type": "factual", "left": "top"})
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.lab import Lab
from unseen.core.record import Row
from unseen.measures import exact, influence
from unseen.methods import fit
from unseen.models import decoder
from unseen.models.decoder import Decoder
from unseen.models.exporting import pretrained

from . import told, without
from .arms import Learned
from .tasks import Reading, of

SIZE = 64  # documents of a batch that is traced
METHODS = ("influence", "gradients", "words")


def run(setting: Learned, lab: Lab) -> Iterator[Row]:
    """Yield `exact` on facts and problems, what rankings say by each method, and `rise` where documents are left out."""
    worlds = [of(setting, lab, s) for s in lab.seeds]
    models = trained(setting, worlds, lab, "fit")
    for split in worlds[0].splits:
        n = min(len(w.of(split.name)) for w in worlds)
        yield from Row.each("exact", exact.greedy(models, worlds, split, n=n, lab=lab), split)
    ranked: list[NDArray[np.floating]] = []
    for done, (world, one) in enumerate(zip(worlds, decoder.members(models), strict=True), 1):
        scores, nats = traced(one, world, lab, methods=METHODS if setting.arm == "main" else METHODS[:1])
        for method, table in scores.items():
            yield from told.rows(world, table, nats, setting, method, lab, one.seeds[0])
        ranked.append(scores["influence"])
        lab.progress(done, len(worlds))
    if setting.left_out:
        yield from without.rows(setting, worlds, ranked, models, lab)
    decoder.save(models, lab.folder / setting.arm)


def trained(setting: Learned, worlds: Sequence[Reading], lab: Lab, phase: str) -> Decoder:
    """Decoders that have read their worlds; as they begin where a setting trains none."""
    models = decoder.stack(
        worlds[0].vocab, width=setting.width, layers=setting.layers, heads=setting.heads,
        context=worlds[0].longest("train"), spread=4.0, seeds=lab.seeds, lab=lab,
    )  # fmt: skip
    if setting.arm != "untrained":
        train(models, worlds, setting, lab, phase)
    return models


def train(models: Decoder, worlds: Sequence[Reading], setting: Learned, lab: Lab, phase: str) -> None:
    """Train a stack on documents, one world a member."""
    recipe = fit.Recipe(
        lr=setting.lr,
        batch=setting.batch,
        warmup=setting.steps // 20,
        schedule="cosine",
        weight_decay=setting.decay,
        shift=False,
    )
    steps = setting.steps
    for _ in fit.next_token(models, worlds, "train", steps=steps, every=steps, recipe=recipe, lab=lab, phase=phase):
        pass


def traced(
    one: Decoder, world: Reading, lab: Lab, *, methods: Sequence[str]
) -> tuple[Mapping[str, NDArray[np.floating]], NDArray[np.float64]]:
    """(scores [query document] by method, the information in each completion (nats) [query]) of one decoder."""
    model = pretrained(one).to(lab.device)
    queries = [world.tokens((*q.prompt, *q.answer)) for q in world.corpus.queries]
    asked = influence.batches(queries, size=SIZE, answers=[len(q.answer) for q in world.corpus.queries])
    documents = influence.batches([world.tokens(d.words) for d in world.corpus.documents], size=SIZE)
    seed = lab.stream("labels", seed=one.seeds[0])
    recipes = {"influence": influence.Recipe(seed=seed), "gradients": influence.Recipe(curvature="identity")}
    found: dict[str, NDArray[np.floating]] = {}
    for name in methods:
        if name == "words":
            found[name] = told.overlap(world)
            continue
        factors = influence.fit(model, influence.next_token, documents, recipe=recipes[name])
        found[name] = influence.scores(factors, asked, documents)
    return found, nats(model, asked)


def nats(model: Any, asked: Sequence[Any]) -> NDArray[np.float64]:
    """Minus the log-probability of each completion [query]."""
    import torch

    with torch.inference_mode():
        lost = [influence.next_token(model, batch).losses() for batch in asked]
    return torch.cat(lost).double().cpu().numpy()
