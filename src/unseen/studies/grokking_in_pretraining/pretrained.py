"""How do small mixtures of experts go through one pass over the stream? Losses, routing and answers at every checkpoint.

Row("exact", 0.41, Split("rich new", …), step=700, seed=2) ; Row("distance", 31.2, at={"domain": "rich"}, step=700, seed=2)
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from unseen.core.lab import Lab
from unseen.core.record import Row, Split
from unseen.measures import exact, pathways, routing
from unseen.methods import fit
from unseen.models import moe
from unseen.models.moe import Mixture

from . import summary, tasks
from .arms import DOMAINS, GENERAL, Pretrained
from .course import Course
from .stream import Documents, Stream

Floats = NDArray[np.float64]
WIDE = 256  # features: narrower products are no faster in bfloat16, and routing then does not depend on the machine
TURNS = 64  # batches of training that the documents whose routing is read are taken from


def run(setting: Pretrained, lab: Lab) -> Iterator[Row]:
    """Yield `exact` by split, `loss`, `distance`, `consistency` and `entropy` by domain at every checkpoint; at the end, for each
    domain, since when what is memorised, slopes after that, and what goes with accuracy."""
    streams = [tasks.of(setting, lab, s) for s in lab.seeds]
    models = made(setting, streams, lab)
    looked = Looked(setting, streams, lab)
    course = Course.resumed(lab)
    yield from looked.untrained(models)
    for step, _ in fit.next_token(
        models, streams, "train", steps=setting.steps, every=schedule(setting), recipe=recipe(setting), lab=lab
    ):
        yield from looked.rows(models, step, course)
        course.keep(lab)
    yield from told(setting, looked, course, lab)
    moe.save(models, lab.folder / f"pretrained-{setting.arm}")


def made(setting: Pretrained, streams: Sequence[Stream], lab: Lab) -> Mixture:
    """Untrained mixtures of a setting's sizes."""
    return moe.stack(
        streams[0].vocab,
        width=setting.width,
        layers=setting.layers,
        heads=setting.heads,
        context=streams[0].longest("train"),
        experts=setting.experts,
        active=setting.active,
        hidden=setting.hidden,
        balance=setting.balance,
        frozen=setting.arm == "frozen",
        spread=setting.spread,
        seeds=lab.seeds,
        lab=lab,
    )


def recipe(setting: Pretrained) -> fit.Recipe:
    """AdamW at a constant rate after its warm-up, so that no decay of the rate goes along with what is measured."""
    return fit.Recipe(
        lr=setting.lr,
        batch=setting.batch,
        warmup=setting.warmup,
        schedule="constant",
        weight_decay=setting.decay,
        betas=(0.9, 0.98),
        precision="float32" if setting.width < WIDE else "auto",
        shift=False,
    )


def schedule(setting: Pretrained) -> list[int]:
    """The steps of the checkpoints, evenly spaced in their logarithm."""
    return sorted({round(s) for s in np.geomspace(setting.first, setting.steps, setting.points)})


class Looked:
    """What is looked at at every checkpoint: the same documents, each trained on once, and the same facts."""

    def __init__(self, setting: Pretrained, streams: Sequence[Stream], lab: Lab) -> None:
        self.setting, self.streams, self.lab = setting, streams, lab
        found = [seen(setting, stream, seed, lab) for stream, seed in zip(streams, lab.seeds, strict=True)]
        others = [unseen(setting, stream, seed, lab) for stream, seed in zip(streams, lab.seeds, strict=True)]
        self.documents = {d: _stacked([one[d] for one in found], lab) for d in DOMAINS}
        self.others = {d: _stacked([one[d] for one in others], lab) for d in DOMAINS}
        self.splits = {s.name: s for s in streams[0].splits}
        self.sizes = {name: min(setting.items, *(s.size(name) for s in streams)) for name in self.splits}
        self.asked = {name: self._asked(split) for name, split in self.splits.items()}
        self.drawn = self._routers()

    def _asked(self, split: Split) -> list[NDArray[np.integer[Any]]]:
        """The facts of a split that every seed is asked [item place], those that `exact.greedy` draws."""
        rngs = [self.lab.rng("test", split.name, seed=s) for s in self.lab.seeds]
        return [
            st.batch(split.name, self.sizes[split.name], r).tokens for st, r in zip(self.streams, rngs, strict=True)
        ]

    def _routers(self) -> Tensor:
        """Routers drawn at random, their rows of length 1 [seed layer expert width]."""
        s = self.setting
        shape = s.layers, s.experts, s.width
        drawn = [self.lab.rng("routers", seed=x).normal(size=shape) for x in self.lab.seeds]
        told = torch.from_numpy(np.stack(drawn)).float().to(self.lab.device)
        return F.normalize(told, dim=-1)

    def untrained(self, models: Mixture) -> Iterator[Row]:
        """`exact_untrained` on every split."""
        for name, split in self.splits.items():
            scored = exact.greedy(models, self.streams, split, n=self.sizes[name], lab=self.lab)
            yield from Row.each("exact_untrained", scored, split)

    def rows(self, models: Mixture, step: int, course: Course) -> Iterator[Row]:
        """Measure at a step: add to the course, and yield it as rows."""
        arrays: dict[str, NDArray[Any]] = {}
        for name, split in self.splits.items():
            scored = exact.greedy(models, self.streams, split, n=self.sizes[name], lab=self.lab)
            arrays[f"right {name}"] = np.asarray(scored.values) > 0
            yield from Row.each("exact", scored, split, step=step)
        routers = models.routers().detach()
        replaced = self.drawn * routers.norm(dim=-1, keepdim=True)
        for domain in DOMAINS:
            tokens, answer = self.documents[domain]
            weights = routing.of_mixture(models, tokens)
            arrays[f"weights {domain}"] = weights.astype(np.float32)
            arrays[f"random {domain}"] = routing.of_mixture(models, tokens, routers=replaced).astype(np.float32)
            arrays[f"losses {domain}"] = losses(models, tokens, answer)
            arrays[f"validation {domain}"] = losses(models, *self.others[domain]).mean(1)
            arrays[f"inconsistency {domain}"] = erratic(weights, routers)
        course.add(step, **arrays)
        yield from self._told(arrays, step)

    def _told(self, arrays: Mapping[str, NDArray[Any]], step: int) -> Iterator[Row]:
        for domain in DOMAINS:
            for i, seed in enumerate(self.lab.seeds):
                found = {name: value[i] for name, value in arrays.items() if name.endswith(f" {domain}")}
                for name, value in summary.glance(found, domain).items():
                    yield Row(name, value, step=step, seed=seed, at={"domain": domain})

    def domain(self, course: Course, name: str, i: int) -> summary.Domain:
        """The course of a domain and member."""
        tokens = self.documents[name][0][i].cpu().numpy()
        held, trained = f"{name} new", course.of(f"losses {name}", i)
        right = course.of(f"right {held}", i)
        vocab = self.streams[0].vocab
        return summary.Domain(
            steps=np.array(course.steps),
            losses=trained,
            weights=course.of(f"weights {name}", i).astype(float),
            inconsistency=course.of(f"inconsistency {name}", i),
            training=trained.mean(1),
            validation=course.of(f"validation {name}", i),
            vectors=words(tokens, vocab),
            accuracy=right.mean(1),
            right=right,
            asked=words(self.asked[held][i], vocab),
            random=course.of(f"random {name}", i).astype(float),
        )


def told(setting: Pretrained, looked: Looked, course: Course, lab: Lab) -> Iterator[Row]:
    """What the whole course says of every domain and seed, and of pairs of domains."""
    for i, seed in enumerate(lab.seeds):
        domains = {name: looked.domain(course, name, i) for name in DOMAINS}
        for name, domain in domains.items():
            found = summary.summary(domain, setting.draws, lab.rng("bootstrap", name, seed=seed))
            for measure, value in found.items():
                yield Row(measure, value, seed=seed, at={"domain": name})
        yield from summary.layered(domains, seed)
        yield from summary.lags(domains, GENERAL, seed)
        yield from summary.crossed(domains, GENERAL, seed)


def seen(setting: Pretrained, stream: Stream, seed: int, lab: Lab) -> dict[str, Documents]:
    """Documents of every domain that were trained on, each once: from batches spread over the whole of training."""
    at = sorted({int(s) for s in np.linspace(0, setting.steps - 1, min(TURNS, setting.steps))})
    parts = [stream.documents(setting.batch, lab.rng("batch", step, seed=seed)) for step in at]
    return _by_domain(parts, setting.samples, lab.rng("documents", seed=seed))


def unseen(setting: Pretrained, stream: Stream, seed: int, lab: Lab) -> dict[str, Documents]:
    """As many documents of every domain that say facts held out, for the validation loss."""
    held = Stream(stream.domains, stream.words, stream.new, stream.new, stream.facts)
    rng = lab.rng("validation", seed=seed)
    return _by_domain([held.documents(8 * setting.samples, rng)], setting.samples, rng)


def _by_domain(parts: Sequence[Documents], n: int, rng: np.random.Generator) -> dict[str, Documents]:
    whole = Documents(*(np.concatenate([getattr(p, name) for p in parts]) for name in ("tokens", "answer", "domain")))
    found: dict[str, Documents] = {}
    for i, name in enumerate(DOMAINS):
        rows = rng.permutation(np.flatnonzero(whole.domain == i))[:n]
        found[name] = whole.take(np.sort(rows))
    return found


def _stacked(parts: Sequence[Documents], lab: Lab) -> tuple[Tensor, Tensor]:
    """Tokens [seed document place] and marks of answers; every seed has as many as the one with fewest."""
    n = min(len(p.tokens) for p in parts)
    pair = np.stack([p.tokens[:n] for p in parts]), np.stack([p.answer[:n] for p in parts])
    tokens, answer = (torch.from_numpy(x).to(lab.device) for x in pair)
    return tokens, answer


@torch.inference_mode()
def losses(models: Mixture, tokens: Tensor, answer: Tensor) -> Floats:
    """The mean cross-entropy of every document's answers [seed document] (nats a token)."""
    logits = models.logits(models(tokens[:, :, :-1])).float()
    each = F.cross_entropy(logits.flatten(0, 2), tokens[:, :, 1:].flatten(), reduction="none")
    marks = answer[:, :, 1:].float()
    return ((each.view_as(marks) * marks).sum(-1) / marks.sum(-1)).double().cpu().numpy()


def erratic(weights: Floats, routers: Tensor) -> Floats:
    """The inconsistency of samples [seed sample] by their models' own routers; NaN where it is not defined."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # shares that are NaN are left out of means, and the claims say so
        return np.stack(
            [pathways.inconsistencies(w, r) for w, r in zip(weights, routers.float().cpu().numpy(), strict=True)]
        )


def words(tokens: NDArray[np.integer], vocab: int) -> Floats:
    """How often every word stands in a text [text vocab]: what texts are compared by."""
    # DEPARTS: sentence embeddings say nothing of made-up words, so that texts are alike if they share them
    found = np.zeros((len(tokens), vocab))
    np.add.at(found, (np.arange(len(tokens))[:, None], tokens), 1.0)
    found[:, 0] = 0
    return found
