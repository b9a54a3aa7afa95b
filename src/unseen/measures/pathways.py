"""Which experts does a sample go through, how alike are the ways of two samples, and how smooth is one?

    weights [layer expert] = [[0.1, 0.6, 0.3], [0.8, 0.1, 0.1]]     mean router softmax over the tokens of a sample
    pathway(weights, threshold=0.7)  ->  "1,2-0"                     the experts that carry 0.7 of it, layer by layer
    distance("1,2-0", "1-0")  ->  2.0                                Levenshtein's, of the characters

After arXiv 2506.21551. Keep the weights of a sample, not its pathway: all measures and thresholds follow from them.
Strings grow with the threshold and with the digits of experts' numbers; `unit="expert"` counts experts instead.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unseen.core.errors import Invalid, missing_extra

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Unit = Literal["string", "expert"]
BETWEEN = "-"  # layers
LETTERS = 0x4E00  # where characters that stand for experts begin: a block of 20,000
SMALL = 1e-8  # added to the largest cosine, as in the paper
MEMORISED_SHARE = (0.2, 0.25)  # of the samples, before the last checkpoint
RIGHT, ERRORS = 0.8, 1  # of an item that is answered from some checkpoint on


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over pairs of n samples, with the 95% percentile interval of a bootstrap over samples."""

    value: float
    low: float
    high: float
    n: int


def pathway(weights: ArrayLike, threshold: float = 0.7) -> str:
    """The pathway of a sample with these mean routing weights [layer expert]: at each layer the shortest list of experts,
    by falling weight, that adds up to more than `threshold`; commas between experts, hyphens between layers."""
    return pathways(np.asarray(weights, float)[None], threshold)[0]


def pathways(weights: ArrayLike, threshold: float = 0.7) -> list[str]:
    """The pathways of samples [sample layer expert]. Raises Invalid for weights or thresholds that cannot be shares."""
    w = _weights(weights)
    if not 0 < threshold < 1:
        raise Invalid(f"threshold={threshold}: it is a share of the routing weight between 0 and 1.")
    order = np.argsort(-w, axis=-1, kind="stable")
    carried = np.cumsum(np.take_along_axis(w, order, -1), -1)
    used = np.minimum((carried <= threshold).sum(-1) + 1, w.shape[-1])
    names = np.array([str(k) for k in range(w.shape[-1])], dtype=object)[order]
    return [
        BETWEEN.join(",".join(row[:n]) for row, n in zip(one, its, strict=True))
        for one, its in zip(names.tolist(), used.tolist(), strict=True)
    ]


def layers(ways: Sequence[str]) -> list[list[str]]:
    """The parts of pathways by layer [layer sample], for distances layer by layer."""
    parts = [way.split(BETWEEN) for way in ways]
    return [list(row) for row in zip(*parts, strict=True)]


def distance(a: str, b: str, unit: Unit = "string", *, normalized: bool = False) -> float:
    """The Levenshtein distance of two pathways: of their characters, as the paper has it, or of their experts, with a mark
    between layers. `normalized` divides it by the length of the longer one, in the same unit."""
    return float(distances([a], [b], unit, normalized=normalized)[0, 0])


def distances(
    ways: Sequence[str],
    others: Sequence[str] | None = None,
    unit: Unit = "string",
    *,
    normalized: bool = False,
    workers: int = 1,
) -> Floats:
    """The distances of all pairs [way other], by default among themselves, by so many threads. A core compares some 800,000
    pairs of 75 characters a second (4 layers of 16 experts), 25,000 of 750 (16 layers of 64).

    Raises Invalid for another unit, Missing without rapidfuzz.
    """
    try:
        from rapidfuzz.distance import Levenshtein
        from rapidfuzz.process import cdist
    except ModuleNotFoundError as error:
        raise missing_extra("the distance of pathways", error, "pathways") from error
    if unit not in ("string", "expert"):
        raise Invalid(f"unit={unit!r}: pathways are compared by 'string' or 'expert'.")
    first = _spelt(ways, unit)
    second = first if others is None else _spelt(others, unit)
    if not first or not second:
        return np.zeros((len(first), len(second)))
    found = cdist(first, second, scorer=Levenshtein.distance, dtype=np.int32, workers=workers).astype(float)
    if normalized:
        lengths = [np.array([len(w) for w in one]) for one in (first, second)]
        found /= np.maximum(1, np.maximum.outer(*lengths))
    return found


def mean_distance(table: ArrayLike, *, draws: int = 1000, rng: np.random.Generator | None = None) -> Estimate:
    """The mean of a table of distances over pairs: of two different samples of a group [sample sample], or of one sample of
    each of two groups [sample other] where it is no square. The bootstrap draws samples, for pairs are not independent.

    Raises Invalid for fewer than two samples.
    """
    square = np.asarray(table, float)
    within = square.ndim == 2 and square.shape[0] == square.shape[1]
    if square.ndim != 2 or min(square.shape) < (2 if within else 1):
        raise Invalid(
            f"a table of distances of the form {square.shape}: it is [sample other] with at least two samples."
        )
    own = rng or np.random.default_rng(0)
    told = resampled(square[None], draws, own, within=within)[:, 0]
    low, high = np.nanquantile(told, [0.025, 0.975]) if draws else (np.nan, np.nan)
    return Estimate(float(means(square[None], within=within)[0]), float(low), float(high), len(square))


def means(tables: ArrayLike, *, within: bool = True) -> Floats:
    """The mean over pairs of tables of distances [table sample other]; `within` leaves pairs of a sample with itself out."""
    d = np.asarray(tables, float)
    n = d.shape[1]
    return d.sum((1, 2)) / (n * (n - 1)) if within else d.mean((1, 2))


def resampled(tables: ArrayLike, draws: int, rng: np.random.Generator, *, within: bool = True) -> Floats:
    """The means of tables [table sample other] over samples drawn again with replacement [draw table]: the same draw for all
    tables, so that whole curves are resampled. `within`: pairs of a sample with its own copy are left out."""
    d = np.asarray(tables, float)
    first = _counts(d.shape[1], draws, rng)
    second = first if within else _counts(d.shape[2], draws, rng)
    total = np.einsum("ri,tij,rj->rt", first, d, second, optimize=True)
    pairs = first.sum(1) * second.sum(1) - ((first**2).sum(1) if within else 0)
    return total / np.where(pairs > 0, pairs, np.nan)[:, None]


def inconsistency(weights: ArrayLike, routers: ArrayLike) -> float:
    """How erratic a pathway is, from a sample's weights [layer expert] and the routers [layer expert width].

    With e_l = Σ_k g_l(k) v_l^k and c_l = cos(e_l, e_{l+1}), C = 1 − mean(c) / (max(c) + 1e-8) (the paper's C_i): 0 where
    all steps are equally smooth, more where they are not. NaN, with a warning, where no cosine is above 0.
    """
    return float(inconsistencies(np.asarray(weights, float)[None], routers)[0])


def consistency(weights: ArrayLike, routers: ArrayLike) -> float:
    """1 − `inconsistency`: higher is smoother. The paper defines the other one and calls it consistency, but its table's
    signs are those of this one."""
    return 1 - inconsistency(weights, routers)


def inconsistencies(weights: ArrayLike, routers: ArrayLike) -> Floats:
    """`inconsistency` of samples [sample layer expert] -> [sample]. Raises Invalid for routers of other sizes, or one layer."""
    w, r = _weights(weights), np.asarray(routers, float)
    if r.ndim != 3 or r.shape[:2] != w.shape[1:] or len(r) < 2:
        raise Invalid(
            f"routers of the form {r.shape} for weights of {w.shape[1]} layers and {w.shape[2]} experts: they are [layer expert width] of at least two layers."
        )
    e = np.einsum("slk,lkd->sld", w, r)
    norms = np.linalg.norm(e, axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        cosines = (e[:, :-1] * e[:, 1:]).sum(-1) / (norms[:, :-1] * norms[:, 1:])
        most = cosines.max(-1)
        found = np.where(most > 0, 1 - cosines.mean(-1) / (most + SMALL), np.nan)
    if bad := int(np.isnan(found).sum()):
        warnings.warn(f"the inconsistency of {bad} of {len(found)} samples is not defined: no two layers are alike (largest cosine not above 0).", stacklevel=2)  # fmt: skip
    return found


def entropy(weights: ArrayLike) -> Floats:
    """The entropy of routing weights, averaged over layers (nats): [sample layer expert] -> [sample]."""
    w = _weights(weights)
    return -(w * np.log(np.where(w > 0, w, 1.0))).sum(-1).mean(-1)


def told(weights: ArrayLike, routers: ArrayLike, threshold: float = 0.7) -> dict[str, float]:
    """What samples [sample layer expert] of one group say together: mean `distance` over pairs, the same by
    `expert_distance`, and the means of `consistency`, `inconsistency` and `entropy` (nats)."""
    ways = pathways(weights, threshold)
    erratic = inconsistencies(weights, routers)
    fine = erratic[~np.isnan(erratic)]
    c = float(fine.mean()) if len(fine) else float("nan")
    return {
        "distance": mean_distance(distances(ways), draws=0).value,
        "expert_distance": mean_distance(distances(ways, unit="expert"), draws=0).value,
        "consistency": 1 - c,
        "inconsistency": c,
        "entropy": float(entropy(weights).mean()),
    }


def memorised(losses: ArrayLike, *, loss: float, drift: float = 0.05) -> Ints:
    """The first checkpoint from which on each sample stays memorised [sample], −1 where there is none.

    losses [checkpoint sample] (nats a token); memorised at t: at most `loss`, and within `drift` of the last one.
    """
    told = np.asarray(losses, float)
    return _since((told <= loss) & (np.abs(told - told[-1]) <= drift))


def memorised_loss(losses: ArrayLike, *, drift: float = 0.05, grid: float = 0.1) -> float:
    """The `loss` for `memorised` on a grid of 0.1 at which 20 to 25% of the samples are memorised before the last checkpoint, as
    the paper chooses it; where none gives that, the one that comes nearest to the middle of it."""
    told = np.asarray(losses, float)
    tried = np.arange(1, max(2, int(np.ceil(told.max() / grid)) + 1)) * grid
    last = len(told) - 1
    shares = np.array([((t := memorised(told, loss=e, drift=drift)) >= 0).mean() - (t == last).mean() for e in tried])
    return float(tried[np.abs(shares - np.mean(MEMORISED_SHARE)).argmin()])


def generalised(right: ArrayLike) -> Ints:
    """The first checkpoint at which each item is answered and from which on it is, in more than 0.8 of the checkpoints and
    all but one at most [item], −1 where there is none. right bool[checkpoint item]."""
    told = np.asarray(right, bool)
    after = np.cumsum(~told[::-1], 0)[::-1]  # errors from here on
    n = np.arange(len(told), 0, -1)[:, None]
    fine = told & (after <= ERRORS) & (after < (1 - RIGHT) * n - 1e-12)
    return np.where(fine.any(0), fine.argmax(0), -1)


def matched(
    train: ArrayLike, train_groups: ArrayLike, test: ArrayLike, test_groups: ArrayLike
) -> list[tuple[int, int, float]]:
    """Groups of training samples and of test items, one to one, so that they are most alike: (group, group, mean cosine).

    train [sample feature] and test [item feature] are embeddings; of groups, −1 is left out. By the Hungarian algorithm.
    """
    from scipy.optimize import linear_sum_assignment

    parts: list[tuple[list[int], Floats]] = []
    for vectors, groups in ((train, train_groups), (test, test_groups)):
        v, g = np.asarray(vectors, float), np.asarray(groups, int)
        v = v / np.maximum(np.linalg.norm(v, axis=1, keepdims=True), SMALL)
        if not (names := sorted(set(g[g >= 0].tolist()))):
            return []
        parts.append((names, np.stack([v[g == name].mean(0) for name in names])))
    (ours, a), (theirs, b) = parts
    alike = a @ b.T  # the mean of cosines is the product of mean unit vectors
    return [(ours[i], theirs[j], float(alike[i, j])) for i, j in zip(*linear_sum_assignment(-alike), strict=True)]


def log_steps(steps: ArrayLike) -> Floats:
    """The null predictor of anything that rises: log2 of the step, as it is known without looking at a model."""
    return np.log2(np.maximum(1, np.asarray(steps, float)))


def rising(accuracy: ArrayLike, *, least: int = 4) -> int:
    """The checkpoint from which accuracy rises: the last one, before its highest value, at which it has come at most a tenth
    of the way from the first to that value; at least `least` checkpoints are left."""
    a = np.asarray(accuracy, float)
    top = int(a.argmax())
    low = np.flatnonzero(a[: top + 1] <= a[0] + 0.1 * max(0.0, a[top] - a[0]))
    return max(0, min(int(low[-1]) if len(low) else 0, len(a) - least))


def correlation(a: ArrayLike, b: ArrayLike, *, given: ArrayLike | None = None, ranks: bool = False) -> float:
    """Pearson's correlation over checkpoints, or Spearman's; with `given` the partial one, of what a line through `given`
    leaves of both. NaN where one of them does not vary."""
    x, y = np.asarray(a, float), np.asarray(b, float)
    rest = None if given is None else np.asarray(given, float)
    if ranks:
        from scipy.stats import rankdata

        x, y, rest = rankdata(x), rankdata(y), None if rest is None else rankdata(rest)
    if rest is not None:
        line = np.stack([np.ones(len(rest)), rest], 1)
        x, y = (v - line @ np.linalg.lstsq(line, v, rcond=None)[0] for v in (x, y))
    x, y = x - x.mean(), y - y.mean()
    size = float(np.sqrt((x @ x) * (y @ y)))
    floor = 1e-12 * (1 + float(np.abs(np.asarray(a, float)).max()) * float(np.abs(np.asarray(b, float)).max()))
    return float(np.clip(x @ y / size, -1, 1)) if size > floor else float("nan")


def slope(steps: ArrayLike, values: ArrayLike) -> Any:
    """The least-squares slope of values [… checkpoint] over log2 of the step [checkpoint]: what changes in a doubling."""
    x = log_steps(steps)
    x = x - x.mean()
    return np.asarray(values, float) @ x / (x @ x)


def routing_kernel(shares: ArrayLike, kernels: ArrayLike) -> Floats:
    """Θ(x, x') = Σ_k g_k(x) g_k(x') K_k(x, x') of a layer with a frozen router [sample sample]: shares g [sample expert], the
    experts' own tangent kernels K [expert sample sample]."""
    g, k = np.asarray(shares, float), np.asarray(kernels, float)
    return np.einsum("ik,jk,kij->ij", g, g, k, optimize=True)


def effective_dimension(kernel: ArrayLike, ridge: float) -> float:
    """Tr(H (H + λI)⁻¹) of a kernel's matrix H [sample sample] at the ridge λ. Raises Invalid unless λ is above 0."""
    if not ridge > 0:
        raise Invalid(f"ridge={ridge}: the effective dimension is taken at a ridge above 0.")
    values = np.linalg.eigvalsh(np.asarray(kernel, float)).clip(0)
    return float((values / (values + ridge)).sum())


def _weights(weights: ArrayLike) -> Floats:
    w = np.asarray(weights, float)
    if w.ndim != 3 or not w.size or not np.isfinite(w).all() or w.min() < 0:
        raise Invalid(
            f"routing weights of the form {w.shape}: they are [layer expert] of one sample or [sample layer expert] of several, finite and at least 0."
        )
    return w


def _spelt(ways: Sequence[str], unit: Unit) -> list[str]:
    """Pathways as strings whose edits are those of the unit: for experts one character each, and one for a new layer."""
    if unit == "string":
        return list(ways)
    try:
        return [
            BETWEEN.join("".join(chr(LETTERS + int(k)) for k in part.split(",")) for part in way.split(BETWEEN))
            for way in ways
        ]
    except ValueError:
        raise Invalid("a pathway is written as experts' numbers, such as 3,1,5-2: commas in a layer, hyphens between layers.") from None  # fmt: skip


def _counts(n: int, draws: int, rng: np.random.Generator) -> Floats:
    """How often each of n samples is drawn [draw sample]."""
    return rng.multinomial(n, np.full(n, 1 / n), draws).astype(float)


def _since(held: NDArray[np.bool_]) -> Ints:
    """The first index from which on something holds to the end [column], −1 where it does not hold at the end."""
    n = np.cumprod(held[::-1], 0).sum(0).astype(int)  # how long it has held at the end
    return np.where(n > 0, len(held) - n, -1)
