"""How do the checkpoints of a released mixture of experts route what they were trained on? Forward passes only.

Row("distance_slope", -0.02, at={"domain": "code"}, seed=0) ; Row("loss", 2.1, at={"domain": "math"}, step=125_000, seed=0)
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from unseen.core.lab import Lab
from unseen.core.record import Row, Split
from unseen.measures import pathways, routing

from . import corpora, summary
from .arms import Released
from .corpora import Question
from .course import Course

Floats = NDArray[np.float64]
AT_ONCE = 8  # texts in one forward pass
TINY = "tiny"


def run(setting: Released, lab: Lab) -> Iterator[Row]:
    """Yield `loss`, `distance`, `consistency`, `entropy` and, where a domain has questions, `exact` at every checkpoint; at the
    end what the course of every domain says. Every seed draws texts of its own from those read; questions are shared."""
    course = Course.resumed(lab)
    told = {d: drawn(setting, d, lab) for d in corpora.DOMAINS}
    asked = {d: corpora.questions(setting.data, d, setting.items) for d in corpora.DOMAINS}
    for i, (revision, step) in enumerate(zip(setting.revisions, setting.steps, strict=True)):
        if step not in course.steps:
            model, tokenizer = opened(setting, revision, lab)
            arrays = {}
            for domain in corpora.DOMAINS:
                arrays |= measured(model, tokenizer, domain, told[domain], asked[domain], setting)
            course.add(step, **arrays)
            course.keep(lab)
            del model
        yield from rows(course, i, asked, lab.seeds)
        lab.progress(i + 1, len(setting.revisions))
    for i, seed in enumerate(lab.seeds):
        yield from summaries(setting, course, {d: told[d][i] for d in told}, asked, (i, seed), lab)


def opened(setting: Released, revision: str, lab: Lab) -> tuple[Any, Any]:
    """(model, tokenizer) of a revision, on the lab's device."""
    from unseen.models import hub

    part = hub.Part(str(tiny(revision, lab)) if setting.repo == TINY else setting.repo, _own(setting, revision))
    model, tokenizer = hub.loaded(hub.fetched(part), setting.dtype, f"{setting.repo}@{revision}")
    return model.eval().to(lab.device), tokenizer


def tiny(revision: str, lab: Lab) -> Path:
    """The folder of a tiny OLMoE with random weights, a function of the revision's name, and a tokenizer of bytes."""
    from unseen.models import exporting_moe, moe
    from unseen.models.tiny import byte_tokenizer

    def make(path: Path) -> None:
        source = Lab.alone((sum(revision.encode()),))
        one = moe.stack(257, width=32, layers=3, heads=4, context=512, experts=8, active=2, hidden=16, spread=5.0, seeds=source.seeds, lab=source)  # fmt: skip
        exporting_moe.save_pretrained(one, path)
        byte_tokenizer().save_pretrained(str(path))

    return lab.once("tiny-olmoe", make, revision=revision)


def _own(setting: Released, revision: str) -> str | None:
    return None if setting.repo == TINY else revision


def drawn(setting: Released, domain: str, lab: Lab) -> list[list[str]]:
    """The texts of a domain [seed text], each seed's drawn from twice as many."""
    most = corpora.texts(setting.data, domain, 2 * setting.samples)
    found = [lab.rng("texts", domain, seed=s).permutation(len(most))[: setting.samples] for s in lab.seeds]
    return [[most[i] for i in np.sort(rows).tolist()] for rows in found]


def measured(
    model: Any,
    tokenizer: Any,
    domain: str,
    texts: Sequence[Sequence[str]],
    asked: Sequence[Question],
    setting: Released,
) -> dict[str, NDArray[Any]]:
    """The arrays of a domain at one checkpoint [seed …]."""
    each = [read(model, tokenizer, some, setting.length) for some in texts]
    held = corpora.texts(setting.data, domain, setting.samples, held=True)
    validation = float(read(model, tokenizer, held, setting.length, routed=False)[1].mean())
    routers = routing.routers_of(model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # samples without a value are left out of means
        bent = np.stack([pathways.inconsistencies(w, routers) for w, _ in each])
    found: dict[str, NDArray[Any]] = {
        f"weights {domain}": np.stack([w for w, _ in each]).astype(np.float32),
        f"losses {domain}": np.stack([loss for _, loss in each]),
        f"validation {domain}": np.full(len(each), validation),
        f"inconsistency {domain}": bent,
    }
    if asked:
        found[f"right {domain}"] = np.repeat(answered(model, tokenizer, asked)[None], len(each), 0)
    return found


@torch.inference_mode()
def read(
    model: Any, tokenizer: Any, texts: Sequence[str], length: int, *, routed: bool = True
) -> tuple[Floats, Floats]:
    """Mean routing weights [text layer expert] (none where not `routed`) and mean losses [text] (nats a token) of texts, each
    cut to so many tokens."""
    weights: list[Floats] = []
    losses: list[Floats] = []
    place = next(model.parameters()).device
    for at in range(0, len(texts), AT_ONCE):
        told = tokenizer(
            list(texts[at : at + AT_ONCE]), truncation=True, max_length=length, padding=True, padding_side="right", return_tensors="pt"
        )  # fmt: skip
        ids, mask = told["input_ids"].to(place), told["attention_mask"].to(place)
        if routed:
            weights.append(routing.of_pretrained(model, ids, mask))
        logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits[:, :-1].float()
        each = F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="none").view(len(ids), -1)
        counts = mask[:, 1:].float()
        losses.append(((each * counts).sum(1) / counts.sum(1).clamp_min(1)).double().cpu().numpy())
    return (np.concatenate(weights) if routed else np.zeros((0, 1, 1))), np.concatenate(losses)


def answered(model: Any, tokenizer: Any, asked: Sequence[Question]) -> NDArray[np.bool_]:
    """Whether the right choice is the most likely one, per byte of it [question]."""
    # DEPARTS: each checkpoint is asked as it is; the original tunes it on instructions first
    from unseen.models.engine import Local

    flat = [(q.prompt, choice) for q in asked for choice in q.choices]
    scores = Local(model, tokenizer).scores([p for p, _ in flat], [c for _, c in flat])
    each = np.split(
        scores / np.array([len(c.encode()) for _, c in flat]), np.cumsum([len(q.choices) for q in asked])[:-1]
    )
    return np.array([int(one.argmax()) == q.right for one, q in zip(each, asked, strict=True)])


def rows(course: Course, i: int, asked: Mapping[str, Sequence[Question]], seeds: Sequence[int]) -> Iterator[Row]:
    """The rows of one checkpoint, in the order of the course."""
    step = course.steps[i]
    for domain in corpora.DOMAINS:
        at = {"domain": domain}
        for k, seed in enumerate(seeds):
            found = {name: value[i][k] for name, value in course.kept.items() if name.endswith(f" {domain}")}
            for name, value in summary.glance(found, domain).items():
                yield Row(name, value, step=step, seed=seed, at=at)
            if asked[domain]:
                right = found[f"right {domain}"]
                split = Split(f"{domain} new", "example", {**at, "trained": False}, True)
                yield Row("exact", float(right.mean()), split, len(right), step, seed=seed)


def summaries(
    setting: Released,
    course: Course,
    texts: Mapping[str, Sequence[str]],
    asked: Mapping[str, Sequence[Question]],
    member: tuple[int, int],
    lab: Lab,
) -> Iterator[Row]:
    """What the course of every domain, and of every pair of them, says of a member (its place, its seed)."""
    place, seed = member
    domains = {d: _domain(course, d, texts[d], asked[d], place) for d in corpora.DOMAINS}
    for name, domain in domains.items():
        for measure, value in summary.summary(domain, setting.draws, lab.rng("bootstrap", name, seed=seed)).items():
            yield Row(measure, value, seed=seed, at={"domain": name})
    yield from summary.layered(domains, seed)
    yield from summary.lags(domains, corpora.DOMAINS, seed)
    yield from summary.crossed(domains, corpora.DOMAINS, seed)


def _domain(course: Course, name: str, texts: Sequence[str], asked: Sequence[Question], i: int) -> summary.Domain:
    losses = course.of(f"losses {name}", i)
    vectors, others = words([*texts], [q.prompt for q in asked])
    right = course.of(f"right {name}", i) if asked else None
    return summary.Domain(
        steps=np.array(course.steps),
        losses=losses,
        weights=course.of(f"weights {name}", i).astype(float),
        inconsistency=course.of(f"inconsistency {name}", i),
        training=losses.mean(1),
        validation=course.of(f"validation {name}", i),
        vectors=vectors,
        accuracy=None if right is None else right.mean(1),
        right=right,
        asked=others if asked else None,
    )


def words(texts: Sequence[str], others: Sequence[str]) -> tuple[Floats, Floats]:
    """Texts and questions as tf-idf vectors over the 20,000 words they share most [text word], [question word]."""
    # DEPARTS: the original embeds them with all-MiniLM-L6-v2
    from sklearn.feature_extraction.text import TfidfVectorizer

    found = TfidfVectorizer(max_features=20_000, sublinear_tf=True).fit_transform([*texts, *others]).toarray()
    return found[: len(texts)], found[len(texts) :]
