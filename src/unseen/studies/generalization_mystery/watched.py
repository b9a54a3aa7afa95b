"""How coherent are gradients while a network learns real labels, random ones, or some of each?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import isnan, log2, nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.lab import Lab
from unseen.core.record import Row
from unseen.measures.coherence import Coherence, stability_bound

from . import curves, seen
from .arms import Watched
from .nets import How, Nets, trained

Point = dict[str, NDArray[Any]]


@dataclass
class Course:
    """What was measured so far: steps [point], and by name what each point found [seed …]."""

    steps: list[int] = field(default_factory=list[int])
    points: list[Point] = field(default_factory=list[Point])

    def of(self, name: str, i: int) -> NDArray[np.float64]:
        """The curve of a seed [point …]."""
        return np.stack([p[name][i] for p in self.points])


def run(setting: Watched, lab: Lab) -> Iterator[Row]:
    """Rows of training: loss, accuracy and coherence at every point, then what the whole course says of each seed."""
    data = seen.prepared(setting.data, (setting.train, setting.held), setting.noise, setting.pixels, lab)
    nets = Nets(
        data.taught.x.shape[2],
        data.classes,
        width=setting.width,
        layers=setting.layers,
        seeds=lab.seeds,
        lab=lab,
    )
    samples = seen.sampled(setting.train, setting.sample, setting.samples, lab)
    course, how = Course(), How(setting.steps, setting.batch, setting.lr)
    at = curves.measured_at(setting.steps, setting.points)
    for step in trained(nets, data.taught, how, at=at, lab=lab):
        yield from _point(nets, data, samples, step, course, lab)
    for i, seed in enumerate(lab.seeds):
        yield from _told(setting, data, course, i, seed)
    for seed, error in zip(lab.seeds, seen.gram_error(nets, data.taught), strict=True):
        yield Row("gram_error", error, seed=seed)


def _point(
    nets: Nets, data: seen.Data, samples: NDArray[np.int64], step: int, course: Course, lab: Lab
) -> Iterator[Row]:
    """Measure at a step: add to the course, and yield it as rows."""
    loss, taught = seen.answered(nets, data.taught)
    _, held = seen.answered(nets, data.held)
    found = seen.coherences(nets, data.taught, samples)
    first = course.points[0] if course.points else {"loss": loss}
    m = np.array([np.mean([c.m_coherence for c in one]) for one in found])
    point: Point = {
        "loss": loss,
        "share": loss / first["loss"],
        "fitted": taught.mean(1),
        "pristine": _share(taught, data.right),
        "memorised": _share(taught, ~data.right),
        "validation": held[:, : held.shape[1] // 3].mean(1),
        "test": held[:, held.shape[1] // 3 :].mean(1),
        "coherence": m,
        "alpha": np.array([np.mean([c.unbiased for c in one]) for one in found]),
        "layers": np.array([_layers(one) for one in found]),
    }
    course.steps.append(step)
    course.points.append(point)
    yield from seen.accuracy(data, lab.seeds, taught, held, measure="accuracy", step=step)
    gained = m - course.points[0]["coherence"]
    n, size = data.taught.y.shape[1], samples[0].size
    for i, seed in enumerate(lab.seeds):
        yield Row("train_loss", float(loss[i]), n=n, step=step, seed=seed)
        yield Row("loss_share", float(point["share"][i]), step=step, seed=seed)
        yield Row("train_accuracy", float(point["fitted"][i]), n=n, step=step, seed=seed)
        yield Row("m_coherence", float(m[i]), step=step, seed=seed, at={"of": size})
        yield Row("log2_m_coherence", log2(m[i]) if m[i] > 0 else nan, step=step, seed=seed)
        yield Row("coherence_gain", float(gained[i]), step=step, seed=seed)
        for k, value in enumerate(point["layers"][i].mean(0)):
            yield Row("layer_m_coherence", float(value), step=step, seed=seed, at={"layer": k + 1})


def _told(setting: Watched, data: seen.Data, course: Course, i: int, seed: int) -> Iterator[Row]:
    """What the whole course of a seed says."""
    share, m = course.of("share", i), course.of("coherence", i)
    until = 3 * setting.train // setting.batch  # three epochs
    layers = course.of("layers", i)[[0 < s <= until for s in course.steps]]
    validation, test = course.of("validation", i), course.of("test", i)
    told = {
        "band_coherence": curves.in_band(share, m),
        "peak_coherence": float(m.max()),
        "end_coherence": float(m[-1]),
        "early_coherence": curves.early(course.steps, m, until),
        "layer_spread": curves.spread(layers.mean(0)) if len(layers) else nan,
        "log2_bound": _bound(setting, course, i),
        "stopping_gain": curves.stopped_early(validation, test),
        "log2_peak_step": curves.log2_first(course.steps, validation == validation.max()),
        "log2_fall_step": curves.log2_first(course.steps, curves.fallen(m)),
    }
    if (~data.right[i]).any():
        rises = course.of("memorised", i) >= 0.5
        told["log2_rise_step"] = curves.log2_first(course.steps, rises)
        half = course.steps.index(setting.steps // 2)
        told["mid_gap"] = float(course.of("pristine", i)[half] - course.of("memorised", i)[half])
    for name, value in told.items():
        if not isnan(value):  # a row that is missing makes the claims that read it untested
            yield Row(name, float(value), seed=seed)


def _share(right: NDArray[np.bool_], among: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The fraction right among some of the examples [seed]; NaN where there are none of them."""
    return np.array([r[a].mean() if a.any() else nan for r, a in zip(right, among, strict=True)])


def _bound(setting: Watched, course: Course, i: int) -> float:
    """log2 of the bound on the gap, summed over the steps until the loss share is 0.3; NaN if it never is.

    The losses' Lipschitz constant is taken as 1 and their smoothness as 0, which leaves the sum that coherence enters.
    Between the points it was measured at, alpha is interpolated; it is that of all examples, estimated without bias.
    """
    share = course.of("share", i)
    reached = curves.to_share(share, course.steps, curves.BAND[1])
    if not len(reached):
        return nan
    steps = np.arange(int(reached[-1]))
    alphas = np.interp(steps, course.steps, course.of("alpha", i)).clip(0, 1)
    bound = stability_bound(alphas.tolist(), [setting.lr] * len(steps), m=setting.train)
    return log2(float(bound[-1]))


def _layers(found: list[Coherence]) -> NDArray[np.float64]:
    """m-coherence of every layer on every sample [sample layer], in the order of the layers."""
    return np.array([[layer.m_coherence for layer in c.by_layer.values()] for c in found])
