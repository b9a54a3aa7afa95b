"""What does the course of one domain say? Groups memorised together, how their pathways change, and what goes with accuracy.

summary(Domain(steps, losses, weights, …), rng)  ->  {"distance_slope": -0.012, "r_distance": -0.83, "r_log_step": 0.95, …}

Slopes are over log2 of the step, so of a doubling: those of distances are relative to the distance when memorised, those of
inconsistency and loss are plain. Where a number is not defined (a curve that does not vary, no groups) it is NaN.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.record import Row
from unseen.measures import pathways

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
DRIFT = 0.05  # nats a token that a memorised sample may be from its last loss
LEAST, AFTER = 4, 3  # samples of a group, and checkpoints from its own on, that a slope is taken of
THRESHOLDS = (0.5, 0.6, 0.8)  # beside 0.7
PAIRS_AT = 0.8  # the threshold of pairs whose entropy is compared


@dataclass(frozen=True)
class Domain:
    """Checkpoints [c] of one model on one domain: losses [c sample] (nats a token), weights and those of random routers
    [c sample layer expert], inconsistency [c sample], accuracy [c] and right bool[c item] of test items, training and
    validation loss [c], and embeddings of samples and items [… feature]. Without test items, accuracy and right are None."""

    steps: Ints
    losses: Floats
    weights: Floats
    inconsistency: Floats
    training: Floats
    validation: Floats
    vectors: Floats
    accuracy: Floats | None = None
    right: NDArray[np.bool_] | None = None
    asked: Floats | None = None
    random: Floats | None = None


@dataclass(frozen=True)
class Groups:
    """Since which checkpoint each sample is memorised [sample], −1: never; those large and early enough to be followed."""

    since: Ints
    loss: float
    followed: tuple[tuple[int, Ints], ...]  # (checkpoint, samples)


def grouped(domain: Domain) -> Groups:
    """The samples of a domain in groups that are memorised since the same checkpoint."""
    loss = pathways.memorised_loss(domain.losses, drift=DRIFT)
    since = pathways.memorised(domain.losses, loss=loss, drift=DRIFT)
    found = [(t, np.flatnonzero(since == t)) for t in range(len(domain.steps) - AFTER + 1)]
    return Groups(since, loss, tuple((t, rows) for t, rows in found if len(rows) >= LEAST))


def tables(weights: Floats, threshold: float = 0.7, unit: pathways.Unit = "string") -> Floats:
    """The distances of all samples at every checkpoint [c sample sample]."""
    return np.stack([pathways.distances(pathways.pathways(w, threshold), unit=unit) for w in weights])


def summary(domain: Domain, draws: int, rng: np.random.Generator) -> dict[str, float]:
    """All numbers of a domain by name."""
    groups = grouped(domain)
    plain = tables(domain.weights)
    told = _memorised(domain, groups) | _after(domain, groups, plain, draws, rng)
    if domain.accuracy is not None:
        rows = np.flatnonzero(groups.since >= 0)
        told |= _correlations(domain, plain, rows if len(rows) >= LEAST else np.arange(plain.shape[1]))
    return told | {"entropy_r2": _by_entropy(domain.weights[-1])}


def relative_slope(domain: Domain, groups: Groups, distances: Floats) -> float:
    """The slope of the mean distance within groups from when they are memorised on, in parts of what it was then: the mean
    over groups, by their samples."""
    return _mean([(len(rows), _relative(domain.steps[t:], pathways.means(distances[t:, rows][:, :, rows]))) for t, rows in groups.followed])  # fmt: skip


def layer_slopes(domain: Domain, groups: Groups) -> list[float]:
    """The same layer by layer, each in parts of the whole distance, so that they add up to about its slope."""
    ways = [pathways.layers(pathways.pathways(w)) for w in domain.weights]
    whole = tables(domain.weights)
    found: list[float] = []
    for layer in range(domain.weights.shape[2]):
        d = np.stack([pathways.distances(w[layer]) for w in ways])
        each = [
            (len(rows), _slope(domain.steps[t:], pathways.means(d[t:, rows][:, :, rows])) / _some(pathways.means(whole[t : t + 1, rows][:, :, rows])[0]))
            for t, rows in groups.followed
        ]  # fmt: skip
        found.append(_mean(each))
    return found


def cross_slope(a: Domain, b: Domain, since: tuple[Ints, Ints]) -> float:
    """The relative slope of the mean distance between samples of two domains memorised by the end, from the later of the two
    domains' median checkpoints on."""
    rows = [np.flatnonzero(s >= 0) for s in since]
    if min(map(len, rows)) < LEAST:
        return float("nan")
    t = min(max(int(np.median(s[s >= 0])) for s in since), len(a.steps) - AFTER)
    ways = [[pathways.pathways(w[r]) for w in d.weights[t:]] for d, r in zip((a, b), rows, strict=True)]
    d = np.stack([pathways.distances(x, y) for x, y in zip(*ways, strict=True)])
    return _relative(a.steps[t:], pathways.means(d, within=False))


def _memorised(domain: Domain, groups: Groups) -> dict[str, float]:
    when = pathways.log_steps(domain.steps)[groups.since[groups.since >= 0]]
    spread = float(np.subtract(*np.quantile(when, [0.75, 0.25]))) if len(when) else float("nan")
    return {
        "memorised_loss": groups.loss,
        "memorised_share": float((groups.since >= 0).mean()),
        "memorised_spread": spread,
        "followed": float(sum(len(rows) for _, rows in groups.followed)),
    }


def _after(domain: Domain, groups: Groups, plain: Floats, draws: int, rng: np.random.Generator) -> dict[str, float]:
    """How distance, inconsistency and loss change in a doubling of the steps once samples are memorised."""
    told = {"distance_slope": relative_slope(domain, groups, plain)}
    told["distance_slope_high"] = _highest(domain, groups, plain, draws, rng)
    told["expert_distance_slope"] = relative_slope(domain, groups, tables(domain.weights, unit="expert"))
    for threshold in THRESHOLDS:
        told[f"distance_slope_{threshold:g}"] = relative_slope(domain, groups, tables(domain.weights, threshold))
    if domain.random is not None:
        told["random_slope"] = relative_slope(domain, groups, tables(domain.random))
    for name, curve in (("inconsistency_slope", domain.inconsistency), ("loss_slope", domain.losses)):
        told[name] = _mean([(len(r), _slope(domain.steps[t:], _nanmean(curve[t:, r]))) for t, r in groups.followed])
    return told


def _highest(domain: Domain, groups: Groups, plain: Floats, draws: int, rng: np.random.Generator) -> float:
    """The upper end of the 95% interval of `distance_slope`, samples drawn anew within their groups."""
    found: list[tuple[int, Any]] = []
    for t, rows in groups.followed:
        curves = pathways.resampled(plain[t:, rows][:, :, rows], draws, rng)
        found.append(
            (len(rows), pathways.slope(domain.steps[t:], curves) / np.where(curves[:, 0] > 0, curves[:, 0], np.nan))
        )
    if not found or not draws:
        return float("nan")
    weights = np.array([n for n, _ in found], float)
    slopes = np.stack([s for _, s in found])
    there = ~np.isnan(slopes)
    total = (weights[:, None] * there).sum(0)
    mean = (weights[:, None] * np.nan_to_num(slopes)).sum(0)[total > 0] / total[total > 0]
    return float(np.quantile(mean, 0.975)) if len(mean) else float("nan")


def _correlations(domain: Domain, plain: Floats, rows: Ints) -> dict[str, float]:
    """What goes with accuracy over checkpoints, from where it begins to rise: r and Spearman's, and |r| beside others'."""
    assert domain.accuracy is not None
    begin = pathways.rising(domain.accuracy)
    accuracy, steps = domain.accuracy[begin:], pathways.log_steps(domain.steps)[begin:]
    losses = {"training": domain.training, "moving": _moving(domain.training), "validation": domain.validation}
    curves = {
        "distance": pathways.means(plain[:, rows][:, :, rows]),
        "consistency": 1 - _nanmean(domain.inconsistency[:, rows]),
        "entropy": np.array([pathways.entropy(w[rows]).mean() for w in domain.weights]),
        **losses,
    }
    curves = {name: curve[begin:] for name, curve in curves.items()} | {"log_step": steps}
    r = {name: pathways.correlation(curve, accuracy) for name, curve in curves.items()}
    told = {"gain": float(domain.accuracy[-1] - domain.accuracy[0]), **{f"r_{k}": value for k, value in r.items()}}
    for name in ("distance", "consistency"):
        told[f"rank_{name}"] = pathways.correlation(curves[name], accuracy, ranks=True)
        told[f"partial_{name}"] = pathways.correlation(curves[name], accuracy, given=steps)
        for other in (*losses, "entropy", "log_step"):
            told[f"{name}_over_{other}"] = abs(r[name]) - abs(np.nan_to_num(r[other]))
    return told


def _by_entropy(weights: Floats) -> float:
    """How much of the distances of pairs their mean routing entropy explains, r² over pairs, at the last checkpoint."""
    first, second = np.triu_indices(len(weights), 1)
    entropy = pathways.entropy(weights)
    d = pathways.distances(pathways.pathways(weights, PAIRS_AT))
    return pathways.correlation((entropy[first] + entropy[second]) / 2, d[first, second]) ** 2


def _moving(curve: Floats) -> Floats:
    """The mean of a curve over each checkpoint and the two before it."""
    return np.array([curve[max(0, i - 2) : i + 1].mean() for i in range(len(curve))])


def _nanmean(curve: Floats) -> Floats:
    """The mean over samples [c] of those that have a value; NaN where none has."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.nanmean(curve, axis=1)


def _relative(steps: Ints, curve: Floats) -> float:
    return _slope(steps, curve) / _some(curve[0])


def _slope(steps: Ints, curve: Floats) -> float:
    return float(pathways.slope(steps, curve))


def _some(value: float) -> float:
    return float(value) if value > 0 else float("nan")


def _mean(weighted: list[tuple[int, float]]) -> float:
    """The mean of values by their weights, those that are NaN left out; NaN where there are none."""
    there = [(n, v) for n, v in weighted if not np.isnan(v)]
    return float(np.average([v for _, v in there], weights=[n for n, _ in there])) if there else float("nan")


def middle(values: Floats) -> float:
    """The mean of those values that are defined, NaN where none is."""
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) else float("nan")


def glance(found: Mapping[str, NDArray[Any]], domain: str) -> dict[str, float]:
    """What one checkpoint says of a domain's samples: mean losses, distance over pairs, consistency and entropy."""
    weights = np.asarray(found[f"weights {domain}"], np.float64)
    return {
        "loss": float(found[f"losses {domain}"].mean()),
        "validation_loss": float(found[f"validation {domain}"]),
        "distance": float(pathways.means(tables(weights[None]))[0]),
        "consistency": 1 - middle(found[f"inconsistency {domain}"]),
        "entropy": float(pathways.entropy(weights).mean()),
    }


def layered(domains: Mapping[str, Domain], seed: int) -> Iterator[Row]:
    """`layer_slope` of every domain and layer, counted from 1; of the first and the last by these names too."""
    for name, domain in domains.items():
        slopes = layer_slopes(domain, grouped(domain))
        for layer, value in enumerate(slopes):
            yield Row("layer_slope", value, seed=seed, at={"domain": name, "layer": layer + 1})
        for place, value in (("first", slopes[0]), ("last", slopes[-1])):
            yield Row(f"{place}_layer_slope", value, seed=seed, at={"domain": name})


def lags(domains: Mapping[str, Domain], names: Sequence[str], seed: int) -> Iterator[Row]:
    """How long after a training group is memorised the test group most like it, of the same domain, is answered: the mean
    in doublings (`lag`), and over all groups of these domains the rank correlation of the lag in steps with the step it is
    counted from (`lag_rank`); `matched` pairs of groups."""
    pairs: list[tuple[float, float]] = []
    for domain in (domains[name] for name in names):
        if domain.right is None or domain.asked is None:
            continue
        then = pathways.generalised(domain.right)
        found = pathways.matched(domain.vectors, grouped(domain).since, domain.asked, then)
        pairs += [(float(domain.steps[a]), float(domain.steps[b])) for a, b, _ in found]
    since, later = np.array(pairs).reshape(-1, 2).T
    waited = pathways.log_steps(later) - pathways.log_steps(since)
    yield Row("lag", float(waited.mean()) if len(pairs) else float("nan"), seed=seed)
    rank = pathways.correlation(since, later - since, ranks=True) if len(pairs) > 2 else float("nan")
    yield Row("lag_rank", rank, seed=seed)
    yield Row("matched", float(len(pairs)), seed=seed)


def crossed(domains: Mapping[str, Domain], names: Sequence[str], seed: int) -> Iterator[Row]:
    """`cross_slope` of every pair of these domains."""
    for a, b in combinations(names, 2):
        since = grouped(domains[a]).since, grouped(domains[b]).since
        slope = cross_slope(domains[a], domains[b], since)
        yield Row("cross_slope", slope, seed=seed, at={"domains": f"{a} x {b}"})
